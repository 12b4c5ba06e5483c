"""Erasing a concept from features, and how much that changes a model's probabilities.

Takes: features, and for every item whether it shows a concept.
Gives: an eraser of the concept (LEACE, Belrose et al. 2023, arXiv 2306.03819, from the library
concept-erasure), and the detector "erasure": for every attribute value, how much the mean
probabilities of the items with the value fall when the linear direction of the value is erased.
This needs only features, so it works where no scene can be drawn again.

An effect shows that the model uses the direction. This need not be a bias: erasing "smiling" lowers
the probability of joy, as it should. To see which effects are biases, compare them with the effects
in reference models (`references.excess_effects`).
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from concept_erasure import LeaceEraser, LeaceFitter, optimal_linear_shrinkage
from scipy import linalg, sparse
from torch import Tensor

from tinyemo.bias.references import MIN_EFFECT, excess_effects
from tinyemo.bias.values import AttributeValues
from tinyemo.evaluation.bootstrap import RESAMPLES, percentile_interval

CHUNK = 8192  # items at a time
RIDGE = 1e-9  # of the mean variance of a feature


def erase(x: Tensor, concept: np.ndarray | Tensor) -> LeaceEraser:
    """The eraser of a concept (N,) or (N, K), of any number type, fitted to features x (N, D).

    eraser(features) gives features of the same shape and dtype, from which no linear classifier can
    predict the concept. The change is the smallest possible one in the metric of the covariance of
    the features. Fit the eraser on training items and apply it to all items.

    ValueError: shapes that do not fit, or a column of the concept that is the same for all items.
    """
    z = torch.as_tensor(np.asarray(concept), dtype=torch.float64).reshape(len(concept), -1)
    if x.ndim != 2 or len(z) != len(x):
        raise ValueError(
            "erase: expected features (N, D) and a concept (N,) or (N, K), "
            f"got {tuple(x.shape)} and {tuple(np.shape(concept))}"
        )
    deviation = z.std(dim=0)  # (K,)
    constant = (deviation <= 0).nonzero()
    if len(constant):
        column = int(constant[0])
        raise ValueError(f"erase: column {column} of the concept is the same for all items")
    # The library ignores directions whose covariance with the concept is below 0.01. The concept is
    # scaled to unit variance, so that a rare concept is not ignored. The library's constraint on
    # the trace is off, because with it a part of the concept would remain.
    standardised = (z - z.mean(dim=0)) / deviation
    fitter = LeaceFitter.fit(x.cpu().double(), standardised, constrain_cov_trace=False)
    return fitter.eraser


def erasure_effects(
    predict: Callable[[Tensor], Tensor],
    x: Tensor,
    values: AttributeValues,
    words: Sequence[str],
    permutations: int = 20,
    items: int = 500,
    min_effect: float = MIN_EFFECT,
    alpha: float = 0.05,
    seed: int = 0,
) -> pd.DataFrame:
    """Detector table "erasure": how much the mean p(word) falls when a value is erased.

    Args:
        predict: features (n, D) -> probabilities (n, C).
        x: (N, D) features of the items of `values`.
        permutations: how often the values are shuffled over the items to get the null distribution,
        at least 10.
        items: at most this many items of each value are used, drawn by `seed`.

    `effect` is the probability before minus the probability after the erasure, averaged over items
    with the value. low and high come from a bootstrap of these items. p tests the excess over the
    effects of erasing shuffled values, by the moderated t-test of `references.excess_effects`, as
    do q and found. Further column: items.

    ValueError: shapes that do not fit.
    """
    if values.present.shape[0] != len(x):
        raise ValueError(
            f"erasure: expected attribute values of the {len(x)} items, "
            f"got {values.present.shape[0]}"
        )
    rng = np.random.default_rng(seed)
    model = _model(predict, x, items)

    # null distribution: the same for shuffled values, (permutations, V, C)
    by_item = values.present.tocsr()
    null = []
    for _ in range(permutations):
        shuffled = by_item[rng.permutation(len(x))].tocsc()
        null.append([falls.mean(axis=0) for falls in _falls(model, shuffled, rng)])

    effect, low, high = np.empty((3, len(values.names), len(words)))
    for j, falls in enumerate(_falls(model, values.present, rng)):
        n = len(falls)
        counts = rng.multinomial(n, np.full(n, 1 / n), size=RESAMPLES)  # (R, n)
        means = counts @ falls / n  # (R, C)
        effect[j] = falls.mean(axis=0)
        low[j], high[j] = percentile_interval(means)

    table = excess_effects(
        effect,
        np.array(null),
        values,
        words,
        min_effect=min_effect,
        alpha=alpha,
        detector="erasure",
    )
    table = table.assign(effect=effect.ravel(), low=low.ravel(), high=high.ravel())
    items_used = np.minimum(values.counts, items)
    return table.assign(items=np.repeat(items_used, len(words)))


class _Model(NamedTuple):
    """A model, its input features, and what erasing any value from them needs."""

    predict: Callable[[Tensor], Tensor]
    x: np.ndarray  # (N, D)
    before: np.ndarray  # (N, C) probabilities of the features as they are
    mean: np.ndarray  # (D,) of the features
    covariance_factor: tuple  # Cholesky factor of their covariance
    items: int  # at most this many items of a value are used


def _model(predict: Callable[[Tensor], Tensor], x: Tensor, items: int) -> _Model:
    """Prepare a model for the erasure of many values.

    The covariance is computed once. `erase` would need an eigendecomposition for each value.
    """
    before = predict(x).cpu().numpy()
    x = x.cpu().numpy()
    n, width = x.shape
    mean = x.mean(axis=0, dtype=np.float64)
    scatter = np.zeros((width, width))
    for part in np.array_split(x, -(-n // CHUNK)):
        centred = part - mean
        scatter += centred.T @ centred
    covariance = optimal_linear_shrinkage(torch.from_numpy(scatter) / n, n).numpy()
    ridge = RIDGE * np.trace(covariance) / width * np.eye(width)
    factor = linalg.cho_factor(covariance + ridge)
    return _Model(predict, x, before, mean, factor, items)


def _falls(
    model: _Model, present: sparse.csc_array, rng: np.random.Generator
) -> Iterator[np.ndarray]:
    """For each value, how much the probabilities of its items fall (m, C) when it is erased.

    With d the covariance of features and value, and S the covariance of the features, LEACE of one
    value subtracts d (S^-1 d)'(x - mean) / d' S^-1 d (theorem 4.3 for rank one).
    """
    counts = np.diff(present.indptr)[:, None]
    d = (
        present.T @ model.x - counts * model.mean
    )  # (V, D), N times the covariance: the factor cancels
    solved = linalg.cho_solve(model.covariance_factor, d.T).T  # (V, D) S^-1 d
    for j, (left, right) in enumerate(zip(d, solved, strict=True)):
        rows = present.indices[present.indptr[j] : present.indptr[j + 1]]
        rows = rng.choice(rows, min(model.items, len(rows)), replace=False)
        scaled = left[:, None] / (left @ right)  # (D, 1)
        parts = (torch.from_numpy(part) for part in (scaled, right[None], model.mean))
        eraser = LeaceEraser(*parts)
        after = model.predict(eraser(torch.from_numpy(model.x[rows]))).cpu().numpy()
        yield model.before[rows].astype(np.float64) - after
