"""Prompts about an utterance: earlier turns, this turn with its streams, and a question.

Takes the utterance table, the vectors of the streams and a PromptStyle; gives Samples
(models/prompt.py). Training, evaluation and the demo build their prompts here, so that a model is
tested with the very strings that it was trained with. Only this and earlier turns are in a prompt
(causal context).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from tinyemo.models.prompt import Sample

# Each vector of a prompt ends with values that say whose turn it is (that of the person whose
# emotion is asked for, or of anybody else) and how many turns ago it was: one value per case, 1 for
# its own and else 0. A small model learns that from fewer dialogues than from words before the
# vectors, because it does not have to be moved to the vector by attention first.
#
# Before the turns comes one summary vector per stream: the mean of the same speaker's earlier turns
# in the prompt. Emotions last for several turns, and a small model would have to learn this mean.
ROLES = ("own", "partner", "summary")
TURNS_AGO = 8  # more turns ago count as this many
PLACE_WIDTH = len(ROLES) + TURNS_AGO + 1
# the line of a turn whose transcript is given as words; vectors alone need no words
TURNS = {
    "own": "speaker: {turn}",
    "partner": "partner: {turn}",
    "now": "now speaker: {turn}",
}
# Five ways to ask; {labels} is replaced by the words of the label set.
QUESTIONS = {
    "question": "Which emotion does the speaker show now: {labels}?",
    # in the form of Emotion-LLaMA's prompt, with its task token
    "task": "[emotion] Please determine which emotion label the person represents: {labels}.",
    "instruction": "Name the emotion of the last turn with one word of this list: {labels}.",
    "open": "What does the speaker feel?",
    "bare": "[emotion]",
}
# several labels at once
SET_QUESTION = "Which emotions does the speaker show now? Name all that apply of: {labels}."
YES_NO_QUESTION = "Does the speaker show {label} now? Answer yes or no."
TEXT_AS = ("vectors", "tokens", "both", "words")
WORDS = "words"  # the stream of word vectors
ALL_TURNS = -1
WORDS_PER_TURN = 40  # of a transcript that is given as tokens; longer ones are cut at their end


def fixed_texts(labels: Sequence[str]) -> list[str]:
    """All words of the prompts but those of transcripts: to make a tokenizer from."""
    texts = [*TURNS.values(), *QUESTIONS.values(), SET_QUESTION, YES_NO_QUESTION]
    return [*texts, *labels, "yes no", "USER: ASSISTANT:"]


@dataclass(frozen=True)
class PromptStyle:
    """What is in a prompt."""

    question: str = "question"  # a key of QUESTIONS
    context: int = 8  # number of earlier turns; ALL_TURNS: all of the dialogue
    streams: tuple[str, ...] = ("text", "audio", "video", "face")
    # Whether transcripts are given as one vector of a sentence encoder ("vectors": the stream
    # text), as words ("tokens"), or both: then as vectors, and the last turn also as words. With
    # "words", the last turn has one vector that says which words are in it, beside its other ones:
    # a small model learns from it which words matter, without having to learn to read.
    text_as: str = "vectors"

    def __post_init__(self):
        for name, value, expected in (
            ("question", self.question, tuple(QUESTIONS)),
            ("text_as", self.text_as, TEXT_AS),
        ):
            if value not in expected:
                raise ValueError(f"{name} {value!r}: expected one of {', '.join(expected)}")
        if self.context < ALL_TURNS:
            raise ValueError(f"context {self.context}: expected a number of turns, or -1 for all")


def label_question(style: PromptStyle, labels: Sequence[str]) -> str:
    """The style's question for one of the labels."""
    return QUESTIONS[style.question].format(labels=", ".join(labels))


def set_question(labels: Sequence[str]) -> str:
    """The question for all labels that apply; the answer is a list with commas."""
    return SET_QUESTION.format(labels=", ".join(labels))


def yes_no_question(label: str) -> str:
    """The question whether one label applies; the answers are yes and no."""
    return YES_NO_QUESTION.format(label=label)


@dataclass(frozen=True, eq=False)
class StreamVectors:
    """The vectors of one stream for all utterances: (N, D) float32, and where they are present."""

    vectors: Tensor  # (N, D)
    present: np.ndarray  # (N,) bool; rows that are not present are never read


