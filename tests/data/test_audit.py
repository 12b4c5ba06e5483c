"""The audit: it finds what parts and datasets share, planted or shipped, and raises no false alarm."""

import time

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from toy_records import table

from emoscenes.drawing.image_files import draw_records
from emoscenes.scenes import make_records
from tinyemo.data.audit import (
    COLUMNS,
    COSINE,
    audit,
    audit_verdict,
    contaminated_ids,
    find_duplicates,
    repair_splits,
    verdicts,
)
from tinyemo.data.records import check_records
from tinyemo.features.upstream import import_pt_tree


def leaky(tmp_path) -> tuple[pd.DataFrame, np.ndarray]:
    """40 train, 10 validation, 10 test: one training file is a test file under another name, and every
    validation item has the features of a test item, in another order."""
    rng = np.random.default_rng(0)
    features = rng.normal(size=(60, 8)).astype(np.float16)
    features[40:50] = features[59:49:-1]
    records = check_records(
        table(60).assign(split=["train"] * 40 + ["validation"] * 10 + ["test"] * 10)
    )
    for row in range(60):
        (tmp_path / f"{row}.jpg").write_bytes(rng.bytes(64))
    (tmp_path / "7.jpg").write_bytes((tmp_path / "55.jpg").read_bytes())
    return records.assign(image=[str(tmp_path / f"{row}.jpg") for row in range(60)]), features


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
    assert audit_verdict(records, found) == [
        "train shares items with test: 1 of 40 train items have identical files in test",
        "validation repeats test: 10 of 10 validation items have identical features in test",
    ]
    clean = records[(records["split"] == "train") & (records.index != 7)]
    assert audit_verdict(clean, audit(clean)) == [
        "no item of one split is identical to an item of another"
    ]


def test_repair_keeps_test_and_gives_a_clean_validation_part(tmp_path):
    records, features = leaky(tmp_path)
    repaired = repair_splits(records, audit(records, features), validation_fraction=0.2, seed=0)
    assert repaired["split"].value_counts().to_dict() == {"train": 31, "test": 10, "validation": 8}
    assert set(repaired[repaired["split"] == "validation"]["id"]) < {
        f"toy/{i:06d}" for i in range(40)
    }
    kept = features[records["id"].isin(repaired["id"])]
    assert audit(repaired, kept).empty


def test_audit_scales_to_a_hundred_thousand_rows_even_if_all_are_equal():
    records = check_records(table(100_000)).assign(split=np.repeat(["train", "test"], 50_000))
    start = time.perf_counter()
    assert len(audit(records, np.zeros((100_000, 16), np.float32))) == 50_000
    assert time.perf_counter() - start < 20  # all pairs would be 2.5e9 rows
    with pytest.raises(ValueError, match="99999 feature rows for 100000 records"):
        audit(records, np.zeros((99_999, 16)))


# ---- near duplicates


def parts(*sizes: tuple[str, str, int]) -> pd.DataFrame:
    """Records without images: so many items of each (dataset, split, size)."""
    rows = [
        (dataset, split, f"{dataset}/{split}/{i}") for dataset, split, n in sizes for i in range(n)
    ]
    named = pd.DataFrame(rows, columns=["dataset", "split", "id"])
    return check_records(named.assign(label="joy", label_set="ekman"))


def unit(x: np.ndarray) -> np.ndarray:
    return (x / np.linalg.norm(x, axis=-1, keepdims=True)).astype(np.float32)


