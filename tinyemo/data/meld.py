"""MELD's files -> the utterance table.

Owns the CSV columns and the clip folders of MELD (Poria et al. 2019; from
https://affective-meld.github.io):

    {train,dev,test}_sent_emo.csv       text, speaker, emotion, dialogue and utterance numbers
    train_splits/dia0_utt0.mp4          clips of MELD.Raw; also dev_splits_complete and
                                        output_repeated_splits_test

Each file or folder may be in the given folder or one level below it. The numbers of dialogues
begin again in every split, so the split is part of the dialogue's name. The columns Sr No.,
Sentiment, Season and Episode are not read.
"""

import re
from pathlib import Path

import numpy as np
import pandas as pd

from tinyemo.data.left_out import LeftOut
from tinyemo.data.repaired_text import (
    read_text_table,
    refuse_rows,
    require_columns,
    required_numbers_of,
)
from tinyemo.data.utterances import Conversations, check_utterances, missing_turns
from tinyemo.emotions import LABEL_CODES

DATASET = "MELD"
CODES = tuple(LABEL_CODES["meld7"])
SPLITS = {"train": "train", "dev": "validation", "test": "test"}  # word in the file's name -> split
CLIPS = {
    "train": "train_splits",
    "dev": "dev_splits_complete",
    "test": "output_repeated_splits_test",
}
COLUMNS = (
    "Utterance",
    "Speaker",
    "Emotion",
    "Dialogue_ID",
    "Utterance_ID",
    "StartTime",
    "EndTime",
)
_TIME = re.compile(r"(\d+):(\d+):(\d+)[,.](\d+)")


def read_meld(folder: str | Path) -> Conversations:
    """The utterances of train_sent_emo.csv and, where they are there, of dev and test.

    Group is the dialogue ("train/dia0"); speaker is the role's name. Turns are in order of the
    utterance numbers. Where a clip is there, `audio`, `video` and `face` name it. attr_start and
    attr_end are seconds within the episode, not within the clip.

    Files in UTF-8 and in cp1252 are read, and apostrophes that were damaged in between are
    repaired. Counted in `left_out`: missing utterance numbers, rows that stand twice (one is kept),
    empty texts, times that cannot be read, missing clips, clips that no row names, and other lists
    of utterances, such as a second train_sent_emo.csv.

    FileNotFoundError: no train_sent_emo.csv. ValueError names file, row and column: a missing
    column, an unknown emotion, two rows with the same numbers and different content.
    """
    folder = Path(folder).expanduser().absolute()
    left_out = LeftOut()
    tables = []
    for word, split in SPLITS.items():
        path = _inside(folder, f"{word}_sent_emo.csv")
        if path is not None:
            tables.append(_read_split(path, word, split, folder, left_out))
        elif word == "train":
            raise FileNotFoundError(
                f"not found: {folder / 'train_sent_emo.csv'}; expected the CSV files of MELD, "
                "from https://affective-meld.github.io"
            )
    used = [_inside(folder, f"{word}_sent_emo.csv") for word in SPLITS]
    for path in sorted({*folder.glob("*_sent_emo*.csv"), *folder.glob("*/*_sent_emo*.csv")}):
        if path not in used:
            left_out.add("list of utterances that is not read", path)
    return Conversations(check_utterances(pd.concat(tables), folder), left_out.table())


def _inside(folder: Path, name: str) -> Path | None:
    """`name` in the folder or one level below it; None where it is not there."""
    places = [folder / name, *sorted(folder.glob(f"*/{name}"))]
    return next((place for place in places if place.exists()), None)


