"""Evidence: which attributes of a scene make an emotion more probable, and how strongly.

Takes a scene's attributes and a label of any set that Parrott's 25 labels map to; gives the visible
attributes that raise the log-odds of the label, the strongest first. The measure is Good's weight
of evidence (I. J. Good, Probability and the Weighing of Evidence, 1950),

    W(v : k) = log p(v | k) - log p(v | not k)    in nats,

the amount by which the value v changes the log-odds of label k from those of the prior. It does not
depend on the other attributes of the scene, because they are drawn independently given the label.
The weight of an inert value is 0.
"""

from collections.abc import Mapping
from functools import cache

import numpy as np

from emoscenes.scenes import ATTRIBUTES, PARROTT, PRIOR, SIGNATURES, value_given_label
from tinyemo.emotions import GROUPS

THRESHOLD = 0.25  # nats; a smaller weight does not count as evidence


@cache
def weight_of_evidence(attribute: str, value: str, label: str, label_set: str = "parrott") -> float:
    """W(value : label) in nats; 0 for attributes that do not depend on the label.

    The label is compared with all other labels of the set. For a set coarser than Parrott's, these
    are the Parrott labels that are mapped to another label of the set.
    """
    if attribute not in SIGNATURES:
        return 0.0
    row = ATTRIBUTES[attribute].index(value)
    likelihood = value_given_label(attribute)[row]  # p(value | Parrott label): (25,)
    members = [fine for group in GROUPS[label_set].values() for fine in group]
    is_label = np.isin(PARROTT, GROUPS[label_set][label])
    is_other = np.isin(PARROTT, members) & ~is_label
    with_label = np.average(likelihood[is_label], weights=PRIOR[is_label])
    without = np.average(likelihood[is_other], weights=PRIOR[is_other])
    return float(np.log(with_label) - np.log(without))


def evidence(
    attributes: Mapping[str, object], label: str, label_set: str = "parrott"
) -> list[tuple[str, str]]:
    """The (attribute, value) pairs of a scene that are evidence for the label, heaviest first.

    `attributes` holds at least those of `scenes.SIGNATURES`. Empty: nothing in the scene explains
    the label.
    """
    weights = {}
    for attribute in SIGNATURES:
        value = str(attributes[attribute])
        weights[attribute, value] = weight_of_evidence(attribute, value, label, label_set)
    found = [pair for pair, weight in weights.items() if weight >= THRESHOLD]
    return sorted(found, key=lambda pair: -weights[pair])
