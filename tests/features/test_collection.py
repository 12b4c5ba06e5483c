"""A collection comes back from its folder as it was saved, and says what is missing."""

import pandas as pd
import pytest
import torch

from tinyemo.data.records import check_records
from tinyemo.features.collection import Collection
from tinyemo.features.store import FeatureStore


def collection(folder):
    rows = [
        (f"{name}/{split}/{i}", name, split, label, label_set)
        for name, label_set, labels in (
            ("A", "ekman", ("joy", "anger")),
            ("B", "mikels", ("awe", "fear")),
        )
        for split in ("train", "test")
        for i, label in enumerate(labels)
    ]
    records = check_records(
        pd.DataFrame(rows, columns=["id", "dataset", "split", "label", "label_set"])
    )
    stores = {
        name: FeatureStore.write(
            folder / name, table["id"], torch.arange(len(table) * 3.0).view(-1, 3)
        )
        for name, table in records.groupby("dataset")
    }
    pairs = pd.DataFrame({"id_a": ["A/train/0"], "id_b": ["B/test/1"], "similarity": [0.99]})
    encoder = {"name": "ViT-B-16", "pretrained": None}
    return Collection(records, stores, pairs, {"C": "C is not here; ask its authors"}, encoder)


def test_a_saved_collection_is_read_unchanged(tmp_path):
    saved = collection(tmp_path / "stores")
    opened = Collection.open(saved.save(tmp_path / "run"))
    pd.testing.assert_frame_equal(opened.records, saved.records)
    pd.testing.assert_frame_equal(opened.duplicates, saved.duplicates)
    assert opened.absent == saved.absent and opened.encoder == saved.encoder
    assert opened.label_sets == {"A": "ekman", "B": "mikels"}
    assert torch.equal(opened.parts["B"]["test"].x, torch.tensor([[6.0, 7, 8], [9, 10, 11]]))
    assert opened.parts["B"]["test"].y.tolist() == [2, 6]  # awe and fear among Mikels' eight


def test_missing_and_damaged_files_are_named(tmp_path):
    saved = collection(tmp_path / "stores")
    with pytest.raises(
        ValueError, match="dataset 'C' is not in the collection: C is not here; ask its authors"
    ):
        saved.require(["A", "C"])
    with pytest.raises(FileNotFoundError, match="no collection of datasets"):
        Collection.open(tmp_path / "nowhere")
    folder = saved.save(tmp_path / "run")
    (folder / "collection.json").write_text("{}")
    with pytest.raises(
        ValueError, match="collection.json: expected JSON with stores, absent and encoder"
    ):
        Collection.open(folder)
