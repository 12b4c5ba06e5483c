"""The data detector: labels and attribute values that are associated beyond what is legitimate.

Takes: labels and attribute values of the same items.
Gives: a detector table of associations (`data_associations`), and item weights under which the
label is independent of one attribute (`independence_weights`).

What is legitimate? If the true posterior p(label | attributes) is known, as in EmoScenes,
everything that it explains is legitimate. On real data it is unknown. Then a person may declare
attributes (`legitimate`), and everything that these explain counts as legitimate. Without a
declaration this is everything that the *other* attributes explain. A found association is only a
candidate: a person has to decide whether it is a bias.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.stats import norm

from tinyemo.bias.evidence import corrected, value_label_tests
from tinyemo.bias.legitimate import Declared, explaining_values, values_to_test
from tinyemo.bias.residual_tests import association, design_of, fitted_probabilities
from tinyemo.bias.values import AttributeValues


def data_associations(
    y: np.ndarray,
    words: Sequence[str],
    values: AttributeValues,
    posterior: np.ndarray | None = None,
    legitimate: Declared = None,
    alpha: float = 0.05,
    min_effect: float = 0.0,
) -> pd.DataFrame:
    """A detector table with one row per attribute value and label: their association.

    Args:
        y: (N,) int64 labels, positions in `words`.
        words: (C,) the label set.
        values: V attribute values of the N items.
        posterior: (N, C) the true p(label | attributes) of each item. Without it, p(label | what
            may explain it) is estimated by multinomial logistic regression, once per attribute.
        legitimate: names of the attributes that may legitimately matter (`legitimate`). They are
            not tested, and the others are tested given these. Default: every attribute is tested
            given all others.
        alpha, min_effect: a row is found if q <= alpha and |effect| >= min_effect.

    Notation: r is the residual of the value, e the residual of the label, both given what may
    explain the label (r by least squares). With a posterior, only the mean is removed from the
    value.

    Assumption without a posterior: the two regressions have no interactions. So p is right if the
    value depends on the explaining attributes additively, or if the log odds of the label do.

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
    is_tested = values_to_test(values, legitimate)
    tested = values.only(np.flatnonzero(is_tested))
    label = np.eye(len(words))[y]  # (N, C)

    shape = len(tested.names), len(words)
    cells = {name: np.empty(shape) for name in ("effect", "error", "p", "expected", "exact")}
    for own, design, p in _null_models(values, tested, y, len(words), posterior, legitimate):
        found = association(tested.present[:, own], design, label, p)
        for name, part in found.items():
            cells[name][own] = part

    effect, half_width = cells["effect"], norm.ppf(0.975) * cells["error"]
    low, high = effect - half_width, effect + half_width
    tests = value_label_tests(tested, words, effect, low, high, cells["p"])
    table = corrected(tests, "data", "risk difference", alpha, min_effect)
    table["items"] = np.repeat(tested.counts, len(words))
    observed = (tested.present.T @ label).round().astype(int)
    table["observed"] = observed.ravel()
    table["expected"] = cells["expected"].ravel()
    table["exact"] = cells["exact"].ravel() > 0
    return table


def independence_weights(
    y: np.ndarray, values: AttributeValues, attribute: str, legitimate: Declared = None
) -> np.ndarray:
    """Item weights (N,) that make the label independent of the attribute given what may explain it.

    The weights are float64 and have mean 1.

    w = p(y | what may explain it) / p(y | the same and the attribute), from two multinomial
    logistic regressions. What may explain the label: the `legitimate` attributes, or all other
    attributes if none are declared. The weighted items have the density p(attributes) p(y | what
    may explain it): the associations between attributes stay as they are, and so do the label
    frequencies.

    ValueError: no such attribute.
    """
    explaining = explaining_values(values, attribute, legitimate)
    with_own = explaining | (np.array(values.attributes) == attribute)
    classes = int(y.max()) + 1
    items = np.arange(len(y))
    design, design_with_own = design_of(values, explaining), design_of(values, with_own)
    without = fitted_probabilities(design, y, classes)  # (N, C)
    given_own = fitted_probabilities(design_with_own, y, classes)
    weights = without[items, y] / given_own[items, y]
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


def _null_models(
    values: AttributeValues,
    tested: AttributeValues,
    y: np.ndarray,
    classes: int,
    posterior: np.ndarray | None,
    legitimate: Declared,
) -> Iterator[tuple[np.ndarray, sparse.csr_array, np.ndarray]]:
    """For each block of tested values: its mask, its design, and the label probabilities.

    The mask is over the T values of `tested`, the design (N, K) holds what explains, the
    probabilities are (N, C).

    With the true posterior all values form one block, whose design is only the constant. Without it
    there is one block per attribute.
    """
    if posterior is not None:
        everything = np.ones(len(tested.names), dtype=bool)
        nothing = np.zeros(len(values.names), dtype=bool)
        constant = design_of(values, nothing)
        yield everything, constant, posterior
        return
    for attribute in dict.fromkeys(tested.attributes):
        own = np.array(tested.attributes) == attribute
        explaining = explaining_values(values, attribute, legitimate)
        design = design_of(values, explaining)
        yield own, design, fitted_probabilities(design, y, classes)
