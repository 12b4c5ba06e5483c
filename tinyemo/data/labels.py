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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tinyemo.emotions import (
    LABEL_SETS,
    alike_labels,
    check_label,
    first_alike,
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
        self, spelled: Sequence[str], source: str | Path, numbered: bool = False
    ) -> tuple[list[str], str]:
        """The label of each spelling, and the name of the label set.

        ValueError names `source`, the labels and what was expected. `numbered`: the spellings are
        the rows of a table, so it also names the row, counted from 1.
        """
        label_of = self._labels(spelled, source, numbered)
        try:
            label_set = self.named or _defined_by(set(label_of.values()), source)
            known = labels_of(label_set)
        except ValueError as error:
            raise ValueError(f"{source}: {error}") from error
        for spelling, label in label_of.items():
            label_of[spelling] = label if label in known else SPELLINGS.get(label, label)
        unknown = [spelling for spelling, label in label_of.items() if label not in known]
        if unknown:
            names = ", ".join(_shown(name) for name in sorted(label_of[one] for one in unknown))
            raise ValueError(
                f"{_place(source, spelled, unknown[:1], numbered)}: unknown label {names}: "
                f"expected the labels of {label_set!r} ({', '.join(known)})"
            )
        return [label_of[spelling] for spelling in spelled], label_set

    def _labels(self, spelled: Sequence[str], source: str | Path, numbered: bool) -> dict[str, str]:
        """Each spelling -> its label. ValueError as of `read`, but for unknown labels."""
        label_of = {}
        unique = list(dict.fromkeys(spelled))
        if pair := first_alike(unique):
            raise ValueError(f"{_place(source, spelled, pair, numbered)}: {alike_labels(*pair)}")
        for spelling in unique:
            try:
                label_of[spelling] = self._label(spelling)
            except ValueError as error:
                place = _place(source, spelled, [spelling], numbered)
                raise ValueError(f"{place}: {error}") from error
        return label_of

    def _label(self, spelling: str) -> str:
        """The label of one spelling: in lower case unless a listed label has capitals.

        ValueError: white space at its ends or twice within; no label set is named and it cannot be
        a label of an own one.
        """
        label = tidy(spelling)
        if " ".join(spelling.split()) != spelling:
            raise ValueError(
                f"label {spelling!r} has white space at its ends or twice within; expected "
                f"{label!r}"
            )
        if not self.named:
            check_label(label)
        listed = {word.lower(): word for word in labels_of(self.named)} if self.named else {}
        wanted = {word.lower(): word for word in self.synonyms}
        lower = label.lower()
        if lower in wanted:
            self.used.add(wanted[lower])
            return self.synonyms[wanted[lower]]
        return listed.get(lower, lower)


def _place(
    source: str | Path, spelled: Sequence[str], spellings: Sequence[str], numbered: bool
) -> str:
    """The source of some spellings; of a table, with the first row of each, counted from 1."""
    if not numbered:
        return str(source)
    rows = sorted(spelled.index(spelling) + 1 for spelling in spellings)
    return f"{source}: row{'s' * (len(rows) > 1)} {' and '.join(map(str, rows))}"


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
