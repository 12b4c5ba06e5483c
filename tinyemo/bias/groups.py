"""Predictions by group: how predictions differ between the items with and without a value.

Takes: labels, predicted labels and attribute values of the same items.
Gives: the naive detector (`naive_associations`), which shows what goes wrong when predictions are
tested given the label, and a table of group metrics (`group_metrics`).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.stats import chi2, norm

from tinyemo.bias.attributes import checked_positions
from tinyemo.bias.evidence import corrected, value_label_tests
from tinyemo.bias.values import AttributeValues
from tinyemo.evaluation.proportions import (
    difference_interval,
    largest_difference_interval,
    lowest_share_interval,
    wilson,
)

MIN_ITEMS = 10  # a rate over fewer items is not computed
MISSING = (np.nan, np.nan, np.nan)  # of a score, and its limits


class Tables(NamedTuple):
    """A 2 x 2 table of counts per value, label (the stratum) and predicted label.

    Each array has the shape (V, label, predicted).
    """

    a: np.ndarray  # items with the value that are predicted as this label
    b: np.ndarray  # items with the value that are predicted as another label
    c: np.ndarray  # items without the value that are predicted as this label
    d: np.ndarray  # items without the value that are predicted as another label
    n: np.ndarray  # all items of the stratum, at least 2


def naive_associations(
    y: np.ndarray,
    pred: np.ndarray,
    words: Sequence[str],
    values: AttributeValues,
    alpha: float = 0.05,
) -> pd.DataFrame:
    """Detector table "naive": does the *prediction* depend on an attribute value, given the label?

    y, pred: (N,) int64 labels and predicted labels, positions in `words` (C,).

    `effect` is the log of the common odds ratio of predicted label and value over the strata of the
    true label (Mantel and Haenszel 1959; interval: Robins, Breslow and Greenland 1986). It is
    infinite if a cell is empty in every stratum.

    This detector is an example of a wrong test. It finds many associations even in a classifier
    without bias: a classifier uses everything that is visible in an image, and items of the same
    label do not all show the same.
    """
    tables = _tables(_cells(y, pred, words, values))
    # Infinities and NaN come from empty cells: log(0 / 0) counts as 0, and an interval whose error
    # cannot be computed has no limits.
    with np.errstate(divide="ignore", invalid="ignore"):
        log_odds, error = _log_odds_ratio(tables)
        p = _mantel_haenszel_p(tables)
        effect = np.nan_to_num(log_odds, posinf=np.inf, neginf=-np.inf)
        half_width = np.nan_to_num(norm.ppf(0.975) * error, nan=np.inf)
        low, high = effect - half_width, effect + half_width
    low = np.nan_to_num(low, nan=-np.inf, posinf=np.inf, neginf=-np.inf)
    high = np.nan_to_num(high, nan=np.inf, posinf=np.inf, neginf=-np.inf)
    p = np.nan_to_num(p, nan=1.0)
    tests = value_label_tests(values, words, effect, low, high, p)
    return corrected(tests, "naive", "log odds ratio", alpha)


def group_metrics(
    y: np.ndarray,
    pred: np.ndarray,
    words: Sequence[str],
    values: AttributeValues,
) -> pd.DataFrame:
    """How well the items with and without each value are predicted: one row per attribute value.

    y, pred: (N,) int64 labels and predicted labels, positions in `words` (C,).

    Columns: what, items (with the value), and the following scores. Each has a 95 % interval over
    items (`evaluation.proportions`) in the columns <score>_low and <score>_high.

    accuracy        of the items with the value
    gap             this accuracy minus the accuracy of the items without the value
    worst_group     the lowest accuracy of a group; a group is all items of one label with the
                    value, or all without it
    equalised_odds  the largest difference of a rate between the items with and without the value;
                    the rates are the true and the false positive rate of each label against all
                    others (for two labels, this is fairlearn's definition)

    Rates over fewer than 10 items are left out. A score is NaN if no rate is left. The lowest or
    largest of several noisy rates is more extreme than the true one. So compare the last two scores
    between attribute values, and not with their ideal values 1 and 0; their intervals contain the
    true values of all rates at once.
    """
    rows = []
    cells = _cells(y, pred, words, values)  # (V, 2, C, C)
    for what, items, own in zip(values.names, values.counts, cells, strict=True):
        row = {"what": what, "items": items}
        for name, (score, low, high) in _scores(own).items():
            row |= {name: score, f"{name}_low": low, f"{name}_high": high}
        rows.append(row)
    return pd.DataFrame(rows)


def _tables(cells: np.ndarray) -> Tables:
    """The tables of the counts (V, 2, label, predicted) that `_cells` gives."""
    c, a = cells[:, 0], cells[:, 1]
    b = a.sum(axis=2, keepdims=True) - a
    d = c.sum(axis=2, keepdims=True) - c
    n = np.maximum(a + b + c + d, 2)  # a label without items then adds 0, not 0 / 0
    return Tables(a, b, c, d, n)


def _log_odds_ratio(tables: Tables) -> tuple[np.ndarray, np.ndarray]:
    """The common log odds ratio over strata and its standard error, each (V, predicted)."""
    a, b, c, d, n = tables
    same, cross = a * d / n, b * c / n  # (V, label, predicted)
    share_same = (a + d) / n
    share_cross = 1 - share_same
    same_sum = same.sum(axis=1)
    cross_sum = cross.sum(axis=1)
    log_odds = np.log(same_sum) - np.log(cross_sum)

    # the three terms of the variance by Robins, Breslow and Greenland
    from_same = (share_same * same).sum(axis=1)
    from_same = from_same / (2 * same_sum**2)
    from_cross = (share_cross * cross).sum(axis=1)
    from_cross = from_cross / (2 * cross_sum**2)
    from_both = (share_same * cross + share_cross * same).sum(axis=1)
    from_both = from_both / (2 * same_sum * cross_sum)
    return log_odds, np.sqrt(from_same + from_cross + from_both)


def _mantel_haenszel_p(tables: Tables) -> np.ndarray:
    """p-values (V, predicted) of the test that the odds ratio is 1 in all strata."""
    a, b, c, d, n = tables
    with_value, without_value = a + b, c + d
    this_label, other_label = a + c, b + d
    expected = with_value * this_label / n
    excess = (a - expected).sum(axis=1)
    variance = with_value * without_value * this_label * other_label
    variance = variance / (n**2 * (n - 1))  # hypergeometric
    return chi2.sf(excess**2 / variance.sum(axis=1), 1)


def _cells(
    y: np.ndarray, pred: np.ndarray, words: Sequence[str], values: AttributeValues
) -> np.ndarray:
    """Counts (V, 2, C, C) of items: without and with the value, by label, by predicted label."""
    y = checked_positions(y, words, values)
    pred = checked_positions(pred, words, values)
    items, classes = len(y), len(words)
    cell = y * classes + pred  # (N,) number of the cell (label, predicted label)
    row_starts = np.arange(items + 1)
    one_hot = sparse.csr_array((np.ones(items), cell, row_starts), shape=(items, classes**2))
    with_value = (values.present.T @ one_hot).toarray()  # (V, C * C)
    of_all = np.bincount(cell, minlength=classes**2)  # (C * C,)
    counts = np.stack([of_all - with_value, with_value], axis=1)
    return counts.reshape(-1, 2, classes, classes)


def _scores(cells: np.ndarray) -> dict[str, tuple[float, float, float]]:
    """The scores of `group_metrics` with their limits, for counts (2, C, C) of items without (row
    0) and with the value (row 1)."""
    hits = np.diagonal(cells, axis1=1, axis2=2)  # (2, C)
    of_label, of_predicted = cells.sum(axis=2), cells.sum(axis=1)
    items = of_label.sum(axis=1, keepdims=True)  # (2, 1)
    negatives = items - of_label
    with np.errstate(divide="ignore", invalid="ignore"):
        (accuracy_without, accuracy), (without, number) = (
            hits.sum(axis=1) / items[:, 0],
            items[:, 0],
        )
        true_positive = hits / of_label
        false_positive = (of_predicted - hits) / negatives

    gap = difference_interval(accuracy, number, accuracy_without, without)
    scores = {
        "accuracy": (accuracy, *wilson(accuracy, number)),
        "gap": (accuracy - accuracy_without, *gap),
    }
    enough = of_label >= MIN_ITEMS
    scores["worst_group"] = MISSING
    if enough.any():
        groups = true_positive[enough]
        scores["worst_group"] = (groups.min(), *lowest_share_interval(groups, of_label[enough]))

    # both kinds of rate, (2, 2 C): without the value, and with it
    rates = np.hstack([true_positive, false_positive])
    among = np.hstack([of_label, negatives])
    compared = (among >= MIN_ITEMS).all(axis=0)
    scores["equalised_odds"] = MISSING
    if compared.any():
        rates, among = rates[:, compared], among[:, compared]
        limits = largest_difference_interval(rates[1], among[1], rates[0], among[0])
        scores["equalised_odds"] = (np.abs(rates[1] - rates[0]).max(), *limits)
    return scores
