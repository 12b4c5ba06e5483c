"""Requests: what a table of records asks for, what it draws, and what replies become."""

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


def test_attributes_survive_parquet(tmp_path):
    written = table(
        2, attr_object=[["dog", "cat"], []], attr_scene=["alley", ""], attr_brightness=[0.0, np.nan]
    )
    read = read_records(write_records(written, tmp_path / "r.parquet"))
    known = {"object": ["dog", "cat"], "scene": "alley", "brightness": 0.0}
    for records in (written, read):
        assert [attributes_of(row) for row in records.to_dict("records")] == [known, {}]


def test_distractors_come_one_from_each_half_seen_from_the_label():
    """Six labels around a circle whose centre is not the origin: only their differences say which are alike."""
    labels = ("a", "b", "c", "d", "e", "f")
    angles = np.deg2rad(
        [0, 30, -60, 120, 180, 210]
    )  # from "a", b, c and d are at most 120 degrees away
    anchors = np.stack([np.cos(angles), np.sin(angles)], axis=1) + [3, 2]
    rng = np.random.default_rng(0)
    drawn = [draw_candidates("a", labels, anchors, rng) for _ in range(200)]
    assert {tuple(sorted(set(three) - {"a"})) for three in drawn} == {
        (near, far) for near in "bcd" for far in "ef"
    }
    assert {three.index("a") for three in drawn} == {0, 1, 2}
    assert draw_candidates("y", ("x", "y", "z"), np.eye(3), rng) in {
        ("x", "y", "z"),
        ("x", "z", "y"),
        ("y", "x", "z"),
        ("y", "z", "x"),
        ("z", "x", "y"),
        ("z", "y", "x"),
    }
    for label, some, rows in (("x", ("x", "y"), 2), ("q", labels, 6), ("a", labels, 5)):
        with pytest.raises(ValueError, match="cannot draw candidates"):
            draw_candidates(label, some, np.ones((rows, 3)), rng)


def test_pretraining_asks_three_things_of_each_image():
    records = table(60, attr_scene="alley", text=["A cat."] + [""] * 59)
    plan = plan_pretraining(records, 0, {"d/3": "A dog."})
    threes = [plan[i : i + 3] for i in range(0, 180, 3)]
    for three, row in zip(threes, records.itertuples(), strict=True):
        asked = {request.task: request for request in three}
        assert set(asked) == {"caption", "vqa", "sentiment"}
        assert (
            asked["sentiment"].label == row.label
            and asked["caption"].label == asked["vqa"].label == ""
        )
        assert asked["caption"].question in CAPTION_QUESTIONS and asked["vqa"].question == ""
        assert {request.id for request in three} == {f"{row.id}#{task}" for task in asked}
        assert all(
            request.image == row.image and request.attributes == {"scene": "alley"}
            for request in three
        )
    assert (
        len({tuple(request.task for request in three) for three in threes}) == 6
    )  # every order occurs
    assert {request.id: request.caption for request in plan if request.caption} == {
        f"d/{i}#{task}": caption for i, caption in ((0, "A cat."), (3, "A dog.")) for task in asked
    }


def test_plans_depend_on_the_seed_and_not_on_the_neighbours():
    records = table(30)
    for plan in (
        plan_pretraining,
        lambda records, seed: plan_finetuning(records, ANCHORS, seed, conversations=0.5),
    ):
        whole = plan(records, 0)
        alone = plan(records[records["id"] == "d/7"], 0)
        assert [request for request in whole if request.id.startswith("d/7#")] == alone
        assert plan(records, 0) == whole != plan(records, 1)


