"""Training the MM-LLM: exact after kill -9, the same in parts and in several processes, and it keeps the best."""

import json
import os
import random
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from tinyemo.data.instructions import Instruction
from tinyemo.models.mm_llm import Connector, MultimodalLM
from tinyemo.training import stage_trainer
from tinyemo.training.fit_mm_llm import PRESETS, Job, StageRecipe, fit_stage
from tinyemo.training.samples import GroupedSampler, Samples

WORDS = [f"w{i}" for i in range(30)]
RECIPE = StageRecipe("all", lr=1e-2, epochs=2, batch=8, per_device=4, drop_stream=0.3, evaluations=2, save_steps=3)


class Source:
    """Four tokens of six numbers an image, by its name; `calls` counts."""

    key, calls = "made up", 0

    def __call__(self, images):
        self.calls += 1
        return [torch.randn(4, 6, generator=torch.Generator().manual_seed(int(Path(image).stem))) for image in images]


def save_lm(folder: Path) -> Path:
    """A random Llama of two layers, whose tokens are WORDS."""
    vocabulary = {word: i for i, word in enumerate(["<pad>", "<s>", "</s>", "<unk>", "USER:", "ASSISTANT:", *WORDS])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, "<unk>"))
    tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.WhitespaceSplit(), decoders.Fuse()
    special = {"pad_token": "<pad>", "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **special).save_pretrained(folder)
    torch.manual_seed(0)
    LlamaForCausalLM(LlamaConfig(
        vocab_size=len(vocabulary), hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2,
        bos_token_id=1, eos_token_id=2, pad_token_id=0, tie_word_embeddings=True)).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def lm(tmp_path_factory) -> Path:
    return save_lm(tmp_path_factory.mktemp("lm"))


def fresh(lm: Path) -> MultimodalLM:
    return MultimodalLM.from_lm(lm, {"image": Connector("linear", 6)}, template="plain")


def instructions(n: int, first: int = 0) -> list[Instruction]:
    """Answers of 1 to 12 words, every fifth about no image."""
    draw = random.Random(first)
    items = []
    for i in range(first, first + n):
        image = "" if i % 5 == 4 else f"{i}.png"
        answer = " ".join(draw.choices(WORDS, k=draw.randint(1, 12)))
        items.append(Instruction(f"item-{i}", image, (("<image>\n" * bool(image) + "w1 w2", answer),)))
    return items


TRAIN, HELD_OUT = instructions(40), instructions(10, 100)


def run(lm: Path, out: Path, recipe: StageRecipe = RECIPE, model: MultimodalLM | None = None, source=None, seed=0):
    model = model or fresh(lm)
    return model, fit_stage(model, TRAIN, HELD_OUT, source or Source(), recipe, out, seed)


def killed(what) -> None:
    """Run `what` in a forked process that it must not survive."""
    child = os.fork()
    if not child:
        try:
            what()
        finally:
            os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)


def same(model: MultimodalLM, other: MultimodalLM) -> bool:
    pairs = zip(model.parameters(), other.parameters(), strict=True)
    return all(torch.allclose(a, b, rtol=0, atol=1e-5) for a, b in pairs)


def same_history(history, other, columns=("loss", "validation_loss", "lr", "grad_norm")) -> bool:
    a, b = (torch.tensor(one[list(columns)].to_numpy()) for one in (history, other))
    return torch.allclose(a, b, rtol=0, atol=1e-5, equal_nan=True)


@pytest.fixture(scope="module")
def undisturbed(lm, tmp_path_factory):
    return run(lm, tmp_path_factory.mktemp("undisturbed"))


@pytest.mark.parametrize("trains", ["all", "lora"])
def test_killed_anywhere_and_resumed_it_ends_as_undisturbed(lm, tmp_path, undisturbed, trains):
    recipe = replace(RECIPE, trains=trains, lora_r=2, lora_alpha=4, lora_dropout=0.3)
    expected, history = undisturbed if trains == "all" else run(lm, tmp_path / "undisturbed", recipe)
    draw = random.Random()
    calls = sorted(draw.sample(range(4, 20), 2))  # two batches a step: steps 2 to 10
    for call in calls:

        def source(images, call=call, own=Source()):
            return die() if own.calls == call else own(images)

        source.key = Source.key
        killed(lambda source=source: run(lm, tmp_path / "out", recipe, source=source))
    model, resumed = run(lm, tmp_path / "out", recipe)
    assert same(model, expected), f"killed at batches {calls}"
    assert same_history(resumed, history), f"killed at batches {calls}"
    assert not list((tmp_path / "out").glob("checkpoint-*"))
