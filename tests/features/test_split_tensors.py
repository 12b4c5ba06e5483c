"""Split tensors: features, labels and soft labels of a split, in the order of the label set."""

import pandas as pd
import torch

from tinyemo.data.records import check_records
from tinyemo.emotions import labels_of
from tinyemo.features.split_tensors import concatenated, split_tensors
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
