"""The audit: identical items of two splits, repaired splits, and statuses on test parts."""

import math
import time

import numpy as np
import pandas as pd
import pytest
from toy_records import records_in_parts, table

from tinyemo.data.audit import (
    FALSE_ALARMS,
    SIGNIFICANCE,
    audit,
    audit_sentences,
    contaminated_ids,
    repair_splits,
    statuses,
)
from tinyemo.data.duplicates import find_duplicates
from tinyemo.data.records import check_records
from tinyemo.features.pt_trees import import_pt_tree


def leaky(tmp_path) -> tuple[pd.DataFrame, np.ndarray]:
    """Records and features of 40 train, 10 validation and 10 test items, with two leaks.

    One training file is a test file under another name, and every validation item has the features
    of a test item, in another order.
    """
    rng = np.random.default_rng(0)
    features = rng.normal(size=(60, 8)).astype(np.float16)
    features[40:50] = features[59:49:-1]
    splits = ["train"] * 40 + ["validation"] * 10 + ["test"] * 10
    records = check_records(table(60).assign(split=splits))
    for row in range(60):
        (tmp_path / f"{row}.jpg").write_bytes(rng.bytes(64))
    (tmp_path / "7.jpg").write_bytes((tmp_path / "55.jpg").read_bytes())
    paths = [str(tmp_path / f"{row}.jpg") for row in range(60)]
    return records.assign(image=paths), features


def test_audit_finds_identical_files_and_features_whatever_their_names(tmp_path):
    records, features = leaky(tmp_path)
    found = audit(records, features)
    files = found[found["kind"] == "files"]
    assert files[["split_a", "split_b", "id_a", "id_b"]].to_numpy().tolist() == [
        ["train", "test", "toy/000007", "toy/000055"]
    ]
    rows = found[found["kind"] == "features"]
    assert dict(zip(rows["id_a"], rows["id_b"], strict=True)) == {
        f"toy/{40 + i:06d}": f"toy/{59 - i:06d}" for i in range(10)
    }
    assert audit_sentences(records, found) == [
        "train shares items with test: 1 of 40 items have identical files",
        "validation is contained in test: 10 of 10 items have identical features",
    ]
    clean = records[(records["split"] == "train") & (records.index != 7)]
    assert audit_sentences(clean, audit(clean)) == [
        "no item of one split is identical to an item of another"
    ]


def test_repair_keeps_test_and_gives_a_clean_validation_part(tmp_path):
    records, features = leaky(tmp_path)
    repaired = repair_splits(records, audit(records, features), validation_fraction=0.2, seed=0)
    assert repaired["split"].value_counts().to_dict() == {"train": 31, "test": 10, "validation": 8}
    validation = repaired[repaired["split"] == "validation"]
    assert set(validation["id"]) < {f"toy/{i:06d}" for i in range(40)}
    kept = features[records["id"].isin(repaired["id"])]
    assert audit(repaired, kept).empty


def test_repair_removes_what_bytes_or_pixels_prove_and_keeps_near_features():
    records = records_in_parts(("own", "train", 5), ("own", "validation", 2), ("own", "test", 5))
    near = near_copies(2, "near features")
    proven = near_copies(4, "near files").iloc[2:]
    repaired = repair_splits(records, pd.concat([near, proven], ignore_index=True))
    assert set(records["id"]) - set(repaired["id"]) == {"own/train/2", "own/train/3"}


def test_audit_scales_to_a_hundred_thousand_rows_even_if_all_are_equal():
    records = check_records(table(100_000)).assign(split=np.repeat(["train", "test"], 50_000))
    start = time.perf_counter()
    assert len(audit(records, np.zeros((100_000, 16), np.float32))) == 50_000
    assert time.perf_counter() - start < 20  # a table of all pairs would have 2.5e9 rows
    with pytest.raises(ValueError, match="99999 feature rows for 100000 records"):
        audit(records, np.zeros((99_999, 16)))


