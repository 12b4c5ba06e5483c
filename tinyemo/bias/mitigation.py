"""Mitigation: training anew so that labels say nothing of an attribute value, and what that won.

Takes training features, labels and who shows the accepted values; gives what to train on (MITIGATIONS). Takes
predictions of the models before and after on the same test items; gives worst-group accuracy, gap and overall accuracy.

All three ways take an association out of the training data that a person has judged a bias. None knows whether it is
one: applied to "smiling" and joy, they take away what is true.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from tinyemo.bias.erasure import erase
from tinyemo.evaluation.bootstrap import RESAMPLES

INTERVAL = (0.025, 0.975)
MEASURES = {"worst group": 1, "gap": -1, "accuracy": 1}  # and which way is better
LEAST_ITEMS = 10  # of a group: an accuracy over fewer says nothing


@dataclass(frozen=True, eq=False)
class Mitigated:
    """What to train on, by `fit_projector(m.x, m.y, ..., item_weights=m.item_weights)`.

    The model it makes is to be given `eraser(features)`, at test as in training.
    """

    x: Tensor  # (N', D)
    y: Tensor  # (N',) int64
    item_weights: Tensor | None = None  # (N',)
    eraser: Callable[[Tensor], Tensor] = lambda x: x


def independence(y: np.ndarray, group: np.ndarray) -> np.ndarray:
    """(N,) float64 of mean 1: by these weights labels (N,) are independent of each column of group (N,) or (N, G).

    For one column they are P(a) P(y) / P(a, y) (Kamiran and Calders 2012, section 4.3); several are raked in turn
    until all hold. How frequent labels and values are stays as it is, where each occurs with each.
    """
    weights, group = np.ones(len(y)), _columns(group, len(y))
    for _ in range(50 if group.shape[1] > 1 else 1):
        for a in group.T.astype(int):
            cells, wanted = np.zeros((2, 2, y.max() + 1))
            np.add.at(cells, (a, y), weights)
            np.add.at(wanted, (a, y), 1)
            wanted = wanted.sum(axis=1, keepdims=True) * wanted.sum(axis=0) / len(y)
            weights = weights * (wanted / np.where(cells > 0, cells, 1))[a, y]
    return weights / weights.mean()


def reweighting(x: Tensor, y: Tensor, group: np.ndarray, seed: int = 0) -> Mitigated:
    """Items are drawn by the weights of `independence`, anew in every epoch (Idrissi et al. 2022, arXiv 2110.14503)."""
    return Mitigated(x, y, torch.from_numpy(independence(y.numpy(), group)))


def resampling(x: Tensor, y: Tensor, group: np.ndarray, seed: int = 0) -> Mitigated:
    """N items drawn once by the same weights: each cell of value and label has its independent count, give or take 1.

    Where a cell has too many items some are left out, where it has too few some come again.
    """
    rows = torch.from_numpy(_balanced(y.numpy(), group, seed))
    return Mitigated(x[rows], y[rows])


def erasure(x: Tensor, y: Tensor, group: np.ndarray, seed: int = 0) -> Mitigated:
    """The linear direction of the values is erased from all features.

    The direction is taken from balanced items. On the items as they are it would be partly the direction of the very
    labels that go with the value, and these would be erased too.
    """
    rows = _balanced(y.numpy(), group, seed)
    eraser = erase(x[torch.from_numpy(rows)], _columns(group, len(y))[rows])
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
    clean: str | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Models on the same N test items: columns measure, model, value, low, high, difference, difference_low,
    difference_high, won_back, won_back_low, won_back_high.

    y: (N,) int labels. group: (N,) or (N, G) bool, who shows the values. predicted: (seeds, N) predicted labels by
    model; the first is the one before, differences are from it; `clean` names the one trained without the bias, and
    `won_back` is the share of the way from the first to it, NaN where the one before is not worse beyond chance.
    Measures, of the mean over seeds:

    worst group   the least accuracy over groups, a group being the items of a label that show a value, or do not
    gap           the largest difference, over labels, between the accuracies of those two groups (the true-positive
                  part of equalised odds, Hardt et al. 2016)
    accuracy      over all items

    Groups of fewer than 10 items are left out. Intervals: 95 %, percentiles of one bootstrap of items for all models,
    so differences are paired. They are about these trained models. ValueError: shapes that do not fit, no group left.
    """
    n, group = len(y), _columns(group, len(y))
    for model, p in predicted.items():
        if np.shape(p)[-1:] != (n,):
            raise ValueError(
                f"model {model!r}: expected predicted labels (seeds, {n}), got {np.shape(p)}"
            )
    if clean is not None and clean not in predicted:
        raise ValueError(f"clean {clean!r}: expected one of {', '.join(predicted)}")
    correct = np.stack([(np.atleast_2d(p) == y).mean(axis=0) for p in predicted.values()])  # (M, N)
    label = np.asarray(y)[:, None] == np.unique(y)
    sides = np.stack(
        [(group[:, :, None] == shown) & label[:, None] for shown in (True, False)]
    ).reshape(2, n, -1)
    sides = np.where(
        sides.sum(axis=1, keepdims=True) < LEAST_ITEMS, np.nan, sides
    )  # (2, N, groups) of 0, 1 and NaN
    if np.isnan(sides).all():
        raise ValueError(
            f"groups: expected at least {LEAST_ITEMS} items of a label that show a value, or do not"
        )

    def measures(counts: np.ndarray) -> np.ndarray:
        """How often each item counts (R, N) -> worst group, gap and accuracy of each model (3, M, R)."""
        right = np.stack(
            [[(counts * hit) @ side for side in sides] for hit in correct]
        )  # (M, 2, R, groups)
        with np.errstate(invalid="ignore"):  # a group that a resample has no item of
            accuracy = right / (counts @ sides)
        worst = np.nanmin(accuracy, axis=(1, 3))
        apart = np.abs(accuracy[:, 0] - accuracy[:, 1])  # NaN where a label has not both groups
        gap = np.where(np.isnan(apart).all(axis=2), np.nan, np.nan_to_num(apart).max(axis=2))
        return np.stack([worst, gap, correct @ counts.T / n])

    rng, even = np.random.default_rng(seed), np.full(n, 1 / n)
    draws = [
        measures(rng.multinomial(n, even, size=100).astype(float)) for _ in range(RESAMPLES // 100)
    ]
    scores = np.concatenate(
        [measures(np.ones((1, n))), *draws], axis=2
    )  # the first is of the items as they are
    gains, loss = scores - scores[:, :1], np.full((len(MEASURES), 1, 1 + RESAMPLES), np.nan)
    if clean is not None:
        loss = gains[:, [list(predicted).index(clean)]]
        lost = (
            np.quantile(
                loss[..., 1:] * np.reshape(list(MEASURES.values()), (-1, 1, 1)), INTERVAL[0], axis=2
            )
            > 0
        )
        loss = np.where(lost[..., None], loss, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        columns = {"": scores, "difference": gains, "won_back": gains / loss}
    rows = [
        {"measure": measure, "model": model}
        | {
            name: value
            for prefix, column in columns.items()
            for name, value in zip(
                (prefix or "value", *(f"{prefix}_{end}".strip("_") for end in ("low", "high"))),
                (column[i, m, 0], *np.quantile(column[i, m, 1:], INTERVAL)),
                strict=True,
            )
        }
        for i, measure in enumerate(MEASURES)
        for m, model in enumerate(predicted)
    ]
    return pd.DataFrame(rows)


def _columns(group: np.ndarray, items: int) -> np.ndarray:
    """(N, G) bool of a group (N,) or (N, G)."""
    group = np.asarray(group, dtype=bool)
    if group.ndim not in (1, 2) or len(group) != items:
        raise ValueError(
            f"group: expected who of {items} items shows a value, (N,) or (N, G), got {group.shape}"
        )
    return group.reshape(items, -1)


def _balanced(y: np.ndarray, group: np.ndarray, seed: int) -> np.ndarray:
    """(N,) rows drawn by `independence`: even steps along the weights, items of a cell side by side in random order."""
    weights, columns = independence(y, group), _columns(group, len(y))
    order = np.lexsort((np.random.default_rng(seed).random(len(y)), y, *columns.T))
    ends = weights[order].cumsum()
    return order[np.searchsorted(ends, (np.arange(len(y)) + 0.5) / len(y) * ends[-1], side="right")]
