"""Small random language models with their tokenizers, and published chat templates."""

import json
from pathlib import Path

import torch
from checkpoints import save_tokenizer
from safetensors.torch import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

WORDS = [f"w{i}" for i in range(30)]
TINYLLAMA = (  # TinyLlama/TinyLlama-1.1B-Chat-v1.0
    "{% for message in messages %}\n"
    "{% if message['role'] == 'user' %}\n"
    "{{ '<|user|>\n' + message['content'] + eos_token }}\n"
    "{% elif message['role'] == 'system' %}\n"
    "{{ '<|system|>\n' + message['content'] + eos_token }}\n"
    "{% elif message['role'] == 'assistant' %}\n"
    "{{ '<|assistant|>\n'  + message['content'] + eos_token }}\n{% endif %}\n"
    "{% if loop.last and add_generation_prompt %}\n{{ '<|assistant|>' }}\n{% endif %}\n"
    "{% endfor %}"
)
PHI3 = (  # microsoft/Phi-3-mini-128k-instruct
    "{% for message in messages %}"
    "{% if message['role'] == 'system' %}{{'<|system|>\n' + message['content'] + '<|end|>\n'}}"
    "{% elif message['role'] == 'user' %}{{'<|user|>\n' + message['content'] + '<|end|>\n'}}"
    "{% elif message['role'] == 'assistant' %}"
    "{{'<|assistant|>\n' + message['content'] + '<|end|>\n'}}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% else %}{{ eos_token }}{% endif %}"
)


def save_word_vectors(folder: Path, words: set[str], width: int = 24) -> Path:
    """A checkpoint that holds a random input embedding for each word, and a tokenizer for them."""
    known = {"<unk>": 0} | {word: i for i, word in enumerate(sorted(words), start=1)}
    tokenizer = Tokenizer(models.WordLevel(known, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>").save_pretrained(folder)
    generator = torch.Generator().manual_seed(0)
    table = torch.randn(len(known), width, generator=generator)
    save_file({"model.embed_tokens.weight": table}, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps({"model_type": "llama"}))
    return folder


def save_lm(folder: Path) -> Path:
    """A random Llama of two layers, whose tokens are WORDS."""
    vocabulary = {
        word: i
        for i, word in enumerate(["<pad>", "<s>", "</s>", "<unk>", "USER:", "ASSISTANT:", *WORDS])
    }
    tokenizer = Tokenizer(models.WordLevel(vocabulary, "<unk>"))
    tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.WhitespaceSplit(), decoders.Fuse()
    special = {"pad_token": "<pad>", "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **special).save_pretrained(folder)
    torch.manual_seed(0)
    LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(vocabulary),
            hidden_size=16,
            intermediate_size=32,
            num_hidden_layers=2,
            num_attention_heads=2,
            bos_token_id=1,
            eos_token_id=2,
            pad_token_id=0,
            tie_word_embeddings=True,
        )
    ).save_pretrained(folder)
    return folder


def save_tiny_llama(folder: Path) -> Path:
    """A random Llama whose likeliest tokens are never single bytes: its texts are comparable."""
    tokenizer = save_tokenizer(folder, "llama")
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        initializer_range=0.3,
    )
    lm = LlamaForCausalLM(config)
    lm.lm_head.weight.data[[tokenizer.token_to_id(f"<0x{byte:02X}>") for byte in range(256)]] = 0
    lm.save_pretrained(folder)
    return folder
