"""Label anchors: the vector of a label word in a language model's input-embedding space.

Takes a checkpoint (folder or hub id) and label words; gives one anchor per word. An anchor is the
mean of the input embeddings of the tokens of the word's grounding text (TinyEmo, arXiv 2410.07062).
The language model itself never runs: only its embedding tensor and its tokenizer are read, and of a
safetensors file only the rows that are needed. Code that comes with a checkpoint (`auto_map`) is
never run.

Special tokens are those that the tokenizer adds by itself, as in TinyEmo: BOS for Llama and
TinyLlama, none for Phi-2 and Phi-3. Tokenizers in the style of BERT are the exception: [CLS] and
[SEP] are left out, because they would make all anchors similar.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch import Tensor
from torch.nn.functional import normalize
from transformers import AutoTokenizer, PreTrainedTokenizerBase, PreTrainedTokenizerFast

from tinyemo.emotions import grounding_texts
from tinyemo.hub import WEIGHT_FILES, local_folder, read_bin, read_index, safetensors_errors

# The name of the input-embedding parameter in each family. The first one that fits is taken.
EMBEDDING_NAMES = (
    "embed_tokens.weight",  # Llama, TinyLlama, Phi, Qwen, Mistral, Gemma, OPT
    "token_embeddings.weight",  # OpenELM
    "wte.weight",  # GPT-2, MPT
    "word_embeddings.weight",  # BERT, MiniLM, Bloom, Falcon
    "embed_in.weight",  # GPT-NeoX, Pythia
    "tok_embeddings.weight",  # the first Llama, InternLM
    "token_embedding.weight",  # CLIP's text tower
    "shared.weight",  # T5
    "embed_tokens",  # a table saved by itself
)
SMALL_FILES = ["*.json", "*.txt", "*.model"]  # configuration, indexes and tokenizer


def load_anchors(
    checkpoint: str | Path,
    words: Sequence[str],
    template: str | Sequence[str] = "{emotion}",
    tokenizer: str | Path | None = None,
) -> Tensor:
    """Anchors (C, D) float32, one row per word.

    `template` is the grounding text with the place `{emotion}` (see `emotions.TEMPLATES`), or
    several of them (see `ground`). `tokenizer` names another checkpoint to take the tokenizer from:
    OpenELM has none and uses that of Llama 2.

    FileNotFoundError: no such checkpoint, or no weights or no tokenizer in it. ValueError: pickled
    code, no embedding tensor, a template without `{emotion}`, or a word that the tokenizer cannot
    split into known tokens.
    """
    table = _open_table(checkpoint)  # (V, D)
    tokenize = load_tokenizer(tokenizer or checkpoint)
    is_bert_style = tokenize.cls_token is not None

    def embed(text: str) -> Tensor:
        if not known_ids(tokenize, text):
            raise ValueError(
                f"{tokenizer or checkpoint}: its tokenizer does not know the text {text!r}"
            )
        ids = tokenize(text, add_special_tokens=not is_bert_style)["input_ids"]
        rows = torch.cat([table[i : i + 1] for i in ids])  # (tokens, D)
        if len(rows) < len(ids):
            raise ValueError(
                f"{checkpoint}: its embedding table has no row for some token of {text!r}"
            )
        return rows.float().mean(dim=0)

    return ground(lambda texts: torch.stack([embed(text) for text in texts]), words, template)


def known_ids(tokenizer: PreTrainedTokenizerBase, text: str) -> list[int]:
    """The tokens of the text itself; none if the tokenizer cannot split it into known tokens.

    Special tokens around the text are left out: in many vocabularies (OPT, CLIP, GPT-2) the unknown
    token is also the one that is added at the beginning or the end.
    """
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    return [] if tokenizer.unk_token_id in ids else ids


def ground(
    embed: Callable[[list[str]], Tensor], words: Sequence[str], template: str | Sequence[str]
) -> Tensor:
    """Anchors (C, D): the embeddings of the words' grounding texts.

    `embed` takes n texts and gives (n, D). With one template an anchor is not normalised; with
    several it is the mean of the unit-length embeddings of its texts. ValueError: no template, or
    one without `{emotion}`.
    """
    templates = [template] if isinstance(template, str) else list(template)
    texts = [grounding_texts(one, words) for one in templates or [""]]  # an empty one is refused
    embeddings = [embed(of_template) for of_template in texts]  # (C, D) each
    if len(embeddings) == 1:
        return embeddings[0]
    return torch.stack([normalize(one, dim=1) for one in embeddings]).mean(dim=0)


def embedding_table(
    checkpoint: str | Path, tokenizer: str | Path | None = None
) -> tuple[Tensor, PreTrainedTokenizerBase]:
    """The whole input-embedding table (V, D), in its stored dtype, and the tokenizer.

    Arguments and errors as of `load_anchors`.
    """
    return _open_table(checkpoint)[:], load_tokenizer(tokenizer or checkpoint)


def load_tokenizer(checkpoint: str | Path) -> PreTrainedTokenizerBase:
    """The tokenizer of a checkpoint, from its tokenizer.json or else from its other files.

    The model's configuration and code are not used. A Llama tokenizer adds BOS if its
    tokenizer_config.json says so: transformers 5 no longer reads add_bos_token there if there is a
    tokenizer.json, whose own template may say otherwise. FileNotFoundError: no tokenizer in it.
    ValueError: a damaged one.
    """
    folder = local_folder(checkpoint, SMALL_FILES)
    file = folder / "tokenizer.json"
    try:
        if not file.is_file():
            if (folder / "tokenizer.model").is_file():
                # transformers would have to guess how Llama marks its words
                raise OSError("only tokenizer.model")
            return AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
        return PreTrainedTokenizerFast.from_pretrained(folder, **_llama_options(folder))
    except Exception as error:  # transformers and tokenizers raise any error of their parsers
        if file.is_file():
            raise ValueError(
                f"{file}: it or tokenizer_config.json beside it is damaged ({error!r:.99})"
            ) from error
        raise FileNotFoundError(
            f"{checkpoint}: no tokenizer in it (tokenizer.json, or vocab.json and merges.txt, or "
            "the like; not tokenizer.model alone, and no code); name the checkpoint it belongs to "
            "as `tokenizer`, for OpenELM that of Llama 2"
        ) from error


def _llama_options(folder: Path) -> dict[str, bool]:
    """Which special tokens a Llama tokenizer adds, as tokenizer_config.json says."""
    config = folder / "tokenizer_config.json"
    given = json.loads(config.read_text("utf-8")) if config.is_file() else {}
    if not (given.get("tokenizer_class") or "").startswith("LlamaTokenizer"):
        return {}
    return {key: given[key] for key in ("add_bos_token", "add_eos_token") if key in given}


def _open_table(checkpoint: str | Path) -> Any:
    """The embedding table (V, D): a tensor, or a slice of a safetensors file, read by rows."""
    folder = local_folder(checkpoint, SMALL_FILES)
    for file in WEIGHT_FILES:
        index = folder / f"{file}.index.json"
        if index.is_file():
            shard_of = read_index(index)
            name = _embedding_name(shard_of, index)
            return _open_tensor(_fetch(checkpoint, shard_of[name]), name)
        path = _fetch(checkpoint, file)
        if path.is_file():
            return _open_tensor(path, None)
    raise FileNotFoundError(
        f"{checkpoint}: no weights in it; expected {' or '.join(WEIGHT_FILES)}, or its shards and "
        "their index"
    )


def _fetch(checkpoint: str | Path, file: str) -> Path:
    return local_folder(checkpoint, [file]) / file


def _open_tensor(path: Path, name: str | None) -> Any:
    """The tensor `name` of a weight file, or its embedding table if `name` is None."""
    if not path.is_file():
        raise FileNotFoundError(
            f"{path}: a shard of the checkpoint is missing; put it beside the others"
        )
    if path.suffix != ".safetensors":
        state = read_bin(path)
        name = name or _embedding_name(state, path)
        _check_table(state.get(name), name, path)
        return state[name]
    with safetensors_errors(path):
        file = safe_open(path, framework="pt")
        name = name or _embedding_name(file.keys(), path)
        table = file.get_slice(name) if name in file.keys() else None
        _check_table(table if table is None else table[:0], name, path)
        return table


def _check_table(table: Tensor | None, name: str, path: Path) -> None:
    """ValueError: there is no such tensor, or it is no table of floating-point numbers."""
    if table is None or table.ndim != 2 or not table.is_floating_point():
        found = "nothing" if table is None else f"{table.dtype} in {table.ndim} dimensions"
        raise ValueError(
            f"{path}: expected the tensor {name} with floating-point numbers in two dimensions, "
            f"found {found}"
        )


def _embedding_name(names: Iterable[str], path: Path) -> str:
    """The name of the input-embedding table. If there are several, it is the outermost one."""
    names = sorted(names, key=len)
    for suffix in EMBEDDING_NAMES:
        for name in names:
            if name == suffix or name.endswith("." + suffix):
                return name
    raise ValueError(
        f"{path}: no input-embedding tensor; expected a name that ends in one of "
        f"{', '.join(EMBEDDING_NAMES)}"
    )
