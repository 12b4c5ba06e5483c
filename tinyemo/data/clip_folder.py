"""A folder of clips -> the utterance table: one row per clip, each a dialogue of its own.

Owns finding the clips, and the ids that they get. Takes a folder, gives Conversations. No clip is
opened here: tinyemo.features.stream_extraction says which streams a clip has.
"""

import os
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd

from tinyemo.data.left_out import LeftOut, printable
from tinyemo.data.utterances import NUMBERS, Conversations, check_utterances

VIDEOS = (
    ".mp4",
    ".m4v",
    ".mov",
    ".avi",
    ".mkv",
    ".webm",
    ".wmv",
    ".flv",
    ".mpg",
    ".mpeg",
    ".ts",
    ".mts",
    ".m2ts",
    ".3gp",
)
SOUNDS = (".wav", ".mp3", ".m4a", ".flac", ".ogg", ".opus", ".aac", ".wma")
FRAGMENT = re.compile(r"#(?:t|xywh)=")  # a name with this would be read as a part of a file


def utterances_of_folder(folder: str | Path, dataset: str | None = None) -> Conversations:
    """The clips below `folder`, sorted by path, as utterances without text and label.

    The id is "dataset/<path without suffix>"; the suffix stays where two clips differ in nothing
    else. `dataset` defaults to the name of the folder. `audio`, `video` and `face` are the
    clip; `video` and `face` are empty for a file of sound. Dialogue, group and speaker are the
    clip's own: who speaks in two clips is not known. Counted in `left_out`: other files, hidden
    ones, links to folders (they are not followed), and names that cannot be used.

    FileNotFoundError: no such folder. ValueError: no clip in it.
    """
    folder = Path(folder).expanduser().absolute()
    if ".." in folder.parts:
        folder = folder.resolve()
    if not folder.is_dir():
        raise FileNotFoundError(f"folder not found: {folder}: expected a folder of clips")
    dataset = dataset or folder.name
    clips, left_out = [], LeftOut()
    for name in sorted(_files(folder, left_out)):
        if reason := _reason_against(folder, name):
            left_out.add(reason, printable(name))
        else:
            clips.append(name)
    if not clips:
        raise ValueError(
            f"{folder}: no clip in it; expected files that end in {', '.join((*VIDEOS, *SOUNDS))}"
        )
    stems = Counter(Path(name).with_suffix("").as_posix() for name in clips)
    rows = []
    for name in clips:
        stem = Path(name).with_suffix("").as_posix()
        clip = stem if stems[stem] == 1 else name
        rows.append(_utterance(dataset, clip, folder / name))
    table = check_utterances(pd.DataFrame(rows), folder)
    return Conversations(table, left_out.table())


def _files(folder: Path, left_out: LeftOut) -> list[str]:
    """The files below `folder`, as paths relative to it; folders that are not read are counted."""

    def count(error: OSError) -> None:
        left_out.add("folder that cannot be read", printable(error.filename))

    files = []
    for place, folders, names in os.walk(folder, onerror=count):
        inside = Path(place).relative_to(folder)
        files += [(inside / name).as_posix() for name in names]
        for name in folders:
            if (folder / inside / name).is_symlink():
                left_out.add("link to a folder", printable((inside / name).as_posix()))
    return files


def _reason_against(folder: Path, name: str) -> str:
    """Why a file is not taken; "" for a clip."""
    path = Path(name)
    if any(part.startswith(".") for part in path.parts):
        return "hidden file"
    if path.suffix.lower() not in (*VIDEOS, *SOUNDS):
        return f"not a clip ({printable(path.suffix.lower()) or 'no suffix'})"
    if not (folder / path).is_file():
        return "link to a file that is not there, or not a file"
    if printable(name) != name:
        return "name that is not in UTF-8"
    if FRAGMENT.search(name):
        return "name with #t= or #xywh=, which stand for a part of a file"
    return ""


def _utterance(dataset: str, clip: str, file: Path) -> dict:
    """The row of one clip."""
    picture = str(file) if file.suffix.lower() in VIDEOS else ""
    numbers = dict.fromkeys(NUMBERS, np.nan)
    return {
        "id": f"{dataset}/{clip}",
        "dataset": dataset,
        "split": "train",
        "group": clip,
        "dialogue": clip,
        "turn": 0,
        "speaker": clip,
        "text": "",
        "audio": str(file),
        "video": picture,
        "face": picture,
        "code": "",
        "votes": [],
        "self_votes": [],
        **numbers,
    }
