"""Which attributes may legitimately matter for the label, and what the others are tested given.

Takes: attribute values, and the names of the attributes that a person declared legitimate.
Gives: which values are tested (`values_to_test`), and which values may explain the labels when one
attribute is tested (`explaining_values`). The data detector, the model detector and the detector of
pairs all follow this one rule.

With a declaration, the declared attributes are not tested, and every other attribute is tested
given the declared ones alone. So nothing is hidden: if two attributes that were not declared occur
together, both are found. Without a declaration (None), all attributes are tested, each given all
others.
"""

from collections.abc import Sequence

import numpy as np

from tinyemo.bias.values import AttributeValues

Declared = Sequence[str] | None  # names of attributes; None: nothing was declared


def values_to_test(values: AttributeValues, legitimate: Declared) -> np.ndarray:
    """(V,) bool: the values that are tested.

    ValueError: a declared attribute that the values do not have, or no attribute is left.
    """
    attributes = np.array(values.attributes)
    declared = [] if legitimate is None else list(legitimate)
    unknown = sorted(set(declared) - set(values.attributes))
    known = sorted(set(values.attributes))
    if unknown:
        raise ValueError(f"legitimate: no attribute {unknown[0]!r}, expected some of {known}")
    tested = ~np.isin(attributes, declared)
    if not tested.any():
        raise ValueError(f"legitimate: {known} are all attributes, expected one that is tested")
    return tested


def explaining_values(values: AttributeValues, attribute: str, legitimate: Declared) -> np.ndarray:
    """(V,) bool: the values that may explain the labels when `attribute` is tested.

    ValueError: the values do not have the attribute.
    """
    attributes = np.array(values.attributes)
    own = attributes == attribute
    if not own.any():
        known = sorted(set(values.attributes))
        raise ValueError(f"no attribute {attribute!r}: expected one of {known}")
    if legitimate is None:
        return ~own
    return np.isin(attributes, list(legitimate)) & ~own
