"""The model question: does what a model says move with an attribute more than its recipe explains?

Takes the probabilities that a model and its references give the same items; gives excess effects with tests.

A model may lean on an attribute for good reasons: because the attribute causes the emotion, because it keeps
company with what does, because the model sees the cause badly. So "no effect" is a false null hypothesis, and so is
"no effect given the label". A reference is the same recipe trained where attribute and label have nothing to do with
each other but what is legitimate: on unplanted draws where the world is known, on items drawn with
`attributes.independence_weights` on real data. What a model does beyond its references is what its training data did
to it. All are asked the same items, so the choice of items cancels.
"""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import torch
from joblib import Parallel, delayed
from scipy import sparse
from scipy.special import digamma, polygamma
from scipy.stats import t as student
from torch import Tensor

from tinyemo.bias.attributes import detector_table, independence_weights
from tinyemo.bias.values import AttributeValues

Fit = Callable[
    [Tensor, np.ndarray, int], np.ndarray | Tensor
]  # x, y, seed -> probabilities of the items asked (M, C)

CHUNK = 8192  # items at a time
LEAST_EFFECT = (
    0.04  # of a mean probability; chosen on half of the sets of benchmarks/bias_detection.py
)


class AdjustedEffects:
    """How the mean of a score moves with each attribute value, the other attributes held still.

    The effect of value a is the coefficient of a in the least-squares regression of the score on a and on all values
    of all *other* attributes. Everything is computed from sums of products, so that V = 950 values of N = 118,000
    items need no dense matrix of their size.
    """

    def __init__(self, values: AttributeValues):
        n, v = values.present.shape
        self.values = values
        # (N, V + 1): the last column is constant
        self.columns = sparse.csr_array(
            sparse.hstack([values.present, np.ones((n, 1))]), dtype=np.float64
        )
        self.gram = gram = (self.columns.T @ self.columns).toarray()
        self.map = np.zeros(
            (v, v + 1)
        )  # effects = map @ (sums of the score over the items of each column)
        for attribute in dict.fromkeys(values.attributes):
            own = np.flatnonzero(np.array(values.attributes) == attribute)
            rest = np.setdiff1d(np.arange(v + 1), own)
            small = (
                1e-6 * n * np.eye(len(rest))
            )  # the values of one attribute add up to the constant
            beta = np.linalg.solve(gram[np.ix_(rest, rest)] + small, gram[np.ix_(rest, own)])
            left = gram[own, own] - (gram[np.ix_(rest, own)] * beta).sum(
                axis=0
            )  # variance of a left over, times n
            left[left < 1e-3 * gram[own, own]] = (
                np.inf
            )  # another attribute says the same: no effect can be told
            self.map[own, own] = 1 / left
            self.map[np.ix_(own, rest)] = -beta.T / left[:, None]

    def __call__(self, p: np.ndarray) -> np.ndarray:
        """Scores (N, C) -> effects (V, C), in their unit."""
        return self.map @ (self.columns.T @ p)

    def errors(self, p: np.ndarray, of: np.ndarray | slice = slice(None)) -> np.ndarray:
        """Standard errors (V, C) of the effects on scores (N, C) over items, each item with a variance of its own.

        White's (1980), of the residuals of the regression on all values. Of a difference of two models' scores they say
        how far the choice of items may have moved the difference of their effects. `of` asks for some values only.
        """
        slopes = np.linalg.solve(
            self.gram + 1e-6 * len(p) * np.eye(len(self.gram)), self.columns.T @ p
        )
        squares, asked = (p - self.columns @ slopes) ** 2, self.map[of].T
        variance = np.zeros((asked.shape[1], p.shape[1]))
        for start in range(0, len(p), CHUNK):
            influence = (
                self.columns[start : start + CHUNK] @ asked
            )  # (n, V) of each item on each effect
            variance += (influence**2).T @ squares[start : start + CHUNK]
        return np.sqrt(variance)


