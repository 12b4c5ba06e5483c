"""Finding and reading the files of a checkpoint: one file or shards, safetensors or `.bin`."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from tinyemo.hub import floating_by_name, read_weights, safetensors_metadata, weight_files

TENSORS = {
    "embed": torch.arange(6.0).view(3, 2),
    "head": torch.ones(2, dtype=torch.bfloat16),
    "positions": torch.arange(4),
    "mask": torch.tensor([True, False]),
}


def save(file: Path, tensors: dict[str, torch.Tensor]) -> Path:
    if file.suffix == ".bin":
        torch.save(tensors, file)
    else:
        save_file(tensors, file, {"format": "pt"})
    return file


def shards_of(folder: Path, suffix: str) -> list[Path]:
    """TENSORS in two files with an index."""
    stem = "model" if suffix == "safetensors" else "pytorch_model"
    names, files, weight_map = sorted(TENSORS), [], {}
    for number, part in enumerate((names[:2], names[2:]), start=1):
        file = folder / f"{stem}-0000{number}-of-00002.{suffix}"
        files.append(save(file, {name: TENSORS[name] for name in part}))
        weight_map |= dict.fromkeys(part, file.name)
    content = json.dumps({"metadata": {}, "weight_map": weight_map})
    (folder / f"{stem}.{suffix}.index.json").write_text(content)
    return files


def is_complete(folder: Path) -> bool:
    found = read_weights(folder)
    return found.keys() == TENSORS.keys() and all(
        torch.equal(found[name], TENSORS[name]) for name in TENSORS
    )


@pytest.mark.parametrize("name", ["model.safetensors", "pytorch_model.bin"])
def test_one_weight_file_is_read(tmp_path, name):
    file = save(tmp_path / name, TENSORS)
    assert weight_files(tmp_path) == [file]
    assert is_complete(tmp_path)


@pytest.mark.parametrize("suffix", ["safetensors", "bin"])
def test_shards_are_read_and_a_missing_one_is_named(tmp_path, suffix):
    files = shards_of(tmp_path, suffix)
    assert weight_files(tmp_path) == files
    assert is_complete(tmp_path)
    for file in files:
        moved = file.rename(file.with_suffix(".away"))
        with pytest.raises(FileNotFoundError) as caught:
            weight_files(tmp_path)
        expected = "a shard of the checkpoint is missing; put it beside the others (2 are expected)"
        assert str(caught.value) == f"{file}: {expected}"
        moved.rename(file)
    (index,) = tmp_path.glob("*.index.json")
    index.unlink()  # the names of the shards say how many there are
    assert is_complete(tmp_path)
    files[0].unlink()
    with pytest.raises(FileNotFoundError, match=f"{files[0].name}: a shard of the checkpoint"):
        weight_files(tmp_path)


@pytest.mark.parametrize("text", ["{}", "[1]", "not JSON", '{"weight_map": 3}'])
def test_a_damaged_index_is_named(tmp_path, text):
    shards_of(tmp_path, "safetensors")
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(text)
    with pytest.raises(ValueError) as caught:
        weight_files(tmp_path)
    assert str(caught.value).startswith(f"{index}: expected JSON")
    assert "\n" not in str(caught.value)


def test_a_folder_without_weights_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="no weights in it; expected model"):
        weight_files(tmp_path)


@pytest.mark.parametrize("suffix", ["safetensors", "bin"])
def test_kinds_of_numbers_are_read(tmp_path, suffix):
    shards_of(tmp_path, suffix)
    expected = {"embed": True, "head": True, "positions": False, "mask": False}
    assert floating_by_name(tmp_path) == expected


def test_files_that_are_no_weights_are_named(tmp_path):
    for name in ("model.safetensors", "pytorch_model.bin"):
        file = tmp_path / name
        file.write_bytes(b"no weights")
        assert safetensors_metadata(file) == {}
        with pytest.raises(ValueError) as caught:
            read_weights(tmp_path)
        assert str(caught.value).startswith(f"{file}: ")
        file.unlink()
