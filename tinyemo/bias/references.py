"""The model detector: does a model use an attribute more than its training recipe explains?

Takes: the probabilities of a model and of its reference models for the same items.
Gives: the effect of each attribute value on each label, in excess of the reference models, with
tests.

A model may use an attribute for legitimate reasons: because the attribute causes the emotion,
because it occurs together with the cause, or because the features show the cause only weakly. So
"no effect" is not a useful null hypothesis, and neither is "no effect given the label". A reference
model is trained by the same recipe on data in which attribute and label are associated only in
legitimate ways. In EmoScenes these data are draws without injected biases. In real data they are
items drawn with `attributes.independence_weights`. An effect beyond those of the reference models
comes from the training data of the model. All models predict the same items, so the choice of items
cancels.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from joblib import Parallel, delayed
from scipy import sparse
from scipy.special import digamma, polygamma
from scipy.stats import t as student
from torch import Tensor

from tinyemo.bias.attributes import independence_weights
from tinyemo.bias.evidence import corrected, value_label_tests
from tinyemo.bias.legitimate import Declared, explaining_values, values_to_test
from tinyemo.bias.residual_tests import MIN_OWN_VARIANCE, RIDGE
from tinyemo.bias.values import AttributeValues

# Training features (N, D), labels (N,), seed -> probabilities (M, C) of the items to predict
FitAndPredict = Callable[[Tensor, np.ndarray, int], np.ndarray | Tensor]

CHUNK = 8192  # items at a time
# Of a mean probability; chosen on half of the sets of benchmarks/bias_detection.py
MIN_EFFECT = 0.04
MIN_REFERENCES = 10


class AdjustedEffects:
    """How the mean of a score changes with each tested value, adjusted for what may explain it.

    The effect of value a is the coefficient of a in the least-squares regression of the score on a
    and on all values of the `legitimate` attributes, or of all *other* attributes if none are
    declared. Everything is computed from sums of products, so V = 950 values of N = 118,000 items
    need no dense matrix of that size.

    `values` are the T values that are tested.
    """

    def __init__(self, values: AttributeValues, legitimate: Declared = None):
        items, count = values.present.shape
        self.legitimate = legitimate
        tested = np.flatnonzero(values_to_test(values, legitimate))
        self.values = values.only(tested)
        with_constant = sparse.hstack([values.present, np.ones((items, 1))])
        self.columns = sparse.csr_array(with_constant, dtype=np.float64)  # (N, V + 1)
        self.gram = (self.columns.T @ self.columns).toarray()
        self.ridge = RIDGE * items  # the values of one attribute may add up to the constant
        # effects (T, C) = weights (T, V + 1) @ sums of the score over the items of each column
        self.weights = np.zeros((len(tested), count + 1))
        self.explaining = {}  # tested attribute -> positions of the columns that may explain
        tested_attributes = np.array(self.values.attributes)
        for attribute in dict.fromkeys(self.values.attributes):
            others = explaining_values(values, attribute, legitimate)
            self.explaining[attribute] = np.append(np.flatnonzero(others), count)
            rows = np.flatnonzero(tested_attributes == attribute)
            self._set_weights(rows, tested[rows], self.explaining[attribute])

    def _set_weights(self, rows: np.ndarray, own: np.ndarray, others: np.ndarray) -> None:
        """Fill the rows of `weights` for one attribute: its columns and those that may explain."""
        gram = self.gram
        of_others = gram[np.ix_(others, others)] + self.ridge * np.eye(len(others))
        with_own = gram[np.ix_(others, own)]
        beta = np.linalg.solve(of_others, with_own)  # (others, own)

        # N times the variance of each value that the other attributes leave unexplained
        total = gram[own, own]
        unexplained = total - (with_own * beta).sum(axis=0)
        # If another attribute determines the value, no effect can be estimated: weights of 0.
        unexplained[unexplained < MIN_OWN_VARIANCE * total] = np.inf
        self.weights[rows, own] = 1 / unexplained
        self.weights[np.ix_(rows, others)] = -beta.T / unexplained[:, None]

    def __call__(self, scores: np.ndarray) -> np.ndarray:
        """Scores (N, C) -> effects (T, C), in the unit of the scores."""
        return self.weights @ (self.columns.T @ scores)

    def errors(self, scores: np.ndarray, of: Sequence[str] | None = None) -> np.ndarray:
        """Standard errors (T, C) of the effects on scores (N, C), over the choice of items.

        White's (1980) errors, which allow a different variance for each item, from the residuals of
        the regression on the values of the attribute and on all that may explain. For the
        difference of two models' scores they show how much the choice of items may have changed the
        difference of the effects. `of` chooses some of the tested attributes.
        """
        attributes = np.array(self.values.attributes)
        chosen = list(self.explaining) if of is None else list(of)
        variance = np.zeros((len(attributes), scores.shape[1]))
        for attribute in chosen:
            rows = np.flatnonzero(attributes == attribute)
            variance[rows] = self._variances(scores, rows, self.explaining[attribute])
        return np.sqrt(variance[np.isin(attributes, chosen)])

    def _variances(self, scores: np.ndarray, rows: np.ndarray, others: np.ndarray) -> np.ndarray:
        """Squared standard errors (rows, C) of the effects of one attribute's values."""
        weights = self.weights[rows].T  # (V + 1, rows)
        own = np.setdiff1d(np.flatnonzero(weights.any(axis=1)), others)
        used = np.append(own, others)
        gram = self.gram[np.ix_(used, used)] + self.ridge * np.eye(len(used))
        design = self.columns[:, used]  # (N, used)
        slopes = np.linalg.solve(gram, design.T @ scores)  # (used, C)
        squared_residuals = (scores - design @ slopes) ** 2  # (N, C)
        variance = np.zeros((len(rows), scores.shape[1]))
        for start in range(0, len(scores), CHUNK):
            part = slice(start, start + CHUNK)
            influence = self.columns[part] @ weights  # (n, rows) of each item on each effect
            variance += (influence**2).T @ squared_residuals[part]
        return variance


