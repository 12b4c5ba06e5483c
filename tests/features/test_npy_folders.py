"""Importing folders of `<name>.npy`: against the arrays that were written."""

import numpy as np
import pytest

from tinyemo.features import npy_folders
from tinyemo.features.npy_folders import import_npy_folder
from tinyemo.features.store import FeatureStore

WIDTH = 6


@pytest.fixture
def folder(tmp_path):
    """Seven files; every second one has the shape (1, width)."""
    rng = np.random.default_rng(0)
    (tmp_path / "HL-UTT").mkdir()
    for number in range(7):
        feature = rng.standard_normal(WIDTH).astype(np.float32)
        shaped = feature[None] if number % 2 else feature
        np.save(tmp_path / "HL-UTT" / f"clip{number}.npy", shaped)
    return tmp_path / "HL-UTT"


def names(*numbers):
    return {f"MERR/clip{number}": f"clip{number}" for number in numbers}


def test_rows_are_in_the_order_of_the_utterances(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(npy_folders, "BLOCK", 2)  # several shards
    order = (4, 0, 6, 2, 5)
    store, left_out = import_npy_folder(folder, names(*order), tmp_path / "out", WIDTH)
    assert store.ids == [f"MERR/clip{number}" for number in order]
    expected = [np.load(folder / f"clip{number}.npy").ravel() for number in order]
    np.testing.assert_array_equal(store.pooled.numpy(), expected)
    assert left_out.values.tolist() == [["feature file of no utterance", 2, "clip1"]]


def test_an_utterance_without_a_file_is_not_in_the_store(folder, tmp_path):
    store, left_out = import_npy_folder(folder, names(1, 8, 9), tmp_path / "out", WIDTH)
    assert store.ids == ["MERR/clip1"]
    assert left_out.values.tolist() == [
        ["no feature file", 2, "MERR/clip8"],
        ["feature file of no utterance", 6, "clip0"],
    ]


def test_a_second_call_reads_the_store_until_a_file_changes(folder, tmp_path):
    out = tmp_path / "out"
    first, _ = import_npy_folder(folder, names(0, 1), out, WIDTH)
    written = (out / "shard-00000.safetensors").stat().st_mtime_ns
    import_npy_folder(folder, names(0, 1), out, WIDTH)
    assert (out / "shard-00000.safetensors").stat().st_mtime_ns == written
    np.save(folder / "clip0.npy", np.ones(WIDTH, dtype=np.float64))
    again, _ = import_npy_folder(folder, names(0, 1), out, WIDTH)
    assert again.pooled[0].tolist() == [1] * WIDTH


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros(WIDTH + 1), r"clip1.npy: holds an array \(7,\) of float64, expected .* \(6,\)"),
        (np.zeros((3, WIDTH)), r"holds an array \(3, 6\)"),
        (np.zeros(WIDTH, dtype=int), r"of int64, expected floating-point numbers"),
        (np.full(WIDTH, np.nan), "NaN or infinite"),
        (np.array([{}] * WIDTH), "not a readable .npy array"),
    ],
)
def test_a_bad_file_is_named_and_an_older_store_stays(folder, tmp_path, array, message):
    out = tmp_path / "out"
    import_npy_folder(folder, names(0), out, WIDTH)
    np.save(folder / "clip1.npy", array)
    with pytest.raises(ValueError, match=message):
        import_npy_folder(folder, names(0, 1), out, WIDTH)
    assert FeatureStore.open(out).ids == ["MERR/clip0"]


def test_a_damaged_file_is_named(folder, tmp_path):
    content = (folder / "clip0.npy").read_bytes()
    (folder / "clip0.npy").write_bytes(content[:-3])
    with pytest.raises(ValueError, match="clip0.npy: not a readable .npy array"):
        import_npy_folder(folder, names(0), tmp_path / "out", WIDTH)
    assert not (tmp_path / "out").exists()


def test_a_folder_of_other_names_is_refused(folder, tmp_path):
    with pytest.raises(ValueError, match="none of its 7 files <name>.npy belongs to one of the 1"):
        import_npy_folder(folder, {"a": "b"}, tmp_path / "out", WIDTH)
    with pytest.raises(FileNotFoundError, match="folder of features not found"):
        import_npy_folder(folder / "x", {"a": "b"}, tmp_path / "out", WIDTH)
