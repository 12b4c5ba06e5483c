"""The form of a teacher's reply: which variants are read, and what is malformed."""

import pytest

from tinyemo.emoreason.filters import filter_instructions
from tinyemo.emoreason.reply_cleaning import is_cut_off
from tinyemo.emoreason.reply_format import parse_turns
from tinyemo.emoreason.requests import Reply, Request, to_instruction

PAIR = (("What is it?", "A dog."),)


@pytest.mark.parametrize(
    "text",
    [
        "Question: What is it?\nAnswer: A dog.",
        "question: What is it?\n\nanswer:\nA dog.\n",
        "Question: What is it? Answer: A dog.",
        "Q: What is it?\nA: A dog.",
        "**Question:** What is it?\n**Answer:** A dog.",
        "**Question: What is it?**\n\n**Answer: A dog.**",
        "1. Question: What is it?\n   Answer: A dog.",
        "### Question 1:\nWhat is it?\n### Answer 1:\nA dog.\n---",
        "Sure! Here is one:\n\n- Q1: What is it?\n- A1: A dog.",
        "```\nQuestion: What is it?\nAnswer: A dog.\n```",
        '```json\n[{"question": "What is it?", "answer": "A dog."}]\n```',
        '{"Question": "What is it?", "Answer": "A dog."}',
        "\x1b[32mQuestion:\x1b[0m What is it?\x00\nAnswer: A \x07dog.",
        '{"conversation": [{"question": "What is it?", "answer": "A dog."}]}',
    ],
)
def test_a_pair_is_read_in_every_usual_form(text):
    assert parse_turns("vqa", "", text) == PAIR
    assert parse_turns("conversation", "", text) == PAIR


def test_a_conversation_has_several_turns_and_marks_inside_a_sentence_do_not_count():
    text = (
        'Question: Who?\nAnswer: A girl.\nShe says: "Q: who?" twice.\n\n'
        "2) Question: Why?\nAnswer: Plan B. The answer: none.\n"
    )
    turns = (("Who?", 'A girl.\nShe says: "Q: who?" twice.'), ("Why?", "Plan B. The answer: none."))
    assert parse_turns("conversation", "", text) == turns
    assert parse_turns("sentiment", "", text) is None  # this task has one pair


def test_bold_type_is_removed():
    turns = parse_turns("vqa", "", "Q: Who?\nA: **A girl** is there.")
    assert turns == (("Who?", "A girl is there."),)


def test_a_conversation_has_at_most_five_turns():
    assert len(parse_turns("conversation", "", "Q: a?\nA: b\n" * 5)) == 5
    assert parse_turns("conversation", "", "Q: a?\nA: b\n" * 6) is None


@pytest.mark.parametrize(
    "text",
    [
        "A dog.",
        "Question: What?",
        "Answer: A dog.\nQuestion: What?",
        "Question: What?\nAnswer: ",
        "Question: \nAnswer: b",
        "Question: a?\nQuestion: b?\nAnswer: c",
        "Question: a?\nAnswer: b\nQuestion: c",
        "Question: <image>?\nAnswer: b",
        "Question: a?\nAnswer: b \ud83d",
        '{"question": "a?", "answer": "\\ud83d"}',
        '[{"question": "a?"}]',
        '[{"question": "a?", "answer": 3}]',
        '[{"question": "a?", "ans',
        "[1, 2]",
        "null",
        "{}",
    ],
)
def test_malformed_texts_give_none(text):
    assert parse_turns("conversation", "", text) is None


def test_a_caption_or_an_explanation_is_the_whole_text():
    turns = parse_turns("caption", "What?", " A dog.\nIt barks: Answer: woof. ")
    assert turns == (("What?", "A dog.\nIt barks: Answer: woof."),)
    assert parse_turns("caption", "What?", "\U0001f339 a rose") == (("What?", "\U0001f339 a rose"),)
    for text in ("an <image> token", "half \ud83d a rose"):
        assert parse_turns("reasoning", "Why?", text) is None


