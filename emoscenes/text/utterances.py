"""Transcripts of EmoScenes' dialogues: what a speaker says, given the emotion that the words name.

Takes codes of emotions and a numpy generator; gives English text (phrases in utterances.yaml). A
phrase of the code is filled in at its slots, and stands between openers and closers that are the
same for all codes. No text contains a word for an emotion. What the words name is not always what
the speaker feels: see `emoscenes.dialogue_model`.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import yaml

_TABLE = yaml.safe_load((Path(__file__).parent / "utterances.yaml").read_text("utf-8"))
_SLOTS: dict[str, list[str]] = _TABLE["slots"]
_CLOSERS: list[str] = _TABLE["closers"]

OPENERS: list[str] = _TABLE["openers"]
PHRASES: dict[str, list[str]] = _TABLE["phrases"]  # code -> its phrases
PHRASES_PER_CODE = min(len(phrases) for phrases in PHRASES.values())

# Shares of utterances with no opener, and with the speaker's favourite; the rest have any opener.
_NO_OPENER, _FAVOURITE = 0.5, 0.3
_CLOSER = 0.2  # share of utterances with a closer


def transcripts(
    named: Sequence[str],
    phrases: Sequence[int],
    favourites: Sequence[int],
    rng: np.random.Generator,
) -> list[str]:
    """One text per utterance.

    named: code of the emotion that the words name. phrases: position of the phrase among those of
    the code, below PHRASES_PER_CODE. favourites: position of the speaker's favourite opener.
    """
    texts = []
    for code, phrase, favourite in zip(named, phrases, favourites, strict=True):
        text = _filled(PHRASES[code][phrase], rng)
        opener = _opener(favourite, rng)
        text = f"{opener} {text}" if opener else text[0].upper() + text[1:]
        texts.append(text + _ending(text, rng))
    return texts


def _pick(options: Sequence[str], rng: np.random.Generator) -> str:
    return options[int(rng.random() * len(options))]


def _filled(phrase: str, rng: np.random.Generator) -> str:
    """The phrase with words in its slots. All slots are drawn, also those that it does not have."""
    words = {slot: _pick(options, rng) for slot, options in _SLOTS.items()}
    return phrase.format(**words)


def _opener(favourite: int, rng: np.random.Generator) -> str:
    kind = rng.random()
    other = _pick(OPENERS, rng)
    if kind < _NO_OPENER:
        return ""
    return OPENERS[favourite] if kind < _NO_OPENER + _FAVOURITE else other


def _ending(text: str, rng: np.random.Generator) -> str:
    kind = rng.random()
    closer = _pick(_CLOSERS, rng)
    if text.endswith("?"):
        return ""
    return f", {closer}" if kind < _CLOSER else "."
