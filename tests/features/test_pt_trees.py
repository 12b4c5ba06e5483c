"""Import of TinyEmo's `.pt` trees: both layouts, every kind of invalid file, and their leak."""

import os
import time
from pathlib import Path

import pytest
import torch
from upstream_tree import save_tree

from tinyemo.data.audit import audit, audit_sentences, repair_splits
from tinyemo.data.left_out import LeftOut
from tinyemo.features.pt_trees import import_pt_tree
from tinyemo.features.store import FeatureStore


def test_both_layouts_under_one_root_are_read_bit_for_bit(tmp_path):
    ekman = save_tree(tmp_path / "in/Emotion6/Emotion6/images", "ekman")
    mikels = save_tree(tmp_path / "in/FI", "mikels")
    records, store = import_pt_tree(tmp_path / "in", tmp_path / "out")
    expected = {f"Emotion6/{k}": v for k, v in ekman.items()} | {
        f"FI/{k}": v for k, v in mikels.items()
    }
    assert set(records["id"]) == set(expected) and records["id"].tolist() == store.ids
    assert store.pooled.dtype == torch.float16
    assert all(torch.equal(store.pooled[row], expected[name]) for row, name in enumerate(store.ids))
    assert records.groupby("dataset")["label_set"].unique().map(list).to_dict() == {
        "Emotion6": ["ekman"],
        "FI": ["mikels"],
    }
    row = records.set_index("id").loc["FI/test/awe/1"]
    assert (row["split"], row["label"], row["image"]) == ("test", "awe", "")


def test_the_published_leak_is_found_reported_and_repaired(tmp_path):
    save_tree(tmp_path / "in/Emotion6/Emotion6/images", "ekman", train=10)
    records, store = import_pt_tree(tmp_path / "in", tmp_path / "out")
    found = audit(records, store.rows(records["id"]))
    assert audit_sentences(records, found) == [
        "validation is contained in test: 12 of 12 items have identical features"
    ]
    repaired = repair_splits(records, found, 0.2, seed=0)
    assert repaired["split"].value_counts().to_dict() == {"train": 48, "validation": 12, "test": 12}
    assert repaired[repaired["split"] == "validation"]["id"].str.contains("/train/").all()


def test_a_second_call_reads_no_file_until_one_changes(tmp_path, monkeypatch):
    save_tree(tmp_path / "in/Emotion6", "ekman")
    records, _ = import_pt_tree(tmp_path / "in", tmp_path / "out")
    load, read = torch.load, []
    monkeypatch.setattr(
        torch, "load", lambda path, **options: read.append(path) or load(path, **options)
    )
    again, store = import_pt_tree(tmp_path / "in", tmp_path / "out")
    assert again.equals(records) and read == [] and len(store) == len(records)
    changed = tmp_path / "in/Emotion6/train/joy/0.pt"
    torch.save(torch.ones(8).half(), changed)
    os.utime(changed, ns=(0, 0))
    _, store = import_pt_tree(tmp_path / "in", tmp_path / "out")
    assert len(read) == len(records) and (store.rows(["Emotion6/train/joy/0"]) == 1).all()
    (store.folder / "shard-00000.safetensors").write_bytes(b"torn")
    assert len(import_pt_tree(tmp_path / "in", tmp_path / "out")[1]) == len(records)


