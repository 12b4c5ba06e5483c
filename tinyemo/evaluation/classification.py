"""Scores of a classifier, each with its interval.

Owns the predictions table and the scores that are computed from it. Takes records and
probabilities; gives tables and flat metrics. The same functions score a projector, a probe and a
language model.

Two kinds of spread are reported and never mixed: `_sd` over training seeds, and `_low` and `_high`,
the 95 % interval over items (of the mean over seeds; it holds for these weights).
"""

import numpy as np
import pandas as pd
from sklearn.metrics import confusion_matrix, f1_score

from tinyemo.evaluation.bootstrap import item_correctness
from tinyemo.evaluation.calibration import expected_calibration_error
from tinyemo.evaluation.confusion_scores import f1, precision, recall
from tinyemo.evaluation.proportions import share_interval, wilson

RECORD_COLUMNS = ["id", "dataset", "split", "label", "label_set"]


def predictions_table(
    records: pd.DataFrame, probabilities: np.ndarray, labels: tuple[str, ...], run: str, seed: int
) -> pd.DataFrame:
    """One row per record: `id, dataset, split, label, label_set, pred, p_<label>..., run, seed`.

    `probabilities` is (N, C) in the order of `labels`; each row sums to one. The table has them as
    float32. ValueError: another shape.
    """
    expected = (len(records), len(labels))
    if probabilities.shape != expected:
        raise ValueError(f"probabilities have shape {probabilities.shape}, expected {expected}")
    table = records[RECORD_COLUMNS].reset_index(drop=True)
    best = probabilities.argmax(1)  # (N,)
    table["pred"] = np.array(labels)[best]
    names = [f"p_{label}" for label in labels]
    columns = pd.DataFrame(probabilities.astype(np.float32), columns=names)
    table = pd.concat([table, columns], axis=1)
    return table.assign(run=run, seed=seed)


def accuracy_metrics(predictions: pd.DataFrame) -> dict[str, float]:
    """Accuracy of one split: mean and sd over seeds, Wilson interval over items.

    Keys: accuracy, accuracy_sd (0 for a single seed), accuracy_low, accuracy_high.
    """
    right = predictions["pred"] == predictions["label"]
    by_seed = right.groupby(predictions["seed"]).mean()
    sd = float(by_seed.std(ddof=1)) if len(by_seed) > 1 else 0.0
    metrics = {"accuracy": float(by_seed.mean()), "accuracy_sd": sd}
    items = item_correctness(predictions)
    metrics["accuracy_low"], metrics["accuracy_high"] = share_interval(items.to_numpy())
    return metrics


def majority_accuracy(predictions: pd.DataFrame) -> float:
    """Accuracy of always predicting the most frequent label of this split.

    This baseline has an advantage over any model: its label is chosen on the split that it is
    scored on.
    """
    labels = predictions.drop_duplicates("id")["label"]
    return float(labels.value_counts(normalize=True).iloc[0])


def confusion(predictions: pd.DataFrame, labels: tuple[str, ...]) -> pd.DataFrame:
    """(C, C) counts over all seeds; rows are true labels, columns predicted ones."""
    names = list(labels)
    counts = confusion_matrix(predictions["label"], predictions["pred"], labels=names)
    return pd.DataFrame(counts, index=names, columns=names)


def class_metrics(predictions: pd.DataFrame, labels: tuple[str, ...]) -> pd.DataFrame:
    """Per class: number of items, recall, precision and F1, means over seeds; index = labels.

    recall_low and recall_high are the recall's 95 % interval over items. The recall of a class
    without items is 0, and its interval [0, 1].
    """
    tables = []
    for _, one in predictions.groupby("seed"):
        counts = confusion(one, labels).to_numpy()  # (C, C)
        table = pd.DataFrame({"items": counts.sum(axis=1)}, index=list(labels))
        table["recall"] = np.nan_to_num(recall(counts))
        table["precision"] = precision(counts)
        table["f1"] = f1(counts)
        tables.append(table)
    mean = sum(tables) / len(tables)
    low, high = wilson(mean["recall"], mean["items"])
    mean.insert(2, "recall_low", low)
    mean.insert(3, "recall_high", high)
    return mean


def macro_f1(predictions: pd.DataFrame, labels: tuple[str, ...]) -> float:
    """F1 averaged over the classes that occur in the split, then over seeds."""
    present = [label for label in labels if (predictions["label"] == label).any()]
    scores = []
    for _, one in predictions.groupby("seed"):
        true, predicted = one["label"], one["pred"]
        score = f1_score(true, predicted, labels=present, average="macro", zero_division=0)
        scores.append(score)
    return float(np.mean(scores))


def fraction_of_bayes(accuracy: float, bayes: float, majority: float) -> tuple[float, float]:
    """Accuracy as a share of the best possible one, without and with the baseline subtracted.

    The second number is (accuracy - majority) / (bayes - majority). It is the fairer one, because
    the first is high even for a model that always predicts the most frequent class.
    """
    return accuracy / bayes, (accuracy - majority) / (bayes - majority)


def summary(predictions: pd.DataFrame, labels: tuple[str, ...]) -> dict[str, float]:
    """All scalar metrics of one split of one run, ready for metrics.json.

    `uar` is the unweighted average recall over the classes that occur.
    """
    by_class = class_metrics(predictions, labels)
    occurring = by_class[by_class["items"] > 0]
    metrics = accuracy_metrics(predictions)
    metrics["macro_f1"] = macro_f1(predictions, labels)
    metrics["uar"] = float(occurring["recall"].mean())
    metrics["ece"] = expected_calibration_error(predictions)
    metrics["majority"] = majority_accuracy(predictions)
    return metrics
