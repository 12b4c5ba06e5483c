"""The data detector: labels and attribute values that are associated beyond what is legitimate.

Takes: labels and attribute values of the same items.
Gives: a detector table of associations (`data_associations`), and item weights under which the
label is independent of one attribute (`independence_weights`).

What is legitimate? If the true posterior p(label | attributes) is known, as in EmoScenes,
everything that it explains is legitimate. On real data it is unknown. Then everything that the
*other* attributes explain counts as legitimate, and a found association is only a candidate: a
person has to decide whether it is a bias.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.linalg import cholesky, solve_triangular
from scipy.optimize import minimize
from scipy.special import softmax
from scipy.stats import norm, pearson3

from tinyemo.bias.evidence import corrected, value_label_tests
from tinyemo.bias.values import AttributeValues

EXACT_BELOW = 5  # cells with fewer expected items get an exact test
CHUNK = 4096  # items whose residuals are held as a dense matrix at a time
RIDGE = 1e-6  # per item, added to Gram matrices that may be singular
# If the squared residuals of a value are less than this per item with the value, the other
# attributes determine the value.
MIN_OWN_VARIANCE = 1e-3


def data_associations(
    y: np.ndarray,
    words: Sequence[str],
    values: AttributeValues,
    posterior: np.ndarray | None = None,
    explained_by: Sequence[str] | None = None,
    alpha: float = 0.05,
    min_effect: float = 0.0,
) -> pd.DataFrame:
    """A detector table with one row per attribute value and label: their association.

    Args:
        y: (N,) int64 labels, positions in `words`.
        words: (C,) the label set.
        values: V attribute values of the N items.
        posterior: (N, C) the true p(label | attributes) of each item. Without it, p(label | the
            other attributes) is estimated by multinomial logistic regression, once per attribute.
        explained_by: names of the attributes that may explain a label. Default: all except the
            tested one.
        alpha, min_effect: a row is found if q <= alpha and |effect| >= min_effect.

    Notation: r is the residual of the value, e the residual of the label, both given the other
    attributes (r by least squares). With a posterior, only the mean is removed from the value.

    `effect` is sum(r e) / sum(r^2), the excess risk difference (Robinson 1988). With a posterior it
    equals the mean of e over the items with the value minus its mean over the items without it.

    The test is the generalised covariance measure sum(r e) (Shah and Peters 2020, equation 3). The
    error of one of the two regressions cancels to first order. With the exact posterior, e has mean
    zero whatever the attributes are, so nothing more has to be removed from the value. The variance
    of the sum under the null hypothesis is sum(r^2 p (1 - p)). The p-values come from Pearson's
    type III distribution, which has the skewness of the sum. The correction for thousands of tests
    needs very small p-values, for which the normal distribution is wrong by a factor of ten. If
    fewer than 5 items are expected in a cell, or fewer than 5 items of the value outside it, the
    count gets an exact test: it is a sum of independent trials (Poisson binomial).

    Further columns: items (with the value), observed and expected (those of them with the label),
    exact (bool: the row has the exact test).

    ValueError: shapes that do not fit, or rows of the posterior that do not sum to 1.
    """
    y = checked_positions(y, words, values)
    _check_posterior(posterior, len(y), len(words))
    _check_attributes(explained_by, values)
    label = np.eye(len(words))[y]  # (N, C)

    shape = len(values.names), len(words)
    cells = {name: np.empty(shape) for name in ("effect", "error", "p", "expected", "exact")}
    for own, design, p in _null_models(values, y, len(words), posterior, explained_by):
        found = _association(values.present[:, own], design, label, p)
        for name, part in found.items():
            cells[name][own] = part

    effect, half_width = cells["effect"], norm.ppf(0.975) * cells["error"]
    low, high = effect - half_width, effect + half_width
    tests = value_label_tests(values, words, effect, low, high, cells["p"])
    table = corrected(tests, "data", "risk difference", alpha, min_effect)
    table["items"] = np.repeat(values.counts, len(words))
    observed = (values.present.T @ label).round().astype(int)
    table["observed"] = observed.ravel()
    table["expected"] = cells["expected"].ravel()
    table["exact"] = cells["exact"].ravel() > 0
    return table


def independence_weights(y: np.ndarray, values: AttributeValues, attribute: str) -> np.ndarray:
    """Item weights (N,) that make the label independent of the attribute given all others.

    The weights are float64 and have mean 1.

    w = p(y | the other attributes) / p(y | all attributes), from two multinomial logistic
    regressions. The weighted items have the density p(attributes) p(y | the other attributes): the
    associations between attributes stay as they are, and so do the label frequencies.

    ValueError: no such attribute.
    """
    own = np.array(values.attributes) == attribute
    if not own.any():
        known = sorted(set(values.attributes))
        raise ValueError(f"no attribute {attribute!r}: expected one of {known}")
    classes = int(y.max()) + 1
    items = np.arange(len(y))
    given_others = _fitted_probabilities(_design(values, ~own), y, classes)  # (N, C)
    everything = np.ones(len(own), dtype=bool)
    given_all = _fitted_probabilities(_design(values, everything), y, classes)
    weights = given_others[items, y] / given_all[items, y]
    return weights / np.mean(weights)


def checked_positions(y: np.ndarray, words: Sequence[str], values: AttributeValues) -> np.ndarray:
    """Labels or predictions (N,), checked to be positions in `words` for the items of `values`."""
    y = np.asarray(y)
    items = values.present.shape[0]
    in_words = y.shape == (items,) and y.min() >= 0 and y.max() < len(words)
    if not in_words:
        raise ValueError(
            f"labels: expected {items} numbers from 0 to {len(words) - 1}, one per item of the "
            f"attribute values, got shape {y.shape} from {y.min()} to {y.max()}"
        )
    return y


def _check_posterior(posterior: np.ndarray | None, items: int, classes: int) -> None:
    if posterior is None:
        return
    fits = posterior.shape == (items, classes)
    if not fits or not np.allclose(posterior.sum(axis=1), 1, atol=1e-6):
        raise ValueError(
            f"posterior: expected {items} rows of {classes} probabilities that sum to 1, "
            f"got shape {posterior.shape}"
        )


def _check_attributes(explained_by: Sequence[str] | None, values: AttributeValues) -> None:
    unknown = set(explained_by or ()) - set(values.attributes)
    if unknown:
        known = sorted(set(values.attributes))
        raise ValueError(
            f"explained_by: unknown attributes {sorted(unknown)}, expected some of {known}"
        )


def _null_models(
    values: AttributeValues,
    y: np.ndarray,
    classes: int,
    posterior: np.ndarray | None,
    explained_by: Sequence[str] | None,
) -> Iterator[tuple[np.ndarray, sparse.csr_array, np.ndarray]]:
    """For each block of tested values: its mask, its design, and the label probabilities.

    The mask is (V,), the design (N, K) holds what explains, the probabilities are (N, C).

    With the true posterior all values form one block, whose design is only the constant. Without it
    there is one block per attribute.
    """
    attributes = np.array(values.attributes)
    if posterior is not None:
        everything = np.ones(len(attributes), dtype=bool)
        yield everything, _design(values, ~everything), posterior
        return
    may_explain = np.isin(attributes, attributes if explained_by is None else list(explained_by))
    for attribute in dict.fromkeys(values.attributes):
        own = attributes == attribute
        design = _design(values, ~own & may_explain)
        yield own, design, _fitted_probabilities(design, y, classes)


def _design(values: AttributeValues, kept: np.ndarray) -> sparse.csr_array:
    """(N, 1 + K) float64: a constant column, and the columns of the K kept values."""
    items = values.present.shape[0]
    constant = sparse.csr_array(np.ones((items, 1)))
    kept_columns = values.present[:, kept]
    columns = sparse.hstack([constant, kept_columns], format="csr")
    return sparse.csr_array(columns, dtype=np.float64)


def _fitted_probabilities(x: sparse.csr_array, y: np.ndarray, classes: int) -> np.ndarray:
    """Fitted p(label | x) (N, C) of the items.

    Multinomial logistic regression with L2 penalty 1/2.

    A rare value hardly changes the gradient of a common optimiser, which stops before it has fitted
    that value. Therefore L-BFGS runs in coordinates where a fixed bound of the curvature (Boehning
    1992) is the unit matrix. In these coordinates a gradient of 0.01 is a hundredth of a standard
    error for every value, and 118,000 items with 900 values take about 30 steps.
    """
    label = np.eye(classes)[y]  # (N, C)
    items = np.arange(len(y))
    gram = (x.T @ x).toarray()
    curvature_bound = gram / classes + np.eye(len(gram))
    root = cholesky(curvature_bound, lower=True)

    def coefficients(z: np.ndarray) -> np.ndarray:
        return solve_triangular(root, z.reshape(-1, classes), lower=True, trans=1)  # (K, C)

    def loss_and_gradient(z: np.ndarray) -> tuple[float, np.ndarray]:
        b = coefficients(z)
        p = softmax(x @ b, axis=1)
        of_labels = np.maximum(p[items, y], 1e-300)
        penalty = (b * b).sum() / 2
        loss = -np.log(of_labels).sum() + penalty
        gradient = x.T @ (p - label) + b
        return loss, solve_triangular(root, gradient, lower=True).ravel()

    start = np.zeros(x.shape[1] * classes)
    options = {"gtol": 0.01, "maxiter": 500}
    fit = minimize(loss_and_gradient, start, jac=True, method="L-BFGS-B", options=options)
    return softmax(x @ coefficients(fit.x), axis=1)


class ResidualSums(NamedTuple):
    """Sums over items, for V values and C labels; r and e as in `data_associations`."""

    r2: np.ndarray  # (V, 1) sum of r^2
    r4: np.ndarray  # (V, 1)
    re: np.ndarray  # (V, C) sum of r e
    r2e2: np.ndarray  # (V, C)
    r3e: np.ndarray  # (V, C)
    r2_variance: np.ndarray  # (V, C) sum of r^2 times the variance of the label
    r3_third: np.ndarray  # (V, C) sum of r^3 times the third central moment of the label


def _association(
    a: sparse.csc_array, x: sparse.csr_array, label: np.ndarray, p: np.ndarray
) -> dict[str, np.ndarray]:
    """effect, error, p, expected and exact, each (V, C), of the values a (N, V) with the labels.

    label: (N, C) of 0 and 1. x: (N, K) the design of the regression of the values. p: (N, C) the
    label probabilities under the null hypothesis.
    """
    sums = _residual_sums(a.tocsr(), x, label - p, p)
    counts = np.asarray(a.sum(axis=0)).reshape(-1, 1)  # (V, 1)

    # If the other attributes determine the value, no effect can be estimated: effect 0, p 1.
    determined = sums.r2 < MIN_OWN_VARIANCE * counts
    r2 = np.where(determined, np.inf, sums.r2)
    effect = sums.re / r2

    # sum of r^2 (e - effect r)^2, multiplied out
    r4 = np.where(determined, 0, sums.r4)
    spread = sums.r2e2 - 2 * effect * sums.r3e + effect**2 * r4

    # the standardised sum, its skewness under the null hypothesis, and its two-sided p-value
    null_variance = np.maximum(sums.r2_variance, 1e-12)
    z = sums.re / np.sqrt(null_variance)
    skewness = sums.r3_third / null_variance**1.5
    lower, upper = pearson3.cdf(z, skewness), pearson3.sf(z, skewness)
    two_sided = np.minimum(2 * np.minimum(lower, upper), 1)

    found = {"effect": effect, "exact": np.zeros(z.shape)}
    found["error"] = np.sqrt(np.maximum(spread, null_variance)) / r2
    found["p"] = np.where(determined, 1, two_sided)
    found["expected"] = a.T @ p
    _enter_exact_tests(found, a, label, p)
    return found


def _residual_sums(
    rows: sparse.csr_array, x: sparse.csr_array, e: np.ndarray, p: np.ndarray
) -> ResidualSums:
    """The sums for the values rows (N, V), given the design x (N, K) and e, p (N, C)."""
    gram = (x.T @ x).toarray()  # (K, K)
    # The values of one attribute may add up to the constant. The constant itself is not penalised.
    ridge = RIDGE * len(p)
    gram[np.diag_indices_from(gram)] += ridge
    gram[0, 0] -= ridge
    beta = np.linalg.solve(gram, (x.T @ rows).toarray())  # (K, V)

    variance = p * (1 - p)
    third_moment = variance * (1 - 2 * p)
    r2 = r4 = re = r2e2 = r3e = r2_variance = r3_third = 0.0
    for start in range(0, len(p), CHUNK):
        part = slice(start, start + CHUNK)
        r = rows[part].toarray() - x[part] @ beta  # (n, V)
        square = (r * r).T  # (V, n)
        cube = (r * r * r).T
        fourth = square * square
        r2 = r2 + square.sum(axis=1, keepdims=True)
        r4 = r4 + fourth.sum(axis=1, keepdims=True)
        re = re + r.T @ e[part]
        r2e2 = r2e2 + square @ e[part] ** 2
        r3e = r3e + cube @ e[part]
        r2_variance = r2_variance + square @ variance[part]
        r3_third = r3_third + cube @ third_moment[part]
    return ResidualSums(r2, r4, re, r2e2, r3e, r2_variance, r3_third)


def _enter_exact_tests(
    found: dict[str, np.ndarray], a: sparse.csc_array, label: np.ndarray, p: np.ndarray
) -> None:
    """Replace p in `found` by exact two-sided p-values in cells with few expected items."""
    inside = found["expected"]
    outside = np.diff(a.indptr)[:, None] - inside
    small = np.minimum(inside, outside) < EXACT_BELOW
    for j, k in zip(*np.nonzero(small), strict=True):
        items = a.indices[a.indptr[j] : a.indptr[j + 1]]  # those that show value j
        observed = int(label[items, k].sum())
        distribution = _poisson_binomial(p[items, k], observed)
        at_most = distribution.sum()
        at_least = 1 - distribution[:-1].sum()
        at_least = max(at_least, 0.0)  # rounding may give less than 0
        found["p"][j, k] = min(2 * at_most, 2 * at_least, 1)
        found["exact"][j, k] = 1


def _poisson_binomial(chances: np.ndarray, most: int) -> np.ndarray:
    """Probabilities (most + 1,) of 0 to `most` successes in trials with chances (n,).

    The recursion over trials. scipy's poisson_binom gives the same, but takes every chance as its
    own argument.
    """
    distribution = np.zeros(most + 1)
    distribution[0] = 1
    for chance in chances:
        # numpy evaluates the whole right side before it adds
        distribution[1:] += chance * (distribution[:-1] - distribution[1:])
        distribution[0] *= 1 - chance
    return distribution