class Payload:
    """Pickles into a call: what a hostile checkpoint looks like."""

    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("train/joy/0.pt", torch.zeros(9).half(), r"joy/0.pt: shape \(9,\), expected \(8,\)"),
        ("train/joy/0.pt", torch.zeros(1, 8), r"joy/0.pt: holds a tensor \(1, 8\)"),
        ("train/joy/0.pt", torch.zeros(8, dtype=torch.int64), "int64, expected one feature"),
        ("train/joy/0.pt", {"feature": torch.zeros(8)}, "joy/0.pt: holds a dict"),
        (
            "train/joy/0.pt",
            torch.tensor([0.0] * 7 + [float("nan")]),
            "joy/0.pt: the feature holds NaN",
        ),
        (
            "train/joy/0.pt",
            torch.tensor([0.0] * 7 + [float("inf")]),
            "joy/0.pt: the feature holds NaN or inf",
        ),
        ("train/joy/0.pt", b"no tensor at all", "joy/0.pt: not a tensor"),
        ("train/joy/0.pt", b"", "joy/0.pt: not a tensor"),
        ("train/glee/0.pt", torch.zeros(8).half(), "unknown label glee.*'ekman'"),
        ("train/joy/more/0.pt", None, None),
        ("test/glee/readme.txt", b"", "test/glee: empty class"),
    ],
)
def test_an_invalid_file_is_named_and_nothing_is_written(tmp_path, name, content, words):
    top = tmp_path / "in/Emotion6"
    save_tree(top, "ekman")
    (top / name).parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, bytes):
        (top / name).write_bytes(content)
    elif content is not None:
        torch.save(content, top / name)
    if words is None:  # an empty folder inside a class is no error
        assert len(import_pt_tree(tmp_path / "in", tmp_path / "out")[0]) == 48
        return
    with pytest.raises(ValueError, match=words) as caught:
        import_pt_tree(tmp_path / "in", tmp_path / "out")
    assert "\n" not in str(caught.value) and not (tmp_path / "out").exists()


def test_pickled_code_is_refused_and_never_run(tmp_path):
    save_tree(tmp_path / "in/Emotion6", "ekman")
    torch.save(Payload(tmp_path / "ran"), tmp_path / "in/Emotion6/test/fear/0.pt")
    with pytest.raises(ValueError, match="test/fear/0.pt: .*pickled code"):
        import_pt_tree(tmp_path / "in", tmp_path / "out")
    assert not (tmp_path / "ran").exists()


def test_missing_folders_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere.*<Dataset>"):
        import_pt_tree(tmp_path / "nowhere", tmp_path / "out")
    (tmp_path / "in/FI").mkdir(parents=True)
    with pytest.raises(ValueError, match="no dataset found"):
        import_pt_tree(tmp_path / "in", tmp_path / "out")
    (tmp_path / "in/FI/train").mkdir()
    with pytest.raises(ValueError, match="FI/train: no class folder"):
        import_pt_tree(tmp_path / "in", tmp_path / "out")


@pytest.mark.skipif(not os.environ.get("TINYEMO_TEST_DATA"), reason="TINYEMO_TEST_DATA is not set")
def test_real_emotion6_features(tmp_path):
    root = Path(os.environ["TINYEMO_TEST_DATA"]) / "emotion6_clip_l14"
    if not root.is_dir():
        pytest.skip(f"no {root}")
    start = time.perf_counter()
    records, store = import_pt_tree(root, tmp_path / "out")
    assert time.perf_counter() - start < 20
    assert isinstance(store, FeatureStore) and store.pooled.shape == (1802, 768)
    found = audit(records, store.rows(records["id"]))
    assert audit_sentences(records, found) == [
        "validation is contained in test: 416 of 416 items have identical features"
    ]
    repaired = repair_splits(records, found, 0.1, seed=0)
    assert repaired["split"].value_counts().to_dict() == {
        "train": 873,
        "validation": 97,
        "test": 416,
    }
    start = time.perf_counter()
    import_pt_tree(root, tmp_path / "out")
    assert time.perf_counter() - start < 2


def test_usual_split_names_and_pth_are_read_and_the_rest_is_counted(tmp_path):
    for name in ("Set/Train/joy/1.pt", "Set/Valid/joy/2.pth", "Set/eval/joy/3.PT"):
        save(tmp_path / "in" / name)
    save(tmp_path / "in" / "Set/train_old/joy/4.pt")
    save(tmp_path / "in" / "NoSplits/joy/5.pt")
    (tmp_path / "in" / "Set/Train/joy/6.npy").touch()
    (tmp_path / "in" / "__MACOSX/Set/Train").mkdir(parents=True)
    left_out = LeftOut()
    records, store = import_pt_tree(tmp_path / "in", tmp_path / "out", left_out)
    assert records["split"].tolist() == ["train", "validation", "test"] and len(store) == 3
    table = left_out.table()
    assert dict(zip(table["reason"], table["items"], strict=True)) == {
        "hidden, or left by the operating system": 1,
        "file outside the class folders": 1,
        "feature in a folder beside the split folders": 1,
        "not a feature (.npy)": 1,
    }


def save(path, width=4):
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(torch.ones(width, dtype=torch.float16), path)