def test_verdicts_are_clean_contaminated_or_unknown_with_a_reason():
    records = records_in_parts(
        ("Emotion6", "train", 2),
        ("Emotion6", "validation", 2),
        ("Emotion6", "test", 4),
        ("FI", "test", 5),
        ("WEBEmo", "train", 3),
    )
    records.loc[records["dataset"] == "FI", ["label", "label_set"]] = ["awe", "mikels"]
    x = np.random.default_rng(0).normal(size=(len(records), 64)).astype(np.float32)
    x[4] = x[2]  # an own validation item is a test item
    x[9] = x[14]  # a test item of FI is a training item of WEBEmo
    found = find_duplicates(records, x)
    overlaps = {"EmotionROI": ("Emotion6",)}

    def judge(*trained_on):
        table = statuses(records, found, trained_on, ["joy", "awe", "fear"], overlaps)
        rows = table.set_index("dataset")
        return [(row["status"], row["contaminated"]) for _, row in rows.iterrows()], rows

    assert judge()[0] == [("clean", 0), ("clean", 0)]
    assert judge("WEBEmo")[0] == [("clean", 0), ("contaminated", 1)]
    assert judge("Emotion6")[0] == [("contaminated", 1), ("clean", 0)]
    # EmotionROI is not in the records: only its known overlap with Emotion6 can be reported
    (emotion6, fi), rows = judge("EmotionROI")
    assert emotion6[0] == "contaminated" and fi[0] == "unknown"
    assert rows[["contaminated", "share"]].isna().all(axis=None)
    assert all("EmotionROI" in why for why in rows["why"])
    (_, fi), rows = judge("WEBEmo", "EmoSet")
    assert fi == ("contaminated", 1) and "EmoSet" in rows["why"]["FI"]
    assert rows["share"]["FI"] == 1 / 5
    # trained words: joy and fear of Ekman's six, awe and fear of Mikels' eight
    assert rows[["words", "words_trained"]].to_numpy().tolist() == [[6, 2], [8, 2]]


def near_copies(number: int, kind: str) -> pd.DataFrame:
    """Pairs of the first `number` training items and test items of a dataset."""
    ids = {"id_a": [f"own/train/{i}" for i in range(number)]}
    ids["id_b"] = [f"own/test/{i}" for i in range(number)]
    place = {"dataset_a": "own", "split_a": "train", "dataset_b": "own", "split_b": "test"}
    return pd.DataFrame({"kind": kind, **place, **ids, "similarity": 0.98})


def test_a_few_near_copies_are_no_contamination_where_as_many_false_alarms_are_expected():
    records = records_in_parts(("own", "train", 970), ("own", "test", 416))
    expected = 970 * 416 * FALSE_ALARMS["near features"]
    assert 1 < expected < 10

    def judge(number: int, kind: str = "near features") -> pd.Series:
        return statuses(records, near_copies(number, kind), ["own"], [], {}).iloc[0]

    words = [judge(number)["status"] for number in range(30)]
    # the Poisson tail, written out: P(at least k) = 1 - sum over i < k of e^-m m^i / i!
    terms = [math.exp(-expected) * expected**i / math.factorial(i) for i in range(30)]
    tail = [1 - sum(terms[:k]) for k in range(30)]
    assert words[0] == "clean"
    assert words[1:] == ["contaminated" if p < SIGNIFICANCE else "cannot tell" for p in tail[1:]]
    row = judge(2)
    assert row["expected_false_alarms"] == pytest.approx(expected)
    assert (row["contaminated"], row["share"]) == (2, 2 / 416)
    assert row["why"].startswith("2 of 416 test items have near copies")
    # the same bytes or the same features are no false alarm
    assert judge(1, "files")["status"] == judge(1, "features")["status"] == "contaminated"


def test_pictures_have_fewer_false_alarms_than_features():
    records = records_in_parts(("own", "train", 1000), ("own", "test", 400))
    pictured = records.assign(image="x.png")
    by_features = statuses(records, near_copies(4, "near features"), ["own"], [], {}).iloc[0]
    by_pixels = statuses(pictured, near_copies(4, "near files"), ["own"], [], {}).iloc[0]
    assert by_features["status"] == "cannot tell" and by_pixels["status"] == "contaminated"
    assert by_pixels["expected_false_alarms"] == 400_000 * FALSE_ALARMS["near files"]


def test_emotion6_photographs_repeat_in_validation_and_give_few_false_alarms(test_data, tmp_path):
    records, store = import_pt_tree(test_data / "emotion6_clip_l14", tmp_path / "store")
    x = store.rows(records["id"])
    test = set(records["id"][records["split"] == "test"])
    assert len(audit(records, x)) == 416
    found = find_duplicates(records, x)
    assert contaminated_ids(records, found, ["Emotion6"]) == test
    kept = (records["split"] != "validation").to_numpy()
    rest = records[kept].reset_index(drop=True)
    pairs = find_duplicates(rest, x[kept.tolist()])
    assert len(contaminated_ids(rest, pairs, ["Emotion6"])) < 0.01 * len(test)
    # two pairs of different photographs: no more than false alarms explain
    assert statuses(rest, pairs, ["Emotion6"], [], {})["status"].tolist() == ["cannot tell"]
    # the collection of notebook 09 is repaired with all pairs, the features of notebook 02 with the
    # identical ones only: the items and the status are the same
    every = find_duplicates(records, x)
    collected = repair_splits(records, every)
    alone = repair_splits(records, audit(records, x))
    assert collected["id"].tolist() == alone["id"].tolist()
    tables = [statuses(collected, found, ["Emotion6"], [], {}) for found in (every, pairs)]
    assert [table["status"].item() for table in tables] == 2 * ["cannot tell"]
    assert tables[0]["contaminated"].item() == tables[1]["contaminated"].item()
