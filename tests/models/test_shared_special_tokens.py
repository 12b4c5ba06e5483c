"""Vocabularies in which the beginning, the end and the unknown token are one token.

The expected anchors are means of rows of the table, by the ids of the vocabulary.
"""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import AutoModelForCausalLM, GPT2Config, PreTrainedTokenizerFast

from tinyemo.bias.associations import table_space
from tinyemo.models.anchors import known_ids, load_anchors, load_tokenizer
from tinyemo.models.multimodal_lm import Connector, MultimodalLM
from tinyemo.models.prompt import Sample

END = "<|endoftext|>"
# style -> (what is put around a text, all three special tokens or those that differ)
STYLES = {
    "gpt2": ([], {"bos_token": END, "eos_token": END, "unk_token": END}),
    "gpt2 with bos": ([END, "$A"], {"bos_token": END, "eos_token": END, "unk_token": END}),
    "opt": (["</s>", "$A"], {"bos_token": "</s>", "eos_token": "</s>", "unk_token": "</s>"}),
    "clip": (
        ["<|start|>", "$A", END],
        {"bos_token": "<|start|>", "eos_token": END, "unk_token": END},
    ),
    "eos only": (["$A", END], {"eos_token": END, "unk_token": END}),
    "no unknown": (["<s>", "$A"], {"bos_token": "<s>", "eos_token": "<s>"}),
}


def byte_pairs(special: list[str]) -> Tokenizer:
    """Byte-level pairs: every text has known tokens; "anger" and "joy" are one token each."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(["anger", "joy", "joy"], trainer)
    return tokenizer


def save_table(folder: Path, rows: int) -> torch.Tensor:
    table = torch.randn(rows, 6, generator=torch.Generator().manual_seed(0))
    save_file({"token_embedding.weight": table}, folder / "model.safetensors")
    return table


def checkpoint(folder: Path, style: str) -> tuple[PreTrainedTokenizerFast, torch.Tensor]:
    around, named = STYLES[style]
    special = list(dict.fromkeys(named.values()))
    tokenizer = byte_pairs(special)
    if around:
        ids = [(token, tokenizer.token_to_id(token)) for token in special]
        tokenizer.post_processor = processors.TemplateProcessing(single=around, special_tokens=ids)
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, **named)
    fast.save_pretrained(folder)
    return fast, save_table(folder, len(fast))


@pytest.mark.parametrize("style", STYLES)
def test_anchors_are_means_over_the_added_and_the_own_tokens(tmp_path, style):
    tokenizer, table = checkpoint(tmp_path, style)
    around, _ = STYLES[style]
    for word in ("anger", "joy"):
        names = [word if name == "$A" else name for name in around or ["$A"]]
        rows = tokenizer.convert_tokens_to_ids(names)
        torch.testing.assert_close(load_anchors(tmp_path, [word])[0], table[rows].mean(dim=0))


def test_opt_without_a_tokenizer_json_adds_its_beginning_token(tmp_path):
    """The published files of OPT: vocabulary, merges, and add_bos_token."""
    model = json.loads(byte_pairs(["<pad>", "</s>"]).to_str())["model"]
    (tmp_path / "vocab.json").write_text(json.dumps(model["vocab"]))
    pairs = [pair if isinstance(pair, str) else " ".join(pair) for pair in model["merges"]]
    (tmp_path / "merges.txt").write_text("\n".join(["#version: 0.2", *pairs]) + "\n")
    settings = {"tokenizer_class": "GPT2Tokenizer", "add_bos_token": True, "pad_token": "<pad>"}
    settings |= {"bos_token": "</s>", "eos_token": "</s>", "unk_token": "</s>"}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(settings))
    table = save_table(tmp_path, len(model["vocab"]))
    rows = [model["vocab"]["</s>"], model["vocab"]["anger"]]
    torch.testing.assert_close(load_anchors(tmp_path, ["anger"])[0], table[rows].mean(dim=0))


def test_a_word_that_is_unknown_is_still_refused(tmp_path):
    """Here the vocabulary has whole words, and its unknown token is also the first and the last."""
    words = Tokenizer(models.WordLevel({END: 0, "joy": 1, "fear": 2}, unk_token=END))
    words.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    words.post_processor = processors.TemplateProcessing(
        single=[END, "$A", END], special_tokens=[(END, 0)]
    )
    special = {"bos_token": END, "eos_token": END, "unk_token": END}
    PreTrainedTokenizerFast(tokenizer_object=words, **special).save_pretrained(tmp_path)
    table = save_table(tmp_path, 3)
    torch.testing.assert_close(load_anchors(tmp_path, ["joy"])[0], table[[0, 1, 0]].mean(dim=0))
    for text in ("envy", "joy envy", "", " "):
        assert known_ids(load_tokenizer(tmp_path), text) == []
        with pytest.raises(ValueError, match=f"does not know the text '{text}'"):
            load_anchors(tmp_path, ["joy", text], ["{emotion}"])
    space = table_space(tmp_path)
    assert torch.equal(space(["fear"])[0], table[2])
    with pytest.raises(ValueError, match="no word 'envy' in its vocabulary"):
        space(["envy"])


@pytest.mark.parametrize("style", ["gpt2", "gpt2 with bos", "opt"])
def test_a_language_model_with_one_special_token_is_trained_and_generates(tmp_path, style):
    tokenizer, _ = checkpoint(tmp_path, style)
    (tmp_path / "model.safetensors").unlink()
    torch.manual_seed(0)
    config = GPT2Config(vocab_size=len(tokenizer), n_embd=16, n_layer=1, n_head=2, n_positions=128)
    AutoModelForCausalLM.from_config(config).save_pretrained(tmp_path)
    model = MultimodalLM.from_lm(tmp_path, {"image": Connector("linear", 4)}, template="plain")
    end = tokenizer.eos_token_id
    sample = Sample((("anger?", "joy"),))
    encoded = model.prompts.encode(sample)
    answer = [label for label in encoded.labels if label >= 0]
    assert answer == [*tokenizer(" joy", add_special_tokens=False)["input_ids"], end]
    starts_with_it = encoded.input_ids[0] == end
    assert starts_with_it == (style != "gpt2")
    assert encoded.input_ids.count(end) == 1 + starts_with_it
    assert model(**model.collate([sample])).loss.isfinite()
    assert isinstance(model.generate([Sample((("anger?", ""),))], max_new_tokens=3)[0], str)
