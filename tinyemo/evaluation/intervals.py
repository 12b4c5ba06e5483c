"""Bootstrap intervals over items (Efron and Tibshirani 1993): percentiles of a score under resampling of its items."""

from collections.abc import Callable

import numpy as np

RESAMPLES = 2000
LEVEL = 0.95


def bootstrap(values: np.ndarray, seed: int = 0) -> tuple[float, float]:
    """95 % interval (low, high) of the mean of (N,) values."""
    rng = np.random.default_rng(seed)
    values = np.asarray(values, dtype=np.float64)
    means = np.empty(RESAMPLES)
    for start in range(0, RESAMPLES, 100):  # in parts: 2000 x N indices at once need not fit
        rows = rng.integers(len(values), size=(min(100, RESAMPLES - start), len(values)))
        means[start : start + len(rows)] = values[rows].mean(axis=1)
    return _interval(means)


def bootstrap_of(
    score: Callable[[np.ndarray], float], items: int, seed: int = 0
) -> tuple[float, float]:
    """95 % interval (low, high) of a score that is no mean: `score` takes the rows (items,) of one resample."""
    rng = np.random.default_rng(seed)
    return _interval([score(rng.integers(items, size=items)) for _ in range(RESAMPLES)])


def _interval(scores: np.ndarray | list[float]) -> tuple[float, float]:
    low, high = np.quantile(scores, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
