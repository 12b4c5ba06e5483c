"""Requests: which ones a table of records leads to, what is drawn, and what replies become."""

from functools import partial

import numpy as np
import pandas as pd
import pytest

from tinyemo.data.instructions import Instruction, write_instructions
from tinyemo.data.records import read_records, write_records
from tinyemo.emoreason.prompts import CAPTION_QUESTIONS
from tinyemo.emoreason.requests import (
    Reply,
    Request,
    attributes_of,
    draw_candidates,
    plan_finetuning,
    plan_pretraining,
    to_instruction,
)
from tinyemo.emotions import LABEL_SETS

ANCHORS = {
    name: np.random.default_rng(0).normal(size=(len(labels), 8))
    for name, labels in LABEL_SETS.items()
}


def table(n, label_set="ekman", dataset="d", **columns):
    labels = LABEL_SETS[label_set]
    ids = [f"{dataset}/{i}" for i in range(n)]
    return pd.DataFrame(
        {
            "id": ids,
            "dataset": dataset,
            "split": "train",
            "image": [f"/images/{i}.png" for i in ids],
            "label": [labels[i % len(labels)] for i in range(n)],
            "label_set": label_set,
            **columns,
        }
    )


def ids_of(requests):
    return [request.id for request in requests]


def test_attributes_survive_parquet(tmp_path):
    written = table(
        2, attr_object=[["dog", "cat"], []], attr_scene=["alley", ""], attr_brightness=[0.0, np.nan]
    )
    read = read_records(write_records(written, tmp_path / "r.parquet"))
    known = {"object": ["dog", "cat"], "scene": "alley", "brightness": 0.0}
    for records in (written, read):
        assert [attributes_of(row) for row in records.to_dict("records")] == [known, {}]


def test_one_distractor_comes_from_the_near_half_and_one_from_the_far_half():
    """Six labels on a circle that is not centred at the origin: only differences matter."""
    labels = ("a", "b", "c", "d", "e", "f")
    # seen from "a", the labels b, c and d are at most 120 degrees away
    angles = np.deg2rad([0, 30, -60, 120, 180, 210])
    anchors = np.stack([np.cos(angles), np.sin(angles)], axis=1) + [3, 2]
    rng = np.random.default_rng(0)
    drawn = [draw_candidates("a", labels, anchors, rng) for _ in range(200)]
    distractors = {tuple(sorted(set(three) - {"a"})) for three in drawn}
    assert distractors == {(near, far) for near in "bcd" for far in "ef"}
    assert {three.index("a") for three in drawn} == {0, 1, 2}


@pytest.mark.parametrize("labels", [("x", "y"), ("x", "y", "z")])
def test_two_or_three_labels_are_all_candidates_in_random_order(labels):
    rng = np.random.default_rng(0)
    drawn = [draw_candidates("y", labels, np.eye(len(labels)), rng) for _ in range(20)]
    assert {tuple(sorted(one)) for one in drawn} == {labels}
    assert len(set(drawn)) > 1


def test_candidates_need_two_labels_with_their_anchors():
    rng = np.random.default_rng(0)
    six = ("a", "b", "c", "d", "e", "f")
    for label, labels, rows in (("x", ("x",), 1), ("q", six, 6), ("a", six, 5)):
        with pytest.raises(ValueError, match="cannot choose answer options for label"):
            draw_candidates(label, labels, np.ones((rows, 3)), rng)


def test_pretraining_has_three_requests_per_image():
    records = table(60, attr_scene="alley", text=["A cat."] + [""] * 59)
    plan = plan_pretraining(records, 0, {"d/3": "A dog."})
    orders = set()
    for number, row in enumerate(records.itertuples()):
        three = plan[3 * number : 3 * number + 3]
        orders.add(tuple(request.task for request in three))
        by_task = {request.task: request for request in three}
        assert set(by_task) == {"caption", "vqa", "sentiment"}
        assert by_task["sentiment"].label == row.label
        assert by_task["caption"].label == by_task["vqa"].label == ""
        assert by_task["caption"].question in CAPTION_QUESTIONS
        assert by_task["vqa"].question == ""
        assert set(ids_of(three)) == {f"{row.id}#{task}" for task in by_task}
        for request in three:
            assert request.image == row.image
            assert request.attributes == {"scene": "alley"}
    assert len(orders) == 6  # every order of the three occurs


def test_a_given_caption_comes_before_the_records_text():
    records = table(5, text=["A cat.", "A pig.", "", "", ""])
    plan = plan_pretraining(records, 0, {"d/1": "A dog.", "d/3": "A fox."})
    captions = {request.id.split("#")[0]: request.caption for request in plan}
    assert captions == {"d/0": "A cat.", "d/1": "A dog.", "d/2": "", "d/3": "A fox.", "d/4": ""}


