"""The interface of a checker, which the evaluation of texts about known scenes needs.

A checker compares a text with the attributes of the scene that the text is about, and returns the
claims of the text. Each dataset needs its own checker, so the caller passes one to the evaluation.
The module `emoscenes.checker` can be passed, because it has everything that `Checker` lists.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

Pair = tuple[str, str]  # (attribute, value)
Values = frozenset[str]  # of one attribute: what one claim may mean
Piece = tuple[str, float]  # a value that is evidence for a label, and its weight in nats
# (attributes, label, label set) -> the pairs that are evidence for the label, the heaviest first
Evidence = Callable[[Mapping[str, object], str, str], Sequence[Pair]]
# (attribute, value, label, label set) -> the weight of evidence in nats
Weight = Callable[[str, str, str, str], float]


class Claim(Protocol):
    """A statement of a text that one visible thing is in the picture."""

    attribute: str
    # The values of the scene that fit the words of the claim; if none fits, all possible values.
    values: Values
    is_true: bool


class Check(Protocol):
    """What a checker finds in one text."""

    claims: Sequence[Claim]
    felt: Collection[str]  # labels that the text names as felt
    contradictions: Collection[str]  # those of them that are other emotions than the given label
    faults: Sequence[str]  # one sentence for each false claim and each contradiction
    unknown: Sequence[str]  # content words that are not in the checker's vocabulary


class Checker(Protocol):
    """A module or an object that checks texts."""

    ATTRIBUTES: Sequence[str]  # of a scene, all needed
    # words -> attribute and values that they may mean; each meaning once
    PHRASES: Mapping[str, tuple[str, Values]]

    def check(self, text: str, attributes: Mapping[str, object], label: str = "") -> Check:
        """Compare a text with a scene and, unless `label` is "", with a label."""


@dataclass(frozen=True)
class GroundTruth:
    """What is known about the scenes of a dataset: it decides how good a text about one is."""

    evidence: Evidence
    weight: Weight
    decisive: Collection[str]  # the attributes that can be evidence
    checker: Checker

    def pieces(
        self, attributes: Mapping[str, object], label: str, label_set: str
    ) -> tuple[Piece, ...]:
        """The pieces of evidence for the label in a scene, the heaviest first."""
        pairs = self.evidence(attributes, label, label_set)
        return tuple((value, self.weight(name, value, label, label_set)) for name, value in pairs)


def named(claims: Sequence[Claim], pairs: Sequence[Pair]) -> list[Pair]:
    """Those of `pairs` that the claims name, in the order of `pairs`.

    Some words fit several values ("flower"). They name a pair only if no other of `pairs` fits.
    """
    meant = []
    for claim in claims:
        fitting = [pair for pair in pairs if pair[1] in claim.values]
        if len(fitting) == 1:
            meant += fitting
    return [pair for pair in pairs if pair in meant]
