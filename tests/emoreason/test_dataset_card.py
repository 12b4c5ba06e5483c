"""The files of a dataset hold its records, and the card describes them."""

import json

import pandas as pd
import yaml

from tinyemo.data.instructions import Instruction
from tinyemo.data.photos import PHOTO_SETS
from tinyemo.emoreason.dataset_card import DRAWN_HERE, UNKNOWN, dataset_card, write_parts

COMPOSITION = pd.DataFrame(
    {"part": ["finetuning"], "split": ["train"], "task": ["reasoning"], "records": [12_345]}
)
DROPS = pd.DataFrame({"task": ["reasoning"], "reason": ["refusal"], "dropped": [67]})


def card(datasets, teacher="a model", drawn=()):
    return dataset_card(
        "Toy",
        COMPOSITION.assign(teacher=teacher),
        DROPS,
        {"precision": 0.9876},
        datasets,
        drawn,
        "toys/images",
        "make toys",
    )


def record(image, task):
    turns = (("<image>\nWhat?", "A rose."),)
    return Instruction(f"{image}#{task}", f"{image}.png", turns, task, "joy", "a model")


def test_every_record_is_in_the_file_of_its_part_and_split(tmp_path):
    (tmp_path / "held_out_test.json").write_text("[]")  # from an earlier run
    (tmp_path / "metrics.json").write_text("{}")
    parts = {
        "pretraining": [record("a", "caption"), record("b", "caption")],
        "finetuning": [record("a", "reasoning")],
    }
    about = write_parts(parts, {"a": "train", "b": "validation"}, tmp_path)
    written = {}
    for path in tmp_path.glob("*_*.json"):
        written[path.name] = [item["id"] for item in json.loads(path.read_text())]
    assert written == {
        "pretraining_train.json": ["a#caption"],
        "pretraining_validation.json": ["b#caption"],
        "finetuning_train.json": ["a#reasoning"],
    }
    assert (tmp_path / "metrics.json").exists()
    assert about.equals(pd.read_parquet(tmp_path / "about.parquet"))
    assert about.groupby("file")["id"].agg(list).to_dict() == written
    assert about.iloc[0].tolist() == [
        "a#caption",
        "pretraining",
        "train",
        "caption",
        "joy",
        "a model",
        "pretraining_train.json",
    ]


def test_the_front_matter_is_what_hubs_read():
    _, front, _ = card(["scenes"], "scene grammar", ["scenes"]).split("---\n", 2)
    about = yaml.safe_load(front)
    assert about["language"] == "en"
    assert about["license"] == "apache-2.0"
    assert about["size_categories"] == "10K<n<100K"
    assert "image-text-to-text" in about["task_categories"]


def test_the_card_states_composition_drops_prompts_licences_and_limits():
    text = card(["EmoSet", "WEBEmo"])
    for expected in (
        "12,345 records",
        "refusal",
        "67",
        "0.9876",
        "a model",
        "make toys",
        PHOTO_SETS["EmoSet"].licence,
        PHOTO_SETS["WEBEmo"].licence,
        "Important: note that the correct label is fear.",
        "Labels: [",
        "nobody has read all texts",
        "toys/images",
    ):
        assert expected in text, expected
    assert "license: other" in text
    assert "drawn scenes" not in text


def test_images_and_texts_have_their_own_limits():
    grammar = card(["scenes"], "scene grammar", ["scenes"])
    assert "drawn scenes" in grammar
    assert "come from a grammar" in grammar
    assert "license: apache-2.0" in grammar
    model = card(["scenes-ekman"], drawn=["scenes-ekman"])
    assert "drawn scenes" in model
    assert "written by a model" in model
    assert "grammar" not in model
    own_images = card(["my_photos"])
    assert "drawn" not in own_images
    assert "license: other" in own_images
    assert "my_photos: unknown to this code" in own_images


def test_a_name_like_that_of_the_synthetic_data_makes_no_drawn_images():
    for name in ("scenes_paris", "scenes-ekman", "scenes"):
        text = card([name], "scene grammar")
        assert "drawn" not in text and UNKNOWN in text
        assert "license: other" in text
    mixed = card(["scenes", "scenes_paris"], drawn=["scenes"])
    assert f"- scenes: {DRAWN_HERE}" in mixed and f"- scenes_paris: {UNKNOWN}" in mixed
    assert "cartoon" not in mixed
