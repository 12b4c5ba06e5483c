"""The best UAR of additive models: the score of a label is a sum of one function per stream.

Takes the exact probabilities of all combinations of cues; gives the UAR of the best sum that a
search finds. A model without interactions between streams, such as logistic regression on the
cues, cannot do better. In EmoScenes' dialogues the sum has a free weight for each (stream, cue,
label), so each function may have any form.
"""

import numpy as np
from scipy.optimize import minimize

SEED = 91  # of the random starts
# how sharp the softmax is, step by step; spread of the random starts
_SHARPNESS, _SPREAD = (1.0, 4.0), 1.0
_TINY = 1e-300  # added before a logarithm


def fitted_additive_uar(shares: np.ndarray, restarts: int = 24) -> float:
    """The UAR of the best additive score that the search finds.

    shares: p(cues | label) / C of every combination of cues: (cues of 1st stream, 2nd, ..., C).

    The weights are fitted to these probabilities, as on endless data in which all labels are
    equally frequent. First multinomial logistic regression is fitted. From there, and from
    `restarts` random points around it, the expected UAR of the softmax of the score is maximised,
    while the softmax gets sharper. The largest UAR of all fits is given. It is a lower bound: a
    better sum may exist that the search misses.
    """
    rng = np.random.default_rng(SEED)
    *counts, labels = shares.shape
    start = np.zeros(sum(counts) * labels)
    regression = _fitted_weights(start, shares, 0.0)
    found = [_uar(regression, shares)]
    for restart in range(restarts + 1):
        weights = regression
        if restart:
            weights = regression + _SPREAD * rng.normal(size=len(regression))
        for sharpness in _SHARPNESS:
            weights = _fitted_weights(weights, shares, sharpness)
            found.append(_uar(weights, shares))
    return max(found)


def _fitted_weights(start: np.ndarray, shares: np.ndarray, sharpness: float) -> np.ndarray:
    """The weights that minimise `additive_loss`, from `start`."""
    options = {"maxiter": 150}
    fitted = minimize(
        additive_loss, start, (shares, sharpness), method="L-BFGS-B", jac=True, options=options
    )
    return fitted.x


def _uar(weights: np.ndarray, shares: np.ndarray) -> float:
    """The expected UAR of choosing the label with the largest sum of weights."""
    chosen = _scores(weights, shares.shape).argmax(axis=-1)
    hits = np.take_along_axis(shares, chosen[..., None], axis=-1)
    return float(hits.sum())


def _scores(weights: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Sums of the streams' weights over the grid of cues: `shape` (cues of 1st, 2nd, ..., C)."""
    *counts, labels = shape
    blocks = np.split(weights.reshape(-1, labels), np.cumsum(counts)[:-1])
    scores = np.zeros(shape)
    for axis, block in enumerate(blocks):
        along = [1] * len(counts)
        along[axis] = counts[axis]
        scores += block.reshape(*along, labels)
    return scores


def additive_loss(
    weights: np.ndarray, shares: np.ndarray, sharpness: float
) -> tuple[float, np.ndarray]:
    """Loss and its gradient. sharpness 0: log loss; else minus the UAR of the softmax."""
    scores = _scores(weights, shares.shape) * (sharpness or 1.0)
    scores -= scores.max(axis=-1, keepdims=True)
    p = np.exp(scores)
    p /= p.sum(axis=-1, keepdims=True)
    if sharpness:
        expected = (shares * p).sum(axis=-1, keepdims=True)
        loss = -expected.sum()
        slope = -sharpness * p * (shares - expected)
    else:
        loss = -(shares * np.log(p + _TINY)).sum()
        slope = p * shares.sum(axis=-1, keepdims=True) - shares
    gradient = []
    for axis in range(shares.ndim - 1):
        others = tuple(other for other in range(shares.ndim - 1) if other != axis)
        gradient.append(slope.sum(axis=others).ravel())
    return loss, np.concatenate(gradient)
