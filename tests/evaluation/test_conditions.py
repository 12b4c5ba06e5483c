"""Conditions: which question and image each one has, and how texts come back to their rows."""

import numpy as np
import pandas as pd
import pytest
import torch
from tiny_lm import save_tiny_llama

from tinyemo.data.instructions import Instruction
from tinyemo.emoreason.prompts import (
    REASONING_QUESTIONS,
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
    """Records with Ekman's labels in turn, and predictions of which every third is wrong."""
    labels = [LABELS[i % 6] for i in range(n)]
    ids = [f"d/{i}" for i in range(n)]
    records = pd.DataFrame(
        {"id": ids, "label_set": "ekman", "attr_object": "ghost", "label": labels}
    )
    predictions = {}
    for i, name in enumerate(ids):
        is_wrong = i % 3 == 0
        predictions[name] = LABELS[(i + is_wrong) % 6]
    return records, predictions


@pytest.fixture(scope="module")
def rows_of():
    """Record -> its prediction and its rows of the plan, by condition."""
    records, predictions = table()
    plan = plan_conditions(records, predictions, ANCHORS, seed=0)
    assert list(plan["condition"]) == list(CONDITIONS) * 40
    groups = dict(tuple(plan.groupby("id", sort=False)))
    assert list(groups) == list(records["id"])
    found = []
    for record in records.itertuples():
        rows = groups[record.id].set_index("condition")
        found.append((record, predictions[record.id], rows))
    return found


def test_each_condition_gives_its_label(rows_of):
    for record, predicted, rows in rows_of:
        wrong = rows.loc["wrong", "given"]
        given = rows["given"].drop("wrong").tolist()
        assert given == ["", predicted, record.label, predicted, predicted]
        assert wrong in LABELS
        assert wrong not in (predicted, record.label)
        for condition in CONDITIONS[1:]:
            label, question = rows.loc[condition, ["given", "question"]]
            candidates, conditioning = question.split("\n")[1:]
            assert conditioning == f"Important: note that the correct label is {label}."
            assert candidates.count(",") == 2
            assert label in candidates


def test_each_condition_shows_its_image(rows_of):
    others = []
    for record, _, rows in rows_of:
        assert (rows["image"][:4] == record.id).all()
        assert rows.loc["no image", "image"] == ""
        other = rows.loc["other image", "image"]
        assert other != record.id
        others.append(other)
    assert sorted(others) == sorted(record.id for record, _, _ in rows_of)


def test_a_scene_has_one_wording_and_equal_questions_under_equal_labels(rows_of):
    all_wordings = set()
    for record, predicted, rows in rows_of:
        question = rows["question"]
        wordings = {one.split("\n")[0] for one in question}
        assert len(wordings) == 1
        assert wordings <= set(REASONING_QUESTIONS)
        all_wordings |= wordings
        assert question["alone"].endswith(
            "\nLabels: [anger, disgust, fear, joy, sadness, surprise]"
        )
        assert question["projector"] == question["other image"] == question["no image"]
        is_right = predicted == record.label
        assert (question["projector"] == question["true"]) == is_right
    assert len(all_wordings) > 10


def test_a_scenes_questions_depend_on_seed_and_id_alone():
    records, predictions = table()
    plan = plan_conditions(records, predictions, ANCHORS, seed=0)
    two = records[records["id"].isin(["d/7", "d/9"])]
    few = plan_conditions(two, predictions, ANCHORS, seed=0)
    within = plan[plan["id"].isin(["d/7", "d/9"])].reset_index(drop=True)
    pd.testing.assert_frame_equal(few.drop(columns="image"), within.drop(columns="image"))
    shuffled = records.sample(frac=1, random_state=0)
    other_order = plan_conditions(shuffled, predictions, ANCHORS, seed=0)
    key = ["id", "condition"]
    pd.testing.assert_frame_equal(
        plan.sort_values(key).reset_index(drop=True),
        other_order.sort_values(key).reset_index(drop=True),
    )
    assert not plan.equals(plan_conditions(records, predictions, ANCHORS, seed=1))


def test_the_wrong_label_is_drawn_from_the_labels_with_evidence():
    records, predictions = table(600)
    with_evidence = ["fear", "sadness", "joy"]

    def evidence(attributes, label, label_set):
        assert attributes == {"object": "ghost"}
        assert label_set == "ekman"
        return [("object", "ghost")] if label in with_evidence else []

    def wrong_labels(**options):
        plan = plan_conditions(records, predictions, ANCHORS, 0, **options)
        return plan.loc[plan["condition"] == "wrong", "given"].reset_index(drop=True)

    wrong = wrong_labels(evidence=evidence)
    assert set(wrong) == set(with_evidence)
    # records where all three are possible: each is drawn about as often
    predicted = records["id"].map(predictions)
    is_free = ~records["label"].isin(with_evidence) & ~predicted.isin(with_evidence)
    assert wrong[is_free].value_counts(normalize=True).between(0.25, 0.42).all()
    # without evidence for any label, all labels are possible
    assert set(wrong_labels(evidence=lambda *_: [])) == set(LABELS)
    assert set(wrong_labels()) == set(LABELS)


def test_missing_predictions_anchors_and_other_records_are_refused():
    records, predictions = table(4)
    message = "record 'd/0': the projector's label is 'zest'.*expected a label of 'ekman'"
    with pytest.raises(ValueError, match=message):
        plan_conditions(records, predictions | {"d/0": "zest"}, ANCHORS, 0)
    with pytest.raises(ValueError, match="record 'd/0'.*anchors are given for nothing"):
        plan_conditions(records, predictions, {}, 0)
    with pytest.raises(ValueError, match="1 records with 1 ids: expected at least two"):
        plan_conditions(records[:1], predictions, ANCHORS, 0)


def test_self_labelled_data_has_the_same_explanations_after_a_label():
    question = reasoning_question(("joy", "rage", "fear"), "fear", 3)
    turns = (("<image>\n" + question, "The ghost\nis near."),)
    conversation = (("<image>\nWhat?", "A ghost."), ("Why?", "Fear."))
    items = [
        Instruction("d/1#reasoning", "1.png", turns, "reasoning", "fear"),
        Instruction("d/1#conversation", "1.png", conversation),
    ]
    changed, same = self_labelled(items, LABELS)
    assert same == items[1]
    (human, gpt), *_ = changed.turns
    assert human == "<image>\n" + self_labelling_question(LABELS, 3)
    assert "correct label" not in human
    assert gpt == "Label: fear\nThe ghost\nis near."
    assert (changed.id, changed.image, changed.task) == ("d/1#reasoning", "1.png", "reasoning")
    assert read_self_labelled(gpt, LABELS) == ("fear", "The ghost\nis near.")
    message = "'d/1#reasoning': the explained label is 'fear', expected one of joy, rage"
    with pytest.raises(ValueError, match=message):
        self_labelled(items, ("joy", "rage"))


class FakeModel:
    """In place of a MultimodalLM: its text is the prompt and the image's number, or `answer`."""

    def __init__(self, answer=""):
        self.samples, self.answer = [], answer

    def generate(self, samples, **options):
        self.samples += samples
        return [self.answer or self.describe(sample) for sample in samples]

    def describe(self, sample):
        images = sample.streams.get("image")
        number = int(images[0][0, 0]) if images else -1
        return f"{sample.turns[0][0]}|{number}"


def patches(images):
    """Patch tokens (2, 3) that hold the number in an image's id."""
    return [torch.full((2, 3), float(image.split("/")[1])) for image in images]


def test_texts_come_back_to_their_rows_and_equal_questions_are_generated_once():
    records, predictions = table()
    plan = plan_conditions(records, predictions, ANCHORS, 0)
    plan = plan[plan["condition"] != "alone"].sample(frac=1, random_state=0)
    model = FakeModel()
    texts = generate_conditions(plan, model, patches, batch_size=7)
    assert list(texts) == ["id", "condition", "given", "text"]
    assert len(texts) == 200
    for row, text in zip(plan.itertuples(), texts.itertuples(), strict=True):
        number = row.image.split("/")[1] if row.image else "-1"
        assert (text.id, text.condition, text.given) == (row.id, row.condition, row.given)
        assert text.text == f"<image>\n{row.question}|{number}"
    distinct = set(zip(plan["image"], plan["question"], strict=True))
    assert len(model.samples) == len(distinct) < 200
    assert all(sample.turns[0][1] == "" for sample in model.samples)


def test_a_language_model_gives_the_same_texts_in_batches_and_one_by_one(tmp_path):
    records, predictions = table(3)
    plan = plan_conditions(records, predictions, ANCHORS, 0)
    plan = plan[plan["condition"] != "alone"]
    connectors = {"image": Connector("mlp2x_gelu", 3)}
    model = MultimodalLM.from_lm(save_tiny_llama(tmp_path / "lm"), connectors)
    texts = generate_conditions(plan, model, patches, max_new_tokens=6, batch_size=4)["text"]
    for row, text in zip(plan.itertuples(), texts, strict=True):
        streams = {"image": patches([row.image])} if row.image else {}
        sample = Sample(((f"<image>\n{row.question}", ""),), streams)
        assert model.generate([sample], max_new_tokens=6) == [text]
    assert texts.nunique() > 5


def test_the_label_of_a_self_labelling_model_is_read_from_its_text():
    records, predictions = table(3)
    plan = plan_conditions(records, predictions, ANCHORS, 0)
    alone = plan[plan["condition"] == "alone"]
    texts = generate_conditions(alone, FakeModel("Label: joy\nThe sun."), patches)
    assert texts[["given", "text"]].to_numpy().tolist() == [["joy", "The sun."]] * 3
    unreadable = generate_conditions(alone, FakeModel("Sun."), patches)
    assert unreadable["given"].tolist() == [""] * 3
    with pytest.raises(ValueError, match="'alone' and others"):
        generate_conditions(plan, FakeModel(), patches)


def test_combinations_that_do_not_occur_in_training_are_found():
    train = pd.DataFrame({"attr_object": ["rose", "ghost"], "attr_action": ["sitting", "jumping"]})
    test = pd.DataFrame(
        {
            "attr_object": ["rose", "rose", "ghost", "car"],
            "attr_action": ["sitting", "jumping", "jumping", "sitting"],
        }
    )
    train["attr_time"], test["attr_time"] = "day", "night"
    two = unseen_combinations(train, test, ("object", "action"))
    assert two.tolist() == [False, True, False, True]
    assert unseen_combinations(train, test, ("action",)).tolist() == [False] * 4
    assert unseen_combinations(train, test, ("object", "action", "time")).all()
    with pytest.raises(ValueError, match="test records: no column 'attr_object'"):
        unseen_combinations(train, test.drop(columns="attr_object"), ("object", "action"))
