"""A small tree in the layout of IEMOCAP's release, with made-up dialogues.

`made_up_dialogues` invents the utterances, `write_tree` writes their text files, and
`write_empty_media` writes files of no content where the release has wav and avi files (tests that
decode them write real ones at the same places: `wav_file`, `avi_file`).
"""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

WORDS = {
    "ang": "Anger",
    "hap": "Happiness",
    "exc": "Excited",
    "neu": "Neutral",
    "sad": "Sadness",
    "fru": "Frustration",
    "fea": "Fear",
    "sur": "Surprise",
    "dis": "Disgust",
    "oth": "Other",
}
PHRASES = {
    "ang": "Get out of my kitchen with that muddy boat!",
    "hap": "The garden is full of ripe pears, how lovely.",
    "exc": "We won the paper plane race, can you believe it!",
    "neu": "The bus to the harbour leaves at nine.",
    "sad": "My old bicycle is gone, and I miss it.",
    "fru": "I filled in this form four times already.",
    "xxx": "Well, that is one way to paint a fence.",
}
OPENINGS = ("Listen.", "Oh.", "You know,", "Look,", "Right.", "So,")


@dataclass
class Spoken:
    """One utterance as the tree has it; the votes are lists of codes, one list per annotator."""

    session: int
    dialogue: str
    speaker: str  # F or M
    number: int
    start: float
    end: float
    text: str
    code: str
    votes: list[list[str]]
    self_votes: list[list[str]] = field(default_factory=list)
    ratings: tuple[float, float, float] = (2.5, 3.0, 0.0)  # valence, activation, dominance

    @property
    def id(self) -> str:
        return f"{self.dialogue}_{self.speaker}{self.number:03d}"


def made_up_dialogues(
    sessions: int = 2, dialogues: int = 2, turns: int = 14, seed: int = 0
) -> list[Spoken]:
    """Utterances of `sessions` x `dialogues`, in time order; every code of PHRASES in each session.

    Three annotators vote. Two of them choose the code, and one chooses it and another one; where
    there is no majority ("xxx") each chooses another code. Turns overlap a little, as in the
    release.
    """
    rng = np.random.default_rng(seed)
    codes = list(PHRASES)
    spoken = []
    for session in range(1, sessions + 1):
        for scene in range(dialogues):
            wearer = "FM"[scene % 2]
            name = f"Ses0{session}{wearer}_scene{scene // 2 + 1:02d}"
            order = np.concatenate([rng.permutation(codes) for _ in range(turns // len(codes) + 1)])
            numbers = {"F": 0, "M": 0}
            time = 1.0
            for turn in range(turns):
                speaker, code = "FM"[turn % 2], str(order[turn])
                other = codes[(codes.index(code) + 1) % (len(codes) - 1)]
                votes = [[code], [code], [other, code]]
                if code == "xxx":
                    votes = [["ang"], ["neu", "sad"], ["oth"]]
                end = time + float(rng.uniform(1, 3))
                text = f"{rng.choice(OPENINGS)} {PHRASES[code]}"
                number = numbers[speaker]
                row = Spoken(
                    session, name, speaker, number, time, end, text, code, votes, [[other]]
                )
                spoken.append(row)
                numbers[speaker] += 1
                time = end - 0.2
    return spoken


def dialogue_folder(root: Path, session: int) -> Path:
    return root / f"Session{session}" / "dialog"


def evaluation_file(root: Path, dialogue: str) -> Path:
    return dialogue_folder(root, int(dialogue[4])) / "EmoEvaluation" / f"{dialogue}.txt"


def transcript_file(root: Path, dialogue: str) -> Path:
    return dialogue_folder(root, int(dialogue[4])) / "transcriptions" / f"{dialogue}.txt"


def avi_file(root: Path, dialogue: str) -> Path:
    return dialogue_folder(root, int(dialogue[4])) / "avi" / "DivX" / f"{dialogue}.avi"


def wav_file(root: Path, utterance: Spoken) -> Path:
    folder = root / f"Session{utterance.session}" / "sentences" / "wav" / utterance.dialogue
    return folder / f"{utterance.id}.wav"


def evaluation_lines(utterance: Spoken) -> list[str]:
    """The block of one utterance in its evaluation file."""
    ratings = ", ".join(f"{rating:.4f}" for rating in utterance.ratings)
    times = f"[{utterance.start:.4f} - {utterance.end:.4f}]"
    lines = [f"{times}\t{utterance.id}\t{utterance.code}\t[{ratings}]"]
    for number, codes in enumerate(utterance.votes, 1):
        words = "".join(f"{WORDS[code]}; " for code in codes).rstrip()
        lines.append(f"C-E{number}:\t{words}\t(made up; for a test)")
    for codes in utterance.self_votes:
        words = "".join(f"{WORDS[code]}; " for code in codes).rstrip()
        lines.append(f"C-{utterance.speaker}1:\t{words}\t()")
    lines.append("A-E3:\tval 3; act 2; dom  2;\t()")
    return lines


def transcript_line(utterance: Spoken) -> str:
    times = f"[{utterance.start:08.4f}-{utterance.end:08.4f}]"
    return f"{utterance.id} {times}: {utterance.text}"


def write_tree(root: Path, utterances: list[Spoken]) -> Path:
    """Write the text files: evaluations with the women's utterances first, transcripts by time."""
    for dialogue in dict.fromkeys(utterance.dialogue for utterance in utterances):
        own = [utterance for utterance in utterances if utterance.dialogue == dialogue]
        lines = ["% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]", ""]
        for utterance in sorted(own, key=lambda row: row.speaker):
            lines += [*evaluation_lines(utterance), ""]
        spoken = [transcript_line(utterance) for utterance in own]
        for path, content in (
            (evaluation_file(root, dialogue), lines),
            (transcript_file(root, dialogue), spoken),
        ):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("\n".join(content) + "\n", encoding="utf-8")
    return root


def write_empty_media(root: Path, utterances: list[Spoken]) -> None:
    """Files of no content for the sound of each utterance and the picture of each dialogue."""
    for utterance in utterances:
        for path in (wav_file(root, utterance), avi_file(root, utterance.dialogue)):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
