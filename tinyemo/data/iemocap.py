"""IEMOCAP's release -> the utterance table.

Owns the layout and the text formats of the official tree (Busso et al. 2008; its licence allows no
redistribution, every user asks for it at https://sail.usc.edu/iemocap):

    Session{1..5}/dialog/EmoEvaluation/<dialogue>.txt    codes, annotators' votes, mean ratings
    Session{1..5}/dialog/transcriptions/<dialogue>.txt   transcripts
    Session{1..5}/sentences/wav/<dialogue>/<id>.wav      sound of an utterance
    Session{1..5}/dialog/avi/DivX/<dialogue>.avi         picture of both actors, side by side

A dialogue is called Ses01F_scene01: session, the actor who wears the markers (F or M), scene. An
utterance is called Ses01F_scene01_M000: dialogue, speaker (F or M), number. Any of the five
sessions may be missing, and sound and picture too. The folders Attribute, Categorical and
Self-evaluation in EmoEvaluation repeat the same evaluations for each annotator and are not read,
nor are the ratings of single annotators (lines that begin with "A-").
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from tinyemo.data.left_out import LeftOut
from tinyemo.data.repaired_text import read_repaired_text
from tinyemo.data.utterances import (
    NO_MAJORITY,
    Conversations,
    check_utterances,
    media_fragment,
)
from tinyemo.emotions import LABEL_CODES

DATASET = "IEMOCAP"
CODES = (*LABEL_CODES["iemocap10"], NO_MAJORITY)

# what annotators and actors could choose, in lower case -> code
VOTE_CODES = {
    "neutral": "neu",
    "neutral state": "neu",
    "anger": "ang",
    "sadness": "sad",
    "happiness": "hap",
    "excited": "exc",
    "frustration": "fru",
    "fear": "fea",
    "surprise": "sur",
    "disgust": "dis",
    "other": "oth",
}

# session -> the half of the picture with the actor who wears the markers; the other actor has the
# other half. This is an assumption until it was seen on real video: it is how
# github.com/IoannisKansizoglou/Iemocap-preprocess cuts the videos of all sessions, but this project
# has tested it on none. `read_iemocap` takes another table.
MARKER_HALF = dict.fromkeys(("Ses01", "Ses02", "Ses03", "Ses04", "Ses05"), "left")

_NUMBER = r"(\d+(?:\.\d+)?)"
_DIALOGUE = re.compile(r"(Ses\d\d)([FM])_\w+")
_UTTERANCE = re.compile(r"Ses\d\d[FM]_\w+_([FM])\w*")
_EVALUATED = re.compile(
    rf"\[\s*{_NUMBER}\s*-\s*{_NUMBER}\s*\]\s+(\S+)\s+(\S+)\s+"
    rf"\[\s*{_NUMBER},\s*{_NUMBER},\s*{_NUMBER}\s*\]"
)
_CHOICE = re.compile(r"C-([EFM])\w*:([^(]*)")
_TRANSCRIBED = re.compile(rf"(\w+)\s*\[\s*{_NUMBER}\s*-\s*{_NUMBER}\s*\]\s*:(.*)")


def read_iemocap(root: str | Path, marker_half: Mapping[str, str] | None = None) -> Conversations:
    """All utterances below `root`, the folder with Session1 to Session5, or a folder around it.

    Group is the session ("Ses01"), speaker the actor ("Ses01_F"). Turns are in order of their
    start. `video` and `face` are the utterance's time and the speaker's half of the dialogue's
    picture: see MARKER_HALF, which `marker_half` (session -> "left" or "right") overrides. A rating
    of 0 means that it is not known and becomes NaN.

    An utterance that is in one of the two text files only is kept, with text "" or code "", and
    counted in `left_out`, as are lines without an utterance id, missing wav and avi files, and
    folders beside the sessions that have dialogues too.

    FileNotFoundError: no session, or a folder of a session is missing. ValueError names the file
    and line: a dialogue with one text file, two dialogues or utterances with one id, an unknown
    code or vote, votes that sum to nothing.
    """
    halves = {**MARKER_HALF, **(marker_half or {})}
    for session, half in halves.items():
        if session not in MARKER_HALF or half not in ("left", "right"):
            raise ValueError(
                f"marker_half: got {session!r}: {half!r}, expected sessions "
                f"{', '.join(MARKER_HALF)} with 'left' or 'right'"
            )
    left_out = LeftOut()
    rows: list[dict] = []
    dialogues: dict[str, Path] = {}  # name -> its evaluation file
    utterances: dict[str, Path] = {}  # id -> the evaluation file of its dialogue
    sessions = _sessions(Path(root).expanduser().absolute())
    for beside in sorted(sessions[0].parent.glob("*/dialog")):
        if beside.parent not in sessions:
            left_out.add("folder with dialogues that is none of Session1 to Session5", beside)
    for folder in sessions:
        for evaluation, transcript in _text_files(folder, left_out):
            name = evaluation.stem
            if name in dialogues:
                raise ValueError(
                    f"two dialogues with the id {name!r}: {dialogues[name]} and {evaluation}"
                )
            if name[4] != folder.name[-1]:
                raise ValueError(
                    f"{evaluation}: expected a dialogue of {folder.name}, whose name begins with "
                    f"Ses0{folder.name[-1]}"
                )
            dialogues[name] = evaluation
            found = _dialogue(evaluation, transcript, left_out)
            for row in found:
                if row["id"] in utterances:
                    raise ValueError(
                        f"two utterances with the id {row['id']!r}: in {evaluation} and in "
                        f"{utterances[row['id']]}, or in their transcripts"
                    )
                utterances[row["id"]] = evaluation
            _add_media(found, folder, name, halves, left_out)
            rows += found
    if not rows:
        raise FileNotFoundError(
            f"{root}: no utterance in Session*/dialog/EmoEvaluation/<dialogue>.txt"
        )
    table = pd.DataFrame(rows).assign(dataset=DATASET, split="train")
    table["id"] = f"{DATASET}/" + table["id"]
    return Conversations(check_utterances(table, root), left_out.table())


def _sessions(root: Path) -> list[Path]:
    """The folders Session1 to Session5 that are there. FileNotFoundError: none."""
    for pattern in ("Session[1-5]", "*/Session[1-5]"):
        folders = sorted(path for path in root.glob(pattern) if path.is_dir())
        if folders:
            return folders
    raise FileNotFoundError(
        f"no session of IEMOCAP found: {root / 'Session1'}; expected the tree of the release, "
        "which is to be asked for at https://sail.usc.edu/iemocap"
    )


def _text_files(session: Path, left_out: LeftOut) -> Iterator[tuple[Path, Path]]:
    """(evaluation file, transcript file) of each dialogue, sorted by name."""
    folders = [session / "dialog" / name for name in ("EmoEvaluation", "transcriptions")]
    names = set()
    for folder in folders:
        if not folder.is_dir():
            raise FileNotFoundError(f"folder not found: {folder}")
        for path in sorted(folder.glob("*.txt")):
            if _DIALOGUE.fullmatch(path.stem):
                names.add(path.name)
            else:  # such as ._Ses01F_scene01.txt, which macOS leaves in archives
                left_out.add("text file without the name of a dialogue", path)
    for name in sorted(names):
        evaluation, transcript = (folder / name for folder in folders)
        for path, other in ((evaluation, transcript), (transcript, evaluation)):
            if not path.is_file():
                raise ValueError(
                    f"dialogue {path.stem!r} has {other} but not {path}: expected both, or none "
                    "of them to leave the dialogue out"
                )
        yield evaluation, transcript


def _dialogue(evaluation: Path, transcript: Path, left_out: LeftOut) -> list[dict]:
    """The rows of one dialogue in order of their start, without media."""
    evaluated = _read_evaluation(evaluation, left_out)
    transcribed = _read_transcript(transcript, left_out)
    session = _DIALOGUE.fullmatch(evaluation.stem)[1]
    unevaluated = {
        "code": "",
        "votes": [],
        "self_votes": [],
        **dict.fromkeys(("attr_valence", "attr_activation", "attr_dominance"), np.nan),
    }
    rows = []
    # in the order of the transcript, where two utterances begin at the same time
    for name in dict.fromkeys([*transcribed, *evaluated]):
        if name not in evaluated:
            left_out.add("transcript without evaluation (kept, code empty)", name)
        if name not in transcribed:
            left_out.add("evaluation without transcript (kept, text empty)", name)
        row = {"text": "", **unevaluated, **transcribed.get(name, {}), **evaluated.get(name, {})}
        row |= {"id": name, "speaker": f"{session}_{_UTTERANCE.fullmatch(name)[1]}"}
        rows.append(row)
    rows.sort(key=lambda row: row["attr_start"])
    for turn, row in enumerate(rows):
        row |= {"dialogue": evaluation.stem, "group": session, "turn": turn}
    return rows


def _read_evaluation(path: Path, left_out: LeftOut) -> dict[str, dict]:
    """Utterance id -> code, times, ratings and votes, from a file of EmoEvaluation."""
    found: dict[str, dict] = {}
    row: dict = {}
    without_choice = set()  # ids that have an annotator's line without a category
    for place, line in _lines(path):
        choice = _CHOICE.match(line)
        if line.startswith("["):
            name, row = _evaluated_row(line, place)
            if name in found:
                raise ValueError(f"{place}: utterance {name!r} stands twice in this file")
            found[name] = row
        elif choice and row:
            codes = _chosen_codes(choice[2], place)
            votes = row["votes"] if choice[1] == "E" else row["self_votes"]
            if codes:
                votes.append(codes)
            else:
                without_choice.add(name)
                left_out.add("annotator's line without a category", place)
        elif not line.startswith(("%", "A-")):
            left_out.add("line of an evaluation file that is not read", place)
    for name in sorted(without_choice):
        if not found[name]["votes"]:
            raise ValueError(
                f"{path}: the votes for {name!r} sum to nothing: expected a category in at least "
                "one of its annotators' lines"
            )
    return found


def _evaluated_row(line: str, place: str) -> tuple[str, dict]:
    """(id, columns) of `[start - end] id code [v, a, d]`."""
    parts = _EVALUATED.match(line)
    if not parts or not _UTTERANCE.fullmatch(parts[3]):
        raise ValueError(
            f"{place}: got {line!r}, expected [start - end], id, code and [valence, activation, "
            "dominance]"
        )
    start, end, name, code, *ratings = parts.groups()
    if code not in CODES:
        raise ValueError(f"{place}: label code {code!r}: expected one of {', '.join(CODES)}")
    row = {"code": code, "attr_start": float(start), "attr_end": float(end)}
    for attribute, rating in zip(("valence", "activation", "dominance"), ratings, strict=True):
        row[f"attr_{attribute}"] = float(rating) or np.nan  # 0: not known, the scale is 1 to 5
    return name, row | {"votes": [], "self_votes": []}


def _chosen_codes(words: str, place: str) -> list[str]:
    """The codes of an annotator's categories, such as "Frustration; Anger;"."""
    codes = []
    for word in words.split(";"):
        word = word.strip().lower()
        if word and word not in VOTE_CODES:
            raise ValueError(
                f"{place}: an annotator chose {word!r}: expected one of {', '.join(VOTE_CODES)}"
            )
        if word:
            codes.append(VOTE_CODES[word])
    return list(dict.fromkeys(codes))


