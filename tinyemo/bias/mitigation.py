"""Mitigation: training again without the association of labels and attribute values.

Takes: training features, labels, and for every item whether it shows the accepted attribute values.
Gives: what to train on (MITIGATIONS). Takes the predictions of models before and after mitigation
for the same test items; gives worst-group accuracy, gap and overall accuracy (`before_and_after`).

All three methods remove an association from the training data that a person has judged to be a
bias. None of them checks this judgement: applied to "smiling" and joy, they remove a true cause.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from tinyemo.bias.erasure import erase
from tinyemo.evaluation.bootstrap import RESAMPLES, centred_interval
from tinyemo.evaluation.proportions import (
    largest_difference_interval,
    lowest_share_interval,
    share_interval,
)

MEASURES = {"worst group": 1, "gap": -1, "accuracy": 1}  # 1: higher is better, -1: lower is better
MIN_ITEMS = 10  # of a group: an accuracy over fewer items is not computed
RAKING_ROUNDS = 50
DRAWN_AT_ONCE = 100  # bootstrap resamples


@dataclass(frozen=True, eq=False)
class Mitigated:
    """What to train on: `fit_projector(m.x, m.y, ..., item_weights=m.item_weights)`.

    At test as in training, the model gets `eraser(features)`.
    """

    x: Tensor  # (N', D)
    y: Tensor  # (N',) int64
    item_weights: Tensor | None = None  # (N',)
    eraser: Callable[[Tensor], Tensor] = lambda x: x


def independence(y: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Item weights (N,) that make labels independent of each attribute value.

    The weights are float64 and have mean 1.

    y: (N,) int labels. group: (N,) or (N, G) bool, whether an item shows each of G values.

    For one value the weights are P(a) P(y) / P(a, y) (Kamiran and Calders 2012, section 4.3). For
    several values the weights are adjusted in turn (raking) until all hold. The frequencies of
    labels and values do not change, if each label occurs with and without each value.
    """
    weights = np.ones(len(y))
    group = _columns(group, len(y))
    rounds = RAKING_ROUNDS if group.shape[1] > 1 else 1
    for _ in range(rounds):
        for a in group.T.astype(int):  # (N,) of 0 and 1
            weighted, counts = np.zeros((2, 2, y.max() + 1))  # each (value, label)
            np.add.at(weighted, (a, y), weights)
            np.add.at(counts, (a, y), 1)
            independent = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0) / len(y)
            factor = independent / np.where(weighted > 0, weighted, 1)
            weights = weights * factor[a, y]
    return weights / weights.mean()


def reweighting(x: Tensor, y: Tensor, group: np.ndarray, seed: int = 0) -> Mitigated:
    """Items are drawn by the weights of `independence`, again in every epoch.

    Source: Idrissi et al. 2022, arXiv 2110.14503.
    """
    weights = independence(y.numpy(), group)
    return Mitigated(x, y, torch.from_numpy(weights))


def resampling(x: Tensor, y: Tensor, group: np.ndarray, seed: int = 0) -> Mitigated:
    """N items are drawn once by the same weights.

    Each cell of value and label then has the count that it would have if value and label were
    independent, up to a difference of 1. If a cell has too many items, some are left out. If it has
    too few, some are repeated.
    """
    rows = _balanced(y.numpy(), group, seed)
    rows = torch.from_numpy(rows)
    return Mitigated(x[rows], y[rows])


def erasure(x: Tensor, y: Tensor, group: np.ndarray, seed: int = 0) -> Mitigated:
    """The linear direction of the values is erased from all features.

    The direction is fitted on balanced items. On the original items it would partly be the
    direction of the labels that are associated with the value, and these would be erased too.
    """
    rows = _balanced(y.numpy(), group, seed)
    balanced = _columns(group, len(y))[rows]
    eraser = erase(x[torch.from_numpy(rows)], balanced)
    return Mitigated(eraser(x), y, eraser=eraser)


MITIGATIONS: dict[str, Callable[..., Mitigated]] = {
    "reweighting": reweighting,
    "resampling": resampling,
    "erasure": erasure,
}


