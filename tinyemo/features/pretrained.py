"""Pretrained encoders of transformers, frozen, and the key of what the features depend on.

Takes a local folder or a hub id; gives the folder and a frozen model in float32. It is loaded by
the rule of strict_loading.py; heads and poolers, which the features do not use, may be missing or
left over.
"""

import hashlib
import json
import re
from pathlib import Path

import torch
from torch import nn
from transformers import AutoImageProcessor, AutoModel, PreTrainedModel
from transformers.image_processing_utils import BaseImageProcessor

from tinyemo.hub import local_folder
from tinyemo.io import first_line
from tinyemo.strict_loading import NOTHING, load_pretrained

FILES = [
    "*.json",
    "model*.safetensors",
    "pytorch_model*.bin",
    "vocab.txt",
    "merges.txt",
    "*.model",
]


def load_frozen(
    checkpoint: str | Path, kinds: tuple[str, ...], unused: str, device: str | None = None
) -> tuple[Path, PreTrainedModel]:
    """(folder, model in evaluation mode, float32, on `device`).

    `kinds` are the accepted values of `model_type` in config.json. `unused` is a pattern for the
    names of tensors that may be missing or left over. `device` defaults to CUDA if there is one.

    FileNotFoundError: no such folder or repository, or a file is missing in it. ValueError:
    another kind of model, damaged weights, or the names of tensors that are missing or fit nothing.
    """
    folder = local_folder(checkpoint, FILES)
    kind = read_json(folder / "config.json").get("model_type")
    if kind not in kinds:
        raise ValueError(
            f"{folder / 'config.json'}: model_type is {kind!r}, expected one of {', '.join(kinds)}"
        )
    model = load_pretrained(AutoModel, folder, torch.float32, unused=unused)
    device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    return folder, model.eval().requires_grad_(False).to(device)


def load_image_processor(folder: Path) -> BaseImageProcessor:
    """The published preprocessing of pictures (preprocessor_config.json)."""
    read_json(folder / "preprocessor_config.json")
    try:
        return AutoImageProcessor.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False
        )
    except (OSError, ValueError, KeyError) as error:
        raise ValueError(
            f"{folder / 'preprocessor_config.json'}: not the settings of an image processor: "
            f"{first_line(error)}"
        ) from error


def read_json(path: Path, kind: type = dict) -> dict | list:
    """A JSON object, or a list. FileNotFoundError or ValueError names the file."""
    try:
        content = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise FileNotFoundError(f"{path}: no such file; expected a checkpoint folder") from None
    except (OSError, ValueError) as error:
        raise ValueError(f"{path}: cannot be read as JSON: {first_line(error)}") from error
    if not isinstance(content, kind):
        raise ValueError(
            f"{path}: expected a JSON {kind.__name__}, found a {type(content).__name__}"
        )
    return content


def content_key(facts: object, model: nn.Module, unused: str = NOTHING) -> str:
    """SHA-256 (hex) of `facts` (as JSON) and of the tensors of `model`, name by name.

    Tensors whose names match `unused` are left out. By default none is.
    """
    state = hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode())
    known = re.compile(unused)
    for name, tensor in sorted(model.state_dict().items()):
        if known.match(name):
            continue
        state.update(f"{name}{tuple(tensor.shape)}{tensor.dtype}".encode())
        flat = tensor.detach().cpu().contiguous().reshape(-1)
        state.update(flat.view(torch.uint8).numpy().data)
    return state.hexdigest()


def config_facts(model: PreTrainedModel) -> dict:
    """What a configuration says about the network, without where it was loaded from."""
    facts = model.config.to_dict()
    for name in ("_name_or_path", "transformers_version", "architectures", "dtype", "torch_dtype"):
        facts.pop(name, None)
    return facts
