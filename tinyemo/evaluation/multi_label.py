"""Several labels per item: what a generated text names, and scores of label sets.

Takes texts that a model generated, or sets of labels; gives sets of labels, the rate of texts that
cannot be read, and scores. A text that cannot be read is counted and never replaced by a frequent
label.
"""

import re
from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd
from sklearn.metrics import f1_score, jaccard_score

SEPARATORS = re.compile(r"\s*(?:,|;|/|\band\b)\s*")


def parse_labels(text: str, labels: Sequence[str]) -> frozenset[str] | None:
    """The labels that a generated answer consists of, or None if it is anything else.

    An answer is one label, or several ones with commas or "and" between them. Case, spaces around
    it and a full stop at its end do not matter. No other word may be there: "not angry" is no
    label.
    """
    known = {label.lower(): label for label in labels}
    parts = SEPARATORS.split(text.strip().rstrip(".").lower())
    parts = [part for part in parts if part]  # ", and" leaves an empty part
    if not parts or any(part not in known for part in parts):
        return None
    return frozenset(known[part] for part in parts)


def generated_table(
    texts: Sequence[str], truth: Sequence[str], labels: Sequence[str]
) -> dict[str, float]:
    """Scores of freely generated answers with one true label each.

    Keys: `parse_failures` (the share of texts that are no single label), `accuracy` (a text that
    cannot be read counts as wrong), and `accuracy_parsed` (of the others alone; NaN if there are
    none).
    """
    single = []
    for text in texts:
        found = parse_labels(text, labels)
        single.append(next(iter(found)) if found and len(found) == 1 else "")
    predicted, truth = np.array(single), np.array(truth)
    is_parsed = predicted != ""
    right = predicted == truth
    accuracy_parsed = float("nan")
    if is_parsed.any():
        accuracy_parsed = float(right[is_parsed].mean())
    return {
        "parse_failures": float(1 - is_parsed.mean()),
        "accuracy": float(right.mean()),
        "accuracy_parsed": accuracy_parsed,
    }


def voted_labels(shares: np.ndarray, labels: Sequence[str]) -> list[frozenset[str]]:
    """Shares of votes (N, C) -> the labels that at least one annotator chose."""
    names = np.array(labels)
    found = []
    for row in np.asarray(shares):
        chosen = names[row > 0]
        found.append(frozenset(chosen.tolist()))
    return found


def voted_indicators(shares: np.ndarray) -> np.ndarray:
    """Shares of votes (N, C) -> (N, C) int, 1 for labels that at least one annotator chose."""
    return (np.asarray(shares) > 0).astype(int)


def set_scores(
    true: Sequence[Collection[str]], predicted: Sequence[Collection[str]], labels: Sequence[str]
) -> dict[str, float]:
    """Scores of predicted label sets: jaccard, micro_f1, macro_f1, exact.

    jaccard: size of the intersection over size of the union, mean over items (1 if both sets are
    empty). micro_f1: F1 over all pairs of item and label. macro_f1: mean F1 of the labels that
    occur in `true`. exact: share of items whose sets are equal.
    """
    y = indicators(true, labels)  # (N, C)
    z = indicators(predicted, labels)
    jaccard = jaccard_score(y, z, average="samples", zero_division=1)
    micro = f1_score(y, z, average="micro", zero_division=0)
    occurs = y.any(axis=0)
    macro = f1_score(y[:, occurs], z[:, occurs], average="macro", zero_division=0)
    exact = (y == z).all(axis=1)
    return {
        "jaccard": float(jaccard),
        "micro_f1": float(micro),
        "macro_f1": float(macro),
        "exact": float(exact.mean()),
    }


def indicators(sets: Sequence[Collection[str]], labels: Sequence[str]) -> np.ndarray:
    """Label sets -> (N, C) int, 1 where the label is in the set. ValueError: an unknown label."""
    position = {label: i for i, label in enumerate(labels)}
    table = np.zeros((len(sets), len(labels)), dtype=int)
    for row, chosen in enumerate(sets):
        for label in chosen:
            if label not in position:
                raise ValueError(
                    f"label set {row}: found {label!r}, expected some of {', '.join(labels)}"
                )
            table[row, position[label]] = 1
    return table


def best_threshold(probabilities: np.ndarray, true: np.ndarray) -> float:
    """The threshold on per-label probabilities (N, C) with the highest mean Jaccard score.

    `true` is (N, C) of `indicators`. To be chosen on validation items. Candidates are .05, .10,
    ..., .95; of equal ones the first is taken. An item in which no label reaches the threshold gets
    its most probable label.
    """
    candidates = np.arange(1, 20) / 20
    scores = []
    for threshold in candidates:
        predicted = sets_above(probabilities, threshold)
        scores.append(jaccard_score(true, predicted, average="samples", zero_division=1))
    return float(candidates[int(np.argmax(scores))])


def sets_above(probabilities: np.ndarray, threshold: float) -> np.ndarray:
    """(N, C) int: 1 for labels of at least the threshold, and for the most probable label."""
    chosen = np.asarray(probabilities) >= threshold
    best = np.argmax(probabilities, axis=1)
    chosen[np.arange(len(chosen)), best] = True
    return chosen.astype(int)


def label_set_table(
    runs: dict[str, Sequence[Collection[str]]],
    true: Sequence[Collection[str]],
    labels: Sequence[str],
) -> pd.DataFrame:
    """`set_scores` of several runs, and the mean size of their sets: one row per run."""
    rows = []
    for run, predicted in runs.items():
        size = float(np.mean([len(chosen) for chosen in predicted]))
        rows.append({"run": run, **set_scores(true, predicted, labels), "mean size": size})
    return pd.DataFrame(rows)
