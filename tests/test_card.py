"""The dataset card says what the data consist of, and a hub can read its front matter."""

import pandas as pd
import yaml

from tinyemo.data.card import dataset_card
from tinyemo.data.photos import PHOTO_SETS

COMPOSITION = pd.DataFrame({"part": ["finetuning"], "split": ["train"], "task": ["reasoning"], "records": [12_345]})
DROPS = pd.DataFrame({"task": ["reasoning"], "reason": ["refusal"], "dropped": [67]})


def card(datasets):
    return dataset_card("Toy", COMPOSITION, DROPS, {"precision": 0.9876}, datasets, ["a model"], "make toys")


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
