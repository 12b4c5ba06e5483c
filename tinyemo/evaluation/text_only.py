"""Text only: a baseline that never sees a picture and names the usual evidence for an emotion.

How good can an explanation be that depends on the given label alone? For each label, one fixed set
of claims is chosen on training scenes: the set with the highest mean F1 over the scenes with that
label. Every text about that label then makes these claims. A model that was trained with images and
gets none is no such baseline, because it was not trained for it.

Takes records of known scenes (their label is the label that a text is given) and a GroundTruth;
gives words for each label, and texts of them in the form of conditions.py. The words may be generic
("flower"), as in any text.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

import pandas as pd

from tinyemo.emoreason.requests import attributes_of
from tinyemo.evaluation.evidence_scores import distinct, evidence_f1
from tinyemo.evaluation.text_checks import GroundTruth, Piece, Values

# The pieces of evidence for the label in a scene, and the decisive values that it shows.
Kind = tuple[tuple[Piece, ...], Values]


def choose_words(
    records: pd.DataFrame, truth: GroundTruth, measure: str = "f1"
) -> dict[str, tuple[str, ...]]:
    """Label -> the words of the claims with the highest mean F1 over the records of that label.

    `measure` is one of `evidence_scores.F1_SCORES`. The search starts with no claim and adds, drops
    or exchanges one claim as long as the mean grows. Records without evidence for their label are
    left out; a label without any other record has no words. Takes seconds for 10,000 records.
    """
    kinds: dict[str, Counter[Kind]] = {}
    for row in records.to_dict("records"):
        attributes = attributes_of(row)
        pieces = truth.pieces(attributes, row["label"], row["label_set"])
        shown = frozenset(str(attributes[name]) for name in truth.decisive)
        counts = kinds.setdefault(row["label"], Counter())
        if pieces:
            counts[pieces, shown] += 1
    meanings = {}
    for words, (attribute, values) in truth.checker.PHRASES.items():
        if attribute in truth.decisive:
            meanings[words] = values
    return {label: _best_words(counts, meanings, measure) for label, counts in kinds.items()}


def text_only(
    given: Mapping[str, str], words_for: Mapping[str, Sequence[str]], condition: str = "text only"
) -> pd.DataFrame:
    """The texts (id, condition, given, text) for record ids and the labels that they are given.

    A label that is not in `words_for` gets a text that names only the label.
    """
    rows = []
    for name, label in given.items():
        parts = [", ".join(words_for.get(label, ())), label]
        text = ": ".join(part for part in parts if part) + "."
        rows.append((name, condition, label, text))
    return pd.DataFrame(rows, columns=["id", "condition", "given", "text"])


def _best_words(
    counts: Counter[Kind], meanings: Mapping[str, Values], measure: str
) -> tuple[str, ...]:
    """A set of words that no single change improves, sorted."""
    evident = {value for pieces, _ in counts for value, _ in pieces}
    candidates = [words for words, values in meanings.items() if values & evident]

    def mean_f1(chosen: frozenset[str]) -> float:
        total = 0.0
        for (pieces, shown), count in counts.items():
            # as a claim of the checker: the values that the scene shows, if none all of them
            claims = [(meanings[words] & shown) or meanings[words] for words in chosen]
            total += count * evidence_f1(distinct(claims), pieces, measure)
        return total / counts.total()

    return tuple(sorted(_climb(candidates, mean_f1))) if counts else ()


def _climb(candidates: Sequence[str], score: Callable[[frozenset[str]], float]) -> frozenset[str]:
    """From the empty set, the best change again and again, until none makes the score higher."""
    chosen: frozenset[str] = frozenset()
    highest = 0.0
    while True:
        best, better = highest, None
        for changed in _changes(chosen, candidates):
            value = score(changed)
            if value > best + 1e-12:
                best, better = value, changed
        if better is None:
            return chosen
        highest, chosen = best, better


def _changes(chosen: frozenset[str], candidates: Sequence[str]) -> Iterator[frozenset[str]]:
    """The sets with one more, one less or one other word."""
    for words in candidates:
        if words in chosen:
            yield chosen - {words}
            continue
        yield chosen | {words}
        for other in sorted(chosen):
            yield chosen - {other} | {words}
