"""The form of a teacher's reply: which variants are read, and what is malformed."""

import pytest

from tinyemo.emoreason.filters import filter_instructions
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


@pytest.mark.parametrize(("task", "question"), [("reasoning", "Why?"), ("vqa", "")])
def test_a_blank_text_is_an_empty_answer_which_the_filter_counts(task, question):
    assert parse_turns(task, question, " \n") == ((question, ""),)
    request = Request("x", "", task, "", "ekman", question)
    kept, report = filter_instructions([to_instruction(request, Reply("x", " \n"), "", "t")])
    assert kept == []
    assert report.set_index("reason")["records"]["empty"] == 1