def test_copies_saved_smaller_and_as_jpeg_are_found_and_scenes_alike_are_not(tmp_path):
    # seeds 11 and 17 chose the threshold
    train, train_scenes = make_records(1000, 0, 0, seed=901, dataset="web")
    test, test_scenes = make_records(0, 0, 400, seed=902, dataset="own")
    records = draw_records(
        pd.concat([train, test], ignore_index=True), train_scenes + test_scenes, tmp_path
    )
    planted = records[records["split"] == "test"].sample(frac=0.05, random_state=0)
    copies = planted.assign(
        dataset="web",
        split="train",
        id=[f"web/copy/{i}" for i in range(len(planted))],
        image=[str(tmp_path / f"{i}.jpg") for i in range(len(planted))],
    )
    for i, (source, target) in enumerate(zip(planted["image"], copies["image"], strict=True)):
        side = (32, 54, 96)[i % 3]
        Image.open(source).resize((side, side), Image.Resampling.BICUBIC).save(target, quality=80)
    records = pd.concat([records, copies], ignore_index=True)
    found = find_duplicates(records)
    called = contaminated_ids(records, found, ["web"])
    assert set(planted["id"]) <= called
    assert len(called - set(planted["id"])) < 0.01 * (400 - len(planted))
    pairs = set(zip(found["id_a"], found["id_b"], strict=True))
    assert set(zip(copies["id"], planted["id"], strict=True)) <= pairs
    assert audit(records).empty  # not a byte is shared
    row = verdicts(records, found, ["web"], ["zest"], {}).iloc[0]
    assert (row["verdict"], row["contaminated"], row["words_trained"]) == (
        "contaminated",
        len(called),
        1,
    )


def test_a_large_index_finds_every_pair_that_brute_force_finds():
    rng = np.random.default_rng(5)
    sizes = (("web", "train", 24_000), ("web", "test", 1000), ("own", "test", 2000))
    x = unit(
        0.7
        + rng.normal(size=(300, 96))[rng.integers(300, size=27_000)]
        + 0.7 * rng.normal(size=(27_000, 96))
    )
    noise = unit(rng.normal(size=(600, 96)))
    x[26_000:26_600] = unit(x[:600] + 0.2 * noise)  # cosine about .98
    x[26_600:26_700] = x[600:700]
    records = parts(*sizes)
    found = find_duplicates(records, x)
    best = (x[24_000:] @ x[:24_000].T).max(1)
    ids = records["id"].to_numpy()[24_000:]
    assert (
        contaminated_ids(records, found, ["web"]) == set(ids[best >= COSINE]) >= set(ids[2000:2700])
    )
    between = found[
        (found["split_a"] == "test") & (found["split_b"] == "test")
    ]  # the two test parts
    assert set(between["id_a"]) == {
        name
        for name, near in zip(ids, (x[24_000:25_000] @ x[25_000:].T).max(1) >= COSINE, strict=False)
        if near
    }
    assert not found.duplicated(["id_a", "id_b"]).any() and tuple(found.columns) == COLUMNS
    assert (found[found["kind"] == "features"]["similarity"] == 1).all()


def test_every_test_item_of_a_crowd_is_called():
    records = parts(("web", "train", 3), ("own", "validation", 2), ("own", "test", 4))
    one, near, far = np.eye(3, dtype=np.float32)
    near = unit(one + 0.1 * near)
    x = np.stack([far, one, one, -one, -one, one, near, near, -far])
    found = find_duplicates(records, x)
    assert contaminated_ids(records, found, ["web"]) == {"own/test/0", "own/test/1", "own/test/2"}
    assert contaminated_ids(records, found, ["own"]) == set()
    assert (
        contaminated_ids(records[records["dataset"] == "own"], found, ["web"]) == set()
    )  # what is gone taught nobody
    kinds = found.groupby("id_b")["kind"].agg(set)
    assert kinds["own/test/0"] == {"features"} and kinds["own/test/1"] == {"near features"}