def before_and_after(
    y: np.ndarray,
    group: np.ndarray,
    predicted: Mapping[str, np.ndarray],
    unbiased: str | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Compare models on the same N test items: one row per measure and model.

    Args:
        y: (N,) int labels.
        group: (N,) or (N, G) bool, whether an item shows each of G values.
        predicted: model -> predicted labels (seeds, N). The first model is the one before
            mitigation.
        unbiased: the name of a model that was trained without the bias.

    The measures are means over seeds:

        worst group   the lowest accuracy of a group; a group is the items of one label with, or
                      without, a value
        gap           the largest difference, over labels, between the accuracies of these two
                      groups (the true positive part of equalised odds, Hardt et al. 2016)
        accuracy      over all items

    Columns:

        measure, model, value
        difference              from the first model
        recovered               the difference as a share of the difference between `unbiased` and
                                the first model; NaN if the first model is not significantly worse
        low, high               ends of the interval of the value; difference_low, difference_high,
                                recovered_low and recovered_high are those of the other two

    Groups of fewer than 10 items are left out. The interval of a value is Wilson's or Newcombe's
    (`evaluation.proportions`); for the first two measures it contains the true values of all groups
    at once. The other intervals come from one bootstrap of the items for all models, so differences
    are paired; their median is moved to the observed difference, because a resample makes the
    lowest accuracy lower and the largest gap larger. All intervals apply to these trained models,
    not to new trainings.

    ValueError: shapes that do not fit, or no group is left.
    """
    group = _columns(group, len(y))
    _check_predictions(predicted, len(y), unbiased)
    correct = [(np.atleast_2d(labels) == y).mean(axis=0) for labels in predicted.values()]
    correct = np.stack(correct)  # (M, N) share of the seeds that are right
    sides = _groups(y, group)  # (2, N, groups)
    scores = _bootstrap_scores(correct, sides, seed)  # (measures, M, 1 + R)
    limits = [_limits(of_model, sides) for of_model in correct]

    # Differences are from the first model. `lost` is NaN where its interval contains no loss.
    difference = scores - scores[:, :1]
    lost = np.full((len(MEASURES), 1, scores.shape[2]), np.nan)
    if unbiased is not None:
        position = list(predicted).index(unbiased)
        lost = _where_something_is_lost(difference[:, [position]])
    with np.errstate(divide="ignore", invalid="ignore"):
        recovered = difference / lost

    rows = []
    for i, measure in enumerate(MEASURES):
        for m, model in enumerate(predicted):
            row = {"measure": measure, "model": model}
            low, high = limits[m][i]
            row |= {"value": scores[i, m, 0], "low": low, "high": high}
            for name, column in (("difference", difference), ("recovered", recovered)):
                row |= _with_limits(column[i, m], name, f"{name}_low", f"{name}_high")
            rows.append(row)
    return pd.DataFrame(rows)


def _check_predictions(
    predicted: Mapping[str, np.ndarray], items: int, unbiased: str | None
) -> None:
    for model, labels in predicted.items():
        shape = np.shape(labels)
        if shape[-1:] != (items,):
            raise ValueError(
                f"model {model!r}: expected predicted labels (seeds, {items}), got {shape}"
            )
    if unbiased is not None and unbiased not in predicted:
        raise ValueError(f"unbiased {unbiased!r}: expected one of {', '.join(predicted)}")


def _groups(y: np.ndarray, group: np.ndarray) -> np.ndarray:
    """(2, N, G * C) of 0 and 1: membership in the groups of a label with, and without, a value.

    Groups of too few items are NaN.
    """
    label = np.asarray(y)[:, None] == np.unique(y)  # (N, C)
    with_value = group[:, :, None] & label[:, None]  # (N, G, C)
    without_value = ~group[:, :, None] & label[:, None]
    sides = np.stack([with_value, without_value])
    sides = sides.reshape(2, len(y), -1)
    too_few = sides.sum(axis=1, keepdims=True) < MIN_ITEMS
    sides = np.where(too_few, np.nan, sides)
    if np.isnan(sides).all():
        raise ValueError(
            f"groups of label and value: none has {MIN_ITEMS} items or more, expected at least one"
        )
    return sides


def _bootstrap_scores(correct: np.ndarray, sides: np.ndarray, seed: int) -> np.ndarray:
    """Measures (3, M, 1 + R) of the models: of the items as they are, then of R resamples."""
    items = correct.shape[1]
    rng, even = np.random.default_rng(seed), np.full(items, 1 / items)
    scores = [_measures(np.ones((1, items)), correct, sides)]
    for _ in range(RESAMPLES // DRAWN_AT_ONCE):
        counts = rng.multinomial(items, even, size=DRAWN_AT_ONCE).astype(float)
        scores.append(_measures(counts, correct, sides))
    return np.concatenate(scores, axis=2)


def _measures(counts: np.ndarray, correct: np.ndarray, sides: np.ndarray) -> np.ndarray:
    """Worst group, gap and accuracy (3, M, R) of the models, with counts (R, N) of the items."""
    hits = []
    for right in correct:
        hits.append([(counts * right) @ side for side in sides])
    hits = np.stack(hits)  # (M, 2, R, groups)
    with np.errstate(invalid="ignore"):  # a resample may have no item of a group: NaN
        accuracy = hits / (counts @ sides)
    worst = np.nanmin(accuracy, axis=(1, 3))  # (M, R)

    # NaN where a label does not have both groups
    difference = np.abs(accuracy[:, 0] - accuracy[:, 1])  # (M, R, groups)
    undefined = np.isnan(difference).all(axis=2)
    gap = np.where(undefined, np.nan, np.nan_to_num(difference).max(axis=2))

    overall = correct @ counts.T / correct.shape[1]
    return np.stack([worst, gap, overall])


def _limits(correct: np.ndarray, sides: np.ndarray) -> list[tuple[float, float]]:
    """The interval of each measure of one model: correct (N,), sides (2, N, groups)."""
    items = sides.sum(axis=1)  # (2, groups), NaN for too few
    accuracy = np.einsum("n,sng->sg", correct, sides) / items
    known = ~np.isnan(accuracy)
    worst = lowest_share_interval(accuracy[known], items[known])
    both = known.all(axis=0)
    gap = np.nan, np.nan
    if both.any():
        (shown, other), (shown_items, other_items) = accuracy[:, both], items[:, both]
        gap = largest_difference_interval(shown, shown_items, other, other_items)
    return [worst, gap, share_interval(correct)]


def _where_something_is_lost(difference: np.ndarray) -> np.ndarray:
    """The difference (3, 1, 1 + R), NaN where its interval does not show an improvement."""
    direction = np.reshape(list(MEASURES.values()), (-1, 1, 1))
    signed = difference * direction
    resampled = np.moveaxis(signed[..., 1:], 2, 0)  # (R, 3, 1)
    lowest, _ = centred_interval(signed[..., 0], resampled)
    is_lost = lowest > 0
    return np.where(is_lost[..., None], difference, np.nan)


def _with_limits(scores: np.ndarray, value: str, low: str, high: str) -> dict[str, float]:
    """The first of scores (1 + R,) and the interval of the others around it, under the given
    names.

    NaN resamples are left out: a share of 0 that is recovered of 0 is not defined.
    """
    resampled = scores[1:][~np.isnan(scores[1:])]
    lower, upper = np.nan, np.nan
    if len(resampled):
        lower, upper = centred_interval(scores[0], resampled)
    return {value: scores[0], low: lower, high: upper}


def _columns(group: np.ndarray, items: int) -> np.ndarray:
    """(N, G) bool of a group (N,) or (N, G)."""
    group = np.asarray(group, dtype=bool)
    if group.ndim not in (1, 2) or len(group) != items:
        raise ValueError(
            f"group: expected (N,) or (N, G) bool for N = {items} items, whether each shows a "
            f"value, got {group.shape}"
        )
    return group.reshape(items, -1)


def _balanced(y: np.ndarray, group: np.ndarray, seed: int) -> np.ndarray:
    """(N,) rows drawn by the weights of `independence`, by systematic sampling.

    The items are sorted so that the items of a cell (values, label) are neighbours, in random order
    within the cell. Then rows are taken at even steps along the cumulated weights.
    """
    weights = independence(y, group)
    columns = _columns(group, len(y))
    rng = np.random.default_rng(seed)
    random_order = rng.random(len(y))
    order = np.lexsort((random_order, y, *columns.T))
    ends = weights[order].cumsum()
    shares = (np.arange(len(y)) + 0.5) / len(y)
    steps = shares * ends[-1]
    return order[np.searchsorted(ends, steps, side="right")]
