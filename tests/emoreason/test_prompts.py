"""Prompts: the published lines to the letter, what teachers learn and do not learn, reading what comes back."""

import json
import re

import pytest

from tinyemo.emoreason import prompts
from tinyemo.emoreason.filters import filter_instructions
from tinyemo.emoreason.prompts import (
    describe_attributes,
    parse_turns,
    reasoning_question,
    teacher_messages,
)
from tinyemo.emoreason.requests import Reply, Request, to_instruction
from tinyemo.emotions import LABEL_SETS

EMOSET = {
    "scene": "burial_chamber",
    "object": ["Alarm clock", "Kitchen & dining room table"],
    "human_action": [],
    "facial_expression": ["sad"],
    "brightness": 0.1,
    "colorfulness": float("nan"),
}
ASKED = ("vqa", "sentiment", "conversation")  # the teacher writes the question


def request(task, label="nervousness", **known):
    return Request(
        f"x#{task}",
        "x.png",
        task,
        label if task not in ("caption", "vqa") else "",
        "parrott",
        **known,
    )


def told(*arguments, **options):
    return "\n".join(message["content"] for message in teacher_messages(*arguments, **options))


def test_the_published_lines():
    question = reasoning_question(("joy", "nervousness", "rage"), "nervousness", 3)
    wording, *lines = question.split("\n")
    assert wording == prompts.REASONING_QUESTIONS[3]
    assert lines == [
        "Labels: [joy, nervousness, rage]",
        "Important: note that the correct label is nervousness.",
    ]
    assert prompts.CAPTION_QUESTIONS[0] == "Describe the image."
    with pytest.raises(ValueError, match="'fear': expected one of the candidates joy, rage, lust"):
        reasoning_question(("joy", "rage", "lust"), "fear")


def test_questions_are_many_and_betray_no_emotion():
    words = {word for labels in LABEL_SETS.values() for word in labels}
    for pool, least in ((prompts.CAPTION_QUESTIONS, 13), (prompts.REASONING_QUESTIONS, 20)):
        assert len(set(pool)) == len(pool) >= least
        for question in pool:
            assert "\n" not in question and not words & set(re.findall(r"\w+", question.lower())), (
                question
            )


@pytest.mark.parametrize("task", prompts.ASSIGNMENTS)
def test_teachers_learn_what_is_known_and_the_label_where_it_is_asked_for(task):
    text = told(request(task, caption="Two clocks on a grave.", attributes=EMOSET))
    for known in ("Two clocks on a grave.", "alarm clock", "burial chamber", "very dark"):
        assert known in text
    assert ("nervousness" in text) == (task not in ("caption", "vqa"))
    assert ("Question: " in text) == (task in ASKED) == (task in prompts.MOST_TURNS)
    assert "{" not in text and "correct label" not in text


def test_a_caption_alone_is_enough_and_so_is_the_image():
    assert "A dog." in told(request("reasoning", caption="A dog."))
    nothing = request("reasoning")
    assert "The image:" not in told(nothing, sees_image=True)
    with pytest.raises(ValueError, match="'x#reasoning': expected a caption or attributes"):
        teacher_messages(nothing)
    with pytest.raises(ValueError, match="'x#sentiment': task 'sentiment' needs a label"):
        teacher_messages(request("sentiment", label="", caption="A dog."))


def test_attributes_in_words():
    assert describe_attributes(EMOSET) == (
        "Place: burial chamber\nThings: alarm clock, kitchen & dining room table\nFacial expression: sad\n"
        "The picture is very dark"
    )
    scene = {
        "expression": "wide-eyed",
        "brightness": 0.7,
        "colorfulness": 0.3,
        "votes": 14,
        "valence": 2.5,
    }
    assert (
        describe_attributes(scene) == "Facial expression: wide-eyed\nThe picture is bright and pale"
    )
    assert describe_attributes({"lens_type": "wide"}) == "Lens type: wide"
    assert describe_attributes({"brightness": 0.5, "object": [], "scene": ""}) == ""
    mixed = {"object": ["dog", None, 3, float("nan")], "votes": [1, 2], "time": None}
    assert describe_attributes(mixed) == "Things: dog"


def test_light_has_words_in_order():
    said = [describe_attributes({"brightness": tenth / 10}) for tenth in range(11)]
    assert said == [
        "The picture is " + word if word else ""
        for word in (
            ["very dark"] * 2 + ["dark"] * 2 + [""] * 3 + ["bright"] * 2 + ["very bright"] * 2
        )
    ]


def test_the_whole_vocabulary_of_emoset_has_words(test_data):
    path = test_data / "emoset/info.json"
    if not path.is_file():
        pytest.skip(f"no {path}")
    info = json.loads(path.read_text("utf-8"))
    for name in ("scene", "object", "human_action", "facial_expression"):
        for word in info[name]["label2idx"]:
            value = word if name == "scene" else [word]
            assert re.fullmatch(
                rf"{prompts.NAMES[name]}: [a-z][a-z0-9 &'(),-]*[a-z)]",
                describe_attributes({name: value}),
            ), word
    for name, words in prompts.LIGHT.items():
        said = {describe_attributes({name: value}) for value in info[name]["idx2label"].values()}
        assert said == {f"The picture is {word}" if word else "" for _, word in words}


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
def test_a_pair_is_read_in_every_usual_dress(text):
    assert parse_turns("vqa", "", text) == parse_turns("conversation", "", text) == PAIR


def test_several_turns():
    text = (
        'Question: Who?\nAnswer: A girl.\nShe says: "Q: who?" twice.\n\n2) Question: Why?\nAnswer: Plan B. The '
        "answer: none.\n"
    )
    turns = (("Who?", 'A girl.\nShe says: "Q: who?" twice.'), ("Why?", "Plan B. The answer: none."))
    assert parse_turns("conversation", "", text) == turns
    assert parse_turns("sentiment", "", text) is None  # one was asked for
    assert parse_turns("vqa", "", "Q: Who?\nA: **A girl** is there.") == (
        ("Who?", "A girl is there."),
    )
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
def test_what_is_malformed(text):
    assert parse_turns("conversation", "", text) is None


def test_captions_and_reasoning_are_whole_texts():
    assert parse_turns("caption", "What?", " A dog.\nIt barks: Answer: woof. ") == (
        ("What?", "A dog.\nIt barks: Answer: woof."),
    )
    assert parse_turns("caption", "What?", "\U0001f339 a rose") == (("What?", "\U0001f339 a rose"),)
    for text in ("an <image> token", "half \ud83d a rose"):
        assert parse_turns("reasoning", "Why?", text) is None


@pytest.mark.parametrize(("task", "question"), [("reasoning", "Why?"), ("vqa", "")])
def test_a_blank_text_is_an_answer_that_the_filter_counts(task, question):
    assert parse_turns(task, question, " \n") == ((question, ""),)
    request = Request("x", "", task, "", "ekman", question)
    kept, report = filter_instructions([to_instruction(request, Reply("x", " \n"), "", "t")])
    assert kept == [] and report.set_index("reason")["records"]["empty"] == 1


def test_the_key_follows_the_prompts(monkeypatch):
    before = prompts.prompts_key()
    monkeypatch.setitem(prompts.ASSIGNMENTS, "caption", "Draw the image.")
    assert prompts.prompts_key() != before
