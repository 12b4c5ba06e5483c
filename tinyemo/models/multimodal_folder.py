"""What a MultimodalLM is made from and saved as: checkpoints of language models, and its own folder.

    config.json              the streams' connectors, template, limit, and of an adapter its base and the base's hash
    connectors.safetensors   connectors and missing embeddings
    tokenizer/               with the placeholders in it
    lm/ or adapter/          the whole language model, or peft's low-rank adapters alone

config.json is written last: a folder without it is not whole, and is refused. Code that a checkpoint brings along is
never run.
"""

import hashlib
import json
import os
import shutil
from pathlib import Path

import torch
from peft import PeftModel
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor
from transformers import AutoModelForCausalLM, PreTrainedModel, PreTrainedTokenizerBase

from tinyemo.hub import local_folder, read_safetensors
from tinyemo.io import digests, write_atomically
from tinyemo.models import openelm  # noqa: F401 (load_lm may rest on it, and is seen to)

LM_FILES = ["*.json", "*.txt", "*.model", "*.jinja", "*.safetensors", "*.bin"]
TOKENIZER_FILES = LM_FILES[:4]
KEYS = (
    "connectors",
    "template",
    "max_length",
    "base",
    "base_hash",
)  # of config.json; the last two of adapters
PARTS = ("lm", "adapter", "tokenizer")


def load_lm(checkpoint: str | Path, dtype: torch.dtype) -> PreTrainedModel:
    """The causal LM of a folder or hub id, in `dtype`.

    FileNotFoundError: no such checkpoint. ValueError: no causal LM that transformers can load.
    """
    folder = local_folder(checkpoint, LM_FILES)
    try:
        return AutoModelForCausalLM.from_pretrained(
            folder, dtype=dtype, trust_remote_code=False, local_files_only=True
        )
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise ValueError(
            f"{checkpoint}: no causal language model that transformers can load ({str(error).strip():.200})"
        ) from error


def checkpoint_hash(checkpoint: str | Path) -> str:
    """SHA-256 of a checkpoint's config.json and weight files, by name and content."""
    folder = local_folder(checkpoint, LM_FILES)
    files = sorted(
        str(path)
        for pattern in ("config.json", "*.safetensors", "*.bin")
        for path in folder.glob(pattern)
    )
    facts = [(Path(path).name, digest) for path, digest in digests(files).items()]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def write_folder(
    folder: str | Path,
    config: dict,
    tensors: dict[str, Tensor],
    lm: PreTrainedModel | PeftModel,
    tokenizer: PreTrainedTokenizerBase,
) -> Path:
    """Write or overwrite the folder; what else lies in it stays. Gives it back.

    Until all that is large is written, a model that was there before stays as it was.
    """
    folder = Path(folder)
    parts = {"adapter" if isinstance(lm, PeftModel) else "lm": lm, "tokenizer": tokenizer}
    new = {name: folder / f".{name}.{os.getpid()}.tmp" for name in parts}
    try:
        for name, part in parts.items():
            part.save_pretrained(new[name])
        (folder / "config.json").unlink(missing_ok=True)
        for name in PARTS:
            shutil.rmtree(folder / name, ignore_errors=True)
        for name, path in new.items():
            path.rename(folder / name)
    finally:
        for path in new.values():
            shutil.rmtree(path, ignore_errors=True)
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    write_atomically(
        folder / "connectors.safetensors", lambda path: save_file(tensors, path, {"format": "pt"})
    )
    write_atomically(
        folder / "config.json", lambda path: path.write_text(json.dumps(config, indent=2))
    )
    return folder


def read_folder(source: str | Path) -> tuple[Path, dict, dict[str, Tensor]]:
    """The folder, or the one that a hub id was fetched into, its config with all KEYS (None: absent), and tensors.

    FileNotFoundError: no such folder, or one that is not whole. ValueError: damaged.
    """
    folder = local_folder(source, [*LM_FILES, *(f"{part}/*" for part in PARTS)])
    file, weights = folder / "config.json", folder / "connectors.safetensors"
    if not file.is_file() or not weights.is_file():
        raise FileNotFoundError(
            f"{file}: it or {weights.name} is not there; expected a folder that was saved whole"
        )
    try:
        config = json.loads(file.read_text())
        config = dict.fromkeys(KEYS) | {key: config[key] for key in KEYS[:3]} | config
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{file}: expected JSON with the keys {', '.join(KEYS[:3])}") from error
    return folder, config, read_safetensors(weights)
