"""Erasing a concept from features, and what that does to a model's answers.

Takes features and who shows a concept; gives an eraser (LEACE, Belrose et al. 2023, arXiv 2306.03819, by the library
concept-erasure), and for every attribute value how far the mean probabilities of the items that show it move when
its linear direction is gone. It asks nothing but features, so it works where no scene can be drawn again.

An effect says that the model leans on the direction, for good reasons or bad: erasing "smiling" takes joy away, as it
should. Which effects are a bias, `references.model_gaps` says of the same effects of reference models.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pandas as pd
import torch
from concept_erasure import LeaceEraser, LeaceFitter, optimal_linear_shrinkage
from scipy import linalg, sparse
from torch import Tensor

from tinyemo.bias.references import LEAST_EFFECT, model_gaps
from tinyemo.bias.values import AttributeValues
from tinyemo.evaluation.bootstrap import RESAMPLES


def erase(x: Tensor, concept: np.ndarray | Tensor) -> LeaceEraser:
    """The eraser of concept (N,) or (N, K), of any number type, fitted to features x (N, D).

    eraser(features) -> features of the same shape and dtype from which no linear classifier tells the concept, changed
    as little as that allows in the metric of their covariance. Fit it on training items, apply it to all. ValueError:
    shapes that do not fit, a concept that all items or none show.
    """
    z = torch.as_tensor(np.asarray(concept), dtype=torch.float64).reshape(len(concept), -1)
    if x.ndim != 2 or len(z) != len(x):
        raise ValueError(
            f"erase: expected features (N, D) and a concept (N,) or (N, K), got {tuple(x.shape)} and "
            f"{tuple(np.shape(concept))}"
        )
    if not (z.std(dim=0) > 0).all():
        raise ValueError(
            f"erase: all items show column {int((z.std(dim=0) <= 0).nonzero()[0])} of the concept alike"
        )
    # The library leaves out what covaries by less than .01: of unit variance, a rare concept is not left out for being
    # rare. It would also hold the trace of the covariance down by erasing less than all.
    return LeaceFitter.fit(
        x.cpu().double(), (z - z.mean(dim=0)) / z.std(dim=0), constrain_cov_trace=False
    ).eraser


def erasure_effects(
    predict: Callable[[Tensor], Tensor],
    x: Tensor,
    values: AttributeValues,
    words: Sequence[str],
    permutations: int = 20,
    items: int = 500,
    least: float = LEAST_EFFECT,
    alpha: float = 0.05,
    seed: int = 0,
) -> pd.DataFrame:
    """How the mean p(word) of the items that show a value falls when the value is erased: detector table "erasure".

    predict: features (n, D) -> probabilities (n, C). `effect` is p before less p after, over at most `items` items of a
    value, drawn by seed; low and high come from a bootstrap of these items. p is of the excess over the effects of
    erasing the value dealt out anew to the items, `permutations` times (at least 10), by the moderated t of
    `references.model_gaps`, as are q and found. Beside its columns: items. ValueError: shapes that do not fit.
    """
    if values.present.shape[0] != len(x):
        raise ValueError(
            f"erasure: expected attribute values of the {len(x)} items, got {values.present.shape[0]}"
        )
    rng, n, before = np.random.default_rng(seed), len(x), predict(x).cpu().numpy()
    x = x.cpu().numpy()
    # the same covariance for all values: by `erase`, EmoSet's would cost an eigendecomposition each
    mean, scatter = x.mean(axis=0, dtype=np.float64), np.zeros((x.shape[1], x.shape[1]))
    for part in np.array_split(x, -(-n // 8192)):
        scatter += (part - mean).T @ (part - mean)
    covariance = optimal_linear_shrinkage(torch.from_numpy(scatter) / n, n).numpy()
    space = (
        mean,
        linalg.cho_factor(covariance + 1e-9 * np.trace(covariance) / len(mean) * np.eye(len(mean))),
    )

    def effects(present: sparse.csc_array) -> Iterator[np.ndarray]:
        return _moves(predict, x, before, space, present, items, rng)

    shown = values.present.tocsr()
    null = [
        [moves.mean(axis=0) for moves in effects(shown[rng.permutation(n)].tocsc())]
        for _ in range(permutations)
    ]
    effect, low, high = np.empty((3, len(values.names), len(words)))
    for j, moves in enumerate(effects(values.present)):
        means = (
            rng.multinomial(len(moves), np.full(len(moves), 1 / len(moves)), size=RESAMPLES)
            @ moves
            / len(moves)
        )
        effect[j], (low[j], high[j]) = (
            moves.mean(axis=0),
            np.quantile(means, [0.025, 0.975], axis=0),
        )
    table = model_gaps(
        effect, np.array(null), values, words, least=least, alpha=alpha, detector="erasure"
    )
    return table.assign(
        effect=effect.ravel(),
        low=low.ravel(),
        high=high.ravel(),
        items=np.repeat(np.minimum(values.counts, items), len(words)),
    )


def _moves(
    predict: Callable[[Tensor], Tensor],
    x: np.ndarray,
    before: np.ndarray,
    space: tuple,
    present: sparse.csc_array,
    items: int,
    rng: np.random.Generator,
) -> Iterator[np.ndarray]:
    """For each value, p before less p after its erasure (m, C), of at most `items` items that show it.

    With d the covariance of features and value and S that of the features, LEACE of one value takes off
    d (S^-1 d)'(x - mean) / d'S^-1 d (theorem 4.3, written out for rank one).
    """
    mean, factor = space
    d = (
        present.T @ x - np.diff(present.indptr)[:, None] * mean
    )  # (V, D), times n: the scale cancels
    for j, (left, right) in enumerate(zip(d, linalg.cho_solve(factor, d.T).T, strict=True)):
        rows = present.indices[present.indptr[j] : present.indptr[j + 1]]
        rows = rng.choice(rows, min(items, len(rows)), replace=False)
        eraser = LeaceEraser(
            *map(torch.from_numpy, (left[:, None] / (left @ right), right[None], mean))
        )
        yield (
            before[rows].astype(np.float64)
            - predict(eraser(torch.from_numpy(x[rows]))).cpu().numpy()
        )
