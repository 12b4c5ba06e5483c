"""Evidence: what in a scene speaks for an emotion, and how strongly.

Takes a scene's attributes and a label of any set that Parrott's 25 map to; gives the visible attributes that
raise the label's log-odds, the strongest first. The measure is Good's weight of evidence,

    W(v : k) = log p(v | k) - log p(v | not k)    in nats,

the amount by which seeing the value v moves the log-odds of label k away from the prior's. It needs no other
attribute of the scene: given the label, the world draws each on its own. An inert value weighs nothing.
"""

from collections.abc import Mapping
from functools import cache

import numpy as np

from emoscenes.scenes import ATTRIBUTES, PARROTT, PRIOR, SIGNATURES, value_given_label
from tinyemo.emotions import GROUPS

THRESHOLD = 0.25  # nats: what weighs less is no evidence


@cache
def weight_of_evidence(attribute: str, value: str, label: str, label_set: str = "parrott") -> float:
    """W(value : label) in nats; 0 for attributes that say nothing of emotion.

    Against all 25 other labels, or for a coarser set against those that have a place in it.
    """
    if attribute not in SIGNATURES:
        return 0.0
    likelihood = value_given_label(attribute)[ATTRIBUTES[attribute].index(value)]  # (25,)
    placed = np.isin(PARROTT, [fine for members in GROUPS[label_set].values() for fine in members])
    inside = np.isin(PARROTT, GROUPS[label_set][label])
    outside = placed & ~inside
    with_label, without = (
        np.average(likelihood[part], weights=PRIOR[part]) for part in (inside, outside)
    )
    return float(np.log(with_label) - np.log(without))


def evidence(
    attributes: Mapping[str, object], label: str, label_set: str = "parrott"
) -> list[tuple[str, str]]:
    """The (attribute, value) pairs of a scene that speak for the label, the heaviest first.

    `attributes` holds at least those of `scenes.SIGNATURES`. Empty: nothing in the scene explains the label.
    """
    shown = {name: str(attributes[name]) for name in SIGNATURES}
    weights = {pair: weight_of_evidence(*pair, label, label_set) for pair in shown.items()}
    return sorted(
        (pair for pair in weights if weights[pair] >= THRESHOLD), key=lambda pair: -weights[pair]
    )
