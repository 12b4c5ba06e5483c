"""Finding and reading the files of a checkpoint: a local folder or a hub id, tensors only.

Takes a checkpoint (a folder, or a hub id such as "apple/OpenELM-270M-Instruct") and file patterns;
gives a local folder and tensors. From the hub only the files asked for are downloaded. Weights are
read as safetensors or with `torch.load(weights_only=True)`: a file that would run code is refused.
"""

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
