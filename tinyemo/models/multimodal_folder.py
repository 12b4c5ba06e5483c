"""The files of a MultimodalLM: the language model that it is made from, and its own saved folder.

    config.json              the streams' connectors, the template, the length limit, and for
                             adapters their base and its hash
    connectors.safetensors   connectors and missing embeddings
    tokenizer/               the tokenizer, with the placeholders
    lm/ or adapter/          the whole language model, or only peft's low-rank adapters

config.json is written last, so a folder without it is incomplete and is refused. Code that comes
with a checkpoint is never run.
"""

import hashlib
import json
import os
import shutil
from pathlib import Path

import torch
from peft import (
    PeftConfig,
    PeftModel,
    get_peft_model,
    get_peft_model_state_dict,
    set_peft_model_state_dict,
)
from safetensors.torch import save_file
from torch import Tensor
from transformers import AutoModelForCausalLM, PreTrainedModel, PreTrainedTokenizerBase

from tinyemo.hub import local_folder, read_safetensors
from tinyemo.io import digests, first_line, write_atomically
from tinyemo.models import openelm  # noqa: F401 (load_lm may load it: part of the code digest)
from tinyemo.strict_loading import fitted, load_pretrained

LM_FILES = ["*.json", "*.txt", "*.model", "*.jinja", "*.safetensors", "*.bin"]
TOKENIZER_FILES = LM_FILES[:4]
# of a checkpoint that was also trained for another task: a value, a class, the span of an answer
UNUSED_HEADS = r"(v_head|value_head|score|classifier|qa_outputs)\."
# keys of config.json
REQUIRED_KEYS = ("connectors", "template", "max_length")
ADAPTER_KEYS = ("base", "base_hash")
PARTS = ("lm", "adapter", "tokenizer")  # its subfolders


def load_lm(checkpoint: str | Path, dtype: torch.dtype) -> PreTrainedModel:
    """The causal LM of a folder or hub id, in `dtype`.

    FileNotFoundError, ValueError: as of `local_folder` and `load_pretrained`.
    """
    folder = local_folder(checkpoint, LM_FILES)
    what = "a causal language model"
    return load_pretrained(AutoModelForCausalLM, folder, dtype, what, UNUSED_HEADS)


def load_adapters(lm: PreTrainedModel, folder: Path) -> PeftModel:
    """`lm` with the adapters that `write_folder` wrote into `folder`; they can be trained.

    FileNotFoundError or ValueError names a file, or a tensor that is missing or does not fit.
    """
    file = folder / "adapter_model.safetensors"
    state = read_safetensors(file)
    try:
        config = PeftConfig.from_pretrained(folder)
        config.inference_mode = False
        config.base_model_name_or_path = lm.name_or_path  # it may have been moved
        adapted = get_peft_model(lm, config)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ValueError(
            f"{folder / 'adapter_config.json'}: not the settings of adapters for this language "
            f"model: {first_line(error)}"
        ) from error
    expected = get_peft_model_state_dict(adapted, save_embedding_layers=False)
    set_peft_model_state_dict(adapted, fitted(state, expected, file, "adapters"))
    return adapted


def checkpoint_hash(checkpoint: str | Path) -> str:
    """SHA-256 of a checkpoint's config.json and weight files, by name and content."""
    folder = local_folder(checkpoint, LM_FILES)
    paths = [*folder.glob("config.json"), *folder.glob("*.safetensors"), *folder.glob("*.bin")]
    digest_of = digests(sorted(map(str, paths)))
    facts = [(Path(path).name, digest) for path, digest in digest_of.items()]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def write_folder(
    folder: str | Path,
    config: dict,
    tensors: dict[str, Tensor],
    lm: PreTrainedModel | PeftModel,
    tokenizer: PreTrainedTokenizerBase,
) -> Path:
    """Write or overwrite the folder, and return it; other files in it stay.

    A model that was saved there before stays complete until all large files are written.
    """
    folder = Path(folder)
    parts = {"adapter" if isinstance(lm, PeftModel) else "lm": lm, "tokenizer": tokenizer}
    # each part is written under a temporary name first
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
    text = json.dumps(config, indent=2)
    weights = folder / "connectors.safetensors"
    write_atomically(weights, lambda path: save_file(tensors, path, {"format": "pt"}))
    write_atomically(folder / "config.json", lambda path: path.write_text(text))
    return folder


def read_folder(source: str | Path) -> tuple[Path, dict, dict[str, Tensor]]:
    """The local folder, its config, and the tensors of its connectors.

    `source` is a folder or a hub id. A key of adapters that config.json lacks is None.
    FileNotFoundError: no such folder, or an incomplete one. ValueError: damaged.
    """
    folder = local_folder(source, [*LM_FILES, *(f"{part}/*" for part in PARTS)])
    file, weights = folder / "config.json", folder / "connectors.safetensors"
    if not file.is_file() or not weights.is_file():
        raise FileNotFoundError(
            f"{file}: it or {weights.name} is not there; expected a completely saved folder"
        )
    try:
        given = json.loads(file.read_text())
        config = dict.fromkeys(ADAPTER_KEYS) | {key: given[key] for key in REQUIRED_KEYS} | given
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{file}: expected JSON with the keys {', '.join(REQUIRED_KEYS)}"
        ) from error
    return folder, config, read_safetensors(weights)
