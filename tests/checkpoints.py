"""Small random checkpoints in the published file formats of TinyEmo's language models.

`save_checkpoint` writes a folder with the same files as the hub repository: config.json with its
fields, weights with their published names (one safetensors file, or two shards with their index, or
`.bin`), and the files of the tokenizer. Only the vocabulary and the depth are small; the width is
the published one by default. The code that a config's `auto_map` names is there too: it writes a
file if anything runs it.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import (
    AddedToken,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)
from torch import Tensor

from tinyemo.emotions import labels_of

OPENELM = {  # apple/OpenELM-*-Instruct: no tokenizer, one file, output tied to input
    "architectures": ["OpenELMForCausalLM"],
    "activation_fn_name": "swish",
    "bos_token_id": 1,
    "eos_token_id": 2,
    "auto_map": {
        "AutoConfig": "configuration_openelm.OpenELMConfig",
        "AutoModelForCausalLM": "modeling_openelm.OpenELMForCausalLM",
    },
    "ffn_with_glu": True,
    "head_dim": 64,
    "max_context_length": 2048,
    "model_type": "openelm",
    "num_gqa_groups": 4,
    "num_transformer_layers": 16,
    "qkv_multipliers": [0.5, 1.0],
    "rope_freq_constant": 10000,
    "share_input_output_layers": True,
    "torch_dtype": "bfloat16",
    "transformers_version": "4.39.3",
}
LLAMA = {  # TinyLlama/TinyLlama-1.1B-Chat-v1.0
    "architectures": ["LlamaForCausalLM"],
    "attention_bias": False,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "hidden_act": "silu",
    "intermediate_size": 5632,
    "max_position_embeddings": 2048,
    "model_type": "llama",
    "num_attention_heads": 32,
    "num_hidden_layers": 22,
    "num_key_value_heads": 4,
    "rope_scaling": None,
    "rope_theta": 10000.0,
    "tie_word_embeddings": False,
    "torch_dtype": "bfloat16",
    "transformers_version": "4.35.0",
}
PHI2 = {  # microsoft/phi-2
    "architectures": ["PhiForCausalLM"],
    "bos_token_id": 50256,
    "eos_token_id": 50256,
    "hidden_act": "gelu_new",
    "auto_map": {
        "AutoConfig": "configuration_phi.PhiConfig",
        "AutoModelForCausalLM": "modeling_phi.PhiForCausalLM",
    },
    "intermediate_size": 10240,
    "max_position_embeddings": 2048,
    "model_type": "phi",
    "num_attention_heads": 32,
    "num_hidden_layers": 32,
    "partial_rotary_factor": 0.4,
    "qk_layernorm": False,
    "rope_scaling": None,
    "tie_word_embeddings": False,
    "torch_dtype": "float16",
    "transformers_version": "4.37.0",
}
PHI3 = {  # microsoft/Phi-3-mini-128k-instruct
    "_name_or_path": "Phi-3-mini-128k-instruct",
    "architectures": ["Phi3ForCausalLM"],
    "bos_token_id": 1,
    "auto_map": {
        "AutoConfig": "configuration_phi3.Phi3Config",
        "AutoModelForCausalLM": "modeling_phi3.Phi3ForCausalLM",
    },
    "eos_token_id": 32000,
    "hidden_act": "silu",
    "intermediate_size": 8192,
    "max_position_embeddings": 131072,
    "model_type": "phi3",
    "num_attention_heads": 32,
    "num_hidden_layers": 32,
    "num_key_value_heads": 32,
    "original_max_position_embeddings": 4096,
    "pad_token_id": 32000,
    "rope_theta": 10000.0,
    "sliding_window": 262144,
    "rope_scaling": {"long_factor": [1.07] * 48, "short_factor": [1.1] * 48, "type": "longrope"},
    "tie_word_embeddings": False,
    "torch_dtype": "bfloat16",
    "transformers_version": "4.40.2",
}


@dataclass(frozen=True)
class Family:
    """One published checkpoint: its width, config, names, tokenizer and number of weight files."""

    width: int
    config: dict
    width_name: str  # key of the width in config.json
    embedding: str  # name of the embedding tensor
    # "llama" adds BOS, "phi3" and "codegen" do not; None: it has none and uses that of Llama 2
    tokenizer: str | None
    shards: int = 1
    bos: tuple[str, ...] = ()  # special tokens in front of a text


FAMILIES = {
    "OpenELM-270M": Family(
        1280, OPENELM, "model_dim", "transformer.token_embeddings.weight", None, bos=("<s>",)
    ),
    "OpenELM-450M": Family(
        1536, OPENELM, "model_dim", "transformer.token_embeddings.weight", None, bos=("<s>",)
    ),
    "TinyLlama-1.1B": Family(
        2048, LLAMA, "hidden_size", "model.embed_tokens.weight", "llama", bos=("<s>",)
    ),
    "Phi-2": Family(2560, PHI2, "hidden_size", "model.embed_tokens.weight", "codegen", shards=2),
    "Phi-3-mini": Family(3072, PHI3, "hidden_size", "model.embed_tokens.weight", "phi3", shards=2),
}


def save_checkpoint(
    folder: Path,
    name: str,
    vectors: dict[str, Tensor] | None = None,
    width: int | None = None,
    weights: str = "safetensors",
) -> dict[str, Path]:
    """A checkpoint of FAMILIES in folder/name; if it has no tokenizer, one in folder/Llama-2.

    `vectors` sets the embeddings of words that are single tokens (Ekman's six); all others are
    random. Returns the arguments of `load_anchors` or of a notebook: the checkpoint as "anchors",
    and "tokenizer" if it is in another folder.
    """
    family, own = FAMILIES[name], folder / name
    own.mkdir(parents=True)
    arguments = {"anchors": own}
    if family.tokenizer is None:
        arguments["tokenizer"] = folder / "Llama-2"
    tokenizer = save_tokenizer(arguments.get("tokenizer", own), family.tokenizer or "llama")
    generator = torch.Generator().manual_seed(0)
    width, rows = width or family.width, tokenizer.get_vocab_size()
    dtype = getattr(torch, family.config["torch_dtype"])
    table = torch.randn(rows, width, generator=generator)
    for word, vector in (vectors or {}).items():
        (index,) = tokenizer.encode(word, add_special_tokens=False).ids  # a word of one token
        table[index] = vector
    remote_code = family.config.get("auto_map", {}).values()
    for stem in {value.split(".")[0] for value in remote_code}:
        (own / f"{stem}.py").write_text(f"open({str(own / 'ran')!r}, 'w').close()\n")
    size = {family.width_name: width, "vocab_size": rows}
    (own / "config.json").write_text(json.dumps(family.config | size, indent=2))
    (own / "generation_config.json").write_text('{"_from_model_config": true}')
    prefix = family.embedding.split(".")[0]
    first = {family.embedding: table.to(dtype), f"{prefix}.norm.weight": torch.ones(width)}
    last = {}
    if family.tokenizer is not None:  # OpenELM's output is tied to its input
        last["lm_head.weight"] = torch.zeros(rows, width, dtype=dtype)
    shards = [first | last] if family.shards == 1 else [first, last]
    _save_weights(own, shards, weights)
    return arguments


def _save_weights(folder: Path, parts: list[dict[str, Tensor]], weights: str) -> None:
    stem, suffix = "model", "safetensors"
    if weights == "bin":
        stem, suffix = "pytorch_model", "bin"
    weight_map = {}
    for i, part in enumerate(parts):
        file = f"{stem}.{suffix}"
        if len(parts) > 1:
            file = f"{stem}-{i + 1:05d}-of-{len(parts):05d}.{suffix}"
        weight_map |= dict.fromkeys(part, file)
        if suffix == "bin":
            torch.save(part, folder / file)
        else:
            save_file(part, folder / file, metadata={"format": "pt"})
    if len(parts) > 1:
        size = sum(tensor.nbytes for part in parts for tensor in part.values())
        index = {"metadata": {"total_size": size}, "weight_map": weight_map}
        (folder / f"{stem}.{suffix}.index.json").write_text(json.dumps(index, indent=2))


def save_tokenizer(folder: Path, kind: str) -> Tokenizer:
    """Tokenizer files in `folder`. Each of Ekman's six words is one token, other words several."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer, config = _codegen() if kind == "codegen" else _llama(kind)
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2))
    tokens = {key: config[key] for key in ("bos_token", "eos_token", "unk_token")}
    (folder / "special_tokens_map.json").write_text(json.dumps(tokens))
    model = json.loads(tokenizer.to_str())["model"]
    if kind != "llama":
        added = {}
        for token in json.loads(tokenizer.to_str())["added_tokens"]:
            if token["id"] >= len(model["vocab"]):
                added[token["content"]] = token["id"]
        (folder / "added_tokens.json").write_text(json.dumps(added))
    if kind == "codegen":
        (folder / "vocab.json").write_text(json.dumps(model["vocab"]))
        lines = ["#version: 0.2"]
        for pair in model["merges"]:
            lines.append(pair if isinstance(pair, str) else " ".join(pair))
        (folder / "merges.txt").write_text("\n".join(lines) + "\n")
    else:
        # never read if there is a tokenizer.json
        (folder / "tokenizer.model").write_bytes(b"\n\x0e\n\x05<unk>")
    return tokenizer


