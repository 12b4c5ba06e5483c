"""How well do the claims of a text name the evidence for an emotion?

Takes the claims of a text about decisive attributes (those that can be evidence) and the pieces of
evidence P for a label in the scene, with their weights, the heaviest first. Gives shares from 0 to
1. The measures are our own design:

    precision   share of the claims that are in the scene and in P
    recall      the weight of the pieces of P that the text names, divided by the largest weight
                that a text with as many claims can name
    f1          the harmonic mean of precision and recall

Three definitions of recall are in use. k is the number of claims, at most 3 and at most |P|.

    (no prefix)  weight of the k heaviest pieces that are named / weight of the k heaviest of P.
                 A text that names only the second piece gets part of the credit.
    strict       number of the k heaviest pieces of P that are named / k. A text that names only the
                 second piece gets none.
    complete     as the first, with k = 3 (at most |P|) for every text. A short text is incomplete.

Each claim counts once. A word may fit several values ("flower", "garbage"). Then it is a claim of
those of them that the scene has. It is no additional claim if a finer word of the text names one of
them. It names a piece of evidence only if exactly one piece of P fits it. A claim that is not true
of the scene, or that is no evidence for the label, lowers precision.

If P is empty, all scores are NaN, because there is nothing to name. Otherwise a text without claims
has 0 in all.
"""

from collections.abc import Callable, Collection, Iterable, Sequence

import numpy as np

from tinyemo.evaluation.text_checks import Piece, Values

EXPECTED_PIECES = 3  # of evidence, at most, that a text is expected to name

# (values that are named, pieces, number of claims) -> recall
Recall = Callable[[Collection[str], Sequence[Piece], int], float]


def _weight_named(named: Collection[str], pieces: Sequence[Piece], k: int) -> float:
    """The weight of the k heaviest named pieces, divided by that of the k heaviest."""
    of_named = [weight for value, weight in pieces if value in named]
    of_all = [weight for _, weight in pieces]
    return sum(of_named[:k]) / sum(of_all[:k])


def _graded(named: Collection[str], pieces: Sequence[Piece], claims: int) -> float:
    return _weight_named(named, pieces, min(claims, EXPECTED_PIECES))


def _strict(named: Collection[str], pieces: Sequence[Piece], claims: int) -> float:
    heaviest = [value for value, _ in pieces[: min(claims, EXPECTED_PIECES)]]
    return sum(value in named for value in heaviest) / len(heaviest)


def _complete(named: Collection[str], pieces: Sequence[Piece], claims: int) -> float:
    return _weight_named(named, pieces, EXPECTED_PIECES)


_RECALLS: dict[str, Recall] = {"": _graded, "strict_": _strict, "complete_": _complete}
F1_SCORES = ("f1", "strict_f1", "complete_f1")
SCORES = (
    "precision",
    "recall",
    "f1",
    "strict_recall",
    "strict_f1",
    "complete_recall",
    "complete_f1",
)


def distinct(claims: Iterable[Values]) -> list[Values]:
    """The claims without repetitions, and without a generic claim if there is a finer one."""
    meant = set(claims)
    return [values for values in meant if not any(other < values for other in meant)]


def evidence_scores(claims: Sequence[Values], pieces: Sequence[Piece]) -> dict[str, float]:
    """All SCORES of distinct claims against the pieces of evidence for one label."""
    if not pieces:
        return dict.fromkeys(SCORES, np.nan)
    if not claims:
        return dict.fromkeys(SCORES, 0.0)
    precision, named = _matched(claims, pieces)
    scores = {"precision": precision}
    for prefix, recall_of in _RECALLS.items():
        recall = recall_of(named, pieces, len(claims))
        scores[f"{prefix}recall"] = recall
        scores[f"{prefix}f1"] = _harmonic_mean(precision, recall)
    return scores


def evidence_f1(claims: Sequence[Values], pieces: Sequence[Piece], measure: str = "f1") -> float:
    """One of F1_SCORES of distinct claims, as in `evidence_scores`."""
    if not pieces:
        return np.nan
    if not claims:
        return 0.0
    precision, named = _matched(claims, pieces)
    recall_of = _RECALLS[measure.removesuffix("f1")]
    return _harmonic_mean(precision, recall_of(named, pieces, len(claims)))


def _matched(claims: Sequence[Values], pieces: Sequence[Piece]) -> tuple[float, set[str]]:
    """Precision, and the values of the pieces that the claims name."""
    evident = {value for value, _ in pieces}
    hits = [claim & evident for claim in claims]
    named = {value for hit in hits if len(hit) == 1 for value in hit}
    return sum(map(bool, hits)) / len(hits), named


def _harmonic_mean(a: float, b: float) -> float:
    return 2 * a * b / (a + b) if a + b else 0.0
