"""Split tensors: features, labels and soft labels of a split, in the order of the label set."""

import pandas as pd
import torch

from tinyemo.data.records import check_records
from tinyemo.emotions import labels_of
from tinyemo.features.split_tensors import SplitTensors, concatenated, known_items, split_tensors
from tinyemo.features.store import FeatureStore


def test_parrott_records_become_the_tensors_of_ekman(tmp_path):
    rows = [
        ("train", "rage", {"rage": 0.5, "horror": 0.25, "lust": 0.25}),
        ("train", "lust", {"lust": 1.0}),
        ("validation", "pride", {"pride": 1.0}),
        ("test", "horror", {"horror": 1.0}),
    ]
    table = pd.DataFrame(rows, columns=["split", "label", "shares"])
    for word in labels_of("parrott"):
        table[f"p_{word}"] = [shares.get(word, 0.0) for shares in table["shares"]]
    table["id"] = [f"s/{i}" for i in range(len(rows))]
    table = table.drop(columns="shares").assign(dataset="s", label_set="parrott")
    records = check_records(table)
    store = FeatureStore.write(tmp_path, records["id"], torch.arange(8.0).view(4, 2))
    parts = split_tensors(records, store, "ekman")
    train = parts["train"]
    assert list(train.records["id"]) == ["s/0"]  # lust has no counterpart among the six
    assert train.x.tolist() == [[0.0, 1.0]] and train.y.tolist() == [0]
    assert torch.allclose(train.soft_labels, torch.tensor([[2 / 3, 0, 1 / 3, 0, 0, 0]]))
    both = concatenated(train, parts["validation"])
    assert both.x.tolist() == [[0.0, 1.0], [4.0, 5.0]]
    assert [labels_of("ekman")[y] for y in both.y] == ["anger", "joy"]


def test_without_annotators_shares_soft_labels_are_one_hot(tmp_path):
    table = pd.DataFrame({"id": ["a/1"], "dataset": "a", "split": "test", "label": ["joy"]})
    records = check_records(table.assign(label_set="ekman"))
    store = FeatureStore.write(tmp_path, ["a/1"], torch.ones(1, 2))
    test = split_tensors(records, store, "ekman")["test"]
    assert test.soft_labels.tolist() == [[0, 0, 0, 1, 0, 0]]


def part(dataset: str, split: str, labels: list[int], first: float) -> SplitTensors:
    """Items of one split, whose features are numbers from `first` on."""
    items = len(labels)
    records = pd.DataFrame({"id": [f"{dataset}/{split}{i}" for i in range(items)]})
    x = torch.arange(first, first + items)[:, None]
    return SplitTensors(records, x, torch.tensor(labels), torch.ones(items, 8) / 8)


def test_items_of_all_datasets_of_a_label_set_are_known():
    parts = {
        "EmoSet": {
            "train": part("EmoSet", "train", [0, 1], 0.0),
            "validation": part("EmoSet", "validation", [2], 10.0),
            "test": part("EmoSet", "test", [3], 90.0),
        },
        "FI": {"train": part("FI", "train", [1], 20.0), "validation": part("FI", "v", [0], 30.0)},
        "Emotion6": {"train": part("Emotion6", "train", [5], 40.0)},
        "unused": {"train": part("unused", "train", [5], 50.0)},
    }
    sets = {"EmoSet": "mikels", "FI": "mikels", "Emotion6": "ekman", "unused": "mikels"}
    known = known_items(parts, sets, ["EmoSet", "FI", "Emotion6"])
    assert list(known) == ["mikels", "ekman"]
    assert known["mikels"].x.flatten().tolist() == [0.0, 1.0, 10.0, 20.0, 30.0]
    assert known["mikels"].y.tolist() == [0, 1, 2, 1, 0]
    assert known["ekman"].x.flatten().tolist() == [40.0]
    alone = known_items(parts, sets, ["FI"])["mikels"]
    assert alone.x.flatten().tolist() == [20.0, 30.0]
    other_order = known_items(parts, sets, ["FI", "EmoSet", "FI"])["mikels"]
    assert other_order.x.flatten().tolist() == [20.0, 30.0, 0.0, 1.0, 10.0]
    assert known_items(parts, sets, []) == {}
