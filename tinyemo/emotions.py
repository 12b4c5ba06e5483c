"""Emotion labels: the label sets, the maps between them, synonyms and grounding templates.

The words are data, in emotions.yaml beside this module. This module reads them into tables and has
functions that look words up. A label is always a word. A number is only used as the position of a
word in one label set.

A label set of the reader's own data has its labels as its name: "labels: calm, storm". So the name
says all in every table, and two datasets with the same labels in the same order share one set.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path

import yaml

Words = tuple[str, ...]

_FILE = Path(__file__).with_name("emotions.yaml")
_DATA = yaml.safe_load(_FILE.read_text(encoding="utf-8"))


def _as_tuples(table: dict[str, list[str]]) -> dict[str, Words]:
    return {key: tuple(words) for key, words in table.items()}


def _inverted(groups: dict[str, Words]) -> dict[str, str]:
    """Label -> its members becomes member -> its label."""
    found = {}
    for label, members in groups.items():
        found |= dict.fromkeys(members, label)
    return found


# label set of images ("ekman", "unbiasedemo", "mikels", "parrott") -> its labels, in fixed order
LABEL_SETS: dict[str, Words] = _as_tuples(_DATA["label_sets"])

# label set of conversations ("iemocap4", ...) -> code in the dataset's files -> label
LABEL_CODES: dict[str, dict[str, str]] = _DATA["conversation_label_sets"]

# label set of conversations -> its labels, in fixed order; kept apart from the sets for images
CONVERSATION_LABEL_SETS: dict[str, Words] = {}
for _name, _codes in LABEL_CODES.items():
    CONVERSATION_LABEL_SETS[_name] = tuple(dict.fromkeys(_codes.values()))

# label set -> label -> the Parrott labels that belong to it
GROUPS: dict[str, dict[str, Words]] = {}
for _name, _groups in _DATA["groups"].items():
    GROUPS[_name] = _as_tuples(_groups)
GROUPS["parrott"] = {label: (label,) for label in LABEL_SETS["parrott"]}

# label set -> Parrott label -> its label in that set; a label that belongs to none is absent
FROM_PARROTT: dict[str, dict[str, str]] = {}
for _name, _groups in GROUPS.items():
    FROM_PARROTT[_name] = _inverted(_groups)

# Parrott label -> three other words for it
SYNONYMS: dict[str, Words] = _as_tuples(_DATA["synonyms"])

# name of a grounding template -> the text, with {emotion} at the place of the label
TEMPLATES: dict[str, str] = _DATA["templates"]


OWN = "labels: "  # what the name of a label set of one's own begins with


def labels_of(label_set: str) -> Words:
    """The words of a label set, of images, of conversations or of one's own, in their fixed order.

    ValueError: an unknown set; the message names those that exist. Or a set of one's own that
    `own_label_set` refuses.
    """
    known = LABEL_SETS | CONVERSATION_LABEL_SETS
    if label_set in known:
        return known[label_set]
    if label_set.startswith(OWN):
        labels = tuple(label.strip() for label in label_set.removeprefix(OWN).split(","))
        if own_label_set(labels) == label_set:
            return labels
    raise ValueError(
        f"unknown label set {label_set!r}: expected one of {', '.join(known)}, or labels of your "
        f"own as {OWN + 'first, second, third'!r}"
    )


def is_label_set(label_set: str) -> bool:
    """Whether `labels_of` knows this label set."""
    try:
        labels_of(label_set)
    except ValueError:
        return False
    return True


def own_label_set(labels: Sequence[str]) -> str:
    """The name of the label set that has these labels, in this order.

    ValueError: no label, an empty one, one with a comma, with a character that cannot be seen or
    with white space at its ends, or two labels that differ only by case, spaces or Unicode form.
    """
    if not labels or len(set(labels)) < len(labels):
        raise ValueError(
            f"labels {', '.join(labels) or 'none'}: expected at least one, and none twice"
        )
    for label in labels:
        if not label or "," in label or not label.isprintable() or tidy(label) != label:
            raise ValueError(
                f"label {label!r}: expected a text without a comma and without characters that "
                "cannot be seen, with single spaces between its words"
            )
    if alike := find_alike(labels):
        raise ValueError(alike_message(*alike))
    return OWN + ", ".join(labels)


def tidy(label: str) -> str:
    """A label in Unicode's composed form (NFC), with single spaces inside and none around it."""
    return " ".join(unicodedata.normalize("NFC", label).split())


def find_alike(labels: Iterable[str]) -> tuple[str, str] | None:
    """The first two labels that differ only by case, spaces, hyphens or Unicode form."""
    first: dict[str, str] = {}
    for label in labels:
        key = re.sub(r"[\s_-]+", "", unicodedata.normalize("NFKC", label).casefold()) or label
        other = first.setdefault(key, label)
        if other != label:
            return other, label
    return None


def alike_message(one: str, other: str) -> str:
    """What is wrong with two labels of `find_alike`."""
    return (
        f"labels {ascii(one)} and {ascii(other)} differ only by case, spaces or Unicode form; "
        "expected one spelling of each label"
    )


def file_name_of(label_set: str) -> str:
    """The name of a label set in file names; a short one for a set of one's own."""
    if not label_set.startswith(OWN):
        return label_set
    return "own-" + hashlib.sha256(label_set.encode()).hexdigest()[:8]


def grounding_texts(template: str, words: Sequence[str]) -> list[str]:
    """The grounding text of each word: `template` with the word at the place of `{emotion}`.

    ValueError: a template without that place.
    """
    if "{emotion}" not in template:
        raise ValueError(f"template {template!r}: expected a text with {{emotion}} in it")
    return [template.replace("{emotion}", word) for word in words]
