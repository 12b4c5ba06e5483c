"""features/loading.py: one call, the same records, whichever way the features come."""

import shutil

import pandas as pd
import pytest
import torch
from upstream_tree import save_tree

from tinyemo.data.records import write_records
from tinyemo.features.loading import load_features
from tinyemo.features.pt_trees import import_pt_tree


@pytest.fixture
def tree(tmp_path, monkeypatch):
    monkeypatch.setenv("TINYEMO_DATA", str(tmp_path / "data"))
    save_tree(
        tmp_path / "in/Emotion6/Emotion6/images", "ekman", train=10
    )  # validation repeats test
    return tmp_path / "in"


def test_a_tree_and_a_run_of_01_give_the_same_repaired_records(tree, tmp_path):
    records, store, found, repetitions = load_features(tree, 0.2)
    assert len(found) == 12 and repetitions[0].startswith(
        "validation is contained in test: 12 of 12"
    )
    assert records["split"].value_counts().to_dict() == {"train": 48, "validation": 12, "test": 12}
    assert records[records["split"] == "validation"]["id"].str.contains("/train/").all()
    run = tmp_path / "01_feature_extraction"
    raw, imported = import_pt_tree(tree, tmp_path)
    shutil.copytree(imported.folder, run / "features")
    write_records(raw, run / "records.parquet")
    again, same, _, _ = load_features(run, 0.2)
    pd.testing.assert_frame_equal(again, records)
    assert torch.equal(same.rows(again["id"]), store.rows(records["id"]))


def test_a_folder_that_is_neither_tree_nor_run_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nothing_here"):
        load_features(tmp_path / "nothing_here")
