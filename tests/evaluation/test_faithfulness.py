"""Faithfulness of texts: the table agrees with a count by hand."""

import pandas as pd
import pytest

from emoscenes import checker
from tinyemo.data.instructions import Instruction
from tinyemo.evaluation.faithfulness import faithfulness

SCENE = {
    "background": "graveyard",
    "weather": "fog",
    "time": "night",
    "object": "ghost",
    "expression": "wide-eyed",
    "action": "crouching",
    "style": "photo",
    "brightness": 0.1,
    "colorfulness": 0.1,
}


def item(task, answer, label="", suffix=""):
    return Instruction(
        f"toy/1#{task}{suffix}", "1.png", (("<image>\nWhy?", answer),), task, label, "by hand"
    )


def test_mentions_faults_and_named_evidence_are_counted():
    records = pd.DataFrame(
        [{"id": "toy/1", "label_set": "parrott", **{f"attr_{k}": v for k, v in SCENE.items()}}]
    )
    two = [("object", "ghost"), ("background", "graveyard")]

    def evidence(attributes, label, label_set):
        assert attributes["object"] == "ghost" and label_set == "parrott"
        return {"horror": two, "nervousness": two[1:]}[label]

    table = faithfulness(
        [
            item("caption", "A ghost in a graveyard."),  # two things
            item("caption", "A guitar in a graveyard.", suffix="2"),  # two, one invented
            item("reasoning", "The ghost and the graveyard bring horror.", "horror"),
            item("reasoning", "The ghost brings horror.", "horror", "2"),  # one of two
            item(
                "reasoning", "The graveyard brings nervousness.", "nervousness", "3"
            ),  # one of one
            item("reasoning", "The ghost brings joy.", "horror", "4"),  # another emotion is felt
        ],
        records,
        evidence,
        checker,
    )
    assert table.loc["caption", ["texts", "mentions", "faulty", "precision"]].tolist() == [
        2,
        4,
        0.5,
        0.75,
    ]
    assert table.loc["reasoning", ["texts", "mentions", "faulty"]].tolist() == [4, 5, 0.25]
    assert table.loc["reasoning", ["precision", "named", "two_named"]].tolist() == pytest.approx(
        [0.8, 1.25, 1 / 3]
    )
    assert table.loc["caption", ["named", "two_named"]].isna().all()
    assert table["unknown"].sum() == 0
