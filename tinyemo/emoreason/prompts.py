"""The questions that a small model gets about an image, and how they are read back.

Owns the wordings (prompts.yaml), which the instruction data and inference share, and the
functions that put them together. Takes labels and the number of a wording; gives questions
without image token. The messages to teachers are in teacher_prompts.py.
"""

import re
from collections.abc import Sequence
from pathlib import Path

import yaml

_TEXTS = yaml.safe_load(Path(__file__).with_name("prompts.yaml").read_text(encoding="utf-8"))

CAPTION_QUESTIONS = tuple(_TEXTS["caption_questions"])
REASONING_QUESTIONS = tuple(_TEXTS["reasoning_questions"])
CANDIDATES_LINE = _TEXTS["candidates_line"]
CONDITIONING_LINE = _TEXTS["conditioning_line"]
SELF_LABELLED_ANSWER = _TEXTS["self_labelled_answer"]


def _pattern(line: str, slot: str, group: str) -> str:
    """A regular expression for a line of prompts.yaml in which `group` stands for `{slot}`."""
    before, after = line.split(f"{{{slot}}}")
    return re.escape(before) + group + re.escape(after)


# A `reasoning_question`, or a question of another project that has the two published lines.
_REASONING_QUESTION = re.compile(
    "\n".join(
        [
            "(?P<wording>.*)",
            _pattern(CANDIDATES_LINE, "labels", ".*"),
            _pattern(CONDITIONING_LINE, "label", "(?P<label>.+)"),
        ]
    ),
    re.DOTALL,
)
_SELF_LABELLED_ANSWER = re.compile(
    r"\s*Label:[ \t]*(?P<label>[^\n]*?)[ \t.]*(?:\n(?P<text>.*))?", re.DOTALL | re.IGNORECASE
)


def reasoning_question(candidates: Sequence[str], label: str, wording: int = 0) -> str:
    """The human turn of emotional reasoning: instruction, candidate labels, the given label.

    `wording` is a position in REASONING_QUESTIONS. In training `label` is the true label. At
    inference it is the projector's prediction, and the model writes only the reasoning.
    ValueError: `label` is not a candidate.
    """
    if label not in candidates:
        raise ValueError(f"label {label!r}: expected one of the candidates {', '.join(candidates)}")
    lines = (
        REASONING_QUESTIONS[wording],
        CANDIDATES_LINE.format(labels=", ".join(candidates)),
        CONDITIONING_LINE.format(label=label),
    )
    return "\n".join(lines)


def self_labelling_question(labels: Sequence[str], wording: int | str = 0) -> str:
    """The question to a model that finds the label itself: all `labels` are candidates.

    `wording` is a position in REASONING_QUESTIONS, or the instruction itself.
    """
    instruction = wording if isinstance(wording, str) else REASONING_QUESTIONS[wording]
    return "\n".join((instruction, CANDIDATES_LINE.format(labels=", ".join(labels))))


def read_reasoning_question(question: str) -> tuple[str, str] | None:
    """The instruction and the given label of a `reasoning_question`; None for other questions."""
    found = _REASONING_QUESTION.fullmatch(question)
    return (found["wording"], found["label"]) if found else None


def read_self_labelled(answer: str, labels: Sequence[str]) -> tuple[str, str]:
    """The label of an answer in the form of SELF_LABELLED_ANSWER, and the text that follows it.

    Upper and lower case count as the same, and a full stop after the label is ignored. If the
    first line names none of `labels`, the result is ("", the whole answer).
    """
    found = _SELF_LABELLED_ANSWER.fullmatch(answer)
    label = found["label"].lower() if found else ""
    if label not in labels:
        return "", answer.strip()
    return label, (found["text"] or "").strip()
