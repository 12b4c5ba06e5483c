"""The data question, group metrics, and the weights under which an attribute says nothing of the label.

Takes labels, predictions and attribute values of the same items; gives detector tables, a table of group metrics, and
item weights.

Data: is a training label associated with an attribute value beyond what is legitimate? Where the true
p(label | attributes) is known, legitimate is what it says. On real data nobody knows it, and legitimate is what the
*other* attributes explain: then a row is an association to look at, and whether it is a bias is for a person to say.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.linalg import cholesky, solve_triangular
from scipy.optimize import minimize
from scipy.special import softmax
from scipy.stats import chi2, norm, pearson3

from tinyemo.bias.evidence import corrected
from tinyemo.bias.values import AttributeValues

EXACT_BELOW = 5  # expected items of a cell, below which its distribution is enumerated
CHUNK = 4096  # items whose residuals are dense at a time


def data_gaps(
    y: np.ndarray,
    words: Sequence[str],
    values: AttributeValues,
    law: np.ndarray | None = None,
    rest: Sequence[str] | None = None,
    alpha: float = 0.05,
    least: float = 0.0,
) -> pd.DataFrame:
    """Which labels go with which attribute values beyond what is legitimate: a detector table, a row a value and label.

    y: (N,) int64, positions in the C words. law: (N, C), the true p(label | attributes) of each item. Without it,
    p(label | the other attributes) is estimated by multinomial logistic regression, once an attribute; `rest` names
    the attributes that may explain (default: all but the one in question). found: q <= alpha and |effect| >= least.

    With residuals r of the value (given the same other attributes, by least squares; under a law only its mean is
    taken off) and e of the label, `effect` is sum r e / sum r^2: the excess risk difference (Robinson 1988), under a
    law exactly mean e of the items with the value minus that without. The test is that of sum r e, the generalised
    covariance measure (Shah and Peters 2020, equation 3): an error of one of the two regressions cancels to first
    order. Under the exact law e has mean zero whatever the attributes are, so nothing else needs to be taken off the
    value. Its variance under the null is sum r^2 p (1 - p), and p-values follow Pearson's type III curve, which has the
    sum's skewness, for correction over thousands of tests asks for tails where a normal curve errs tenfold. Where
    fewer than 5 items are expected in a cell, or outside it, the count is tested against its Poisson binomial law.
    Beyond the columns of a detector table: items (with the value), observed and expected (those with the label among
    them), exact (which of the two tests). ValueError: shapes that do not fit, a law that does not sum to 1.
    """
    y, n = _checked(y, words, values), len(y)
    if law is not None and (
        law.shape != (n, len(words)) or not np.allclose(law.sum(axis=1), 1, atol=1e-6)
    ):
        raise ValueError(
            f"law: expected {n} rows of {len(words)} probabilities that sum to 1, got shape {law.shape}"
        )
    attributes = np.array(values.attributes)
    unknown = set(rest or ()) - set(attributes)
    if unknown:
        raise ValueError(
            f"rest names {sorted(unknown)}: expected some of {sorted(set(attributes))}"
        )
    label = np.eye(len(words))[y]
    cells = {
        name: np.empty((len(attributes), len(words)))
        for name in ("effect", "error", "p", "expected", "exact")
    }
    for attribute in (
        [None] if law is not None else dict.fromkeys(values.attributes)
    ):  # under a law: all at once
        own = attributes == attribute if attribute else np.ones(len(attributes), bool)
        x = _design(values, ~own & np.isin(attributes, attributes if rest is None else list(rest)))
        p = law if law is not None else _explained(x, y, len(words))
        for name, part in _association(values.present[:, own], x, label, p).items():
            cells[name][own] = part
    half = norm.ppf(0.975) * cells["error"]
    table = detector_table(
        "data",
        values,
        words,
        cells["effect"],
        cells["effect"] - half,
        cells["effect"] + half,
        cells["p"],
        "risk difference",
        alpha,
        least,
    )
    return table.assign(
        items=np.repeat(values.counts, len(words)),
        observed=(values.present.T @ label).round().astype(int).ravel(),
        expected=cells["expected"].ravel(),
        exact=cells["exact"].ravel() > 0,
    )


def detector_table(
    detector: str,
    values: AttributeValues,
    words: Sequence[str],
    effect: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    p: np.ndarray,
    unit: str,
    alpha: float,
    least: float = 0.0,
) -> pd.DataFrame:
    """(V, C) effects, interval ends and p-values -> a detector table, a row a value and label (`corrected`)."""
    return corrected(
        pd.DataFrame(
            {
                "what": np.repeat(values.names, len(words)),
                "where": np.tile(words, len(values.names)),
                "effect": effect.ravel(),
                "low": low.ravel(),
                "high": high.ravel(),
                "p": p.ravel(),
            }
        ),
        detector,
        unit,
        alpha,
        least,
    )


def naive_gaps(
    y: np.ndarray,
    pred: np.ndarray,
    words: Sequence[str],
    values: AttributeValues,
    alpha: float = 0.05,
) -> pd.DataFrame:
    """The warning: does the *prediction* go with an attribute value among items of one label? A detector table.

    The log of the common odds ratio of predicted word and value over the strata of the label (Mantel and Haenszel
    1959; interval: Robins, Breslow and Greenland 1986); infinite where a cell is empty in every stratum. It cries
    wolf: a classifier with no bias at all predicts by what it sees, and a label does not tell all that can be seen.
    """
    c, a = np.moveaxis(
        _cells(y, pred, words, values), 1, 0
    )  # predicted this word, without and with: (V, label, word)
    d, b = c.sum(axis=2, keepdims=True) - c, a.sum(axis=2, keepdims=True) - a  # predicted another
    n = np.maximum(a + b + c + d, 2)  # a label without items adds nothing, and divides by nothing
    same, cross, share = a * d / n, b * c / n, (a + d) / n
    r, s = same.sum(axis=1), cross.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        effect = np.nan_to_num(
            np.log(r) - np.log(s), posinf=np.inf, neginf=-np.inf
        )  # 0 where both are empty
        error = np.sqrt(
            (share * same).sum(axis=1) / (2 * r**2)
            + ((1 - share) * cross).sum(axis=1) / (2 * s**2)
            + (share * cross + (1 - share) * same).sum(axis=1) / (2 * r * s)
        )
        chi = (a - (a + b) * (a + c) / n).sum(axis=1) ** 2 / (
            (a + b) * (c + d) * (a + c) * (b + d) / (n**2 * (n - 1))
        ).sum(axis=1)
        half = np.nan_to_num(norm.ppf(0.975) * error, nan=np.inf)
        low, high = (
            np.nan_to_num(effect + sign * half, nan=sign * np.inf, posinf=np.inf, neginf=-np.inf)
            for sign in (-1, 1)
        )
    return detector_table(
        "naive",
        values,
        words,
        effect,
        low,
        high,
        np.nan_to_num(chi2.sf(chi, 1), nan=1.0),
        "log odds ratio",
        alpha,
    )


def group_metrics(
    y: np.ndarray,
    pred: np.ndarray,
    words: Sequence[str],
    values: AttributeValues,
    resamples: int = 500,
    seed: int = 0,
) -> pd.DataFrame:
    """How well the items with and without each value are predicted, with 95 % intervals over items: a row a value.

    Columns what, items, and, each with _low and _high: accuracy (with the value), gap (that less the accuracy
    without), worst_group (the lowest accuracy of the items of one label with or without the value), equalised_odds
    (the largest difference between with and without of a true or false positive rate, one label against the others,
    as fairlearn has it for two labels). A rate of fewer than 10 items is not asked for; NaN where none is left.
    The lowest or largest of noisy rates lies further out than the true one: compare values with each other by the
    last two, not with 1 or 0.
    """
    cells, rng, rows = _cells(y, pred, words, values), np.random.default_rng(seed), []
    for what, items, own in zip(values.names, values.counts, cells, strict=True):
        enough = (
            own.sum(axis=2) >= 10,
            own.sum(axis=(1, 2), keepdims=True)[..., 0] - own.sum(axis=2) >= 10,
        )
        # all scores are functions of these counts, so resampling items is a multinomial draw of counts
        drawn = rng.multinomial(len(y), own.ravel() / len(y), size=resamples).reshape(
            -1, *own.shape
        )
        row, limits = {"what": what, "items": items}, _scores(drawn, *enough)
        for name, score in _scores(own[None], *enough).items():
            low, high = np.quantile(limits[name], [0.025, 0.975])
            row |= {name: score[0], f"{name}_low": low, f"{name}_high": high}
        rows.append(row)
    return pd.DataFrame(rows)


def independence_weights(y: np.ndarray, values: AttributeValues, attribute: str) -> np.ndarray:
    """(N,) float64 of mean 1: drawn by these weights, labels are independent of the attribute given all others.

    w = p(y | the others) / p(y | all), by two multinomial logistic regressions. The weighted items have the density
    p(attributes) p(y | the others): what goes with what among attributes stays, and so does how frequent labels are.
    ValueError: no such attribute.
    """
    own = np.array(values.attributes) == attribute
    if not own.any():
        raise ValueError(
            f"no attribute {attribute!r}: expected one of {sorted(set(values.attributes))}"
        )
    item, classes = np.arange(len(y)), int(y.max()) + 1
    others, everything = (
        _explained(_design(values, kept), y, classes)[item, y] for kept in (~own, own | ~own)
    )
    return others / everything / np.mean(others / everything)


def _checked(y: np.ndarray, words: Sequence[str], values: AttributeValues) -> np.ndarray:
    y = np.asarray(y)
    if y.shape != (values.present.shape[0],) or y.min() < 0 or y.max() >= len(words):
        raise ValueError(
            f"labels: expected {values.present.shape[0]} numbers from 0 to {len(words) - 1}, one an item "
            f"of the attribute values, got shape {y.shape} from {y.min()} to {y.max()}"
        )
    return y


def _cells(
    y: np.ndarray, pred: np.ndarray, words: Sequence[str], values: AttributeValues
) -> np.ndarray:
    """(V, 2, C, C) how many items without and with a value have a label (third axis) and are predicted a word."""
    both = _checked(y, words, values) * len(words) + _checked(pred, words, values)
    one_hot = sparse.csr_array(
        (np.ones(len(y)), both, np.arange(len(y) + 1)), shape=(len(y), len(words) ** 2)
    )
    shown = (values.present.T @ one_hot).toarray()
    counts = np.stack([np.bincount(both, minlength=len(words) ** 2) - shown, shown], axis=1)
    return counts.reshape(-1, 2, len(words), len(words))


def _scores(
    cells: np.ndarray, positives: np.ndarray, negatives: np.ndarray
) -> dict[str, np.ndarray]:
    """Scores (R,) of counts (R, 2, C, C); positives, negatives (2, C): whether there are enough items of a rate."""
    of_label, hits = cells.sum(axis=3), np.diagonal(cells, axis1=2, axis2=3)
    items = of_label.sum(axis=2, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        accuracy = hits.sum(axis=2) / items[..., 0]
        rates = np.stack(
            [
                np.where(positives, hits / of_label, np.nan),
                np.where(negatives, (cells.sum(axis=2) - hits) / (items - of_label), np.nan),
            ]
        )
    worst = np.where(np.isnan(rates[0]), np.inf, rates[0]).min(axis=(1, 2))
    gap = np.nan_to_num(np.abs(rates[:, :, 1] - rates[:, :, 0]), nan=-np.inf).max(axis=(0, 2))
    return {
        "accuracy": accuracy[:, 1],
        "gap": accuracy[:, 1] - accuracy[:, 0],
        "worst_group": np.where(np.isinf(worst), np.nan, worst),
        "equalised_odds": np.where(np.isinf(gap), np.nan, gap),
    }


def _design(values: AttributeValues, kept: np.ndarray) -> sparse.csr_array:
    """(N, 1 + kept) float64: a constant and the columns of the kept values."""
    constant = sparse.csr_array(np.ones((values.present.shape[0], 1)))
    return sparse.csr_array(
        sparse.hstack([constant, values.present[:, kept]], format="csr"), dtype=np.float64
    )


def _explained(x: sparse.csr_array, y: np.ndarray, classes: int) -> np.ndarray:
    """p(label | x) (N, classes) of the items themselves: multinomial logistic regression, L2 penalty 1 / 2.

    A rare value hardly shows in the gradient of a common optimiser, which stops before it has learned it. So L-BFGS
    runs where a fixed bound of the curvature (Boehning 1992) is the unit matrix: there a gradient of .01 is a
    hundredth of a standard error, for every value, and 118,000 items of 900 values take some 30 steps.
    """
    label = np.eye(classes)[y]
    root = cholesky((x.T @ x).toarray() / classes + np.eye(x.shape[1]), lower=True)

    def coefficients(z: np.ndarray) -> np.ndarray:
        return solve_triangular(root, z.reshape(-1, classes), lower=True, trans=1)

    def loss(z: np.ndarray) -> tuple[float, np.ndarray]:
        b = coefficients(z)
        score = x @ b
        p = softmax(score, axis=1)
        cost = -np.log(np.maximum(p[np.arange(len(y)), y], 1e-300)).sum() + (b * b).sum() / 2
        return cost, solve_triangular(root, x.T @ (p - label) + b, lower=True).ravel()

    start = np.zeros(x.shape[1] * classes)
    fit = minimize(loss, start, jac=True, method="L-BFGS-B", options={"gtol": 0.01, "maxiter": 500})
    return softmax(x @ coefficients(fit.x), axis=1)


def _association(
    a: sparse.csc_array, x: sparse.csr_array, label: np.ndarray, p: np.ndarray
) -> dict[str, np.ndarray]:
    """effect, error, p, expected, exact (v, C) of the values a (N, v) with labels (N, C), given x and p (N, C)."""
    rows, e, variance = a.tocsr(), label - p, p * (1 - p)
    gram = (x.T @ x).toarray()
    gram[np.diag_indices_from(gram)] += 1e-6 * len(
        p
    )  # the values of one attribute may add up to the constant
    gram[0, 0] -= 1e-6 * len(p)
    beta = np.linalg.solve(gram, (x.T @ rows).toarray())
    r2, r4, re, r2v, r2e2, r3e, r3s = 0, 0, 0, 0, 0, 0, 0
    for start in range(0, len(p), CHUNK):
        part = slice(start, start + CHUNK)
        r = rows[part].toarray() - x[part] @ beta
        square, cube = (r * r).T, (r * r * r).T
        r2, r4 = (
            r2 + square.sum(axis=1, keepdims=True),
            r4 + (square * square).sum(axis=1, keepdims=True),
        )
        re, r2v, r2e2 = (
            re + r.T @ e[part],
            r2v + square @ variance[part],
            r2e2 + square @ e[part] ** 2,
        )
        r3e, r3s = r3e + cube @ e[part], r3s + cube @ (variance * (1 - 2 * p))[part]
    counts = np.asarray(a.sum(axis=0)).reshape(-1, 1)
    r2 = np.where(r2 < 1e-3 * counts, np.inf, r2)  # the others say the same: no effect can be told
    effect = re / r2
    spread = (
        r2e2 - 2 * effect * r3e + effect**2 * np.where(np.isinf(r2), 0, r4)
    )  # sum r^2 (e - effect r)^2
    r2v = np.maximum(r2v, 1e-12)
    z, skew = re / np.sqrt(r2v), r3s / r2v**1.5
    tail = np.minimum(pearson3.cdf(z, skew), pearson3.sf(z, skew))
    found = {
        "effect": effect,
        "error": np.sqrt(np.maximum(spread, r2v)) / r2,
        "p": np.where(np.isinf(r2), 1, np.minimum(2 * tail, 1)),
        "expected": a.T @ p,
        "exact": np.zeros(z.shape),
    }
    return _enumerated(a, label, p, found)


def _enumerated(
    a: sparse.csc_array, label: np.ndarray, p: np.ndarray, found: dict
) -> dict[str, np.ndarray]:
    """`found` with exact two-sided p-values in the cells where hardly an item, or hardly another, is expected."""
    room = np.minimum(found["expected"], np.diff(a.indptr)[:, None] - found["expected"])
    for j, k in zip(*np.nonzero(room < EXACT_BELOW), strict=True):
        items = a.indices[a.indptr[j] : a.indptr[j + 1]]
        law = _poisson_binomial(p[items, k], int(label[items, k].sum()))
        more = max(1 - law[:-1].sum(), 0.0)  # rounding may take it below
        found["p"][j, k], found["exact"][j, k] = min(2 * law.sum(), 2 * more, 1), 1
    return found


def _poisson_binomial(chances: np.ndarray, most: int) -> np.ndarray:
    """(most + 1,) the probabilities of 0 to `most` successes in independent trials with (n,) chances.

    The recursion over trials: scipy's poisson_binom gives the same, but takes every chance as an argument of its own.
    """
    law = np.zeros(most + 1)
    law[0] = 1
    for chance in chances:
        law[1:] += chance * (
            law[:-1] - law[1:]
        )  # the right side is evaluated whole before it is added
        law[0] *= 1 - chance
    return law
