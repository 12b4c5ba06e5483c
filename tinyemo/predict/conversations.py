"""Answers about conversations: a table of turns -> the emotion of every turn.

Takes a CSV with one row per turn (data/conversations.py: dialogue, turn, speaker, text, and paths
of clips as audio or video) and a run of notebook 07; gives Answers, whose `image` is the id of the
turn. Each turn is answered from itself and the turns before it.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from tinyemo.converse import ConversationModel
from tinyemo.data.conversations import read_utterances_csv
from tinyemo.paths import exists, runs_dir
from tinyemo.predict.predictor import Answer
from tinyemo.training.conversation_training import ABOUT

STEM = "07_multimodal_iemocap"


def conversation_answers(
    tables: Sequence[str], model: str, device: str | None = None
) -> Iterator[Answer]:
    """One Answer per turn, in the order of the table and of the turns.

    ValueError: more than one table, or a table that the reader refuses. FileNotFoundError: no model
    of conversations.
    """
    if len(tables) > 1:
        raise ValueError(
            f"{', '.join(tables)}: expected pictures alone, or one CSV of conversations alone"
        )
    turns = read_utterances_csv(tables[0]).utterances
    answering = ConversationModel.load(_model_folder(model), device or "cpu")
    for _, dialogue in turns.groupby("dialogue", sort=False):
        said = list(zip(dialogue["speaker"], dialogue["text"], strict=True))
        for number, turn in enumerate(dialogue.itertuples()):
            found = answering.answer(said[: number + 1], turn.video or turn.audio)
            missing = [f"without {stream} ({why})" for stream, why in found.missing.items()]
            note = "; ".join(missing)
            labels = ", ".join(answering.labels)
            yield Answer(turn.id, labels, found.label, found.probabilities, note=note)


def _model_folder(model: str) -> Path:
    """The folder with conversation.json: `model`, a run of notebook 07, or that of a profile."""
    named = runs_dir() / model
    start = named if exists(named) else Path(model).expanduser()
    for folder in (start, start / "model", start / STEM / "model"):
        if (folder / ABOUT).is_file():
            return folder
    raise FileNotFoundError(
        f"model {model!r} answers about pictures: a CSV of conversations needs a run of notebook "
        f"07, such as --model smoke after tinyemo run {STEM}"
    )
