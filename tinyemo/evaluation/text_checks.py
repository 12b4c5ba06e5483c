"""What the evaluation of texts about known scenes expects of a checker.

A checker reads a text, holds it against the attributes of the scene that it is about, and gives its
claims. It belongs to a dataset, so the evaluation is given one: `emoscenes.checker`, a module that
has everything that `Checker` names, is such a checker.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol

Pair = tuple[str, str]  # (attribute, value)
# (attributes, label, label set) -> the pairs that speak for the label, the heaviest first
Evidence = Callable[[Mapping[str, object], str, str], Sequence[Pair]]


class Claim(Protocol):
    """One visible thing that a text says is in the picture."""

    attribute: str
    # The values of the scene that the words of the claim fit; if none does, all they may mean.
    values: frozenset[str]
    is_true: bool


class Check(Protocol):
    """What a checker finds in one text."""

    claims: Sequence[Claim]
    felt: Collection[str]  # labels that the text names as felt
    contradictions: Collection[str]  # those of them that are other emotions than the given label
    faults: Sequence[str]  # one sentence for each false claim and each contradiction
    unknown: Sequence[str]  # content words that the checker does not know


class Checker(Protocol):
    """A module or an object that checks texts."""

    ATTRIBUTES: Sequence[str]  # of a scene, all needed

    def check(self, text: str, attributes: Mapping[str, object], label: str = "") -> Check:
        """Hold a text against a scene and, unless it is "", a label."""


def named(claims: Sequence[Claim], pairs: Sequence[Pair]) -> list[Pair]:
    """The pairs that the claims name, in their order.

    Words that fit several values ("flower") name a pair only if no other pair could be meant.
    """
    meant = []
    for claim in claims:
        fitting = [pair for pair in pairs if pair[1] in claim.values]
        if len(fitting) == 1:
            meant += fitting
    return [pair for pair in pairs if pair in meant]
