"""Files hold their records, and the card says what the data consist of."""

import json

import pandas as pd
import yaml

from tinyemo.data.instructions import Instruction
from tinyemo.data.photos import PHOTO_SETS
from tinyemo.emoreason.dataset_card import dataset_card, write_parts

COMPOSITION = pd.DataFrame(
    {"part": ["finetuning"], "split": ["train"], "task": ["reasoning"], "records": [12_345]}
)
DROPS = pd.DataFrame({"task": ["reasoning"], "reason": ["refusal"], "dropped": [67]})


def card(datasets, teacher="a model"):
    return dataset_card(
        "Toy",
        COMPOSITION.assign(teacher=teacher),
        DROPS,
        {"precision": 0.9876},
        datasets,
        "toys/images",
        "make toys",
    )


def test_every_record_lies_in_the_file_of_its_part_and_split(tmp_path):
    def one(image, task):
        return Instruction(
            f"{image}#{task}",
            f"{image}.png",
            (("<image>\nWhat?", "A rose."),),
            task,
            "joy",
            "a model",
        )

    (tmp_path / "held_out_test.json").write_text("[]")  # of an earlier run
    (tmp_path / "metrics.json").write_text("{}")
    parts = {
        "pretraining": [one("a", "caption"), one("b", "caption")],
        "finetuning": [one("a", "reasoning")],
    }
    about = write_parts(parts, {"a": "train", "b": "validation"}, tmp_path)
    held = {
        path.name: [record["id"] for record in json.loads(path.read_text())]
        for path in tmp_path.glob("*_*.json")
    }
    assert held == {
        "pretraining_train.json": ["a#caption"],
        "pretraining_validation.json": ["b#caption"],
        "finetuning_train.json": ["a#reasoning"],
    }
    assert (tmp_path / "metrics.json").exists()
    assert about.equals(pd.read_parquet(tmp_path / "about.parquet"))
    assert about.groupby("file")["id"].agg(list).to_dict() == held
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
    _, front, _ = card(["scenes"], "scene grammar").split("---\n", 2)
    about = yaml.safe_load(front)
    assert about["language"] == "en" and about["license"] == "apache-2.0"
    assert (
        about["size_categories"] == "10K<n<100K"
        and "image-text-to-text" in about["task_categories"]
    )


def test_it_states_composition_drops_prompts_licences_and_limits():
    text = card(["EmoSet", "WEBEmo"])
    for said in (
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
        "nobody has read them all",
        "toys/images",
    ):
        assert said in text, said
    assert "license: other" in text and "drawn scenes" not in text


def test_pictures_and_texts_have_limits_of_their_own():
    told, written, own = (
        card(["scenes"], "scene grammar"),
        card(["scenes-ekman"]),
        card(["my_photos"]),
    )
    assert (
        "drawn scenes" in told and "come from a grammar" in told and "license: apache-2.0" in told
    )
    assert (
        "drawn scenes" in written and "written by a model" in written and "grammar" not in written
    )
    assert (
        "drawn" not in own and "license: other" in own and "my_photos: unknown to this code" in own
    )