def test_pictures_overrule_features(tmp_path):
    rng = np.random.default_rng(0)
    paths = [str(tmp_path / f"{i}.png") for i in range(3)]
    noise = [rng.integers(0, 255, (48, 48, 3), dtype=np.uint8) for _ in range(2)]
    for path, pixels in zip(paths, [noise[0], noise[1], noise[0]], strict=True):
        Image.fromarray(pixels).resize((200, 150)).save(path)
    Image.open(paths[2]).resize((90, 120)).save(paths[2])
    records = parts(("web", "train", 1), ("own", "test", 2)).assign(image=paths)
    x = unit(1 + 0.01 * rng.normal(size=(3, 8)))  # the features of all three are alike
    found = find_duplicates(records, x)
    assert found[["kind", "id_b"]].to_numpy().tolist() == [["near files", "own/test/1"]]
    assert contaminated_ids(records, find_duplicates(records, x, images=False), ["web"]) == {
        "own/test/0",
        "own/test/1",
    }
    lost = records.assign(
        image=[paths[0], "", paths[2]]
    )  # a picture is not there: its features speak
    kinds = find_duplicates(lost, x).set_index("id_b")["kind"]
    assert kinds.drop_duplicates().to_dict() == {
        "own/test/0": "near features",
        "own/test/1": "near files",
    }


def test_what_cannot_be_compared_is_named(tmp_path):
    records = parts(("web", "train", 2), ("own", "test", 1))
    with pytest.raises(ValueError, match="'web/train/0' has neither features nor an image"):
        find_duplicates(records)
    with pytest.raises(ValueError, match="2 feature rows for 3 records"):
        find_duplicates(records, np.zeros((2, 4)))
    (tmp_path / "torn.jpg").write_bytes(b"\xff\xd8\xff and no more")
    with pytest.raises(ValueError, match="cannot read the image .*torn.jpg"):
        find_duplicates(records.assign(image=str(tmp_path / "torn.jpg")))


# ---- verdicts


def test_verdicts_say_clean_contaminated_or_unknown_and_why():
    records = parts(
        ("Emotion6", "train", 2),
        ("Emotion6", "validation", 2),
        ("Emotion6", "test", 4),
        ("FI", "test", 5),
        ("WEBEmo", "train", 3),
    )
    records.loc[records["dataset"] == "FI", ["label", "label_set"]] = ["awe", "mikels"]
    x = np.random.default_rng(0).normal(size=(len(records), 64)).astype(np.float32)
    x[4] = x[2]  # its own validation item is a test item
    x[9] = x[14]  # an item of FI stands in the training part of WEBEmo
    found = find_duplicates(records, x)
    overlaps = {"EmotionROI": ("Emotion6",)}

    def judge(*trained_on):
        rows = verdicts(records, found, trained_on, ["joy", "awe", "fear"], overlaps).set_index(
            "dataset"
        )
        return [(row["verdict"], row["contaminated"]) for _, row in rows.iterrows()], rows

    assert judge()[0] == [("clean", 0), ("clean", 0)]
    assert judge("WEBEmo")[0] == [("clean", 0), ("contaminated", 1)]
    assert judge("Emotion6")[0] == [("contaminated", 1), ("clean", 0)]
    (emotion6, fi), rows = judge("EmotionROI")  # not here: only what is known of it can be said
    assert emotion6[0] == "contaminated" and fi[0] == "unknown"
    assert rows[["contaminated", "share"]].isna().all(axis=None)
    assert all("EmotionROI" in why for why in rows["why"])
    (_, fi), rows = judge("WEBEmo", "EmoSet")
    assert fi == ("contaminated", 1) and "EmoSet" in rows["why"]["FI"]
    assert rows["share"]["FI"] == 1 / 5
    assert rows[["words", "words_trained"]].to_numpy().tolist() == [
        [6, 2],
        [8, 2],
    ]  # joy, fear; awe, fear


def test_the_photographs_of_emotion6_repeat_in_validation_and_raise_few_false_alarms(
    test_data, tmp_path
):
    records, store = import_pt_tree(test_data / "emotion6_clip_l14", tmp_path / "store")
    x = store.rows(records["id"])
    test = set(records["id"][records["split"] == "test"])
    assert len(audit(records, x)) == 416
    found = find_duplicates(records, x)
    assert contaminated_ids(records, found, ["Emotion6"]) == test
    kept = (records["split"] != "validation").to_numpy()
    rest = records[kept].reset_index(drop=True)
    assert len(
        contaminated_ids(rest, find_duplicates(rest, x[kept.tolist()]), ["Emotion6"])
    ) < 0.01 * len(test)
