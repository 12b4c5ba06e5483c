"""Finding and reading the files of a checkpoint: tensors only.

Takes a checkpoint (a folder, or a hub id such as "apple/OpenELM-270M-Instruct") and file patterns;
gives a local folder, its weight files, and their tensors by name. From the hub only the files asked
for are downloaded. Weights are read as safetensors or with `torch.load(weights_only=True)`: a file
that would run code is refused. Whether the tensors fit a model is for strict_loading.py.
"""

import json
import pickle
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from huggingface_hub import snapshot_download
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor

HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")
# in the order in which transformers looks for them; each may be in several shards
WEIGHT_FILES = ("model.safetensors", "pytorch_model.bin")
SHARD = re.compile(r".*-(\d+)-of-(\d+)\.\w+")


def local_folder(checkpoint: str | Path, patterns: list[str]) -> Path:
    """The local folder of a checkpoint; for a hub id, files that match `patterns` are downloaded.

    FileNotFoundError: no such folder, or the hub has no such repository, refuses access or cannot
    be reached.
    """
    folder = Path(checkpoint).expanduser()
    if folder.is_dir():
        return folder
    if not HUB_ID.fullmatch(str(checkpoint)):
        raise FileNotFoundError(
            f"{checkpoint}: no such folder; expected a checkpoint folder or a hub id (owner/name)"
        )
    try:
        return Path(snapshot_download(str(checkpoint), allow_patterns=patterns))
    except OSError as error:  # unknown or gated id, no connection
        raise FileNotFoundError(
            f"{checkpoint}: neither a folder here nor a repository that could be downloaded from "
            f"the hub ({type(error).__name__}); download it where there is access and pass its "
            "folder"
        ) from error


@contextmanager
def safetensors_errors(path: str | Path) -> Iterator[None]:
    """Within the block, an error of the safetensors library becomes a sentence that names the file.

    FileNotFoundError: no such file. ValueError: damaged, or it lacks a tensor that was asked for.
    """
    try:
        yield
    except FileNotFoundError:
        raise FileNotFoundError(f"{path}: no such weight file") from None
    except SafetensorError as error:
        raise ValueError(f"{path}: not a readable safetensors file ({error})") from error


def read_safetensors(path: str | Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file by name, on the CPU. Errors as of `safetensors_errors`."""
    with safetensors_errors(path):
        return load_file(path)


def safetensors_metadata(path: str | Path) -> dict[str, str]:
    """The metadata of a safetensors file; empty where the file is missing or damaged."""
    try:
        with safe_open(path, framework="pt") as file:
            return file.metadata() or {}
    except (OSError, SafetensorError):
        return {}


def read_bin(path: str | Path) -> dict[str, Tensor]:
    """The tensors of a `.bin` state dict by name, memory-mapped on the CPU.

    FileNotFoundError: no such file. ValueError: pickled code, a damaged file, or no dict of
    tensors.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True, mmap=_is_zip(path))
    except FileNotFoundError:
        raise FileNotFoundError(f"{path}: no such weight file") from None
    except pickle.UnpicklingError as error:
        raise ValueError(
            f"{path}: holds pickled code or is damaged; expected a state dict of tensors only"
        ) from error
    except Exception as error:  # the unpickler raises many kinds of errors for damaged files
        raise ValueError(f"{path}: damaged; expected a state dict of tensors") from error
    if not (
        isinstance(state, dict) and state and all(isinstance(v, Tensor) for v in state.values())
    ):
        raise ValueError(f"{path}: expected a state dict of named tensors")
    return state


def _is_zip(path: str | Path) -> bool:
    """Whether torch wrote the file in its zip format, which can be memory-mapped."""
    with open(path, "rb") as file:
        return file.read(4) == b"PK\x03\x04"


def weight_files(folder: Path) -> list[Path]:
    """The weight files of a checkpoint: one, or all of its shards.

    FileNotFoundError: there is none, or a shard is missing. ValueError: a damaged index.
    """
    for name in WEIGHT_FILES:
        if (folder / name).is_file():
            return [folder / name]
        shards = _shards(folder, name)
        for shard in shards:
            if not shard.is_file():
                raise FileNotFoundError(
                    f"{shard}: a shard of the checkpoint is missing; put it beside the others "
                    f"({len(shards)} are expected)"
                )
        if shards:
            return shards
    raise FileNotFoundError(
        f"{folder}: no weights in it; expected model*.safetensors or pytorch_model*.bin"
    )


def _shards(folder: Path, name: str) -> list[Path]:
    """All shards that the weight file `name` should have, by its index or by their own names."""
    index = folder / f"{name}.index.json"
    if index.is_file():
        return [folder / shard for shard in sorted(set(read_index(index).values()))]
    stem, _, suffix = name.rpartition(".")
    found = [SHARD.fullmatch(file.name) for file in folder.glob(f"{stem}-*.{suffix}")]
    name_of = {int(match[1]): match.string for match in found if match}
    total = max((int(match[2]) for match in found if match), default=0)
    numbers = range(1, total + 1)
    return [folder / name_of.get(i, f"{stem}-{i:05}-of-{total:05}.{suffix}") for i in numbers]


def read_index(index: Path) -> dict[str, str]:
    """The index of shards: tensor -> file. ValueError: it is no such JSON."""
    try:
        weight_map = json.loads(index.read_text("utf-8"))["weight_map"]
        return {str(name): str(file) for name, file in weight_map.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{index}: expected JSON with a weight_map of tensor to file") from error


def read_weights(folder: Path) -> dict[str, Tensor]:
    """All tensors of a folder by name, on the CPU. Errors as of `weight_files` and the readers."""
    state: dict[str, Tensor] = {}
    for file in weight_files(folder):
        state |= read_safetensors(file) if file.suffix == ".safetensors" else read_bin(file)
    return state


def floating_by_name(folder: Path) -> dict[str, bool]:
    """Tensor name -> whether it holds floating-point numbers. Of safetensors, headers are read."""
    kinds: dict[str, bool] = {}
    for file in weight_files(folder):
        if file.suffix != ".safetensors":
            kinds |= {name: value.is_floating_point() for name, value in read_bin(file).items()}
            continue
        with safetensors_errors(file), safe_open(file, framework="pt") as opened:
            for name in opened.keys():
                kinds[name] = "F" in opened.get_slice(name).get_dtype()  # F32, BF16, F8_E4M3
    return kinds
