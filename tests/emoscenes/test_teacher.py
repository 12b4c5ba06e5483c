"""The scene grammar as a teacher: the form of its replies, unanswered and refused requests."""

from dataclasses import asdict, replace

import pytest

from emoscenes.evidence import evidence
from emoscenes.scenes import ATTRIBUTES, CONTINUOUS, sample_scenes
from emoscenes.teacher import GrammarTeacher
from tinyemo.emoreason.reply_format import parse_turns
from tinyemo.emoreason.requests import Request

TASKS = ("caption", "vqa", "sentiment", "reasoning", "conversation")


def requests_for(n, seed=0):
    scenes, labels = sample_scenes(n, seed)
    attributes = [
        {name: asdict(scene)[name] for name in (*ATTRIBUTES, *CONTINUOUS)} for scene in scenes
    ]
    return [
        Request(
            f"scene-{i}#{task}",
            "",
            task,
            "" if task in ("caption", "vqa") else str(label),
            "parrott",
            question="Describe the image.",
            attributes=attributes[i],
        )
        for i, label in enumerate(labels)
        for task in TASKS
    ]


@pytest.fixture(scope="module")
def requests():
    return requests_for(200)


def test_replies_are_in_order_and_parsable_and_missing_only_without_evidence(requests):
    replies = list(GrammarTeacher(seed=1).replies(requests))
    answered = [
        r
        for r in requests
        if r.task not in ("reasoning", "conversation")
        or evidence(r.attributes, r.label, r.label_set)
    ]
    assert [reply.id for reply in replies] == [r.id for r in answered]
    assert len(answered) > 0.9 * len(requests)
    for request, reply in zip(answered, replies, strict=True):
        turns = parse_turns(request.task, request.question, reply.text)
        assert turns and len(turns) == 1 or request.task == "conversation" and len(turns) in (2, 3)
        asked_by_us = request.task in ("caption", "reasoning")
        assert asked_by_us == (turns[0][0] == request.question) == ("Question:" not in reply.text)


def test_label_without_evidence_gets_no_explanation(requests):
    scene = requests[0].attributes | {
        "object": "car",
        "expression": "neutral",
        "background": "park",
        "action": "standing",
    }
    mute = [replace(r, label="horror", attributes=scene) for r in requests[:5]]
    assert [reply.id for reply in GrammarTeacher(1).replies(mute)] == [r.id for r in mute[:3]]
    assert GrammarTeacher.unanswered_reason == "no evidence"


def test_reply_depends_only_on_the_seed_and_its_request(requests):
    texts = {reply.id: reply.text for reply in GrammarTeacher(1).replies(requests)}
    backwards = {reply.id: reply.text for reply in GrammarTeacher(1).replies(requests[::-1][:300])}
    assert all(texts[i] == text for i, text in backwards.items()) and len(backwards) > 250
    other = {reply.id: reply.text for reply in GrammarTeacher(2).replies(requests)}
    assert sum(texts[i] == other[i] for i in texts) < 0.2 * len(texts)
    renamed = [replace(r, id="another-" + r.id) for r in requests]
    assert sum(
        a.text == b.text
        for a, b in zip(
            GrammarTeacher(1).replies(requests), GrammarTeacher(1).replies(renamed), strict=True
        )
    ) < 0.2 * len(texts)


def test_settings_change_names_keys_and_rationales(requests):
    teachers = [
        GrammarTeacher(1),
        GrammarTeacher(2),
        GrammarTeacher(1, held_out=True),
        GrammarTeacher(1, full=True),
    ]
    assert (
        len({teacher.key for teacher in teachers}) == 4 and GrammarTeacher(1).key == teachers[0].key
    )
    assert [teacher.name for teacher in teachers] == [
        "scene grammar",
        "scene grammar",
        "scene grammar, held-out wordings",
        "scene grammar, in full",
    ]
    reasoning = [r for r in requests if r.task == "reasoning"]
    plain, _, held_out, full = (
        [reply.text for reply in teacher.replies(reasoning)] for teacher in teachers
    )
    assert sum(map(len, full)) > 1.3 * sum(map(len, plain)) and not set(plain) & set(held_out)
    captions = [r for r in requests if r.task == "caption"]
    first, third, fourth = (list(teachers[i].replies(captions)) for i in (0, 2, 3))
    assert first == third == fourth


def test_coarser_labels_are_supported(requests):
    coarse = [
        replace(r, label="sadness", label_set=label_set)
        for r in requests
        for label_set in ("ekman", "mikels")
    ]
    texts = [
        reply.text for reply in GrammarTeacher(1).replies(coarse) if reply.id.endswith("sentiment")
    ]
    assert len(texts) == 400 and all("sadness" in text for text in texts)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"weather": None}, "scene-0#sentiment.*'weather' is missing.*choose a teacher local:"),
        ({"brightness": None}, "scene-0#sentiment.*'brightness' is missing"),
        ({"object": "zeppelin"}, "scene-0#sentiment.*'object' is 'zeppelin', expected one of rose"),
        (
            {"colorfulness": 40},
            r"scene-0#sentiment.*'colorfulness' is 40, expected a number in \[0, 1\]",
        ),
        ({"time": ["day"]}, r"scene-0#sentiment.*'time' is \['day'\]"),
    ],
)
def test_missing_or_unknown_attribute_is_refused_by_name(requests, change, message):
    attributes = {
        name: value
        for name, value in (requests[2].attributes | change).items()
        if value is not None
    }
    with pytest.raises(ValueError, match=message):
        list(GrammarTeacher(1).replies([replace(requests[2], attributes=attributes)]))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"task": "poem"}, "scene-0#sentiment.*task is 'poem', expected one of caption"),
        ({"label": "joy"}, "scene-0#sentiment.*label is 'parrott:joy'"),
        ({"label_set": "unbiasedemo"}, "scene-0#sentiment.*label is 'unbiasedemo:"),
    ],
)
def test_unknown_task_or_label_is_refused(requests, change, message):
    with pytest.raises(ValueError, match=message):
        list(GrammarTeacher(1).replies([replace(requests[2], **change)]))