def test_finetuning_explains_labels_of_every_set():
    records = pd.concat([table(50), table(50, "parrott", "p")], ignore_index=True)
    plan = plan_finetuning(records, ANCHORS, 0, conversations=0.3)
    reasoning = [request for request in plan if request.task == "reasoning"]
    assert [request.id for request in reasoning] == [f"{name}#reasoning" for name in records["id"]]
    for request, label in zip(reasoning, records["label"], strict=True):
        _, candidates, last = request.question.split("\n")
        three = candidates.removeprefix("Labels: [").removesuffix("]").split(", ")
        assert len(set(three)) == 3 and set(three) <= set(LABEL_SETS[request.label_set])
        assert label in three and label == request.label
        assert last == f"Important: note that the correct label is {label}."
    talks = [request for request in plan if request.task == "conversation"]
    assert 15 <= len(talks) <= 45 and all(
        request.question == "" and request.label for request in talks
    )
    assert len({request.id for request in plan}) == len(plan)
    with pytest.raises(ValueError, match="record 'p/0': no anchors for its label set 'parrott'"):
        plan_finetuning(records, {"ekman": ANCHORS["ekman"]}, 0)


@pytest.mark.parametrize("name", ["a\\b.jpg", "a:b.jpg", "c:/b.jpg"])
def test_an_image_that_files_cannot_name_is_refused_before_anyone_is_asked(tmp_path, name):
    assert plan_pretraining(table(1).assign(image="/images/late 10:30.jpg"), 0)
    for plan in (plan_pretraining, lambda records, seed: plan_finetuning(records, ANCHORS, seed)):
        with pytest.raises(
            ValueError, match="record 'd/0': image .*expected a path without backslashes"
        ):
            plan(table(1).assign(image=f"/images/{name}"), 0)
    request = Request("x", f"/images/{name}", "caption", "", "ekman", "What?")
    with pytest.raises(
        ValueError, match="expected a path within the folder"
    ):  # so late it would be
        write_instructions(
            [to_instruction(request, Reply("x", "A dog."), "/images", "t")], tmp_path / "x.json"
        )


def test_the_most_voted_labels_are_explained_too():
    records = table(2, p_anger=[0.5, np.nan], p_joy=[0.1, np.nan], p_fear=[0.4, np.nan])
    assert list(records["label"]) == ["anger", "disgust"]  # the second has no votes
    ids = [
        request.id for request in plan_finetuning(records, ANCHORS, 0, per_image=3, conversations=0)
    ]
    assert ids == ["d/0#reasoning", "d/0#reasoning-fear", "d/0#reasoning-joy", "d/1#reasoning"]
    two = plan_finetuning(records, ANCHORS, 0, per_image=2, conversations=0)
    assert [request.id for request in two] == [ids[0], ids[1], ids[3]]
    assert (
        two[0] == plan_finetuning(records, ANCHORS, 0, conversations=0)[0]
    )  # asking for more changes nothing


def test_a_reply_becomes_a_record():
    request = Request(
        "d/0#reasoning", "/images/d/0.png", "reasoning", "joy", "ekman", question="Why?"
    )
    made = to_instruction(request, Reply(request.id, " The sun shines. "), "/images", "someone")
    assert made == Instruction(
        "d/0#reasoning",
        "d/0.png",
        (("<image>\nWhy?", "The sun shines."),),
        "reasoning",
        "joy",
        "someone",
    )
    talk = Request("d/0#conversation", "/images/d/0.png", "conversation", "joy", "ekman")
    text = "Question: What?\nAnswer: A dog.\nQuestion: Why?\nAnswer: It plays."
    assert to_instruction(talk, Reply(talk.id, text), "/images/d", "someone").turns == (
        ("<image>\nWhat?", "A dog."),
        ("Why?", "It plays."),
    )
    assert to_instruction(talk, Reply(talk.id, "A dog."), "/images", "someone") is None
    words = Request("d/0#caption", "", "caption", "", "ekman", question="What?")
    assert to_instruction(words, Reply(words.id, "A dog."), "/images", "x").turns == (
        ("What?", "A dog."),
    )
    with pytest.raises(ValueError, match="/images/d/0.png lies outside the folder /elsewhere"):
        to_instruction(request, Reply(request.id, "Sun."), "/elsewhere", "someone")