DOG = "A dog runs over the sand. It is a happy sight."
WRAPPED = [  # what models put around a text
    "<think>The user wants a caption.</think>{}",
    "<think>\nhm\n</think>\n\n{}",
    "Okay, the user wants a caption.\n</think>\n\n{}",
    "<thinking>hm</thinking>\n{}",
    "[THINK]hm[/THINK]{}",
    "<think>a <think>b</think> c</think> {}",
    "<Thought>hm</Thought>{}",
    "◁think▷hm◁/think▷{}",
    "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>{}",
    "{}\n<think>Was that good?</think>",
    "```\n{}\n```",
    "```text\n{}\n```\nLet me know if you want changes.",
    "Here is the text:\n\n```\n{}",
    "Sure! Here is a description of the image:\n\n{}",
    "Of course! {}",
    "Certainly, here's the caption: {}",
    "I'd be happy to help. {}",
    "<think>hm</think>Sure!\n\n{}\n\nI hope this helps!",
    "{} Let me know if you need anything else!",
    "{}\n\nWould you like me to write another one?",
    "{}\n\n(Note: no emotion is named.)",
    "{}\n---",
    "{}<|im_end|>",
]


@pytest.mark.parametrize("wrapped", WRAPPED)
def test_what_surrounds_a_text_is_removed(wrapped):
    assert parse_turns("reasoning", "Why?", wrapped.format(DOG)) == (("Why?", DOG),)
    pair = "Question: What is it?\nAnswer: A dog."
    assert parse_turns("conversation", "", wrapped.format(pair)) == PAIR


@pytest.mark.parametrize("heading", ["**Caption:** {}", "Description: {}", '{{"caption": "{}"}}'])
def test_a_heading_before_a_text_is_removed(heading):
    assert parse_turns("caption", "What?", heading.format(DOG)) == (("What?", DOG),)


@pytest.mark.parametrize(
    "text",
    [
        "Here is a dog that runs over the sand.",
        "Sure enough, the dog runs.",
        "Certainly, the dog is glad.",
        "If you want to feel joy, look at this dog.",
        "The note: a dog is welcome. The sign says so.",
        "Thinking of home, the man looks at the sea.",
        "The man thinks [sic] of home.",
        "I hope springs to mind.",
        "A dog runs! \U0001f436",
        'The sign says "run."',
        "A man named Mr. Smith",
        "a dog on a beach",
    ],
)
def test_sentences_about_the_image_stay(text):
    assert parse_turns("caption", "What?", text) == (("What?", text),)


CUT = [
    "<think>The user wants a caption. A dog runs.",
    "<think>a</think>A dog.<thinking>b",
    "[THINK]A dog runs",
    "<|channel|>analysis<|message|>A dog runs.",
    "A dog runs over the sand. The sea is",
    "The calm sea and the warm light make people feel",
    "The child smiles because",
    "A dog runs,",
    "```\nThe calm sea and the warm light make people fe",
]


@pytest.mark.parametrize("text", CUT)
def test_texts_that_stop_in_the_middle_give_none(text):
    assert parse_turns("reasoning", "Why?", text) is None
    assert is_cut_off(text)


@pytest.mark.parametrize(
    "text",
    [
        "Okay, the user wants a caption. A dog runs.",
        "Let me think. A dog runs.",
        "I looked at it.\n```\nA dog runs.\n```",
        "A <b>dog</b> runs.",
        "```\nA dog.\n```\n```\nA cat.\n```",
        '{"a": "A dog.", "b": "A cat."}',
    ],
)
def test_marks_that_cannot_be_removed_give_none(text):
    assert parse_turns("caption", "What?", text) is None
    assert not is_cut_off(text)


def test_the_last_answer_of_a_conversation_may_not_stop_in_the_middle():
    text = "Question: What is it?\nAnswer: A dog\nQuestion: Why?\nAnswer: It runs because the"
    assert parse_turns("conversation", "", text) is None
    assert len(parse_turns("conversation", "", text + " sea is warm.")) == 2


@pytest.mark.parametrize(("task", "question"), [("reasoning", "Why?"), ("vqa", "")])
def test_a_blank_text_is_an_empty_answer_which_the_filter_counts(task, question):
    assert parse_turns(task, question, " \n") == ((question, ""),)
    request = Request("x", "", task, "", "ekman", question)
    kept, report = filter_instructions([to_instruction(request, Reply("x", " \n"), "", "t")])
    assert kept == []
    assert report.set_index("reason")["records"]["empty"] == 1
