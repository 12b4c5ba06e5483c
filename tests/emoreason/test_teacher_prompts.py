"""Messages to teachers: what they contain and do not contain, and attributes in words."""

import json
import re

import pytest

from tinyemo.emoreason import teacher_prompts
from tinyemo.emoreason.reply_format import MOST_TURNS
from tinyemo.emoreason.requests import Request
from tinyemo.emoreason.teacher_prompts import describe_attributes, teacher_messages

EMOSET = {
    "scene": "burial_chamber",
    "object": ["Alarm clock", "Kitchen & dining room table"],
    "human_action": [],
    "facial_expression": ["sad"],
    "brightness": 0.1,
    "colorfulness": float("nan"),
}
QUESTION_IS_WRITTEN = ("vqa", "sentiment", "conversation")  # by the teacher
WITHOUT_LABEL = ("caption", "vqa")


def request(task, label="nervousness", **known):
    given = "" if task in WITHOUT_LABEL else label
    return Request(f"x#{task}", "x.png", task, given, "parrott", **known)


def all_messages(*arguments, **options):
    return "\n".join(message["content"] for message in teacher_messages(*arguments, **options))


@pytest.mark.parametrize("task", teacher_prompts.ASSIGNMENTS)
def test_messages_hold_what_is_known_and_the_label_only_if_the_task_needs_it(task):
    text = all_messages(request(task, caption="Two clocks on a grave.", attributes=EMOSET))
    for known in ("Two clocks on a grave.", "alarm clock", "burial chamber", "very dark"):
        assert known in text
    assert ("nervousness" in text) == (task not in WITHOUT_LABEL)
    assert ("Question: " in text) == (task in QUESTION_IS_WRITTEN) == (task in MOST_TURNS)
    assert "{" not in text
    assert "correct label" not in text


def test_a_caption_or_the_image_alone_is_enough():
    assert "A dog." in all_messages(request("reasoning", caption="A dog."))
    nothing = request("reasoning")
    assert "The image:" not in all_messages(nothing, sees_image=True)
    with pytest.raises(ValueError, match="'x#reasoning': expected a caption or attributes"):
        teacher_messages(nothing)


def test_a_request_without_the_label_that_its_task_needs_is_refused():
    with pytest.raises(ValueError, match="'x#sentiment': no label, expected one for task"):
        teacher_messages(request("sentiment", label="", caption="A dog."))


@pytest.mark.parametrize(
    ("attributes", "words"),
    [
        (
            EMOSET,
            "Place: burial chamber\nThings: alarm clock, kitchen & dining room table\n"
            "Facial expression: sad\nThe picture is very dark",
        ),
        (
            {"expression": "wide-eyed", "brightness": 0.7, "colorfulness": 0.3}
            | {"votes": 14, "valence": 2.5},
            "Facial expression: wide-eyed\nThe picture is bright and pale",
        ),
        ({"lens_type": "wide"}, "Lens type: wide"),
        ({"brightness": 0.5, "object": [], "scene": ""}, ""),
        (
            {"object": ["dog", None, 3, float("nan")], "votes": [1, 2], "time": None},
            "Things: dog",
        ),
    ],
)
def test_attributes_in_words(attributes, words):
    assert describe_attributes(attributes) == words


def test_brightness_has_words_in_rising_order():
    words = ["very dark"] * 2 + ["dark"] * 2 + [""] * 3 + ["bright"] * 2 + ["very bright"] * 2
    for tenth, word in enumerate(words):
        expected = "The picture is " + word if word else ""
        assert describe_attributes({"brightness": tenth / 10}) == expected


def test_all_attribute_values_of_emoset_have_words(test_data):
    path = test_data / "emoset/info.json"
    if not path.is_file():
        pytest.skip(f"no {path}")
    info = json.loads(path.read_text("utf-8"))
    for name in ("scene", "object", "human_action", "facial_expression"):
        heading = teacher_prompts.ATTRIBUTE_NAMES[name]
        line = re.compile(rf"{heading}: [a-z][a-z0-9 &'(),-]*[a-z)]")
        for word in info[name]["label2idx"]:
            value = word if name == "scene" else [word]
            assert line.fullmatch(describe_attributes({name: value})), word
    for name, limits in teacher_prompts.LIGHT_WORDS.items():
        values = info[name]["idx2label"].values()
        described = {describe_attributes({name: value}) for value in values}
        assert described == {f"The picture is {word}" if word else "" for _, word in limits}


def test_the_key_changes_with_the_prompts(monkeypatch):
    before = teacher_prompts.prompts_key()
    monkeypatch.setitem(teacher_prompts.ASSIGNMENTS, "caption", "Draw the image.")
    assert teacher_prompts.prompts_key() != before
