"""Questions: the published lines word for word, many wordings, and reading them back."""

import re

import pytest

from tinyemo.emoreason import prompts
from tinyemo.emoreason.prompts import (
    read_reasoning_question,
    read_self_labelled,
    reasoning_question,
    self_labelling_question,
)
from tinyemo.emotions import LABEL_SETS

LABELS = LABEL_SETS["ekman"]


def test_the_published_lines_are_word_for_word():
    question = reasoning_question(("joy", "nervousness", "rage"), "nervousness", 3)
    wording, *lines = question.split("\n")
    assert wording == prompts.REASONING_QUESTIONS[3]
    assert lines == [
        "Labels: [joy, nervousness, rage]",
        "Important: note that the correct label is nervousness.",
    ]
    assert prompts.CAPTION_QUESTIONS[0] == "Describe the image."


def test_a_label_that_is_not_a_candidate_is_refused():
    with pytest.raises(ValueError, match="'fear': expected one of the candidates joy, rage, lust"):
        reasoning_question(("joy", "rage", "lust"), "fear")


@pytest.mark.parametrize(
    ("questions", "at_least"), [(prompts.CAPTION_QUESTIONS, 13), (prompts.REASONING_QUESTIONS, 20)]
)
def test_questions_are_many_and_name_no_emotion(questions, at_least):
    emotions = {word for labels in LABEL_SETS.values() for word in labels}
    assert len(set(questions)) == len(questions) >= at_least
    for question in questions:
        assert "\n" not in question
        assert not emotions & set(re.findall(r"\w+", question.lower())), question


@pytest.mark.parametrize(
    ("answer", "read"),
    [
        ("Label: fear\nA ghost.", ("fear", "A ghost.")),
        ("label: fear", ("fear", "")),
        (" Label: Fear. \n\n A ghost.\nIt haunts. ", ("fear", "A ghost.\nIt haunts.")),
        ("Label: fear", ("fear", "")),
        ("Label: horror\nA ghost.", ("", "Label: horror\nA ghost.")),
        ("A ghost.", ("", "A ghost.")),
        ("", ("", "")),
        ("Label:\nfear", ("", "Label:\nfear")),
        ("Label: fear or joy\nA ghost.", ("", "Label: fear or joy\nA ghost.")),
        ("A ghost.\nLabel: fear\n", ("", "A ghost.\nLabel: fear")),
        ("Label: \nA ghost.", ("", "Label: \nA ghost.")),
    ],
)
def test_the_label_is_read_from_the_first_line_or_not_at_all(answer, read):
    assert read_self_labelled(answer, LABELS) == read


def test_only_a_question_that_gives_a_label_is_read_as_one():
    lines = "Labels: [a, b]\nImportant: note that the correct label is a."
    assert read_reasoning_question("Go on.\n" + lines) == ("Go on.", "a")
    for question in ("Go on.", self_labelling_question(LABELS), lines, lines + "\nReally."):
        assert read_reasoning_question(question) is None
