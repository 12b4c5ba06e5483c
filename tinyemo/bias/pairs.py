"""Pairs of values: does a label depend on two attributes together, beyond each of them alone?

Takes: labels and attribute values of the same items, and the declared attributes (`legitimate`).
Gives: the pairs that can be tested (`pairs_to_test`), and a detector table of their associations
(`pair_associations`). It is a second pass over the data, with a correction of its own, and tests no
model. Annotators who see fear in forests only at night make such a pair, and so do annotators who
see joy in paintings by night and in photographs by day (neither value matters alone).

Combinations of three values or more are not tested.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.stats import norm

from tinyemo.bias.attributes import checked_positions
from tinyemo.bias.evidence import corrected, value_label_tests
from tinyemo.bias.legitimate import Declared, values_to_test
from tinyemo.bias.residual_tests import association, design_of, fitted_probabilities
from tinyemo.bias.values import AttributeValues

MOST_PAIRS = 2000  # the residuals of so many pairs fit into memory
BETWEEN = " and "  # the two names of a pair, in the column `what`


def pairs_to_test(
    values: AttributeValues, legitimate: Declared = None, min_items: int = 20
) -> np.ndarray:
    """Pairs of values (P, 2) of two attributes, by position; the easiest to test come first.

    A pair is testable if each of its four combinations (both, one, the other, neither) has at least
    `min_items` items. The order is that of the number of items of its rarest combination, so it
    does not depend on any label, and a pair whose values have no effect alone is not passed over.
    Pairs of two declared attributes are left out.
    """
    items = values.present.shape[0]
    both = (values.present.T @ values.present).toarray()  # (V, V) numbers of items
    counts = values.counts
    one = counts[:, None] - both
    other = counts - both
    neither = items - both - one - other
    rarest = np.minimum.reduce([both, one, other, neither])
    attributes = np.array(values.attributes)
    tested = values_to_test(values, legitimate)
    possible = attributes[:, None] != attributes
    possible &= tested[:, None] | tested
    possible &= rarest >= min_items
    pairs = np.argwhere(np.triu(possible))
    order = np.argsort(-rarest[tuple(pairs.T)], kind="stable")
    return pairs[order]


def pair_associations(
    y: np.ndarray,
    words: Sequence[str],
    values: AttributeValues,
    pairs: np.ndarray,
    alpha: float = 0.05,
) -> pd.DataFrame:
    """Detector table "two values" with one row per pair and label: their association.

    Args:
        y: (N,) labels, positions in `words` (C,).
        values: V attribute values of the N items.
        pairs: (P, 2) of `pairs_to_test`, at most MOST_PAIRS.

    The null hypothesis: the log odds of the label are a sum of one term per value. The labels and
    the product of the two values are each regressed on all V values, and the residuals are tested
    as in `attributes.data_associations`. `effect` is how much the risk difference of one value
    grows with the other one, beyond what the null hypothesis implies. For a label that depends on
    "both" it is about the risk difference of that combination; if it depends on "both or neither",
    it is about twice the risk difference of those.

    q is corrected over these tests. Further column: items (with both values).

    ValueError: labels that do not fit, more than MOST_PAIRS pairs.
    """
    y = checked_positions(y, words, values)
    if len(pairs) > MOST_PAIRS:
        raise ValueError(f"{len(pairs)} pairs of values, expected at most {MOST_PAIRS}")
    combined = _combinations(values, pairs)
    design = design_of(values, np.ones(len(values.names), dtype=bool))
    p = fitted_probabilities(design, y, len(words))
    label = np.eye(len(words))[y]  # (N, C)
    found = association(combined.present, design, label, p)
    half_width = norm.ppf(0.975) * found["error"]
    low, high = found["effect"] - half_width, found["effect"] + half_width
    tests = value_label_tests(combined, words, found["effect"], low, high, found["p"])
    table = corrected(tests, "two values", "risk difference", alpha)
    return table.assign(items=np.repeat(combined.counts, len(words)))


def _combinations(values: AttributeValues, pairs: np.ndarray) -> AttributeValues:
    """The products of pairs of columns, as values "background: forest and time: night"."""
    first, second = values.present[:, pairs[:, 0]], values.present[:, pairs[:, 1]]
    product = sparse.csc_array(first.multiply(second))
    names = [f"{values.names[a]}{BETWEEN}{values.names[b]}" for a, b in pairs]
    split = [name.partition(": ") for name in names]
    attributes = tuple(attribute for attribute, _, _ in split)
    return AttributeValues(attributes, tuple(value for _, _, value in split), product)
