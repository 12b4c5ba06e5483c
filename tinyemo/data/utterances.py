"""The utterance table: one row per utterance of every dialogue, in order of dialogue and turn.

Also utterances without a label are in it: they are context for later turns.

    id                    unique, "dataset/..."
    dataset, split        as in tinyemo.data.records; "train" where no split is published
    group                 never divided by a split or fold: the session, or the dialogue
    dialogue, turn        dialogue is unique within the dataset; turn counts from 0 in time order
    speaker               unique within the dataset; "" = unknown
    text                  the transcript; "" = none
    audio, video, face    path, or part of a file (see `media_fragment`); "" = missing; `face` is
                          the picture in which a face is found, mostly the same as `video`
    code                  label code in the dataset's files; "xxx" = no majority, "" = not evaluated
    votes, self_votes     for each annotator (each actor, about himself or herself) the list of the
                          codes that he or she chose; [] = none
    attr_start, attr_end  seconds; NaN = unknown
    attr_valence, attr_activation, attr_dominance   NaN = unknown
    attr_<name>           optional

Owns these columns, their checks, and the writing of media fragments. tinyemo.data.conversations
turns the table into records.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from tinyemo.data.records import SPLITS
from tinyemo.emotions import LABEL_CODES

Votes = list[list[str]]  # for each annotator, the codes that he or she chose

NO_MAJORITY = "xxx"
MEDIA = ("audio", "video", "face")
NUMBERS = ("attr_start", "attr_end", "attr_valence", "attr_activation", "attr_dominance")
REQUIRED = ("id", "dataset", "split", "group", "dialogue")  # text that is not empty
TEXTS = ("speaker", "text", *MEDIA, "code")  # text that may be empty
VOTES = ("votes", "self_votes")
COLUMNS = (*REQUIRED, "turn", *TEXTS, *VOTES, *NUMBERS)

# every code of a label set, in the order of the sets, and the code for "no majority"
_SET_CODES = [code for codes in LABEL_CODES.values() for code in codes]
KNOWN_CODES = (*dict.fromkeys(_SET_CODES), NO_MAJORITY)


@dataclass(frozen=True, eq=False)
class Conversations:
    """What a reader gives: the utterance table, and `left_out` (columns reason, items, example)."""

    utterances: pd.DataFrame
    left_out: pd.DataFrame


def media_fragment(path: str | Path, start: float, end: float, half: str = "") -> str:
    """The part of a file from `start` to `end` (seconds), as a W3C media fragment.

    `half` "left" or "right" adds the half of the picture: "clip.avi#t=6.29,8.24" becomes
    "clip.avi#t=6.29,8.24&xywh=percent:0,0,50,100".
    """
    times = [f"{seconds:.4f}".rstrip("0").rstrip(".") for seconds in (start, end)]
    fragment = f"{path}#t={','.join(times)}"
    if half:
        left = {"left": 0, "right": 50}[half]
        fragment += f"&xywh=percent:{left},0,50,100"
    return fragment


def missing_turns(dialogues: pd.Series, numbers: pd.Series) -> list[str]:
    """The gaps in the numbering of dialogues, as "dialogue/number".

    `numbers` (int) are the files' own numbers of the rows. A dialogue should begin with the
    smallest number of the whole table and leave none out.
    """
    first = numbers.min()
    gaps = []
    for dialogue, present in numbers.groupby(dialogues, sort=False):
        expected = range(first, present.max() + 1)
        absent = sorted(set(expected) - set(present))
        gaps += [f"{dialogue}/{number}" for number in absent]
    return gaps


def check_utterances(
    utterances: pd.DataFrame,
    source: str | Path = "utterances",
    place_of: Callable[[int], str] | None = None,
) -> pd.DataFrame:
    """The table with its columns in fixed order, rows numbered from 0.

    ValueError names `source`, the row (counted from 1), the column and what was expected: a missing
    or unknown column, a wrong type, an empty or repeated id, an unknown split or code, an annotator
    without a code, rows of a dialogue that are not together, turns that do not count from 0, a
    dialogue with two groups, a group with two splits. `place_of` gives the name of a row where it
    is not "<source>: row <number from 1>".
    """
    place_of = place_of or (lambda row: f"{source}: row {row + 1}")
    utterances = utterances.reset_index(drop=True)
    others = _other_columns(utterances, source)

    def refuse(bad: Sequence[bool] | pd.Series, column: str, expected: str) -> None:
        """ValueError about the first row where `bad` holds."""
        if np.any(bad):
            row = int(np.argmax(bad))
            raise ValueError(
                f"{place_of(row)} (id {utterances['id'][row]!r}), column {column!r}: "
                f"got {utterances[column][row]!r}, expected {expected}"
            )

    for column in (*REQUIRED, *TEXTS):
        wrong = [not isinstance(value, str) for value in utterances[column]]
        refuse(wrong, column, "text")
    for column in REQUIRED:
        refuse(utterances[column] == "", column, "something other than empty text")
    for column in NUMBERS:
        wrong = [not isinstance(value, float) for value in utterances[column]]
        refuse(wrong, column, "a floating-point number, or NaN")
    refuse(utterances["id"].duplicated(), "id", "an id that no earlier row has")
    refuse(~utterances["split"].isin(SPLITS), "split", f"one of {', '.join(SPLITS)}")
    codes = ", ".join(KNOWN_CODES)
    refuse(~utterances["code"].isin([*KNOWN_CODES, ""]), "code", f"one of {codes}, or empty text")
    for column in VOTES:
        wrong = [not _are_votes(value) for value in utterances[column]]
        refuse(wrong, column, f"a list with one list per annotator, each of one or more of {codes}")

    dialogue = utterances["dataset"] + "\n" + utterances["dialogue"]
    begins = dialogue != dialogue.shift()
    again = begins & dialogue.duplicated()
    refuse(again, "dialogue", "all rows of a dialogue together, and one name per dialogue")
    turns = dialogue.groupby(dialogue).cumcount()
    refuse(utterances["turn"] != turns, "turn", "turns that count from 0 within the dialogue")
    first_group = utterances["group"].groupby(dialogue).transform("first")
    refuse(utterances["group"] != first_group, "group", "one group per dialogue")
    group = utterances["dataset"] + "\n" + utterances["group"]
    first_split = utterances["split"].groupby(group).transform("first")
    refuse(utterances["split"] != first_split, "split", "one split per group")
    return utterances.assign(turn=turns)[[*COLUMNS, *others]]


def _other_columns(utterances: pd.DataFrame, source: str | Path) -> list[str]:
    """The attr_<name> columns beyond COLUMNS. ValueError: a missing or unknown column."""
    for column in COLUMNS:
        if column not in utterances:
            raise ValueError(
                f"{source}: column {column!r} is missing: expected {', '.join(COLUMNS)}"
            )
    others = [column for column in utterances if column not in COLUMNS]
    for column in others:
        if not column.startswith("attr_"):
            raise ValueError(
                f"{source}: unknown column {column!r}: expected {', '.join(COLUMNS)} or attr_<name>"
            )
    return others


def _are_votes(value: object) -> bool:
    """Whether a cell is a list of non-empty lists of known codes."""
    if not isinstance(value, list):
        return False
    for chosen in value:
        if not isinstance(chosen, list) or not chosen or not set(chosen) <= set(KNOWN_CODES):
            return False
    return True