def _read_split(path: Path, word: str, split: str, folder: Path, left_out: LeftOut) -> pd.DataFrame:
    """The rows of one CSV file."""
    table = read_text_table(path)
    require_columns(table, COLUMNS, path)
    if table.empty:
        raise ValueError(f"{path}: no utterance: expected one row per utterance below the header")
    numbers = {}
    for column in ("Dialogue_ID", "Utterance_ID"):
        numbers[column] = required_numbers_of(table[column], path)
    codes = table["Emotion"].str.lower()
    refuse_rows(table["Emotion"], ~codes.isin([*CODES, ""]), path, f"one of {', '.join(CODES)}")

    clip = "dia" + numbers["Dialogue_ID"].astype(str) + "_utt" + numbers["Utterance_ID"].astype(str)
    rows = pd.DataFrame(
        {
            "clip": clip,
            "id": f"{DATASET}/{word}/" + clip,
            "dialogue": f"{word}/dia" + numbers["Dialogue_ID"].astype(str),
            "number": numbers["Utterance_ID"],
            "speaker": table["Speaker"],
            "text": table["Utterance"],
            "code": codes,
            "attr_start": table["StartTime"].map(_seconds),
            "attr_end": table["EndTime"].map(_seconds),
        }
    )
    rows = _without_repeats(rows, path, left_out)
    order = [numbers["Dialogue_ID"][rows.index], rows["number"]]
    rows = rows.iloc[np.lexsort(order[::-1])].reset_index(drop=True)
    rows["turn"] = rows.groupby("dialogue", sort=False).cumcount()

    for gap, items in missing_turns(rows["dialogue"], rows["number"]):
        left_out.add(f"utterance number that {path.name} leaves out", gap, items)
    counted = {
        "empty text": rows["text"] == "",
        "not evaluated": rows["code"] == "",
        "time that is not HH:MM:SS,mmm": rows[["attr_start", "attr_end"]].isna().any(axis=1),
    }
    for reason, which in counted.items():
        left_out.add_all(f"{reason} in {path.name}", rows["id"][which].tolist())

    clips = _clips(rows["clip"], word, folder, left_out)
    rows = rows.assign(audio=clips, video=clips, face=clips)
    fixed = {"dataset": DATASET, "split": split, "group": rows["dialogue"]}
    for column in ("attr_valence", "attr_activation", "attr_dominance"):
        fixed[column] = np.nan
    rows = rows.assign(**fixed)
    for column in ("votes", "self_votes"):
        rows[column] = [[] for _ in rows.index]
    return rows.drop(columns=["clip", "number"])


def _seconds(time: str) -> float:
    """ "00:16:16,059" -> 976.059; NaN for anything else."""
    parts = _TIME.fullmatch(time)
    if not parts:
        return np.nan
    hours, minutes, seconds, fraction = parts.groups()
    whole = int(hours) * 3600 + int(minutes) * 60 + int(seconds)
    return whole + float(f"0.{fraction}")


def _without_repeats(rows: pd.DataFrame, path: Path, left_out: LeftOut) -> pd.DataFrame:
    """The rows without those that stand twice. ValueError: twice, with different content."""
    contents = ["id", "speaker", "text", "code"]
    same = rows.duplicated(contents)
    other = rows["id"].duplicated() & ~same
    expected = "numbers that no other row has, or the same speaker, text and emotion"
    refuse_rows(rows["id"], other, path, expected)
    left_out.add_all(f"row that stands twice in {path.name}", rows["id"][same].tolist())
    return rows[~same]


def _clips(names: pd.Series, word: str, folder: Path, left_out: LeftOut) -> list[str]:
    """The path of each row's clip, "" where there is none."""
    place = _inside(folder, CLIPS[word])
    if place is None:
        left_out.add_all(
            f"no folder {CLIPS[word]} (audio, video and face are missing)", names.tolist()
        )
        return [""] * len(names)
    files = {path.stem: str(path) for path in sorted(place.glob("*.mp4"))}
    paths = [files.get(name, "") for name in names]
    missing = [name for name in names if name not in files]
    left_out.add_all(f"no clip in {CLIPS[word]} (audio, video and face are missing)", missing)
    unnamed = [files[name] for name in files if name not in set(names)]
    left_out.add_all(f"clip in {CLIPS[word]} that no row names", unnamed)
    return paths