def _llama(kind: str) -> tuple[Tokenizer, dict]:
    """Llama 2's byte-pair tokenizer with sentencepiece's space marks.

    "phi3" has chat tokens too, and adds no BOS.
    """
    special = ["<unk>", "<s>", "</s>"]
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    )
    bytes_ = [f"<0x{i:02X}>" for i in range(256)]
    alphabet = [*"abcdefghijklmnopqrstuvwxyz"]
    trainer = trainers.BpeTrainer(
        special_tokens=special + bytes_, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(labels_of("ekman"), trainer)
    state = json.loads(tokenizer.to_str())
    state["added_tokens"] = state["added_tokens"][:3]  # bytes are plain tokens
    tokenizer = Tokenizer.from_str(json.dumps(state))
    tokenizer.decoder = decoders.Sequence(
        [
            decoders.Replace("▁", " "),
            decoders.ByteFallback(),
            decoders.Fuse(),
            decoders.Strip(" ", 1, 0),
        ]
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s>:1 $B:1", special_tokens=[("<s>", 1)]
    )
    config = {
        "add_bos_token": kind == "llama",
        "add_eos_token": False,
        "bos_token": "<s>",
        "eos_token": "</s>",
        "unk_token": "<unk>",
        "pad_token": "</s>",
        "legacy": False,
        "model_max_length": 2048,
        "sp_model_kwargs": {},
        "tokenizer_class": "LlamaTokenizer",
        "use_default_system_prompt": False,
    }
    if kind == "phi3":
        chat = [
            "<|endoftext|>",
            "<|assistant|>",
            "<|placeholder1|>",
            "<|system|>",
            "<|end|>",
            "<|user|>",
        ]
        tokenizer.add_special_tokens(
            [AddedToken(token, rstrip=True, normalized=False) for token in chat]
        )
        config |= {
            "eos_token": chat[0],
            "pad_token": chat[0],
            "model_max_length": 131072,
            "padding_side": "left",
        }
    return tokenizer, config | {"added_tokens_decoder": _decoder(tokenizer)}


def _codegen() -> tuple[Tokenizer, dict]:
    """Phi-2's: GPT-2's byte-level pairs, one special token for everything, and runs of spaces."""
    end = "<|endoftext|>"
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    trainer = trainers.BpeTrainer(
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    tokenizer.train_from_iterator(labels_of("ekman"), trainer)
    tokenizer.add_special_tokens([AddedToken(end, normalized=False)])
    tokenizer.add_tokens([AddedToken(" " * n, normalized=True) for n in range(31, 1, -1)])
    config = {
        "add_prefix_space": False,
        "bos_token": end,
        "eos_token": end,
        "unk_token": end,
        "clean_up_tokenization_spaces": True,
        "model_max_length": 2048,
        "tokenizer_class": "CodeGenTokenizer",
    }
    return tokenizer, config | {"added_tokens_decoder": _decoder(tokenizer)}


def _decoder(tokenizer: Tokenizer) -> dict[str, dict]:
    added = json.loads(tokenizer.to_str())["added_tokens"]
    return {str(token.pop("id")): token for token in added}
