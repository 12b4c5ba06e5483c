"""MERR and MER2023, the data of Emotion-LLaMA -> the utterance table.

Owns the formats of its lists, transcripts and captions (Cheng et al. 2024,
https://github.com/ZebangCheng/Emotion-LLaMA):

    a list                     lines of "name frame_count emotion -10"; more fields are not read
    a CSV of transcripts       columns name and sentence
    MERR_coarse_grained.json   {name: {"caption": ...}}
    MERR_fine_grained.json     {name: {"smp_reason_caption": ...}}

Its feature folders of <name>.npy are read by tinyemo.features.npy_folders. Each clip is a dialogue
of one utterance, and nothing is known about the speakers.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from tinyemo.data.left_out import LeftOut
from tinyemo.data.repaired_text import (
    read_repaired_text,
    read_text_table,
    refuse_rows,
    require_columns,
)
from tinyemo.data.text_files import read_json
from tinyemo.data.utterances import Conversations, check_utterances
from tinyemo.emotions import LABEL_CODES

CODES = tuple(LABEL_CODES["mer9"])
# column of the utterance table -> key in the captions' files
CAPTIONS = {"attr_caption": "caption", "attr_reason": "smp_reason_caption"}
CLIPS = (".mp4", ".avi", ".mov", ".mkv")


def read_merr(
    list_file: str | Path,
    transcripts_csv: str | Path | None = None,
    captions: Sequence[str | Path] = (),
    clips: str | Path | None = None,
    dataset: str = "MERR",
    split: str = "train",
) -> Conversations:
    """The clips of a list; ids are "dataset/name", `split` is that of the whole list.

    The codes are those of the label sets mer6 and mer9. Optional columns: attr_caption and
    attr_reason, the texts of the `captions` files, "" where a clip has none; attr_frames, the
    number of frames. With `clips`, a folder of <name>.mp4 (or another ending of CLIPS), `audio`,
    `video` and `face` name the clip.

    Counted in `left_out`: clips without transcript, caption or file, transcripts, captions and
    files of clips that are not in the list, and other files in the folder of clips.
    FileNotFoundError: a given file or folder is missing. ValueError names the file and the line,
    row or key: a line of another form, an unknown emotion, a name that stands twice.
    """
    path = Path(list_file).expanduser().absolute()
    left_out = LeftOut()
    rows = _read_list(path)
    names = rows["name"].tolist()

    sentences = {} if transcripts_csv is None else _read_transcripts(Path(transcripts_csv))
    files = {} if clips is None else _read_clips(Path(clips), left_out)
    rows["text"] = _matched(sentences, names, "transcript", left_out)
    found = _matched(files, names, "file", left_out)
    rows = rows.assign(audio=found, video=found, face=found)
    if captions:
        texts = _read_captions([Path(file) for file in captions])
        for column, key in CAPTIONS.items():
            rows[column] = _matched(texts[column], names, key, left_out)

    rows["id"] = f"{dataset}/" + rows["name"]
    rows["dialogue"] = rows["group"] = rows["name"]
    rows = rows.assign(dataset=dataset, split=split, turn=0, speaker="")
    for column in ("start", "end", "valence", "activation", "dominance"):
        rows[f"attr_{column}"] = np.nan
    for column in ("votes", "self_votes"):
        rows[column] = [[] for _ in names]
    return Conversations(check_utterances(rows.drop(columns="name"), path), left_out.table())


def _read_list(path: Path) -> pd.DataFrame:
    """Columns name, attr_frames (int) and code of a list."""
    rows = []
    numbers: dict[str, int] = {}  # name -> line
    for number, line in enumerate(read_repaired_text(path).split("\n"), 1):
        fields = line.split()
        if not fields:
            continue
        if len(fields) < 3 or not fields[1].isdecimal() or fields[2].lower() not in CODES:
            raise ValueError(
                f"{path}, line {number}: got {line!r}, expected a name, a number of frames and "
                f"one of {', '.join(CODES)}"
            )
        name, frames, code = fields[:3]
        if name in numbers:
            raise ValueError(
                f"{path}, line {number}: {name!r} stands in line {numbers[name]} already: "
                "expected one line per clip"
            )
        numbers[name] = number
        rows.append({"name": name, "attr_frames": int(frames), "code": code.lower()})
    if not rows:
        raise ValueError(f"{path}: no line of the form 'name frame_count emotion -10'")
    return pd.DataFrame(rows)


def _read_transcripts(path: Path) -> dict[str, str]:
    """Clip name -> transcript. ValueError: a name with two different transcripts."""
    table = read_text_table(path)
    require_columns(table, ("name", "sentence"), path)
    distinct = table[["name", "sentence"]].drop_duplicates()
    again = table["name"].isin(distinct["name"][distinct["name"].duplicated()])
    refuse_rows(table["name"], again, path, "one sentence per name")
    return dict(zip(distinct["name"], distinct["sentence"], strict=True))


def _read_captions(paths: Sequence[Path]) -> dict[str, dict[str, str]]:
    """Column -> clip name -> caption, of all files together; a later file adds to an earlier one.

    ValueError: an entry that has none of the captions, or two captions for one clip.
    """
    found: dict[str, dict[str, str]] = {column: {} for column in CAPTIONS}
    for path in paths:
        for name, entry in read_json(path, dict).items():
            has = [column for column, key in CAPTIONS.items() if _has_text(entry, key)]
            if not has:
                raise ValueError(
                    f"{path}: key {name!r}: expected an object with a text under one of "
                    f"{', '.join(CAPTIONS.values())}"
                )
            for column in has:
                text = entry[CAPTIONS[column]].strip()
                if found[column].setdefault(name, text) != text:
                    raise ValueError(
                        f"{path}: key {name!r}: {CAPTIONS[column]!r} differs from that in another "
                        "file: expected one per clip"
                    )
    return found


def _has_text(entry: object, key: str) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get(key), str)


def _read_clips(folder: Path, left_out: LeftOut) -> dict[str, str]:
    """Clip name -> path; other files are counted.

    FileNotFoundError: no folder. ValueError: two files of one name.
    """
    folder = folder.expanduser().absolute()
    if not folder.is_dir():
        raise FileNotFoundError(f"folder of clips not found: {folder}")
    files: dict[str, str] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in CLIPS or path.name.startswith("."):
            left_out.add(f"not a clip (expected {', '.join(CLIPS)})", path)
            continue
        if path.stem in files:
            raise ValueError(f"{path}: {files[path.stem]} has the same name: expected one clip")
        files[path.stem] = str(path)
    return files


def _matched(
    found: dict[str, str], names: Sequence[str], what: str, left_out: LeftOut
) -> list[str]:
    """The entry of each name, "" where there is none; what does not match is counted."""
    missing = [name for name in names if not found.get(name)]
    left_out.add_all(f"no {what}", missing)
    surplus = sorted(found.keys() - set(names))
    left_out.add_all(f"{what} of a clip that is not in the list", surplus)
    return [found.get(name, "") for name in names]
