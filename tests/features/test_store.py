"""The feature store: rows by id, memory-mapped; a failed write leaves no file."""

import psutil
import pytest
import torch
from full_disk import files_no_larger_than

from tinyemo.features.store import FeatureStore
from tinyemo.io import write_atomically

IDS = [f"toy/{i}" for i in range(10)]


def test_rows_are_returned_by_id_in_the_given_order(tmp_path):
    pooled, patches = torch.randn(10, 6).half(), torch.randn(10, 4, 3).half()
    written = FeatureStore.write(tmp_path / "s", IDS, pooled, patches, {"encoder": "toy"})
    store = FeatureStore.open(tmp_path / "s")
    assert store.ids == written.ids == IDS and store.meta["encoder"] == "toy" and len(store) == 10
    assert torch.equal(store.pooled, pooled)
    rows = store.rows(["toy/7", "toy/0", "toy/7"])
    assert rows.dtype == torch.float32 and torch.equal(rows, pooled[[7, 0, 7]].float())
    assert torch.equal(store.patch_rows(["toy/9", "toy/2"]), patches[[9, 2]].float())
    with pytest.raises(ValueError, match=r"no features for id 'toy/x' \(2 of 3 ids are missing\)"):
        store.rows(["toy/1", "toy/x", "toy/y"])


def test_asking_a_store_without_patch_tokens_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="patches=True"):
        FeatureStore.write(tmp_path, IDS, torch.zeros(10, 6)).patch_rows(IDS)


@pytest.mark.parametrize("pooled", [torch.zeros(9, 6), torch.zeros(10, 6, dtype=torch.int64)])
def test_rows_must_match_the_ids(tmp_path, pooled):
    with pytest.raises(ValueError, match="floating-point rows for 10 ids"):
        FeatureStore.write(tmp_path, IDS, pooled)


def test_features_are_memory_mapped(tmp_path):
    ids, patches = [str(i) for i in range(2000)], torch.ones(2000, 64, 256)
    FeatureStore.write(tmp_path, ids, torch.ones(2000, 6), patches)
    before = psutil.Process().memory_info().rss
    store = FeatureStore.open(tmp_path)
    assert store.patch_rows(["1500"]).sum() == 64 * 256
    assert psutil.Process().memory_info().rss - before < 32e6  # the file holds 131 MB


def test_unfinished_and_damaged_stores_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="no finished feature store"):
        FeatureStore.open(tmp_path)
    FeatureStore.write(tmp_path, IDS, torch.randn(10, 6))
    shard = tmp_path / "shard-00000.safetensors"
    shard.write_bytes(shard.read_bytes()[:-8])
    with pytest.raises(ValueError, match="shard-00000.safetensors: missing or damaged"):
        FeatureStore.open(tmp_path)
    (tmp_path / "meta.json").write_text("{")
    with pytest.raises(ValueError, match="meta.json: not the index"):
        FeatureStore.open(tmp_path)


def test_after_a_full_disk_the_older_store_is_unchanged(tmp_path):
    path = write_atomically(tmp_path / "table.txt", lambda file: file.write_text("old"))
    with (
        files_no_larger_than(1000),
        pytest.raises(OSError, match="cannot write .*table.txt: File too large"),
    ):
        write_atomically(path, lambda file: file.write_text("new" * 1000))
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]
    with files_no_larger_than(1000), pytest.raises(OSError, match="cannot write .*shard-00000"):
        FeatureStore.write(tmp_path / "s", IDS, torch.zeros(10, 768))
    assert list((tmp_path / "s").iterdir()) == []


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(
        OSError, match="cannot write .*file/s/shard-00000.safetensors: Not a directory"
    ):
        FeatureStore.write(tmp_path / "file" / "s", IDS, torch.zeros(10, 6))
