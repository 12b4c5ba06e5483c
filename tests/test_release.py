"""Files hold their records, and the card says what the data consist of."""

import json

import pandas as pd
import yaml

from tinyemo.data.instructions import Instruction
from tinyemo.data.photos import PHOTO_SETS
from tinyemo.data.release import dataset_card, write_parts

COMPOSITION = pd.DataFrame({"part": ["finetuning"], "split": ["train"], "task": ["reasoning"], "teacher": ["a model"],
                            "records": [12_345]})
DROPS = pd.DataFrame({"task": ["reasoning"], "reason": ["refusal"], "dropped": [67]})


def card(datasets):
    return dataset_card("Toy", COMPOSITION, DROPS, {"precision": 0.9876}, datasets, "make toys")


def test_every_record_lies_in_the_file_of_its_part_and_split(tmp_path):
    def one(image, task):
        return Instruction(f"{image}#{task}", f"{image}.png", (("<image>\nWhat?", "A rose."),), task, "joy", "a model")

    parts = {"pretraining": [one("a", "caption"), one("b", "caption")], "finetuning": [one("a", "reasoning")]}
    about = write_parts(parts, {"a": "train", "b": "validation"}, tmp_path)
    held = {path.name: [record["id"] for record in json.loads(path.read_text())] for path in tmp_path.glob("*.json")}
    assert held == {"pretraining_train.json": ["a#caption"], "pretraining_validation.json": ["b#caption"],
                    "finetuning_train.json": ["a#reasoning"]}
    assert about.equals(pd.read_parquet(tmp_path / "about.parquet"))
    assert about.groupby("file")["id"].agg(list).to_dict() == held
    assert about.iloc[0].tolist() == ["a#caption", "pretraining", "train", "caption", "joy", "a model",
                                      "pretraining_train.json"]


def test_the_front_matter_is_what_hubs_read():
    _, front, _ = card(["scenes"]).split("---\n", 2)
    about = yaml.safe_load(front)
    assert about["language"] == "en" and about["license"] == "apache-2.0"
    assert about["size_categories"] == "10K<n<100K" and "image-text-to-text" in about["task_categories"]


def test_it_states_composition_drops_prompts_licences_and_limits():
    text = card(["EmoSet", "WEBEmo"])
    for said in ("12,345 records", "refusal", "67", "0.9876", "a model", "make toys", PHOTO_SETS["EmoSet"].licence,
                 PHOTO_SETS["WEBEmo"].licence, "Important: note that the correct label is fear.", "Labels: [",
                 "nobody has read them all"):
        assert said in text, said
    assert "license: other" in text and "drawn scenes" not in text
    assert "drawn scenes" in card(["scenes"])
