"""Extraction: order of the records, nothing encoded twice, same result after an interruption."""

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pandas as pd
import pytest
import torch
from full_disk import files_no_larger_than
from PIL import Image
from tiny_clip import save_tiny_clip
from toy_records import save_images
from tqdm import tqdm

from tinyemo.features.encoders import ImageEncoder, load_image_encoder
from tinyemo.features.extract import extract
from tinyemo.features.store import FeatureStore

OPTIONS = {"batch_size": 4, "shard_size": 10, "workers": 0}  # 25 images: shards of 10, 10 and 5


@pytest.fixture
def encoder(tmp_path) -> ImageEncoder:
    return load_image_encoder(save_tiny_clip(tmp_path / "clip"))


@pytest.fixture
def records(tmp_path) -> pd.DataFrame:
    return save_images(tmp_path / "images", 25)


@pytest.fixture
def encoded(monkeypatch) -> list[int]:
    """Sizes of the batches that reach the encoder."""
    sizes, encode = [], ImageEncoder.encode
    monkeypatch.setattr(
        ImageEncoder, "encode", lambda self, x: sizes.append(len(x)) or encode(self, x)
    )
    return sizes


def test_features_equal_the_encoders_in_the_order_of_the_records(tmp_path, records, encoder):
    store = extract(records, encoder, tmp_path / "out", patches=True, **OPTIONS | {"workers": 2})
    assert store.ids == records["id"].tolist() and store.meta["encoder_key"] == encoder.key
    pixels = torch.stack(
        [encoder.preprocess(Image.open(path).convert("RGB")) for path in records["image"]]
    )
    pooled, patches = encoder.encode(pixels)
    torch.testing.assert_close(store.pooled, pooled, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(store.patch_rows(store.ids), patches, rtol=2e-3, atol=1e-3)
    distances = torch.cdist(store.pooled, pooled, compute_mode="donot_use_mm_for_euclid_dist")
    assert torch.equal(distances.argmin(dim=1), torch.arange(25))  # two rows swapped would show


def test_nothing_is_encoded_twice_or_read_outdated(tmp_path, records, encoder, encoded):
    first = extract(records, encoder, tmp_path / "out", **OPTIONS)
    assert encoded == [4, 4, 2, 4, 4, 2, 4, 1]  # batches end with their shard
    encoded.clear()
    again = extract(records, encoder, tmp_path / "out", **OPTIONS)
    assert encoded == [] and again.meta == first.meta and torch.equal(again.pooled, first.pooled)

    Image.new("RGB", (64, 64), "red").save(records["image"][12])  # same path, other content
    changed = extract(records, encoder, tmp_path / "out", **OPTIONS)
    assert encoded == [4, 4, 2] and changed.meta["key"] != first.meta["key"]
    differs = (changed.pooled != first.pooled).any(dim=1)
    assert differs.nonzero().flatten().tolist() == [12]

    encoded.clear()
    fewer = extract(records[:10], encoder, tmp_path / "out", **OPTIONS)
    assert encoded == [] and len(fewer) == 10
    names = sorted(file.name for file in (tmp_path / "out").iterdir())
    assert names == ["meta.json", "shard-00000.safetensors"]

    other = load_image_encoder(save_tiny_clip(tmp_path / "other", seed=1))
    assert not torch.equal(
        extract(records[:10], other, tmp_path / "out", **OPTIONS).pooled, fewer.pooled
    )
    assert (
        extract(records[:10], other, tmp_path / "out", patches=True, **OPTIONS)
        .patch_rows(["toy/0"])
        .any()
    )


def test_parts_share_the_work_and_the_last_one_finishes_the_store(
    tmp_path, records, encoder, encoded
):
    assert extract(records, encoder, tmp_path / "out", part=(1, 2), **OPTIONS) is None
    assert encoded == [4, 4, 2]
    with pytest.raises(FileNotFoundError, match="no finished feature store"):
        FeatureStore.open(tmp_path / "out")
    store = extract(records, encoder, tmp_path / "out", part=(0, 2), **OPTIONS)
    assert torch.equal(
        store.pooled, extract(records, encoder, tmp_path / "whole", **OPTIONS).pooled
    )


@pytest.mark.parametrize("workers", [0, 2])
def test_a_corrupt_image_is_named_in_one_sentence(tmp_path, records, encoder, workers):
    path = Path(records["image"][17])
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(ValueError, match=f"^cannot read the image {path}: ") as caught:
        extract(records, encoder, tmp_path / "out", **OPTIONS | {"workers": workers})
    assert "\n" not in str(caught.value)
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["shard-00000.safetensors"]


def test_missing_images_and_broken_weights_are_named(tmp_path, records, encoder):
    with pytest.raises(FileNotFoundError, match="nowhere.png"):
        extract(records.assign(image="nowhere.png"), encoder, tmp_path / "out", **OPTIONS)
    with pytest.raises(ValueError, match="'toy/0' has no image"):
        extract(records.assign(image=""), encoder, tmp_path / "out", **OPTIONS)
    with pytest.raises(ValueError, match="no records"):
        extract(records[:0], encoder, tmp_path / "out", **OPTIONS)
    encoder.model.visual.attnpool.c_proj.bias.data[3] = float("nan")
    with pytest.raises(ValueError, match="images/0.png: the features .* are not finite"):
        extract(records, encoder, tmp_path / "out", **OPTIONS)
    assert not (tmp_path / "out").exists()


def test_after_a_full_disk_or_a_cut_off_shard_only_that_shard_is_redone(
    tmp_path, records, encoder, encoded, monkeypatch
):
    # the size limit also holds for the file in which pytest captures the progress bar
    silent = partial(tqdm, disable=True)
    monkeypatch.setattr("tinyemo.features.extract.tqdm", silent)
    out = tmp_path / "out"
    extract(records[:10], encoder, out, **OPTIONS)
    size = (out / "shard-00000.safetensors").stat().st_size
    with (
        files_no_larger_than(size // 2),
        pytest.raises(OSError, match="cannot write .*shard-00001"),
    ):
        extract(records, encoder, out, **OPTIONS)
    assert [file.name for file in out.iterdir()] == ["shard-00000.safetensors"]
    encoded.clear()
    whole = extract(records, encoder, out, **OPTIONS).rows(records["id"])
    assert encoded == [4, 4, 2, 4, 1]
    torn = out / "shard-00001.safetensors"
    torn.write_bytes(torn.read_bytes()[:-4])
    encoded.clear()
    assert torch.equal(extract(records, encoder, out, **OPTIONS).rows(records["id"]), whole)
    assert encoded == [4, 4, 2]


KILLED = """
import sys, time
from tinyemo.data.records import read_records
from tinyemo.features.encoders import ImageEncoder, load_image_encoder
from tinyemo.features.extract import extract
encode = ImageEncoder.encode
ImageEncoder.encode = lambda self, x: time.sleep(0.1) or encode(self, x)
records, encoder = read_records(sys.argv[1]), load_image_encoder(sys.argv[2])
extract(records, encoder, sys.argv[3], batch_size=4, shard_size=10, workers=2)
"""


def test_a_killed_extraction_resumes_bit_for_bit(tmp_path):
    records, name = save_images(tmp_path / "images", 95), save_tiny_clip(tmp_path / "clip")
    records.to_parquet(tmp_path / "records.parquet")
    out = tmp_path / "out"
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, tmp_path / "records.parquet", name, out],
        cwd=Path(__file__).parents[2],
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 120
    while not (out / "shard-00002.safetensors").exists() and process.poll() is None:
        assert time.monotonic() < deadline, "the extraction did not get as far as its third shard"
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    with pytest.raises(FileNotFoundError, match="no finished feature store"):
        FeatureStore.open(out)
    finished = {file: file.stat().st_mtime_ns for file in out.glob("shard-*.safetensors")}
    assert 3 <= len(finished) < 10
    (out / ".shard-00009.safetensors.1.tmp").write_bytes(b"half a shard")

    encoder = load_image_encoder(name)
    resumed = extract(records, encoder, out, **OPTIONS)
    assert {file: file.stat().st_mtime_ns for file in finished} == finished  # none was redone
    undisturbed = extract(records, encoder, tmp_path / "undisturbed", **OPTIONS)
    assert torch.equal(resumed.pooled, undisturbed.pooled) and resumed.meta == undisturbed.meta
    assert not list(out.glob(".*.tmp"))
