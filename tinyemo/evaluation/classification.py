"""Scores of a classifier, each with its interval.

Owns: the predictions table and every number that is read off it. Takes records and probabilities; gives
tables and flat metrics. Nothing here knows where the probabilities came from, so a projector, a probe and
a language model are scored by the same lines.

Two kinds of spread are reported and never mixed: `_sd` over training seeds, `_low` and `_high` the 95 %
bootstrap interval over items (of the mean over seeds).
"""

import numpy as np
import pandas as pd
from sklearn.metrics import confusion_matrix, f1_score

from tinyemo.evaluation.calibration import expected_calibration_error
from tinyemo.evaluation.intervals import bootstrap


def predictions_table(
    records: pd.DataFrame, probabilities: np.ndarray, labels: tuple[str, ...], run: str, seed: int
) -> pd.DataFrame:
    """One row a record: `id, dataset, split, label, label_set, pred, p_<label>..., run, seed`.

    `probabilities` is (N, C) in the order of `labels`; its rows sum to one.
    """
    if probabilities.shape != (len(records), len(labels)):
        raise ValueError(
            f"probabilities have shape {probabilities.shape}, expected ({len(records)}, {len(labels)})"
        )
    table = records[["id", "dataset", "split", "label", "label_set"]].reset_index(drop=True)
    columns = pd.DataFrame(
        probabilities.astype(np.float32), columns=[f"p_{label}" for label in labels]
    )
    pred = np.array(labels)[probabilities.argmax(1)]
    return pd.concat([table.assign(pred=pred), columns], axis=1).assign(run=run, seed=seed)


def item_correctness(predictions: pd.DataFrame) -> pd.Series:
    """Share of seeds that get an item right, by id: what intervals and paired differences resample."""
    right = (predictions["pred"] == predictions["label"]).astype(float)
    return right.groupby(predictions["id"]).mean().sort_index()


def accuracy_metrics(predictions: pd.DataFrame) -> dict[str, float]:
    """Accuracy of one split's predictions: mean and sd over seeds, bootstrap interval over items."""
    by_seed = (predictions["pred"] == predictions["label"]).groupby(predictions["seed"]).mean()
    low, high = bootstrap(item_correctness(predictions).to_numpy())
    return {
        "accuracy": float(by_seed.mean()),
        "accuracy_sd": float(by_seed.std(ddof=1)) if len(by_seed) > 1 else 0.0,
        "accuracy_low": low,
        "accuracy_high": high,
    }


def paired_difference(ours: pd.DataFrame, theirs: pd.DataFrame) -> tuple[float, float, float]:
    """Accuracy of `ours` minus `theirs` on the same items: mean and 95 % paired bootstrap interval."""
    a, b = item_correctness(ours), item_correctness(theirs)
    if not a.index.equals(b.index):
        raise ValueError(
            f"a paired difference needs the same items: {len(a.index.difference(b.index))} only in the first "
            f"table, {len(b.index.difference(a.index))} only in the second"
        )
    difference = (a - b).to_numpy()
    return float(difference.mean()), *bootstrap(difference)


def majority_accuracy(predictions: pd.DataFrame) -> float:
    """Accuracy of always naming the most frequent label of this very split: the generous null model."""
    labels = predictions.drop_duplicates("id")["label"]
    return float(labels.value_counts(normalize=True).iloc[0])


def class_metrics(predictions: pd.DataFrame, labels: tuple[str, ...]) -> pd.DataFrame:
    """Per class: number of items, recall, precision and F1, means over seeds; index = labels."""
    frames = []
    for _, one in predictions.groupby("seed"):
        counts = confusion(one, labels).to_numpy()
        hit, true, named = np.diag(counts), counts.sum(1), counts.sum(0)
        recall, precision = hit / np.maximum(true, 1), hit / np.maximum(named, 1)
        f1 = 2 * hit / np.maximum(true + named, 1)
        columns = {"items": true, "recall": recall, "precision": precision, "f1": f1}
        frames.append(pd.DataFrame(columns, index=list(labels)))
    return sum(frames) / len(frames)


def confusion(predictions: pd.DataFrame, labels: tuple[str, ...]) -> pd.DataFrame:
    """(C, C) counts over all seeds; rows are true labels, columns predicted ones."""
    counts = confusion_matrix(predictions["label"], predictions["pred"], labels=list(labels))
    return pd.DataFrame(counts, index=list(labels), columns=list(labels))


def macro_f1(predictions: pd.DataFrame, labels: tuple[str, ...]) -> float:
    """F1 averaged over the classes that occur in the split, then over seeds."""
    present = [label for label in labels if (predictions["label"] == label).any()]
    scores = [
        f1_score(one["label"], one["pred"], labels=present, average="macro", zero_division=0)
        for _, one in predictions.groupby("seed")
    ]
    return float(np.mean(scores))


def fraction_of_bayes(accuracy: float, bayes: float, majority: float) -> tuple[float, float]:
    """Accuracy as a share of the best possible, and the same with the majority class's subtracted.

    The second is the honest one: always naming the largest class already earns a good part of the first.
    """
    return accuracy / bayes, (accuracy - majority) / (bayes - majority)


def summary(predictions: pd.DataFrame, labels: tuple[str, ...]) -> dict[str, float]:
    """All scalar metrics of one split of one run, ready for metrics.json."""
    return {
        **accuracy_metrics(predictions),
        "macro_f1": macro_f1(predictions, labels),
        "uar": float(class_metrics(predictions, labels).query("items > 0")["recall"].mean()),
        "ece": expected_calibration_error(predictions),
        "majority": majority_accuracy(predictions),
    }
