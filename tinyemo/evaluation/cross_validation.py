"""Scores of a cross-validation: pooled over folds, by fold, with intervals over dialogues.

Takes predictions of test items, each with the dialogue that it is from; gives scores, confusion
counts, differences between runs, and the text files that Emotion-LLaMA's evaluation writes.

Utterances of one dialogue resemble each other, so an interval that resamples single utterances
would be too short. Here whole dialogues are resampled (cluster bootstrap, Davison and Hinkley 1997,
section 3.8). All scores are functions of confusion counts, and the counts of a resample are sums of
the dialogues' counts. Accuracy and recall are proportions: they get Wilson's interval, as wide as
the resamples show.

Shapes: S seeds, G dialogues, C labels, R resamples.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from tinyemo.evaluation.bootstrap import RESAMPLES, percentile_interval
from tinyemo.evaluation.confusion_scores import (
    SCORES,
    accuracy,
    f1,
    macro_f1,
    mean_of_occurring,
    precision,
    recall,
    uar,
    weighted_f1,
)
from tinyemo.evaluation.proportions import resampled_share_interval
from tinyemo.io import write_atomically


def confusions(predictions: pd.DataFrame, labels: Sequence[str]) -> pd.DataFrame:
    """Confusion counts by seed and dialogue: index (seed, dialogue), one column per cell (C * C).

    `predictions` has one row per item and seed with the columns seed, dialogue, label and pred.
    ValueError: a label or a prediction that is not in `labels`.
    """
    position = {label: i for i, label in enumerate(labels)}
    for column in ("label", "pred"):
        unknown = sorted(set(predictions[column]) - set(labels))
        if unknown:
            raise ValueError(
                f"predictions, column {column!r}: found {unknown[0]!r}, "
                f"expected one of {', '.join(labels)}"
            )
    true = predictions["label"].map(position)
    predicted = predictions["pred"].map(position)
    cell = true * len(labels) + predicted  # (rows,)
    seed, dialogue = predictions["seed"], predictions["dialogue"]
    counts = pd.crosstab([seed, dialogue], cell)
    cells = range(len(labels) ** 2)
    return counts.reindex(columns=cells, fill_value=0)


def score_table(predictions: pd.DataFrame, labels: Sequence[str], seed: int = 0) -> pd.DataFrame:
    """All SCORES of one run, pooled over its test items: one row per score.

    Columns `score, value, low, high, sd`: the mean over seeds, its 95 % interval over dialogues,
    and the standard deviation over seeds (NaN for one seed).
    """
    counts = _array(confusions(predictions, labels))  # (S, G, C, C)
    pooled = counts.sum(axis=1)  # (S, C, C)
    resampled = _resample(counts, seed)  # (S, R, C, C)
    rows = []
    for name, score in SCORES.items():
        by_seed = score(pooled)  # (S,)
        drawn = score(resampled).mean(axis=0)  # (R,)
        if score is accuracy:
            low, high = resampled_share_interval(by_seed.mean(), drawn, pooled[0].sum())
        else:
            low, high = percentile_interval(drawn)
        sd = by_seed.std(ddof=1) if len(by_seed) > 1 else np.nan
        rows.append((name, by_seed.mean(), low, high, sd))
    return pd.DataFrame(rows, columns=["score", "value", "low", "high", "sd"])


def difference_table(
    run: pd.DataFrame, other: pd.DataFrame, labels: Sequence[str], seed: int = 0
) -> pd.DataFrame:
    """The scores of `run` minus those of `other` on the same items: one row per score.

    Both are predictions tables. Columns `score, difference, low, high`; the interval comes from a
    paired bootstrap: both runs are scored on the same resampled dialogues. ValueError: the runs
    have predictions of different items.
    """
    _check_same_items(run, other)
    counts = []
    for predictions in (run, other):
        counts.append(_array(confusions(predictions, labels)))  # (S, G, C, C)
    resampled = [_resample(one, seed) for one in counts]  # the same dialogues, (S, R, C, C)
    rows = []
    for name, score in SCORES.items():
        value, other_value = [score(one.sum(axis=1)).mean() for one in counts]
        drawn, other_drawn = [score(one).mean(axis=0) for one in resampled]  # (R,)
        low, high = percentile_interval(drawn - other_drawn)
        difference = value - other_value
        rows.append((name, difference, low, high))
    return pd.DataFrame(rows, columns=["score", "difference", "low", "high"])


def scores_by_fold(predictions: pd.DataFrame, labels: Sequence[str]) -> pd.DataFrame:
    """The scores of each fold, means over seeds: one row per fold, then rows `mean` and `sd`.

    `predictions` has a column fold. A label without items in a fold is left out of that fold's UAR
    and macro F1; the column `absent` names these labels.
    """
    rows = []
    for fold, part in predictions.groupby("fold", sort=True):
        counts = _array(confusions(part, labels)).sum(axis=1)  # (S, C, C)
        row = {"fold": fold, "items": part["id"].nunique()}
        row |= {name: score(counts).mean() for name, score in SCORES.items()}
        absent = [label for label in labels if not (part["label"] == label).any()]
        row["absent"] = ", ".join(absent)
        rows.append(row)
    table = pd.DataFrame(rows)
    scores = table[list(SCORES)]
    mean = {"fold": "mean", **scores.mean()}
    sd = {"fold": "sd", **scores.std(ddof=1)}
    summary = pd.DataFrame([mean, sd])
    return pd.concat([table, summary], ignore_index=True)


def pooled_confusion(predictions: pd.DataFrame, labels: Sequence[str]) -> pd.DataFrame:
    """Confusion counts (C, C) over all items and seeds; rows are true labels."""
    counts = _array(confusions(predictions, labels)).sum(axis=(0, 1))
    return pd.DataFrame(counts, index=list(labels), columns=list(labels))


def recalls(predictions: pd.DataFrame, labels: Sequence[str], seed: int = 0) -> pd.DataFrame:
    """Recall, precision and F1 of each label: `label, items, recall, low, high, precision, f1`.

    Means over seeds; low and high are the recall's 95 % interval over dialogues. A label without
    items has NaN.
    """
    counts = _array(confusions(predictions, labels))  # (S, G, C, C)
    resampled = recall(_resample(counts, seed)).mean(axis=0)  # (R, C)
    pooled = counts.sum(axis=1)  # (S, C, C)
    items = pooled[0].sum(axis=1)  # (C,)
    table = pd.DataFrame({"label": list(labels), "items": items})
    table["recall"] = recall(pooled).mean(axis=0)
    low, high = resampled_share_interval(table["recall"].fillna(0), resampled, items)
    table["low"], table["high"] = low, high
    table["precision"] = precision(pooled).mean(axis=0)
    table["f1"] = f1(pooled).mean(axis=0)
    numbers = ["recall", "low", "high", "precision", "f1"]
    table.loc[table["items"] == 0, numbers] = np.nan
    return table


def write_fold_file(predictions: pd.DataFrame, labels: Sequence[str], path: str | Path) -> Path:
    """Write the scores of one fold in the form of Emotion-LLaMA's eval_results_cross{k}.txt.

    Lines `Accuracy`, `Precision`, `Recall` (means over the labels that occur), `Macro F1 Score` and
    `F1 Score` (weighted by the labels' numbers of items).
    """
    counts = _array(confusions(predictions, labels)).sum(axis=1)  # (S, C, C)
    lines = {
        "Accuracy": accuracy(counts),
        "Precision": mean_of_occurring(precision(counts), counts),
        "Recall": uar(counts),
        "Macro F1 Score": macro_f1(counts),
        "F1 Score": weighted_f1(counts),
    }
    text = ""
    for name, values in lines.items():
        text += f"{name}: {values.mean():.4f}\n"
    return write_atomically(path, lambda temporary: Path(temporary).write_text(text))


def _array(counts: pd.DataFrame) -> np.ndarray:
    """The table of `confusions` as an array (S, G, C, C). Dialogues are sorted by name."""
    seeds = counts.index.unique("seed")
    cells = len(counts.columns)
    classes = round(cells**0.5)
    return counts.to_numpy().reshape(len(seeds), -1, classes, classes)


def _resample(counts: np.ndarray, seed: int) -> np.ndarray:
    """Counts (S, G, C, C) of dialogues -> (S, R, C, C), each the sum of G drawn dialogues."""
    rng = np.random.default_rng(seed)
    dialogues = counts.shape[1]
    equal = np.full(dialogues, 1 / dialogues)
    drawn = rng.multinomial(dialogues, equal, size=RESAMPLES)  # (R, G)
    return np.einsum("rg,sgtp->srtp", drawn, counts, optimize=True)


def _check_same_items(run: pd.DataFrame, other: pd.DataFrame) -> None:
    ids, other_ids = set(run["id"]), set(other["id"])
    only_run, only_other = ids - other_ids, other_ids - ids
    if only_run or only_other:
        raise ValueError(
            f"predictions to compare: {len(only_run)} items only in the first run, "
            f"{len(only_other)} only in the second, expected the same items"
        )
