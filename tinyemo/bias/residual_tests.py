"""Residual tests: are values and labels associated beyond what a set of other values explains?

Takes: a sparse matrix of 0/1 values, the design of what explains, and the labels.
Gives: fitted label probabilities given a design (`fitted_probabilities`), and effects, errors and
p-values of values with labels (`association`). `attributes` tests single values, `pairs` tests
combinations of two.
"""

from typing import NamedTuple

import numpy as np
from scipy import sparse
from scipy.linalg import cholesky, solve_triangular
from scipy.optimize import minimize
from scipy.special import softmax
from scipy.stats import pearson3

from tinyemo.bias.values import AttributeValues

EXACT_BELOW = 5  # cells with fewer expected items get an exact test
CHUNK = 4096  # items whose residuals are held as a dense matrix at a time
RIDGE = 1e-6  # per item, added to Gram matrices that may be singular
# If the squared residuals of a value are less than this per item with the value, the other
# attributes determine the value.
MIN_OWN_VARIANCE = 1e-3


def design_of(values: AttributeValues, kept: np.ndarray) -> sparse.csr_array:
    """(N, 1 + K) float64: a constant column, and the columns of the K kept values."""
    items = values.present.shape[0]
    constant = sparse.csr_array(np.ones((items, 1)))
    kept_columns = values.present[:, kept]
    columns = sparse.hstack([constant, kept_columns], format="csr")
    return sparse.csr_array(columns, dtype=np.float64)


def fitted_probabilities(x: sparse.csr_array, y: np.ndarray, classes: int) -> np.ndarray:
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
    """Sums over items, for V values and C labels; r and e as in `attributes.data_associations`."""

    r2: np.ndarray  # (V, 1) sum of r^2
    r4: np.ndarray  # (V, 1)
    re: np.ndarray  # (V, C) sum of r e
    r2e2: np.ndarray  # (V, C)
    r3e: np.ndarray  # (V, C)
    r2_variance: np.ndarray  # (V, C) sum of r^2 times the variance of the label
    r3_third: np.ndarray  # (V, C) sum of r^3 times the third central moment of the label


def association(
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
