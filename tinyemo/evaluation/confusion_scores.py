"""Scores as functions of confusion counts.

Takes counts (..., C, C), rows for the true labels and columns for the predicted ones, with any
leading dimensions (seeds, resamples); gives one score per label (..., C), or one number (...) over
all labels.
"""

from collections.abc import Callable

import numpy as np


def accuracy(counts: np.ndarray) -> np.ndarray:
    """Share of correct predictions (also called WAR, weighted average recall)."""
    items = counts.sum(axis=(-2, -1))
    correct = _correct(counts).sum(axis=-1)
    return correct / items


def uar(counts: np.ndarray) -> np.ndarray:
    """Unweighted average recall: the mean recall of the labels that occur."""
    return mean_of_occurring(recall(counts), counts)


def macro_f1(counts: np.ndarray) -> np.ndarray:
    """The mean F1 of the labels that occur."""
    return mean_of_occurring(f1(counts), counts)


def weighted_f1(counts: np.ndarray) -> np.ndarray:
    """The mean F1 of the labels, weighted by their numbers of items."""
    items = counts.sum(axis=-1)  # (..., C)
    weighted = f1(counts) * items
    return weighted.sum(axis=-1) / items.sum(axis=-1)


# name -> function of confusion counts (..., C, C), true x predicted -> (...)
SCORES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "accuracy": accuracy,
    "uar": uar,
    "weighted_f1": weighted_f1,
    "macro_f1": macro_f1,
}


def recall(counts: np.ndarray) -> np.ndarray:
    """Recalls (..., C); NaN for a label without items."""
    items = counts.sum(axis=-1)
    shares = _correct(counts) / np.maximum(items, 1)
    return np.where(items > 0, shares, np.nan)


def precision(counts: np.ndarray) -> np.ndarray:
    """Precisions (..., C); 0 for a label that is never predicted."""
    predicted = counts.sum(axis=-2)
    return _correct(counts) / np.maximum(predicted, 1)


def f1(counts: np.ndarray) -> np.ndarray:
    """F1 (..., C); 0 for a label that neither occurs nor is predicted."""
    either = counts.sum(axis=-1) + counts.sum(axis=-2)
    return 2 * _correct(counts) / np.maximum(either, 1)


def mean_of_occurring(values: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """The mean of values (..., C) over the labels with at least one item."""
    occurs = counts.sum(axis=-1) > 0  # (..., C)
    total = np.where(occurs, values, 0).sum(axis=-1)
    return total / occurs.sum(axis=-1)


def _correct(counts: np.ndarray) -> np.ndarray:
    """Numbers of correct predictions (..., C) by label."""
    return np.diagonal(counts, axis1=-2, axis2=-1)
