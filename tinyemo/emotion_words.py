"""Words by which a text names an emotion, and whether two of them can both be true.

Takes and gives labels of any label set of emotions.py. The modules that read texts (the filters of
instruction data, the checker of EmoScenes) share these words. Each decides where in a text a word
counts.
"""

from collections.abc import Iterable
from functools import cache
from pathlib import Path

import yaml

from tinyemo.emotions import GROUPS, LABEL_SETS, SYNONYMS


def _words() -> dict[str, tuple[str, ...]]:
    text = Path(__file__).with_name("emotion_words.yaml").read_text(encoding="utf-8")
    table = {}
    for label in sorted({label for labels in LABEL_SETS.values() for label in labels}):
        for word in (label, *SYNONYMS.get(label, ())):
            table[word] = (label,)
    for labels, words in yaml.safe_load(text).items():
        for word in words:
            table[word] = tuple(labels.split("|"))
    return table


# lower-case word or phrase -> the labels that it may stand for, the likeliest first
EMOTION_WORDS: dict[str, tuple[str, ...]] = _words()


def other_emotions(named: Iterable[tuple[str, ...]], label: str) -> frozenset[str]:
    """The emotions among `named` that contradict a label.

    `named` holds the labels of each emotion word, as in EMOTION_WORDS. A word contradicts the label
    if none of its labels can be true beside it. ValueError: the label is in no label set.
    """
    if not any(label in labels for labels in LABEL_SETS.values()):
        raise ValueError(f"unknown label {label!r}: expected a word of {', '.join(LABEL_SETS)}")
    contradicting = set()
    for labels in named:
        if not any(labels_agree(label, other) for other in labels):
            contradicting.add(labels[0])
    return frozenset(contradicting)


@cache
def labels_agree(one: str, other: str) -> bool:
    """Whether two labels can both be true of one feeling.

    They can if they are the same, if one is a coarser word for the other ("joy" for "pride"), or if
    they are coarse words of two different sets that share a finer one ("joy" and "amusement").
    """
    fine_of_one, fine_of_other = _finer(one), _finer(other)
    if one == other or other in fine_of_one or one in fine_of_other:
        return True
    same_set = any(one in labels and other in labels for labels in LABEL_SETS.values())
    return not same_set and not fine_of_one.isdisjoint(fine_of_other)


def _finer(label: str) -> set[str]:
    """The Parrott labels under a label. Under love are two of them, as in Parrott's own tree."""
    finer = {"affection", "lust"} if label == "love" else set()
    return finer.union(*(groups.get(label, ()) for groups in GROUPS.values()))
