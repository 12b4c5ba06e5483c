"""Label anchors: where a label's word lies in a language model's input-embedding space.

Takes a checkpoint (folder or hub id) and label words; gives one vector a word: the mean of the input
embeddings of its grounding text's tokens (TinyEmo, arXiv 2410.07062). The model never runs: only the
embedding tensor and the tokenizer are read, and of a safetensors file only the rows that are needed.
Code that a checkpoint brings along (`auto_map`) is never run.

Special tokens are those the tokenizer adds by itself, as in TinyEmo: the BOS of Llama and TinyLlama, none
for Phi-2 and Phi-3. BERT-style tokenizers are the exception: [CLS] and [SEP] are left out, for they pull
all anchors together.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch import Tensor
from torch.nn.functional import normalize
from transformers import AutoTokenizer, PreTrainedTokenizerBase, PreTrainedTokenizerFast

from tinyemo.hub import local_folder, read_bin, safetensors_errors

# how the input-embedding parameter is called in each family; the first that fits is taken
EMBEDDING_NAMES = (
    "embed_tokens.weight",  # Llama, TinyLlama, Phi, Qwen, Mistral, Gemma, OPT
    "token_embeddings.weight",  # OpenELM
    "wte.weight",  # GPT-2, MPT
    "word_embeddings.weight",  # BERT, MiniLM, Bloom, Falcon
    "embed_in.weight",  # GPT-NeoX, Pythia
    "tok_embeddings.weight",  # Llama as first released, InternLM
    "token_embedding.weight",  # CLIP's text tower
    "shared.weight",  # T5
    "embed_tokens",  # a table saved by itself
)
WEIGHT_FILES = (
    "model.safetensors",
    "pytorch_model.bin",
)  # each may be sharded, with <file>.index.json
SMALL_FILES = ["*.json", "*.txt", "*.model"]  # configuration, indexes and tokenizer


def load_anchors(
    checkpoint: str | Path,
    words: Sequence[str],
    template: str | Sequence[str] = "{emotion}",
    tokenizer: str | Path | None = None,
) -> Tensor:
    """Anchors (C, D) float32 of `words`, one row a word.

    `template` is the grounding text around `{emotion}` (see `emotions.TEMPLATES`), or several (see
    `ground`). `tokenizer` names another checkpoint to take the tokenizer from: OpenELM ships none, it uses
    that of Llama 2.

    FileNotFoundError: no such checkpoint, or no weights or tokenizer in it. ValueError: pickled code, no
    embedding tensor, a template without its place, or a word the tokenizer does not know.
    """
    table = _open_table(checkpoint)
    tokenize = load_tokenizer(tokenizer or checkpoint)
    special_tokens = tokenize.cls_token is None  # BERT style has a [CLS]

    def embed(text: str) -> Tensor:
        ids = tokenize(text, add_special_tokens=special_tokens)["input_ids"]
        if tokenize.unk_token_id in ids or not set(ids) - set(tokenize.all_special_ids):
            raise ValueError(
                f"{tokenizer or checkpoint}: its tokenizer does not know the text {text!r}"
            )
        rows = torch.cat([table[i : i + 1] for i in ids])  # (tokens, D)
        if len(rows) < len(ids):
            raise ValueError(
                f"{checkpoint}: its embedding table has no row for some token of {text!r}"
            )
        return rows.float().mean(dim=0)

    return ground(lambda texts: torch.stack([embed(text) for text in texts]), words, template)


def ground(
    embed: Callable[[list[str]], Tensor], words: Sequence[str], template: str | Sequence[str]
) -> Tensor:
    """Anchors (C, D) of `words` under `embed`, n texts -> (n, D), each word put in the place of `{emotion}`.

    One template: what `embed` gives, not normalised. Several: the mean of their unit-length anchors.
    ValueError: no template, or one without its place.
    """
    templates = [template] if isinstance(template, str) else list(template)
    for text in templates or [""]:
        if "{emotion}" not in text:
            raise ValueError(f"template {text!r}: expected a text with {{emotion}} in it")
    anchors = [embed([text.replace("{emotion}", word) for word in words]) for text in templates]
    return (
        anchors[0]
        if len(anchors) == 1
        else torch.stack([normalize(each, dim=1) for each in anchors]).mean(dim=0)
    )


def embedding_table(
    checkpoint: str | Path, tokenizer: str | Path | None = None
) -> tuple[Tensor, PreTrainedTokenizerBase]:
    """The whole input-embedding table (V, D) in its stored dtype, and the tokenizer. Errors as above."""
    return _open_table(checkpoint)[:], load_tokenizer(tokenizer or checkpoint)


def load_tokenizer(checkpoint: str | Path) -> PreTrainedTokenizerBase:
    """The tokenizer of a checkpoint: its tokenizer.json, or else what transformers makes of its other files.

    The model's own configuration and code are left alone. A Llama tokenizer adds BOS where its
    tokenizer_config.json says so: transformers 5 no longer reads add_bos_token there beside a tokenizer.json,
    whose own template may say otherwise. FileNotFoundError: none in it. ValueError: damaged.
    """
    folder = local_folder(checkpoint, SMALL_FILES)
    file, config = folder / "tokenizer.json", folder / "tokenizer_config.json"
    try:
        if not file.is_file():
            if (folder / "tokenizer.model").is_file():
                raise OSError(
                    "tokenizer.model alone"
                )  # transformers would guess how Llama marks its words
            return AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
        given = json.loads(config.read_text("utf-8")) if config.is_file() else {}
        llama = (given.get("tokenizer_class") or "").startswith("LlamaTokenizer")
        adds = {
            key: given[key] for key in ("add_bos_token", "add_eos_token") if llama and key in given
        }
        return PreTrainedTokenizerFast.from_pretrained(folder, **adds)
    except Exception as error:  # transformers and tokenizers raise whatever their parsers do
        if file.is_file():
            raise ValueError(
                f"{file}: it or tokenizer_config.json beside it is damaged ({error!r:.99})"
            ) from error
        raise FileNotFoundError(
            f"{checkpoint}: no tokenizer in it (tokenizer.json, or vocab.json and merges.txt, or the like; not "
            "tokenizer.model alone, nor code); name the checkpoint it belongs to as `tokenizer`, for OpenELM that "
            "of Llama 2"
        ) from error


def _open_table(checkpoint: str | Path) -> Any:
    """The embedding table (V, D), sliceable by rows: a lazy slice of a safetensors file, or a tensor."""
    folder = local_folder(checkpoint, SMALL_FILES)
    for file in WEIGHT_FILES:
        index = folder / f"{file}.index.json"
        if index.is_file():
            try:
                shard_of = json.loads(index.read_text())["weight_map"]
            except (ValueError, KeyError) as error:
                raise ValueError(
                    f"{index}: expected JSON with a weight_map of tensor to file"
                ) from error
            name = _embedding_name(shard_of, index)
            return _open_tensor(_fetch(checkpoint, shard_of[name]), name)
        if (path := _fetch(checkpoint, file)).is_file():
            return _open_tensor(path, None)
    raise FileNotFoundError(
        f"{checkpoint}: no weights in it; expected {' or '.join(WEIGHT_FILES)}, or its shards and their index"
    )


def _fetch(checkpoint: str | Path, file: str) -> Path:
    return local_folder(checkpoint, [file]) / file


def _open_tensor(path: Path, name: str | None) -> Any:
    """Tensor `name` of a weight file, or its embedding table where `name` is None."""
    if not path.is_file():
        raise FileNotFoundError(
            f"{path}: a shard of the checkpoint is missing; put it beside the others"
        )
    if path.suffix != ".safetensors":
        state = read_bin(path)
        return state[name or _embedding_name(state, path)]
    with safetensors_errors(path):
        file = safe_open(path, framework="pt")
        return file.get_slice(name or _embedding_name(file.keys(), path))


def _embedding_name(names: Any, path: Path) -> str:
    names = sorted(names, key=len)  # of several tables, the outermost
    for suffix in EMBEDDING_NAMES:
        for name in names:
            if name == suffix or name.endswith("." + suffix):
                return name
    expected = ", ".join(EMBEDDING_NAMES)
    raise ValueError(
        f"{path}: no input-embedding tensor; expected a name that ends in one of {expected}"
    )