def _read_transcript(path: Path, left_out: LeftOut) -> dict[str, dict]:
    """Utterance id -> text and times, from a file of transcriptions."""
    found: dict[str, dict] = {}
    for place, line in _lines(path):
        parts = _TRANSCRIBED.fullmatch(line)
        if not parts or not _UTTERANCE.fullmatch(parts[1]):
            left_out.add("transcript line without an utterance id and its times", place)
            continue
        name, start, end, text = parts.groups()
        row = {"text": text.strip(), "attr_start": float(start), "attr_end": float(end)}
        if found.get(name, row) != row:
            raise ValueError(f"{place}: utterance {name!r} stands twice in this file")
        if name in found:
            left_out.add("transcript line that stands twice", place)
        found[name] = row
    return found


def _lines(path: Path) -> Iterator[tuple[str, str]]:
    """("file, line N", text) of the lines that are not blank."""
    for number, line in enumerate(read_repaired_text(path).split("\n"), 1):
        line = line.strip()
        if line:
            yield f"{path}, line {number}", line


def _add_media(
    rows: list[dict], session: Path, dialogue: str, halves: Mapping[str, str], left_out: LeftOut
) -> None:
    """Add audio and video to the rows of one dialogue; what is missing is counted."""
    sound = session / "sentences" / "wav" / dialogue
    wavs = {path.stem for path in sound.glob("*.wav")}
    avi = session / "dialog" / "avi" / "DivX" / f"{dialogue}.avi"
    filmed = avi.is_file()
    name, marker_wearer = _DIALOGUE.fullmatch(dialogue).groups()
    other_half = {"left": "right", "right": "left"}
    for row in rows:
        row |= {"audio": "", "video": "", "face": ""}
        if row["id"] in wavs:
            row["audio"] = str(sound / f"{row['id']}.wav")
        else:
            left_out.add("no wav file (audio is missing)", row["id"])
        half = halves[name]
        if row["speaker"][-1] != marker_wearer:
            half = other_half[half]
        timed = row["attr_end"] > row["attr_start"]
        if filmed and timed:
            part = media_fragment(avi, row["attr_start"], row["attr_end"], half)
            row |= {"video": part, "face": part}
        elif filmed:
            left_out.add("end not after start (video and face are missing)", row["id"])
        else:
            left_out.add("no avi file (video and face are missing)", row["id"])
