"""A store belongs to its key: runs keep the features that they used, also in moved results."""

import json
import os
import shutil

import pandas as pd
import pytest
import torch
from upstream_tree import save_tree

from tinyemo.data.records import check_records, read_records, write_records
from tinyemo.features.collection import Collection
from tinyemo.features.loading import load_features, load_used_features, save_used_features
from tinyemo.features.store import FeatureStore
from tinyemo.paths import portable, resolved


@pytest.fixture
def results(tmp_path, monkeypatch):
    """The results folder; results and data are named by the environment."""
    monkeypatch.setenv("TINYEMO_RESULTS", str(tmp_path / "runs"))
    monkeypatch.setenv("TINYEMO_DATA", str(tmp_path / "data"))
    return tmp_path / "runs" / "tiny"


def same_files_other_features(tmp_path):
    """Two trees whose last folder has one name, with equal ids, sizes and times of files."""
    trees = [tmp_path / "vit-l-14" / "FI", tmp_path / "vit-l-14-336" / "FI"]
    save_tree(trees[0] / "Emotion6", "ekman")
    shutil.copytree(trees[0], trees[1])
    for file in trees[1].rglob("*.pt"):
        original = trees[0] / file.relative_to(trees[1])
        torch.save(torch.load(original) + 1, file)
        times = original.stat()
        os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    return trees


def test_trees_with_one_last_folder_have_stores_of_their_own(results, tmp_path):
    first, second = same_files_other_features(tmp_path)
    records, store, _, _ = load_features(first)
    save_used_features(results / "02", records, store)
    before = store.rows(records["id"]).clone()
    others, other, _, _ = load_features(second)
    assert (other.rows(others["id"]) - store.rows(others["id"])).abs().min() > 0.9
    kept_records, kept = load_used_features(results / "02")
    assert torch.equal(kept.rows(records["id"]), before)
    pd.testing.assert_frame_equal(kept_records, records)


def test_a_changed_tree_does_not_change_what_an_earlier_run_used(results, tmp_path):
    save_tree(tmp_path / "in" / "Emotion6", "ekman")
    records, store, _, _ = load_features(tmp_path / "in")
    save_used_features(results / "02", records, store)
    before = store.rows(records["id"]).clone()
    torch.save(torch.ones(8).half(), tmp_path / "in/Emotion6/train/joy/0.pt")
    _, now, _, _ = load_features(tmp_path / "in")
    assert (now.rows(["Emotion6/train/joy/0"]) == 1).all()
    assert torch.equal(load_used_features(results / "02")[1].rows(records["id"]), before)


def one_store(folder, value=1.0, key="first"):
    return FeatureStore.write(folder, ["a"], torch.full((1, 4), value), meta={"key": key})


def table(image):
    row = {"id": "a", "dataset": "own", "split": "test", "label": "joy", "label_set": "ekman"}
    return check_records(pd.DataFrame([row | {"image": str(image)}]))


def collection(store, results):
    pairs = pd.DataFrame({"id_a": []})
    encoder = {"name": f"local-dir:{results / '00' / 'clip'}", "pretrained": None}
    return Collection(table(results / "00" / "a.png"), {"own": store}, pairs, {}, encoder)


def test_a_run_refuses_features_with_another_key_than_it_recorded(results):
    store = one_store(results / "01" / "features")
    save_used_features(results / "02", table(""), store)
    collection(store, results).save(results / "09")
    one_store(results / "01" / "features", 2.0, key="second")  # notebook 01 ran with other images
    for read, folder in ((load_used_features, "02"), (Collection.open, "09")):
        with pytest.raises(ValueError, match="'first' of .*01/features.*'second' now") as caught:
            read(results / folder)
        assert "\n" not in str(caught.value) and f"make {results / folder} again" in str(
            caught.value
        )


def test_a_copy_of_results_reads_its_own_features_and_images(results, tmp_path):
    store = one_store(results / "01" / "features")
    save_used_features(results / "02", table(results / "00" / "a.png"), store)
    collection(store, results).save(results / "09")
    copy = tmp_path / "copy"
    shutil.copytree(results, copy / "tiny")
    shutil.rmtree(results)
    records, features = load_used_features(copy / "tiny" / "02")
    assert features.folder == copy / "tiny" / "01" / "features"
    assert records["image"].tolist() == [str(copy / "tiny" / "00" / "a.png")]
    collected = Collection.open(copy / "tiny" / "09")
    assert collected.stores["own"].folder == copy / "tiny" / "01" / "features"
    assert collected.encoder["name"] == f"local-dir:{copy / 'tiny' / '00' / 'clip'}"
    assert collected.records["image"].tolist() == records["image"].tolist()


def test_a_moved_data_folder_is_found_by_its_variable(results, tmp_path, monkeypatch):
    write_records(table(tmp_path / "data" / "scenes" / "a.png"), results / "00/records.parquet")
    monkeypatch.setenv("TINYEMO_DATA", str(tmp_path / "elsewhere"))
    (image,) = read_records(results / "00" / "records.parquet")["image"]
    assert image == str(tmp_path / "elsewhere" / "scenes" / "a.png")


def test_other_paths_stay_as_they_are(results, tmp_path):
    given = ["", "relative/a.png", "/photos/a.png", str(tmp_path / "runs-of-others" / "a.png")]
    assert portable(given, results / "01") == resolved(given, results / "01") == given
    outside = tmp_path / "out"  # of `tinyemo run --out`: it may be moved alone
    assert portable([outside / "features"], outside) == ["$HERE/features"]
    assert portable([results / "01"], outside) == [str(results / "01")]
    assert resolved(["$HERE/features"], outside) == [str(outside / "features")]


def test_an_older_run_without_a_recorded_store_is_named(results):
    write_records(table(""), results / "02" / "records.parquet")
    with pytest.raises(FileNotFoundError, match="02/store.json is missing: make .*02 again"):
        load_used_features(results / "02")


def test_the_record_of_a_store_holds_no_path_of_this_machine(results):
    save_used_features(results / "02", table(""), one_store(results / "01" / "features"))
    recorded = json.loads((results / "02" / "store.json").read_text())
    assert recorded == {"folder": "$HERE/../01/features", "key": "first"}
