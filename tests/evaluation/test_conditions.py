"""Conditions: who is asked what under which label and image, what a model that labels alone learns, what comes back."""

import numpy as np
import pandas as pd
import pytest
import torch
from tiny_lm import save_tiny_llama

from tinyemo.data.instructions import Instruction
from tinyemo.emoreason.prompts import (
    REASONING_QUESTIONS,
    read_reasoning_question,
    read_self_labelled,
    reasoning_question,
    self_labelling_question,
)
from tinyemo.emotions import LABEL_SETS
from tinyemo.evaluation.conditions import (
    CONDITIONS,
    generate_conditions,
    plan_conditions,
    self_labelled,
    unseen_combinations,
)
from tinyemo.models.multimodal_lm import Connector, MultimodalLM
from tinyemo.models.prompt import Sample

LABELS = LABEL_SETS["ekman"]
ANCHORS = {
    name: np.random.default_rng(0).normal(size=(len(labels), 4))
    for name, labels in LABEL_SETS.items()
}


def table(n=40):
    """Ekman's labels in turn; the projector is right of all but every third."""
    records = pd.DataFrame(
        {
            "id": [f"d/{i}" for i in range(n)],
            "label_set": "ekman",
            "attr_object": "ghost",
            "label": [LABELS[i % 6] for i in range(n)],
        }
    )
    predictions = {f"d/{i}": LABELS[(i + (i % 3 == 0)) % 6] for i in range(n)}
    return records, predictions


def test_each_condition_asks_for_its_label_and_shows_its_image():
    records, predictions = table()
    plan = plan_conditions(records, predictions, ANCHORS, seed=0)
    assert list(plan["condition"]) == list(CONDITIONS) * 40
    for record, (name, rows) in zip(
        records.itertuples(), plan.groupby("id", sort=False), strict=True
    ):
        rows = rows.set_index("condition")
        assert name == record.id
        predicted, wrong = predictions[name], rows.loc["wrong", "given"]
        assert rows["given"].drop("wrong").tolist() == [
            "",
            predicted,
            record.label,
            predicted,
            predicted,
        ]
        assert wrong in LABELS and wrong not in (predicted, record.label)
        assert (rows["image"][:4] == name).all() and rows.loc["no image", "image"] == ""
        assert rows.loc["alone", "question"].endswith(
            "\nLabels: [anger, disgust, fear, joy, sadness, surprise]"
        )
        wordings = {question.split("\n")[0] for question in rows["question"]}
        assert len(wordings) == 1 and wordings <= set(REASONING_QUESTIONS)
        for condition in CONDITIONS[1:]:
            candidates, conditioning = rows.loc[condition, "question"].split("\n")[1:]
            assert (
                conditioning
                == f"Important: note that the correct label is {rows.loc[condition, 'given']}."
            )
            assert candidates.count(",") == 2 and rows.loc[condition, "given"] in candidates
        asked = rows["question"]
        assert asked["projector"] == asked["other image"] == asked["no image"]
        assert (asked["projector"] == asked["true"]) == (predicted == record.label)
    others = plan[plan["condition"] == "other image"]
    assert (
        sorted(others["image"]) == sorted(records["id"]) and (others["image"] != others["id"]).all()
    )
    assert len({question.split("\n")[0] for question in plan["question"]}) > 10


def test_a_scenes_questions_depend_on_seed_and_id_alone():
    records, predictions = table()
    plan = plan_conditions(records, predictions, ANCHORS, seed=0)
    few = plan_conditions(
        records[[name in ("d/7", "d/9") for name in records["id"]]], predictions, ANCHORS, seed=0
    )
    within = plan[plan["id"].isin(["d/7", "d/9"])].reset_index(drop=True)
    pd.testing.assert_frame_equal(few.drop(columns="image"), within.drop(columns="image"))
    shuffled = plan_conditions(records.sample(frac=1, random_state=0), predictions, ANCHORS, seed=0)
    key = ["id", "condition"]
    pd.testing.assert_frame_equal(
        *(one.sort_values(key).reset_index(drop=True) for one in (plan, shuffled))
    )
    assert not plan.equals(plan_conditions(records, predictions, ANCHORS, seed=1))


def test_the_wrong_label_is_one_that_the_scene_could_speak_for_and_all_of_these_occur():
    records, predictions = table(600)

    def evidence(attributes, label, label_set):
        assert attributes == {"object": "ghost"} and label_set == "ekman"
        return [("object", "ghost")] if label in ("fear", "sadness", "joy") else []

    def wrong(**options):
        plan = plan_conditions(records, predictions, ANCHORS, 0, **options)
        return plan.loc[plan["condition"] == "wrong", "given"].reset_index(drop=True)

    assert set(wrong(evidence=evidence)) == {"fear", "sadness", "joy"}
    free = ~records["label"].isin(["fear", "sadness", "joy"]) & ~records["id"].map(
        predictions
    ).isin(["fear", "sadness", "joy"])
    assert wrong(evidence=evidence)[free].value_counts(normalize=True).between(0.25, 0.42).all()
    assert set(wrong(evidence=lambda *_: [])) == set(wrong()) == set(LABELS)


