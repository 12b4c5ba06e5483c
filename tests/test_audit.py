"""The audit: it finds what parts and datasets share, and raises no false alarm."""

import time

import numpy as np
import pandas as pd
import pytest
from test_records import table

from tinyemo.data.audit import audit, audit_verdict, repair_splits
from tinyemo.data.records import check_records


def leaky(tmp_path) -> tuple[pd.DataFrame, np.ndarray]:
    """40 train, 10 validation, 10 test: one training file is a test file under another name, and every
    validation item has the features of a test item, in another order."""
    rng = np.random.default_rng(0)
    features = rng.normal(size=(60, 8)).astype(np.float16)
    features[40:50] = features[59:49:-1]
    records = check_records(table(60).assign(split=["train"] * 40 + ["validation"] * 10 + ["test"] * 10))
    for row in range(60):
        (tmp_path / f"{row}.jpg").write_bytes(rng.bytes(64))
    (tmp_path / "7.jpg").write_bytes((tmp_path / "55.jpg").read_bytes())
    return records.assign(image=[str(tmp_path / f"{row}.jpg") for row in range(60)]), features


def test_audit_finds_identical_files_and_features_whatever_their_names(tmp_path):
    records, features = leaky(tmp_path)
    found = audit(records, features)
    files = found[found["kind"] == "files"]
    assert files[["split_a", "split_b", "id_a", "id_b"]].to_numpy().tolist() == [
        ["train", "test", "toy/000007", "toy/000055"]]
    rows = found[found["kind"] == "features"]
    assert dict(zip(rows["id_a"], rows["id_b"], strict=True)) == {
        f"toy/{40 + i:06d}": f"toy/{59 - i:06d}" for i in range(10)}
    assert audit_verdict(records, found) == [
        "train shares items with test: 1 of 40 train items have identical files in test",
        "validation repeats test: 10 of 10 validation items have identical features in test"]
    clean = records[(records["split"] == "train") & (records.index != 7)]
    assert audit_verdict(clean, audit(clean)) == ["no item of one split is identical to an item of another"]


def test_repair_keeps_test_and_gives_a_clean_validation_part(tmp_path):
    records, features = leaky(tmp_path)
    repaired = repair_splits(records, audit(records, features), validation_fraction=0.2, seed=0)
    assert repaired["split"].value_counts().to_dict() == {"train": 31, "test": 10, "validation": 8}
    assert set(repaired[repaired["split"] == "validation"]["id"]) < {f"toy/{i:06d}" for i in range(40)}
    kept = features[records["id"].isin(repaired["id"])]
    assert audit(repaired, kept).empty


def test_audit_scales_to_a_hundred_thousand_rows_even_if_all_are_equal():
    records = check_records(table(100_000)).assign(split=np.repeat(["train", "test"], 50_000))
    start = time.perf_counter()
    assert len(audit(records, np.zeros((100_000, 16), np.float32))) == 50_000
    assert time.perf_counter() - start < 20  # all pairs would be 2.5e9 rows
    with pytest.raises(ValueError, match="99999 feature rows for 100000 records"):
        audit(records, np.zeros((99_999, 16)))