class DialoguePrompts:
    """Samples for any utterances of one table.

    `utterances` is sorted by dialogue and turn. `streams` has one StreamVectors per stream, with
    one row per utterance. The tokens of a sample are vectors with the place of their turn,
    so they have D + PLACE_WIDTH values. `words`: which words each transcript has (see
    `word_vectors`), for prompts that need it. ValueError: another number of rows.
    """

    def __init__(
        self,
        utterances: pd.DataFrame,
        streams: Mapping[str, StreamVectors],
        words: StreamVectors | None = None,
    ):
        self.words = words
        for name, stream in streams.items():
            if len(stream.vectors) != len(utterances) or len(stream.present) != len(utterances):
                raise ValueError(
                    f"stream {name!r}: {len(stream.vectors)} vectors for {len(utterances)} "
                    "utterances, expected one row per utterance"
                )
        self.streams = dict(streams)
        self.texts = utterances["text"].tolist()
        self.speaker = pd.factorize(utterances["speaker"])[0]  # (N,) number of the speaker
        dialogue = utterances["dialogue"].to_numpy()
        is_start = np.r_[True, dialogue[1:] != dialogue[:-1]]
        starts = np.flatnonzero(is_start)
        self.first_turn = starts[np.cumsum(is_start) - 1]  # (N,) row of the dialogue's first turn

    def sample(
        self,
        row: int,
        style: PromptStyle,
        question: str,
        answer: str = "",
        withheld: Collection[str] = (),
    ) -> Sample:
        """The turns up to utterance `row` and a question about it (see `label_question`).

        `answer` is "" if it is to be generated or scored. The streams `withheld` are treated as
        missing in all turns: for modality dropout, and to test without them.
        """
        first = self.first_turn[row]
        if style.context != ALL_TURNS:
            first = max(first, row - style.context)
        turns = np.arange(first, row + 1)
        is_own = self.speaker[turns] == self.speaker[row]
        places = _places(is_own)
        tokens = {}
        for name in self._used(style):
            if name in withheld:
                entries = [None] * (1 + len(turns))
            else:
                entries = self._vectors(name, turns, is_own, places)
            tokens[name] = entries if style.context else entries[1:]
        placeholders = "".join(f"<{name}>" for name in tokens)
        lines = [placeholders] if style.context and tokens else []
        for turn, own in zip(turns, is_own, strict=True):
            kind = "now" if turn == row else "own" if own else "partner"
            has_words = style.text_as == "tokens" or (style.text_as == "both" and turn == row)
            words = self.texts[turn] if has_words and "text" in style.streams else None
            lines.append(_line(kind, placeholders, words, "text" in withheld))
        if style.text_as == "words" and "text" in style.streams:
            lines[-1] += f"<{WORDS}>"
            tokens[WORDS] = [self._words(row, "text" in withheld)]
        lines.append(question)
        return Sample((("\n".join(lines), answer),), tokens)

    def _vectors(
        self, name: str, turns: np.ndarray, is_own: np.ndarray, places: Tensor
    ) -> list[Tensor | None]:
        """The summary of a stream, then one entry per turn: (1, D + PLACE_WIDTH) each.

        None where the turn has no such stream, and as the summary if no earlier turn of the same
        speaker has it.
        """
        stream = self.streams[name]
        present = stream.present[turns]
        vectors = stream.vectors[turns[0] : turns[-1] + 1]  # (T, D)
        summarised = (present & is_own)[:-1]
        summary = vectors[:-1][torch.from_numpy(summarised)].mean(dim=0, keepdim=True)
        block = torch.cat([torch.cat([summary, vectors]), places], dim=1)
        is_given = [summarised.any(), *present]
        return [
            token if given else None for token, given in zip(block.split(1), is_given, strict=True)
        ]

    def _words(self, row: int, is_withheld: bool) -> Tensor | None:
        """Which words the transcript has: (1, V). None if it has none or is withheld."""
        if self.words is None:
            raise ValueError("text_as 'words': no word vectors were given")
        is_given = self.words.present[row] and not is_withheld
        return self.words.vectors[row][None] if is_given else None

    def _used(self, style: PromptStyle) -> list[str]:
        """The streams that have placeholders, in the order of the style."""
        used = []
        for name in style.streams:
            if name == "text" and style.text_as == "tokens":
                continue
            if name not in self.streams:
                raise ValueError(
                    f"stream {name!r}: no vectors were given, expected "
                    f"{', '.join(self.streams) or 'none'}"
                )
            used.append(name)
        return used


def _places(is_own: np.ndarray) -> Tensor:
    """The places of the summary and of T consecutive turns: (1 + T, PLACE_WIDTH) of 0 and 1."""
    count = len(is_own)
    roles = np.where(is_own, ROLES.index("own"), ROLES.index("partner"))
    ago = np.arange(count)[::-1].clip(max=TURNS_AGO)
    places = np.zeros((1 + count, PLACE_WIDTH), dtype=np.float32)
    places[0, ROLES.index("summary")] = 1
    places[np.arange(1, 1 + count), roles] = 1
    places[np.arange(1, 1 + count), len(ROLES) + ago] = 1
    return torch.from_numpy(places)


def _line(kind: str, placeholders: str, transcript: str | None, is_withheld: bool) -> str:
    """The line of a turn: its placeholders, with its transcript if it is given as words."""
    if transcript is None:
        return placeholders
    words = [] if is_withheld else transcript.split()[:WORDS_PER_TURN]
    return TURNS[kind].format(turn=" ".join([placeholders, *words]).strip())