@dataclass(frozen=True, eq=False)
class ReferenceModels:
    """The effects and mean probabilities of R reference models, for a comparison with them."""

    effects: np.ndarray  # (R, V, C) `AdjustedEffects` of each model
    mean: np.ndarray  # (M, C) mean of their probabilities

    @classmethod
    def of(
        cls, adjusted: AdjustedEffects, probabilities: Sequence[np.ndarray]
    ) -> "ReferenceModels":
        """From the probabilities (M, C) of each of the R models for the items of `adjusted`."""
        effects = np.stack([adjusted(p) for p in probabilities])
        return cls(effects, np.mean(probabilities, axis=0, dtype=float))


def model_associations(
    adjusted: AdjustedEffects,
    probabilities: np.ndarray,
    references: ReferenceModels,
    words: Sequence[str],
) -> pd.DataFrame:
    """Detector table "model": effects on probabilities (M, C), beyond the references."""
    errors = adjusted.errors(probabilities - references.mean)
    effects = adjusted(probabilities)
    return excess_effects(effects, references.effects, adjusted.values, words, errors)


def resampled_references(
    fit: FitAndPredict,
    x: Tensor,
    y: np.ndarray,
    values: AttributeValues,
    adjusted: AdjustedEffects,
    probabilities: np.ndarray,
    count: int,
    *,
    size: int | None = None,
    seed: int = 0,
    workers: int = 2,
) -> tuple[np.ndarray, np.ndarray]:
    """Reference models without unbiased data: their effects (count, T, C) and errors (T, C).

    For each tested attribute in turn, `count` times: `size` (default N) training items are drawn
    with `independence_weights`, so that the label does not depend on this attribute given what may
    explain it. `fit` trains the recipe on them and predicts the items of `adjusted`. The effects of
    the values of this attribute are kept.

    Note: this treats all information that the attribute alone has about the label as illegitimate.
    A person has to decide whether it is.

    Args:
        x, y, values: training features (N, D), labels (N,) and attribute values of the N training
            items.
        adjusted: of the M items to predict; it has the T tested values, and what is legitimate.
        probabilities: (M, C) of the tested model. The errors are those of its effects minus the
            mean effects of the reference models.
    """
    rng = np.random.default_rng(seed)
    attributes = np.array(adjusted.values.attributes)
    shape = len(attributes), probabilities.shape[1]
    effects, errors = np.empty((count, *shape)), np.empty(shape)
    train_x = x.numpy()  # joblib gives all workers one copy of an array

    def one_reference(
        train_x: np.ndarray, rows: np.ndarray, number: int, own: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        p = fit(torch.from_numpy(train_x[rows]), y[rows], number)
        p = np.asarray(p, dtype=float)
        return adjusted(p)[own], p.astype(np.float32)

    for attribute in dict.fromkeys(adjusted.values.attributes):
        own = attributes == attribute
        weights = independence_weights(y, values, attribute, adjusted.legitimate)
        chances = weights / weights.sum()
        draws = [rng.choice(len(y), size or len(y), p=chances) for _ in range(count)]
        jobs = [
            delayed(one_reference)(train_x, rows, number, own) for number, rows in enumerate(draws)
        ]
        trained = Parallel(workers, return_as="generator")(jobs)
        mean = np.zeros(probabilities.shape)
        for number, (own_effects, p) in enumerate(trained):
            effects[number, own] = own_effects
            mean += p / count
        errors[own] = adjusted.errors(probabilities - mean, [attribute])
    return effects, errors


def excess_effects(
    effects: np.ndarray,
    references: np.ndarray,
    values: AttributeValues,
    words: Sequence[str],
    errors: np.ndarray | float = 0.0,
    min_effect: float = MIN_EFFECT,
    alpha: float = 0.05,
    detector: str = "model",
) -> pd.DataFrame:
    """Detector table of a model's effects in excess of those of R reference models.

    effects: (V, C). references: (R, V, C). errors: (V, C) standard errors of the excess over items.

    `effect` is the excess over the mean of the references. low and high are the ends of its 95 %
    interval, over trainings and (by `errors`) over items. The variances over the references are
    moderated across all cells (Smyth 2004), because there are hundreds of cells, and thirty
    references give only a rough estimate of the variance of each.

    Further columns: model, reference (the two effects). ValueError: fewer than 10 references.
    """
    count = len(references)
    if count < MIN_REFERENCES:
        raise ValueError(f"{detector}: expected at least {MIN_REFERENCES} references, got {count}")
    mean = references.mean(axis=0)
    sample_variance = references.var(axis=0, ddof=1)

    # All effects are 0 where another attribute determines the value: nothing can be tested there.
    testable = sample_variance > 0
    variance, freedom = np.zeros_like(sample_variance), np.inf
    if testable.any():
        variance[testable], freedom = moderated(sample_variance[testable], count - 1)

    excess = effects - mean
    error = np.sqrt(variance * (1 + 1 / count) + np.square(errors))
    half_width = student.ppf(0.975, freedom) * error
    t = np.abs(excess) / np.where(testable, error, 1)
    p = np.where(testable, 2 * student.sf(t, freedom), 1.0)

    low, high = excess - half_width, excess + half_width
    tests = value_label_tests(values, words, excess, low, high, p)
    table = corrected(tests, detector, "mean probability", alpha, min_effect)
    return table.assign(model=effects.ravel(), reference=mean.ravel())


def data_and_model(data: pd.DataFrame, model: pd.DataFrame) -> pd.DataFrame:
    """The combined detector: found is what both the data and the model detector find.

    p and q are the larger ones of the two tables; all else comes from the table of the model
    detector. Rows that the table of the data detector does not have are not found.

    The two complement each other: a large dataset has many associations that no model learns, and
    the effects of a model vary from training to training.
    """
    keys = ["what", "where"]
    of_data = model[keys].merge(data[[*keys, "p", "q", "found"]], how="left", on=keys)
    of_data = of_data.fillna({"p": 1.0, "q": 1.0, "found": False})
    of_data = of_data.set_index(model.index)
    combined = model.assign(detector="data and model")
    combined["found"] = of_data["found"].astype(bool) & model["found"]
    combined["p"] = np.maximum(of_data["p"], model["p"])
    combined["q"] = np.maximum(of_data["q"], model["q"])
    return combined


def moderated(variance: np.ndarray, freedom: int) -> tuple[np.ndarray, float]:
    """Sample variances shrunk towards their common value, and their new degrees of freedom.

    Empirical Bayes with a scaled inverse chi-squared prior, fitted to the moments of the log
    variance (Smyth 2004, section 6.2).

    Args:
        variance: any shape, each sample variance with `freedom` degrees of freedom.
    """
    half = freedom / 2
    log_variance = np.log(np.maximum(variance, 1e-300))
    e = log_variance - digamma(half) + np.log(half)
    spread = e.var(ddof=1) - polygamma(1, half)
    if spread <= 0:  # not more spread than chance gives: one variance for all
        return np.full_like(variance, np.exp(e.mean())), np.inf
    prior = 2 * _inverse_trigamma(spread)
    log_centre = e.mean() + digamma(prior / 2) - np.log(prior / 2)
    pooled = prior * np.exp(log_centre) + freedom * variance
    return pooled / (prior + freedom), prior + freedom


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
