"""Emotion labels: the label sets, the maps between them, synonyms and grounding templates.

The words are data, in emotions.yaml beside this module. This module reads them into tables and has
functions that look words up. A label is always a word. A number is only used as the position of a
word in one label set.
"""

from collections.abc import Sequence
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


def labels_of(label_set: str) -> Words:
    """The words of a label set, of images or of conversations, in their fixed order.

    ValueError: an unknown set; the message names those that exist.
    """
    known = LABEL_SETS | CONVERSATION_LABEL_SETS
    if label_set not in known:
        raise ValueError(f"unknown label set {label_set!r}: expected one of {', '.join(known)}")
    return known[label_set]


def grounding_texts(template: str, words: Sequence[str]) -> list[str]:
    """The grounding text of each word: `template` with the word at the place of `{emotion}`.

    ValueError: a template without that place.
    """
    if "{emotion}" not in template:
        raise ValueError(f"template {template!r}: expected a text with {{emotion}} in it")
    return [template.replace("{emotion}", word) for word in words]
