"""The search for duplicates: copies are found, different pictures and features are not."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from toy_records import records_in_parts

from emoscenes.drawing.image_files import draw_records
from emoscenes.scenes import make_records
from tinyemo.data.audit import audit, contaminated_ids, statuses
from tinyemo.data.duplicates import COLUMNS, COSINE, find_duplicates


def unit(x: np.ndarray) -> np.ndarray:
    return (x / np.linalg.norm(x, axis=-1, keepdims=True)).astype(np.float32)


def save_copies(sources: list[str], folder) -> list[str]:
    """The pictures again, as JPEG files with sides of 32, 54 and 96 pixels."""
    paths = []
    for i, source in enumerate(sources):
        side = (32, 54, 96)[i % 3]
        copy = Image.open(source).resize((side, side), Image.Resampling.BICUBIC)
        paths.append(str(folder / f"{i}.jpg"))
        copy.save(paths[-1], quality=80)
    return paths


def test_resized_jpeg_copies_are_found_and_other_scenes_are_not(tmp_path):
    # the threshold was chosen on seed 5
    train, train_scenes = make_records(1000, 0, 0, seed=901, dataset="web")
    test, test_scenes = make_records(0, 0, 400, seed=902, dataset="own")
    both = pd.concat([train, test], ignore_index=True)
    records = draw_records(both, train_scenes + test_scenes, tmp_path)
    copied = records[records["split"] == "test"].sample(frac=0.05, random_state=0)
    copies = copied.assign(
        dataset="web",
        split="train",
        id=[f"web/copy/{i}" for i in range(len(copied))],
        image=save_copies(copied["image"].tolist(), tmp_path),
    )
    records = pd.concat([records, copies], ignore_index=True)

    found = find_duplicates(records)
    contaminated = contaminated_ids(records, found, ["web"])
    assert set(copied["id"]) <= contaminated
    false_alarms = contaminated - set(copied["id"])
    assert len(false_alarms) < 0.01 * (400 - len(copied))
    pairs = set(zip(found["id_a"], found["id_b"], strict=True))
    assert set(zip(copies["id"], copied["id"], strict=True)) <= pairs
    assert audit(records).empty  # no two files have the same bytes
    row = statuses(records, found, ["web"], ["zest"], {}).iloc[0]
    assert row["status"] == "contaminated"
    assert row["contaminated"] == len(contaminated)
    assert row["words_trained"] == 1


def test_a_large_index_finds_every_pair_that_brute_force_finds():
    rng = np.random.default_rng(5)
    sizes = (("web", "train", 24_000), ("web", "test", 1000), ("own", "test", 2000))
    centres = rng.normal(size=(300, 96))[rng.integers(300, size=27_000)]
    x = unit(0.7 + centres + 0.7 * rng.normal(size=(27_000, 96)))
    noise = unit(rng.normal(size=(600, 96)))
    x[26_000:26_600] = unit(x[:600] + 0.2 * noise)  # cosine about .98
    x[26_600:26_700] = x[600:700]
    records = records_in_parts(*sizes)
    found = find_duplicates(records, x)

    best = (x[24_000:] @ x[:24_000].T).max(1)  # (3000,)
    ids = records["id"].to_numpy()[24_000:]
    contaminated = contaminated_ids(records, found, ["web"])
    assert contaminated == set(ids[best >= COSINE])
    assert contaminated >= set(ids[2000:2700])
    # pairs between the two test parts
    between = found[(found["split_a"] == "test") & (found["split_b"] == "test")]
    best = (x[24_000:25_000] @ x[25_000:].T).max(1)  # (1000,)
    assert set(between["id_a"]) == set(ids[:1000][best >= COSINE])
    assert not found.duplicated(["id_a", "id_b"]).any()
    assert tuple(found.columns) == COLUMNS
    assert (found[found["kind"] == "features"]["similarity"] == 1).all()


def test_every_test_item_of_a_group_of_copies_is_found():
    records = records_in_parts(("web", "train", 3), ("own", "validation", 2), ("own", "test", 4))
    one, near, far = np.eye(3, dtype=np.float32)
    near = unit(one + 0.1 * near)
    x = np.stack([far, one, one, -one, -one, one, near, near, -far])
    found = find_duplicates(records, x)
    expected = {"own/test/0", "own/test/1", "own/test/2"}
    assert contaminated_ids(records, found, ["web"]) == expected
    assert contaminated_ids(records, found, ["own"]) == set()
    without_web = records[records["dataset"] == "own"]
    assert contaminated_ids(without_web, found, ["web"]) == set()
    kinds = found.groupby("id_b")["kind"].agg(set)
    assert kinds["own/test/0"] == {"features"}
    assert kinds["own/test/1"] == {"near features"}


def test_pictures_overrule_features(tmp_path):
    rng = np.random.default_rng(0)
    paths = [str(tmp_path / f"{i}.png") for i in range(3)]
    noise = [rng.integers(0, 255, (48, 48, 3), dtype=np.uint8) for _ in range(2)]
    for path, pixels in zip(paths, [noise[0], noise[1], noise[0]], strict=True):
        Image.fromarray(pixels).resize((200, 150)).save(path)
    Image.open(paths[2]).resize((90, 120)).save(paths[2])
    records = records_in_parts(("web", "train", 1), ("own", "test", 2)).assign(image=paths)
    x = unit(1 + 0.01 * rng.normal(size=(3, 8)))  # all three have nearly the same features
    found = find_duplicates(records, x)
    assert found[["kind", "id_b"]].to_numpy().tolist() == [["near files", "own/test/1"]]
    by_features = find_duplicates(records, x, images=False)
    assert contaminated_ids(records, by_features, ["web"]) == {"own/test/0", "own/test/1"}
    # where a picture is missing, features are compared
    incomplete = records.assign(image=[paths[0], "", paths[2]])
    kinds = find_duplicates(incomplete, x).set_index("id_b")["kind"]
    assert kinds.drop_duplicates().to_dict() == {
        "own/test/0": "near features",
        "own/test/1": "near files",
    }


def test_items_that_cannot_be_compared_are_named(tmp_path):
    records = records_in_parts(("web", "train", 2), ("own", "test", 1))
    with pytest.raises(ValueError, match="'web/train/0' has neither features nor an image"):
        find_duplicates(records)
    with pytest.raises(ValueError, match="2 feature rows for 3 records"):
        find_duplicates(records, np.zeros((2, 4)))
    (tmp_path / "torn.jpg").write_bytes(b"\xff\xd8\xff and no more")
    with pytest.raises(ValueError, match="cannot read the image .*torn.jpg"):
        find_duplicates(records.assign(image=str(tmp_path / "torn.jpg")))