def test_plans_that_cannot_be_are_refused():
    records, predictions = table(4)
    with pytest.raises(
        ValueError,
        match="record 'd/0': the projector's label is 'zest'.*expected a label of 'ekman'",
    ):
        plan_conditions(records, predictions | {"d/0": "zest"}, ANCHORS, 0)
    with pytest.raises(ValueError, match="record 'd/0'.*anchors are given for nothing"):
        plan_conditions(records, predictions, {}, 0)
    with pytest.raises(ValueError, match="1 records with 1 ids: expected two or more"):
        plan_conditions(records[:1], predictions, ANCHORS, 0)


def test_a_model_without_projector_learns_the_same_texts_after_a_label():
    question = reasoning_question(("joy", "rage", "fear"), "fear", 3)
    turns = (("<image>\n" + question, "The ghost\nis near."),)
    items = [
        Instruction("d/1#reasoning", "1.png", turns, "reasoning", "fear"),
        Instruction(
            "d/1#conversation", "1.png", (("<image>\nWhat?", "A ghost."), ("Why?", "Fear."))
        ),
    ]
    asked, talk = self_labelled(items, LABELS)
    assert talk == items[1]
    assert asked.turns == (
        ("<image>\n" + self_labelling_question(LABELS, 3), "Label: fear\nThe ghost\nis near."),
    )
    assert (asked.id, asked.image, asked.task) == ("d/1#reasoning", "1.png", "reasoning")
    assert "correct label" not in asked.turns[0][0]
    assert read_self_labelled(asked.turns[0][1], LABELS) == ("fear", "The ghost\nis near.")
    with pytest.raises(
        ValueError, match="'d/1#reasoning': it explains 'fear': expected one of joy, rage"
    ):
        self_labelled(items, ("joy", "rage"))


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


class Echo:
    """Stands in for a MultimodalLM: says what it was asked and shown, and counts."""

    def __init__(self, answer=""):
        self.asked, self.answer = [], answer

    def generate(self, samples, **options):
        self.asked += samples
        shown = [
            int(sample.streams["image"][0][0, 0]) if sample.streams.get("image") else -1
            for sample in samples
        ]
        return [
            self.answer or f"{sample.turns[0][0]}|{image}"
            for sample, image in zip(samples, shown, strict=True)
        ]


def patches(images):
    """The number in an id, as a token."""
    return [torch.full((2, 3), float(image.split("/")[1])) for image in images]


def test_texts_come_back_to_their_rows_and_the_same_question_is_asked_once():
    records, predictions = table()
    plan = plan_conditions(records, predictions, ANCHORS, 0)
    plan = plan[plan["condition"] != "alone"].sample(frac=1, random_state=0)
    model = Echo()
    texts = generate_conditions(plan, model, patches, batch_size=7)
    assert list(texts) == ["id", "condition", "given", "text"] and len(texts) == 200
    for row, text in zip(plan.itertuples(), texts.itertuples(), strict=True):
        image = row.image.split("/")[1] if row.image else "-1"
        assert (text.id, text.condition, text.given) == (row.id, row.condition, row.given)
        assert text.text == f"<image>\n{row.question}|{image}"
    assert len(model.asked) == len(set(zip(plan["image"], plan["question"], strict=True))) < 200
    assert all(sample.turns[0][1] == "" for sample in model.asked)


def test_a_language_model_says_of_each_row_what_it_says_when_asked_alone(tmp_path):
    records, predictions = table(3)
    plan = plan_conditions(records, predictions, ANCHORS, 0)
    plan = plan[plan["condition"] != "alone"]
    model = MultimodalLM.from_lm(
        save_tiny_llama(tmp_path / "lm"), {"image": Connector("mlp2x_gelu", 3)}
    )
    texts = generate_conditions(plan, model, patches, max_new_tokens=6, batch_size=4)["text"]
    for row, text in zip(plan.itertuples(), texts, strict=True):
        streams = {"image": patches([row.image])} if row.image else {}
        assert model.generate(
            [Sample(((f"<image>\n{row.question}", ""),), streams)], max_new_tokens=6
        ) == [text]
    assert texts.nunique() > 5


def test_the_label_of_a_model_that_labels_alone_is_read_from_its_text():
    records, predictions = table(3)
    plan = plan_conditions(records, predictions, ANCHORS, 0)
    alone = plan[plan["condition"] == "alone"]
    texts = generate_conditions(alone, Echo("Label: joy\nThe sun."), patches)
    assert texts[["given", "text"]].to_numpy().tolist() == [["joy", "The sun."]] * 3
    assert generate_conditions(alone, Echo("Sun."), patches)["given"].tolist() == [""] * 3
    with pytest.raises(ValueError, match="'alone' and for others"):
        generate_conditions(plan, Echo(), patches)


def test_combinations_that_training_never_saw():
    train = pd.DataFrame(
        {
            "attr_object": ["rose", "ghost"],
            "attr_action": ["sitting", "jumping"],
            "attr_time": "day",
        }
    )
    test = pd.DataFrame(
        {
            "attr_object": ["rose", "rose", "ghost", "car"],
            "attr_action": ["sitting", "jumping", "jumping", "sitting"],
            "attr_time": "night",
        }
    )
    assert unseen_combinations(train, test, ("object", "action")).tolist() == [
        False,
        True,
        False,
        True,
    ]
    assert unseen_combinations(train, test, ("action",)).tolist() == [False] * 4
    assert unseen_combinations(train, test, ("object", "action", "time")).all()
    with pytest.raises(ValueError, match="test records: no column 'attr_object'"):
        unseen_combinations(train, test.drop(columns="attr_object"), ("object", "action"))
