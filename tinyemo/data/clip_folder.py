"""A folder of clips -> the utterance table: one row per clip, each a dialogue of its own.

Owns finding the clips, and the ids that they get. Takes a folder, gives Conversations. No clip is
opened here: tinyemo.features.stream_extraction says which streams a clip has.
"""

from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd

from tinyemo.data.utterances import NUMBERS, Conversations, LeftOut, check_utterances

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
    ".3gp",
)
SOUNDS = (".wav", ".mp3", ".m4a", ".flac", ".ogg", ".opus", ".aac", ".wma")


def utterances_of_folder(folder: str | Path, dataset: str | None = None) -> Conversations:
    """The clips below `folder`, sorted by path, as utterances without text and label.

    The id is "dataset/<path without suffix>"; the suffix stays where two clips differ in nothing
    else. `dataset` defaults to the name of the folder. `audio`, `video` and `face` are the
    clip; `video` and `face` are empty for a file of sound. Dialogue, group and speaker are the
    clip's own: who speaks in two clips is not known. Other files, and hidden ones, are counted in
    `left_out`.

    FileNotFoundError: no such folder. ValueError: no clip in it.
    """
    folder = Path(folder).expanduser().absolute()
    if not folder.is_dir():
        raise FileNotFoundError(f"folder not found: {folder}: expected a folder of clips")
    dataset = dataset or folder.name
    clips, left_out = [], LeftOut()
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = file.relative_to(folder).as_posix()
        if any(part.startswith(".") for part in Path(name).parts):
            left_out.add("hidden file", name)
        elif file.suffix.lower() in (*VIDEOS, *SOUNDS):
            clips.append(name)
        else:
            ending = file.suffix.lower() or "no suffix"
            left_out.add(f"not a clip ({ending})", name)
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
