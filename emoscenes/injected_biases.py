"""Injected biases: a known association of an attribute value with a label, made by swapping.

Owns which biases can be injected, and the one procedure that injects them. Takes the values of an
attribute and the labels of N scenes, and a bias; gives the values or the labels after swapping.

A bias (attribute, value, label, strength) holds when

    P(label | value) - P(label | another value) = strength        (a risk difference).

Swapping the values, or the labels, of pairs of scenes reaches it and keeps the frequency of every
value and of every label.
"""

import numpy as np

from emoscenes.probability_table import ATTRIBUTES, DECISIVE_SHARE, PARROTT, PRIOR, SIGNATURES
from tinyemo.emotions import GROUPS, labels_of

# attribute, value, label (of Parrott's set, or "ekman:anger", "mikels:awe"), strength
InjectedBias = tuple[str, str, str, float]

# Attributes with inert values that are frequent enough to learn from: .06 to .33 of the scenes.
# An inert object is shown by .02 of the scenes only.
BIASABLE_ATTRIBUTES = ("action", "background", "expression", "style", "time", "weather")


def possible_biases(
    attribute: str, strength: float, label_set: str = "ekman"
) -> tuple[list[str], list[str]]:
    """What can be biased: the attribute's inert values, and the labels ("ekman:anger") for them.

    As both marginals are kept,

        P(label | value)         = P(label) + (1 - P(value)) * strength
        P(label | another value) = P(label) - P(value) * strength.

    A label is possible where both stay between 0 and 1. A margin of 15 % is kept, because
    frequencies differ from set to set. ValueError: not a discrete attribute, or a strength that is
    not above zero.
    """
    if attribute not in ATTRIBUTES or strength <= 0:
        raise ValueError(
            f"biases with {attribute!r} at strength {strength}: expected a strength above zero and "
            f"one of {', '.join(ATTRIBUTES)}"
        )
    decisive = SIGNATURES.get(attribute, {})
    inert = [value for value in ATTRIBUTES[attribute] if value not in decisive]
    p_value = (1 - DECISIVE_SHARE.get(attribute, 0)) / len(inert)
    lowest = 1.15 * strength * p_value
    highest = 1 - 1.15 * strength * (1 - p_value)
    labels = []
    for word in labels_of(label_set):
        p_label = PRIOR[np.isin(PARROTT, GROUPS[label_set][word])].sum()
        if lowest < p_label < highest:
            labels.append(f"{label_set}:{word}")
    return inert, labels


def swap_values(
    values: np.ndarray, labels: np.ndarray, bias: InjectedBias, rng: np.random.Generator
) -> np.ndarray:
    """The attribute's values (N,) after swapping them between scenes with and without the label.

    labels: (N,) Parrott labels. ValueError: a bias that is not possible with these scenes.
    """
    rows, partners = _pairs(values, labels, bias, rng, label_first=True)
    swapped = values.copy()
    swapped[rows] = values[partners]
    swapped[partners] = values[rows]
    return swapped


def swap_labels(
    values: np.ndarray, labels: np.ndarray, bias: InjectedBias, rng: np.random.Generator
) -> np.ndarray:
    """The Parrott labels (N,) after swapping them between scenes with and without the value.

    values: (N,) of the bias's attribute. ValueError: a bias that is not possible with these scenes.
    """
    rows, partners = _pairs(values, labels, bias, rng, label_first=False)
    swapped = labels.copy()
    swapped[rows] = labels[partners]
    swapped[partners] = labels[rows]
    return swapped


def _pairs(
    values: np.ndarray,
    labels: np.ndarray,
    bias: InjectedBias,
    rng: np.random.Generator,
    label_first: bool,
) -> tuple[np.ndarray, np.ndarray]:
    """`pairs_to_swap` for a bias; every ValueError names the bias."""
    attribute, value, label, strength = bias
    label_set, _, word = label.rpartition(":")
    members = GROUPS.get(label_set or "parrott", {}).get(word)
    if value not in ATTRIBUTES.get(attribute, ()):
        raise ValueError(f"cannot inject {bias}: expected a discrete attribute and its value")
    if members is None:
        raise ValueError(
            f"cannot inject {bias}: expected a Parrott label, or 'ekman:' or 'mikels:' and one of "
            "their labels"
        )
    has_value = values == value
    has_label = np.isin(labels, members)
    first = has_label if label_first else has_value
    try:
        return pairs_to_swap(has_value, has_label, strength, rng, first)
    except ValueError as error:
        raise ValueError(f"cannot inject {bias}: {error}") from None


def pairs_to_swap(
    has_value: np.ndarray,
    has_label: np.ndarray,
    strength: float,
    rng: np.random.Generator,
    first: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of rows to swap, so that the risk difference becomes `strength`, to the nearest count.

    has_value, has_label: (N,) bool. Swapping the values of a pair, or its labels, moves one row
    into the cell "value and label", or out of it, and keeps both marginals. Gives the rows of each
    pair where `first` (N,) bool is true, and their partners where it is false: two (P,) int64.
    `first` is `has_value` or `has_label`: it fixes the order of the random draws.
    ValueError: no row or every row has the value, or too few pairs can be swapped.
    """
    n = len(has_value)
    n_value, n_label = has_value.sum(), has_label.sum()
    if not 0 < n_value < n:
        raise ValueError(f"{n_value} of {n} scenes have the value, expected 1 to {n - 1}")
    # strength = both / n_value - (n_label - both) / (n - n_value), solved for `both`
    n_other = n - n_value
    wanted = (strength + n_label / n_other) / (1 / n_value + 1 / n_other)
    swaps = int(round(wanted - (has_value & has_label).sum()))
    if swaps >= 0:  # into the cell: one row has the value alone, its partner the label alone
        candidates = has_value != has_label
    else:  # out of the cell: one row has both, its partner neither
        candidates = has_value == has_label
    rows = np.flatnonzero(candidates & first)
    partners = np.flatnonzero(candidates & ~first)
    possible = min(len(rows), len(partners))
    count = abs(swaps)
    if count > possible:
        raise ValueError(
            f"{possible} pairs among {n} scenes can be swapped, expected at least {count}"
        )
    rows = rng.permutation(rows)[:count]
    partners = rng.permutation(partners)[:count]
    return rows, partners
