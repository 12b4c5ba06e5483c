"""Intervals of proportions: accuracy, recall, a share of texts, and differences of two of them.

A percentile bootstrap fails where nearly all items agree: with 0 of 6 items right, every resample
has 0 right, and the interval is [0, 0]. Wilson's score interval (1927, JASA 22, 209-212) contains
0 of 6 and goes up to .39. Newcombe's interval of a difference combines two of Wilson's (1998,
Statistics in Medicine 17, 873-890, method 10).

Takes shares and numbers of items; gives 95 % intervals (low, high). Shares may be means over
several trainings. The number of items is still that of the items, because the answers of several
trainings about one item resemble each other. Such an interval holds for these weights: it does not
show how much another training can differ.

The lowest of several shares, and the largest of several differences, are more extreme in a resample
than in the data, so a percentile bootstrap of them may lie wholly beside the observed value. Here
the intervals of all shares hold at once (Bonferroni), and their lowest or largest limits are taken.
"""

import numpy as np
from scipy.stats import norm

LEVEL = 0.95
Numbers = np.ndarray | float
Limits = tuple[np.ndarray, np.ndarray]
Interval = tuple[float, float]


def wilson(share: Numbers, items: Numbers, level: float = LEVEL) -> Limits:
    """Wilson's interval (low, high) of shares (...) of so many items (...); no items: [0, 1]."""
    share = np.asarray(share, dtype=np.float64)
    items = np.asarray(items, dtype=np.float64)
    z = norm.ppf((1 + level) / 2)
    square = z**2
    # Wilson's formula times n + z^2, so that n = 0 needs no division by it
    centre = items * share + square / 2
    variance = items * share * (1 - share) + square / 4
    half = z * np.sqrt(variance)
    total = items + square
    low = (centre - half) / total
    high = (centre + half) / total
    # where the share is 0 or 1, the limit equals it except for rounding
    return np.clip(low, 0, share), np.clip(high, share, 1)


def share_interval(values: np.ndarray) -> Interval:
    """95 % interval (low, high) of the mean of (N,) shares from 0 to 1, one per item.

    A value may be 0 or 1, or the mean over several trainings. Values between 0 and 1 vary less than
    0 and 1 with the same mean, so for them the interval is a little too wide.
    """
    values = np.asarray(values, dtype=np.float64)
    low, high = wilson(values.mean(), len(values))
    return float(low), float(high)


def resampled_share_interval(share: Numbers, resampled: np.ndarray, items: Numbers) -> Limits:
    """Wilson's interval of shares (...), as wide as their resamples (R, ...) show.

    Resamples of whole dialogues, or of items and trainings, vary more than single items do. So the
    number of items is replaced by the effective one, share (1 - share) / variance of the resamples
    (Korn and Graubard 1998, Survey Methodology 24, 193-201), but not by a larger one. NaN resamples
    are left out.
    """
    share = np.asarray(share, dtype=np.float64)
    masked = np.ma.masked_invalid(resampled)
    variance = np.ma.filled(masked.var(axis=0), 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        effective = share * (1 - share) / variance
    # without variance, or with a share of 0 or 1, the effective number is not known
    known = (variance > 0) & (effective > 0)
    effective = np.where(known, effective, np.inf)
    effective = np.minimum(effective, items)
    return wilson(share, effective)


def difference_interval(
    share: Numbers,
    items: Numbers,
    other: Numbers,
    other_items: Numbers,
    level: float = LEVEL,
) -> Limits:
    """Newcombe's interval (low, high) of share - other, two shares (...) of different items."""
    difference = np.asarray(share) - np.asarray(other)
    low, high = wilson(share, items, level)
    other_low, other_high = wilson(other, other_items, level)
    below = np.hypot(share - low, other_high - other)
    above = np.hypot(high - share, other - other_low)
    return difference - below, difference + above


def lowest_share_interval(shares: np.ndarray, items: np.ndarray) -> Interval:
    """95 % interval (low, high) of the lowest of K true shares; both arguments are (K,)."""
    low, high = wilson(shares, items, _level_of_each(len(shares)))
    return float(low.min()), float(high.min())


def largest_difference_interval(
    shares: np.ndarray, items: np.ndarray, others: np.ndarray, other_items: np.ndarray
) -> Interval:
    """95 % interval (low, high) of the largest of K true |share - other|; all arguments are
    (K,)."""
    level = _level_of_each(len(shares))
    low, high = difference_interval(shares, items, others, other_items, level)
    nearest = np.maximum(low, -high)
    nearest = np.maximum(nearest, 0)  # 0 where the interval contains 0
    farthest = np.maximum(high, -low)
    return float(nearest.max()), float(farthest.max())


def _level_of_each(number: int) -> float:
    """The level of each of so many intervals that hold at once with probability LEVEL."""
    return 1 - (1 - LEVEL) / number
