"""The words by which datasets name their splits -> train, validation, test.

Owns the spellings, for folders and for columns of CSV files alike.
"""

from collections.abc import Iterable

SPLIT_WORDS = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
}
# the test part of a dataset without another one, else its validation part
EVALUATION = ("eval", "evaluation")
EXPECTED = ", ".join((*SPLIT_WORDS, *EVALUATION))  # for error messages


def splits_named(words: Iterable[str]) -> dict[str, str]:
    """Those of the words that name a split, in upper or lower case -> the split that they name."""
    found, undecided = {}, []
    for word in words:
        plain = word.strip().casefold()
        if plain in SPLIT_WORDS:
            found[word] = SPLIT_WORDS[plain]
        elif plain in EVALUATION:
            undecided.append(word)
    evaluation = "validation" if "test" in found.values() else "test"
    return found | dict.fromkeys(undecided, evaluation)
