"""Labels as files and tables spell them -> the labels of one label set.

Owns how a folder's name or a cell becomes a label, and which label set a dataset has. Takes the
spellings of a whole dataset; gives a label for each, and the name of the label set:

- If a label set is named, any other label is an error. So it is if labels are listed: then they are
  the label set, in their order.
- Otherwise the labels define it. If a built-in set holds all of them, it is the smallest such set.
  If none does, the set has just these labels, in alphabetical order (emotions.own_label_set).

Letter case does not count. Two spellings that differ only by case, spaces or Unicode form are an
error, since one of them is probably a mistake.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tinyemo.emotions import (
    LABEL_SETS,
    alike_message,
    find_alike,
    labels_of,
    own_label_set,
    tidy,
)

LOG = logging.getLogger(__name__)

SPELLINGS = {
    # folders of WEBEmo
    "cheerfullness": "cheerfulness",
    "irritabilty": "irritability",
    # files of ArtPhoto, columns of Abstract
    "sad": "sadness",
    "content": "contentment",
}


@dataclass(frozen=True)
class Labelling:
    """What is known about the labels of a dataset before it is read.

    `label_set`: the name of its label set. `labels`: the labels of its own set, in order.
    `synonyms`: label in the files -> label that it stands for. `used` collects those that occur.

    ValueError: both a label set and labels, labels that form no set, a synonym of a synonym, or a
    value that is no text (YAML reads an unquoted yes or no as a truth value).
    """

    label_set: str = ""
    labels: Sequence[str] = ()
    synonyms: Mapping[str, str] = field(default_factory=dict)
    used: set[str] = field(default_factory=set, repr=False)

    def __post_init__(self):
        if self.label_set and self.labels:
            raise ValueError(
                f"label_set {self.label_set!r} and labels {', '.join(self.labels)}: expected only "
                "one of the two"
            )
        for word in (*self.labels, *self.synonyms, *self.synonyms.values()):
            if not isinstance(word, str):
                raise ValueError(f"labels and synonyms: got {word!r}, expected text in quotes")
        chained = [word for word in self.synonyms.values() if word in self.synonyms]
        if chained:
            raise ValueError(f"synonyms: {chained[0]!r} is itself replaced; expected a final label")

    @property
    def named(self) -> str:
        """The label set that is named or listed; "" if there is none."""
        return own_label_set(self.labels) if self.labels else self.label_set

    def read(
        self,
        spelled: Sequence[str],
        source: str | Path,
        place_of: Callable[[int], str] | None = None,
    ) -> tuple[list[str], str]:
        """The label of each spelling, and the name of the label set.

        `place_of` gives the file and row of a position in `spelled`, where the labels are those of
        a list. ValueError names the place, or else `source`, the labels and what was expected.
        """
        spellings = list(dict.fromkeys(spelled))

        def place(spelling: str) -> str:
            return place_of(spelled.index(spelling)) if place_of else str(source)

        if alike := find_alike(spellings):
            beside = f" (the first of them is in {place(alike[0])})" if place_of else ""
            raise ValueError(f"{place(alike[1])}: {alike_message(*alike)}{beside}")
        label_of = {}
        for spelling in spellings:
            if fault := _fault_of(spelling):
                raise ValueError(f"{place(spelling)}: {fault}")
            label_of[spelling] = self._label(spelling)
        try:
            label_set = self.named or _defined_by(set(label_of.values()), source)
            known = labels_of(label_set)
        except ValueError as error:
            raise ValueError(f"{source}: {error}") from error
        for spelling, label in label_of.items():
            label_of[spelling] = label if label in known else SPELLINGS.get(label, label)
        if unknown := [spelling for spelling in spellings if label_of[spelling] not in known]:
            words = dict.fromkeys(_shown(label_of[spelling]) for spelling in unknown)
            raise ValueError(
                f"{place(unknown[0])}: unknown label {', '.join(words)}: expected the labels of "
                f"{label_set!r} ({', '.join(known)})"
            )
        return [label_of[spelling] for spelling in spelled], label_set

    def _label(self, spelling: str) -> str:
        """The label of one spelling: in lower case unless a listed label has capitals."""
        label = tidy(spelling)
        listed = {word.lower(): word for word in labels_of(self.named)} if self.named else {}
        wanted = {word.lower(): word for word in self.synonyms}
        lower = label.lower()
        if lower in wanted:
            self.used.add(wanted[lower])
            return self.synonyms[wanted[lower]]
        return listed.get(lower, lower)


def _fault_of(spelling: str) -> str:
    """What is wrong with the text of a label; "" if nothing is."""
    if " ".join(spelling.split()) != spelling:
        return (
            f"label {spelling!r} has white space at its ends or twice within; expected "
            f"{tidy(spelling)!r}"
        )
    try:
        own_label_set([tidy(spelling)])
    except ValueError as error:
        return str(error)
    return ""


def _shown(label: str) -> str:
    """The label, with escapes if it has characters that look like others or cannot be seen."""
    return label if label.isascii() and label.isprintable() else ascii(label)


def infer_label_set(words: set[str]) -> str:
    """The smallest built-in label set that holds all `words`; "" if none does.

    Of two equally small ones, it is Ekman's.
    """
    fitting = [name for name, labels in LABEL_SETS.items() if words <= set(labels)]
    return min(fitting, key=lambda name: len(LABEL_SETS[name])) if fitting else ""


def _defined_by(words: set[str], source: str | Path) -> str:
    """The label set of data for which none is named."""
    built_in = infer_label_set({SPELLINGS.get(word, word) for word in words})
    if built_in:
        return built_in
    nearest = max(LABEL_SETS, key=lambda name: len(words & set(LABEL_SETS[name])))
    if shared := words & set(LABEL_SETS[nearest]):
        LOG.warning(
            "%s: the labels %s are a label set of their own; %s has only %s of them",
            *(source, ", ".join(sorted(words)), nearest, ", ".join(sorted(shared))),
        )
    return own_label_set(sorted(words))