@pytest.mark.parametrize(
    "plan",
    [plan_pretraining, partial(plan_finetuning, anchors=ANCHORS, conversations=0.5)],
    ids=["pretraining", "finetuning"],
)
def test_plans_depend_on_the_seed_and_not_on_other_records(plan):
    records = table(30)
    whole = plan(records, seed=0)
    alone = plan(records[records["id"] == "d/7"], seed=0)
    assert [request for request in whole if request.id.startswith("d/7#")] == alone
    assert plan(records, seed=0) == whole
    assert plan(records, seed=1) != whole


def test_finetuning_explains_the_label_of_every_record():
    records = pd.concat([table(50), table(50, "parrott", "p")], ignore_index=True)
    plan = plan_finetuning(records, ANCHORS, 0, conversations=0.3)
    assert len(set(ids_of(plan))) == len(plan)
    reasoning = [request for request in plan if request.task == "reasoning"]
    assert ids_of(reasoning) == [f"{name}#reasoning" for name in records["id"]]
    for request, label in zip(reasoning, records["label"], strict=True):
        _, candidates, last = request.question.split("\n")
        three = candidates.removeprefix("Labels: [").removesuffix("]").split(", ")
        assert len(set(three)) == 3
        assert label in three
        assert set(three) <= set(LABEL_SETS[request.label_set])
        assert request.label == label
        assert last == f"Important: note that the correct label is {label}."
    conversations = [request for request in plan if request.task == "conversation"]
    assert 15 <= len(conversations) <= 45
    for request in conversations:
        assert request.question == ""
        assert request.label


def test_a_label_set_without_anchors_is_refused():
    records = pd.concat([table(5), table(5, "parrott", "p")], ignore_index=True)
    with pytest.raises(ValueError, match="record 'p/0': no anchors for its label set 'parrott'"):
        plan_finetuning(records, {"ekman": ANCHORS["ekman"]}, 0)


@pytest.mark.parametrize("name", ["a\\b.jpg", "a:b.jpg", "c:/b.jpg"])
def test_an_image_path_that_files_cannot_hold_is_refused_before_a_teacher_is_used(tmp_path, name):
    assert plan_pretraining(table(1).assign(image="/images/late 10:30.jpg"), 0)
    records = table(1).assign(image=f"/images/{name}")
    message = "record 'd/0': image .*expected a path without backslashes"
    with pytest.raises(ValueError, match=message):
        plan_pretraining(records, 0)
    with pytest.raises(ValueError, match=message):
        plan_finetuning(records, ANCHORS, 0)
    # without this check, the error would come when the file is written
    request = Request("x", f"/images/{name}", "caption", "", "ekman", "What?")
    item = to_instruction(request, Reply("x", "A dog."), "/images", "t")
    with pytest.raises(ValueError, match="expected a path within the folder"):
        write_instructions([item], tmp_path / "x.json")


def test_labels_with_the_next_most_votes_are_explained_too():
    records = table(2, p_anger=[0.5, np.nan], p_joy=[0.1, np.nan], p_fear=[0.4, np.nan])
    assert list(records["label"]) == ["anger", "disgust"]  # the second record has no votes
    plan = partial(plan_finetuning, records, ANCHORS, 0, conversations=0)
    ids = ids_of(plan(per_image=3))
    assert ids == ["d/0#reasoning", "d/0#reasoning-fear", "d/0#reasoning-joy", "d/1#reasoning"]
    two = plan(per_image=2)
    assert ids_of(two) == [ids[0], ids[1], ids[3]]
    assert two[0] == plan()[0]  # more explanations do not change the first one


def test_a_reply_becomes_a_record():
    request = Request(
        "d/0#reasoning", "/images/d/0.png", "reasoning", "joy", "ekman", question="Why?"
    )
    made = to_instruction(request, Reply(request.id, " The sun shines. "), "/images", "someone")
    turns = (("<image>\nWhy?", "The sun shines."),)
    assert made == Instruction("d/0#reasoning", "d/0.png", turns, "reasoning", "joy", "someone")
    with pytest.raises(ValueError, match="/images/d/0.png is outside the folder /elsewhere"):
        to_instruction(request, Reply(request.id, "Sun."), "/elsewhere", "someone")


def test_only_the_first_turn_of_a_conversation_has_the_image_token():
    request = Request("d/0#conversation", "/images/d/0.png", "conversation", "joy", "ekman")
    text = "Question: What?\nAnswer: A dog.\nQuestion: Why?\nAnswer: It plays."
    made = to_instruction(request, Reply(request.id, text), "/images/d", "someone")
    assert made.turns == (("<image>\nWhat?", "A dog."), ("Why?", "It plays."))
    assert to_instruction(request, Reply(request.id, "A dog."), "/images", "someone") is None


def test_a_reply_to_a_request_without_image_has_no_image_token():
    request = Request("d/0#caption", "", "caption", "", "ekman", question="What?")
    made = to_instruction(request, Reply(request.id, "A dog."), "/images", "x")
    assert made.turns == (("What?", "A dog."),)