def resampled_references(
    fit: Fit,
    x: Tensor,
    y: np.ndarray,
    values: AttributeValues,
    effects: AdjustedEffects,
    answers: np.ndarray,
    count: int,
    *,
    size: int | None = None,
    seed: int = 0,
    workers: int = 2,
) -> tuple[np.ndarray, np.ndarray]:
    """References where no clean data exist: effects (count, V, C) of models in whose training items nothing is tied.

    For each attribute in turn, `count` times: `size` (N) training items of x (N, D), y (N,) with attribute `values`
    are drawn with `independence_weights`, so that labels do not depend on that attribute given all others; `fit`
    trains the recipe in question on them and gives probabilities (M, C) of the items of `effects`, of which the rows
    of that attribute are kept. What an attribute says of the label in its own right is taken for illegitimate here: a
    person decides.

    Beside them, errors (V, C) over items: of `answers` (M, C), those of the model in question, less the references'
    mean.
    """

    def one(
        x: np.ndarray, rows: np.ndarray, number: int, own: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        p = np.asarray(fit(torch.from_numpy(x[rows]), y[rows], number), dtype=float)
        return effects(p)[own], p.astype(np.float32)

    rng, attributes = np.random.default_rng(seed), np.array(effects.values.attributes)
    x = x.numpy()  # of which joblib gives all workers one copy
    found, errors = (
        np.empty((count, len(attributes), answers.shape[1])),
        np.empty((len(attributes), answers.shape[1])),
    )
    for attribute in dict.fromkeys(effects.values.attributes):
        own, weights = attributes == attribute, independence_weights(y, values, attribute)
        draws = [
            rng.choice(len(y), size or len(y), p=weights / weights.sum()) for _ in range(count)
        ]
        mean = np.zeros(answers.shape)
        done = Parallel(workers, return_as="generator")(
            delayed(one)(x, rows, r, own) for r, rows in enumerate(draws)
        )
        for r, (of_values, p) in enumerate(done):
            found[r, own] = of_values
            mean += p / count
        errors[own] = effects.errors(answers - mean, own)
    return found, errors


def model_gaps(
    effects: np.ndarray,
    references: np.ndarray,
    values: AttributeValues,
    words: Sequence[str],
    errors: np.ndarray | float = 0.0,
    least: float = LEAST_EFFECT,
    alpha: float = 0.05,
    detector: str = "model",
) -> pd.DataFrame:
    """Effects (V, C) of a model against those (R, V, C) of R references: a detector table, a row a value and label.

    `effect` is the excess over the references' mean; low and high are its 95 % interval over trainings and, by
    `errors` (V, C) of it, over items. The variances over the references are moderated across all cells (Smyth 2004),
    for thirty references say little about each of hundreds of cells. found: q <= alpha and |effect| >= least. Beside
    the columns of a detector table: model, reference (the two effects). ValueError: fewer than 10 references.
    """
    if len(references) < 10:
        raise ValueError(f"model question: expected at least 10 references, got {len(references)}")
    spread = references.var(axis=0, ddof=1)
    told = spread > 0  # not where another attribute says the same: all effects are 0 there
    variance, freedom = np.zeros_like(spread), np.inf
    if told.any():
        variance[told], freedom = moderated(spread[told], len(references) - 1)
    error = np.sqrt(variance * (1 + 1 / len(references)) + np.square(errors))
    excess, reach = effects - references.mean(axis=0), student.ppf(0.975, freedom) * error
    p = np.where(told, 2 * student.sf(np.abs(excess) / np.where(told, error, 1), freedom), 1.0)
    table = detector_table(
        detector,
        values,
        words,
        excess,
        excess - reach,
        excess + reach,
        p,
        "mean probability",
        alpha,
        least,
    )
    return table.assign(model=effects.ravel(), reference=references.mean(axis=0).ravel())


def both(data: pd.DataFrame, model: pd.DataFrame) -> pd.DataFrame:
    """The combination: what the data show and the model does. Found by both; p and q are the larger of the two.

    The rest is the model's row. Rows that the data's table does not have are not found. A large data set shows many
    associations that no model takes up, and a model's effects vary from training to training: each covers the other.
    """
    keys = ["what", "where"]
    tested = model[keys].merge(data[[*keys, "p", "q", "found"]], how="left", on=keys)
    tested = tested.fillna({"p": 1.0, "q": 1.0, "found": False}).set_index(model.index)
    larger = {name: np.maximum(tested[name], model[name]) for name in ("p", "q")}
    return model.assign(
        detector="data and model", found=tested["found"].astype(bool) & model["found"], **larger
    )


def moderated(variance: np.ndarray, freedom: int) -> tuple[np.ndarray, float]:
    """Sample variances, each with `freedom` degrees, shrunk towards their common value; and the degrees they then have.

    Empirical Bayes with a scaled inverse chi-squared prior, fitted to the moments of log variance (Smyth 2004,
    section 6.2).
    """
    e = np.log(np.maximum(variance, 1e-300)) - digamma(freedom / 2) + np.log(freedom / 2)
    spread = e.var(ddof=1) - polygamma(1, freedom / 2)
    if spread <= 0:  # no more spread than chance gives: one variance for all
        return np.full_like(variance, np.exp(e.mean())), np.inf
    prior = 2 * _inverse_trigamma(spread)
    centre = np.exp(e.mean() + digamma(prior / 2) - np.log(prior / 2))
    return (prior * centre + freedom * variance) / (prior + freedom), prior + freedom


def _inverse_trigamma(y: float) -> float:
    """x with trigamma(x) = y, by Newton's method from 1/2 + 1/y (Smyth 2004, appendix)."""
    x = 0.5 + 1 / y
    for _ in range(50):
        trigamma = polygamma(1, x)
        step = trigamma * (1 - trigamma / y) / polygamma(2, x)
        x += step
        if -step / x < 1e-8:
            break
    return float(x)
