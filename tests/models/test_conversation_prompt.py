"""Prompts about utterances: the exact texts, causal context, and missing streams."""

import numpy as np
import pandas as pd
import pytest
import torch

from tinyemo.models.conversation_prompt import (
    ALL_TURNS,
    PLACE_WIDTH,
    QUESTIONS,
    ROLES,
    TURNS_AGO,
    DialoguePrompts,
    PromptStyle,
    StreamVectors,
    label_question,
    set_question,
    yes_no_question,
)
from tinyemo.models.prompt import Sample

LABELS = ("anger", "joy")
TEXTS = ["Hello there.", "Go away!", "Why?", "You know why.", "A new one."]


def _table() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "dialogue": ["a", "a", "a", "a", "b"],
            "turn": [0, 1, 2, 3, 0],
            "speaker": ["F", "M", "F", "F", "M"],
            "text": TEXTS,
        }
    )


def prompts(absent: tuple[int, ...] = ()) -> DialoguePrompts:
    """A dialogue of four turns and one of a single turn; vector k of a stream has the value k."""
    numbers = torch.arange(5.0)[:, None]
    present = ~np.isin(np.arange(5), absent)
    streams = {
        "text": StreamVectors(numbers, np.ones(5, bool)),
        "audio": StreamVectors(10 + numbers, present),
    }
    return DialoguePrompts(_table(), streams)


def sample(prompts: DialoguePrompts, row: int, style: PromptStyle, **options) -> Sample:
    return prompts.sample(row, style, label_question(style, LABELS), **options)


def values(tokens) -> list[float | None]:
    return [None if one is None else one[0, 0].item() for one in tokens]


def places(tokens) -> list[tuple[str, int]]:
    """Whose turn it is and how many turns ago it was, from the end of each token."""
    found = []
    for token in tokens:
        role, ago = token[0, 1:].split([len(ROLES), TURNS_AGO + 1])
        is_summary = ROLES[role.argmax()] == "summary"
        assert role.sum() == 1 and ago.sum() == (0 if is_summary else 1)
        found.append((ROLES[role.argmax()], int(ago.argmax())))
    return found


def test_prompt_has_earlier_turns_this_turn_and_the_question():
    style = PromptStyle(context=2, streams=("text", "audio"))
    asked = sample(prompts(), 3, style)
    assert asked.turns == (
        (
            "<text><audio>\n<text><audio>\n<text><audio>\n<text><audio>\n"
            "Which emotion does the speaker show now: anger, joy?",
            "",
        ),
    )
    # turns 1 to 3, after the mean of the speaker's earlier ones among them (turn 2)
    assert values(asked.streams["text"]) == [2, 1, 2, 3]
    assert values(asked.streams["audio"]) == [12, 11, 12, 13]
    for name in ("text", "audio"):
        tokens = asked.streams[name]
        assert all(token.shape == (1, 1 + PLACE_WIDTH) for token in tokens)
        expected = [("summary", 0), ("partner", 2), ("own", 1), ("own", 0)]
        assert places(tokens) == expected


def test_context_ends_at_the_beginning_of_the_dialogue():
    whole = [1, 0, 1, 2, 3]  # the speaker's earlier turns are 0 and 2: their mean is 1
    for context, expected in ((0, [3]), (2, [2, 1, 2, 3]), (8, whole), (ALL_TURNS, whole)):
        style = PromptStyle(context=context, streams=("text",))
        assert values(sample(prompts(), 3, style).streams["text"]) == expected
    style = PromptStyle(streams=("text",))
    assert values(sample(prompts(), 4, style).streams["text"]) == [None, 4]


def test_transcripts_as_words():
    style = PromptStyle(context=1, streams=("text", "audio"), text_as="tokens", question="bare")
    asked = sample(prompts(), 1, style)
    assert asked.turns[0][0] == (
        "<audio>\npartner: <audio> Hello there.\nnow speaker: <audio> Go away!\n[emotion]"
    )
    assert set(asked.streams) == {"audio"}
    both = PromptStyle(context=0, streams=("text",), text_as="both", question="bare")
    assert sample(prompts(), 2, both).turns[0][0] == "now speaker: <text> Why?\n[emotion]"
    both = PromptStyle(context=1, streams=("text",), text_as="both", question="bare")
    text = sample(prompts(), 2, both).turns[0][0]
    assert text == "<text>\n<text>\nnow speaker: <text> Why?\n[emotion]"


def test_the_words_of_the_last_turn_are_one_vector():
    plain = prompts()
    words = StreamVectors(torch.eye(5), np.array([True, True, True, False, True]))
    given = DialoguePrompts(_table(), plain.streams, words)
    style = PromptStyle(context=1, streams=("text", "audio"), text_as="words", question="bare")
    asked = sample(given, 2, style)
    assert asked.turns[0][0] == "<text><audio>\n<text><audio>\n<text><audio><words>\n[emotion]"
    assert [token.tolist() for token in asked.streams["words"]] == [[[0, 0, 1, 0, 0]]]
    assert sample(given, 3, style).streams["words"] == [None]  # it has no known word
    assert sample(given, 2, style, withheld={"text"}).streams["words"] == [None]
    without_text = PromptStyle(context=1, streams=("audio",), text_as="words")
    assert "words" not in sample(given, 2, without_text).streams
    with pytest.raises(ValueError, match="no word vectors were given"):
        sample(plain, 2, style)


def test_missing_and_withheld_streams_have_no_vectors():
    style = PromptStyle(context=2, streams=("text", "audio"))
    asked = sample(prompts(absent=(2,)), 3, style)
    assert values(asked.streams["audio"]) == [None, 11, None, 13]
    withheld = sample(prompts(), 3, style, withheld={"audio"})
    assert values(withheld.streams["audio"]) == [None] * 4
    assert withheld.turns == sample(prompts(), 3, style).turns
    words = PromptStyle(context=0, streams=("text",), text_as="tokens", question="bare")
    asked = sample(prompts(), 2, words, withheld={"text"})
    assert asked.turns[0][0] == "now speaker: \n[emotion]"


@pytest.mark.parametrize("question", QUESTIONS)
def test_training_prompt_and_test_prompt_are_the_same_string(question):
    style = PromptStyle(question=question, streams=("text", "audio"))
    asked = sample(prompts(), 3, style)
    answered = sample(prompts(), 3, style, answer="joy")
    assert asked.turns[0][0] == answered.turns[0][0] and answered.turns[0][1] == "joy"


def test_questions_about_sets_of_labels():
    asked = set_question(LABELS)
    assert asked.endswith("Name all that apply of: anger, joy.")
    asked = yes_no_question("joy")
    assert asked.endswith("Does the speaker show joy now? Answer yes or no.")


def test_wrong_styles_and_streams_are_refused():
    with pytest.raises(ValueError, match="question 'why': expected one of question, task"):
        PromptStyle(question="why")
    with pytest.raises(ValueError, match="context -2: expected a number of turns, or -1"):
        PromptStyle(context=-2)
    with pytest.raises(ValueError, match="stream 'face': no vectors were given, expected text"):
        sample(prompts(), 0, PromptStyle(streams=("text", "face")))
    table = pd.DataFrame({"dialogue": ["a"], "turn": [0], "speaker": ["F"], "text": ["x"]})
    with pytest.raises(ValueError, match="stream 'audio': 2 vectors for 1 utterances"):
        DialoguePrompts(table, {"audio": StreamVectors(torch.zeros(2, 3), np.ones(2, bool))})
