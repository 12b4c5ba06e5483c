"""The small CLIP and language model: trained, and loadable by open_clip and transformers."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from emoscenes.toy_models import ClipRecipe, LmRecipe, train_clip, train_lm
from tinyemo.paths import ROOT

TEXTS = [
    f"the {thing} fills me with {word} and so joy is near {word}"
    for thing in ("rose", "snake", "gift")
    for word in ("joy", "fear", "awe")
] * 12
CLIP = ClipRecipe(width=8, embed_dim=16, text_width=32, text_layers=1, steps=40, batch=8)
TALKS = [
    [(f"What is {thing}?", f"It is a {thing}, dear Fred.")] for thing in ("this", "that", "it")
] * 8
LM = LmRecipe(
    vocabulary=330,
    width=32,
    layers=2,
    heads=2,
    head_dim=16,
    context_length=16,
    steps=40,
    deep_steps=30,
    batch=4,
)


def images(n=16, size=32):
    return np.random.default_rng(0).integers(0, 255, (n, size, size, 3), dtype=np.uint8)


def test_open_clip_loads_the_trained_weights(tmp_path):
    import open_clip

    captions = [[f"picture {i}", f"a thing called {i}"] for i in range(8)]
    losses = train_clip(images(8), captions, tmp_path, CLIP)
    assert np.mean(losses[-8:]) < np.log(8) / 2  # log 8: a random guess within the batch
    model, _, preprocess = open_clip.create_model_and_transforms(f"local-dir:{tmp_path}")
    saved = torch.load(tmp_path / "training.pt", weights_only=True)["model"]
    assert all(torch.equal(value, saved[name]) for name, value in model.state_dict().items())
    assert model.visual.image_size in (32, (32, 32))
    assert model.encode_text(
        open_clip.get_tokenizer(f"local-dir:{tmp_path}")(["a rose"])
    ).shape == (1, 16)


@pytest.mark.parametrize("changed", ["image", "pixel type", "caption", "second caption", "order"])
def test_a_change_of_any_image_or_caption_trains_the_clip_again(tmp_path, changed):
    """Of 200 items, number 199 is neither among the first 64 nor in every third one."""
    pixels = images(200)
    captions = [[f"picture {i}", f"a thing called {i}"] for i in range(200)]
    recipe = replace(CLIP, steps=2)
    train_clip(pixels, captions, tmp_path, recipe)
    file = tmp_path / "training.pt"
    before = torch.load(file, weights_only=True)
    written = file.stat().st_mtime_ns
    train_clip(pixels.copy(), [list(own) for own in captions], tmp_path, recipe)
    assert file.stat().st_mtime_ns == written  # the same data: nothing is trained

    if changed == "image":
        pixels[199, 3, 3, 1] ^= 1
    elif changed == "pixel type":
        pixels = pixels.astype(np.int16)
    elif changed == "caption":
        captions[199][0] = "another picture"
    elif changed == "second caption":
        captions[64][1] = "another thing"
    else:
        captions[198], captions[199] = captions[199], captions[198]
    train_clip(pixels, captions, tmp_path, recipe)
    assert torch.load(file, weights_only=True)["key"] != before["key"]


@pytest.mark.parametrize("changed", ["last text", "last answer"])
def test_a_change_of_any_text_trains_the_language_model_again(tmp_path, changed):
    recipe = replace(LM, steps=2, deep_steps=2)
    train_lm(TEXTS, TALKS, tmp_path, recipe)
    keys = [torch.load(tmp_path / f"training-{i}.pt", weights_only=True)["key"] for i in (1, 2)]
    texts, talks = list(TEXTS), list(TALKS)
    if changed == "last text":
        texts[-1] = texts[-1].replace("joy", "awe")
    else:
        talks[-1] = [(talks[-1][0][0], "It is a gift, dear Fred.")]
    train_lm(texts, talks, tmp_path, recipe)
    new = [torch.load(tmp_path / f"training-{i}.pt", weights_only=True)["key"] for i in (1, 2)]
    assert new[1] != keys[1]
    assert (new[0] != keys[0]) or changed == "last answer"


def test_small_lm_learns_and_emotion_words_are_one_token(tmp_path):
    losses, deep = train_lm(TEXTS, TALKS, tmp_path, LM)
    assert np.mean(losses[-5:]) < 0.7 * losses[0] and np.mean(deep[-5:]) < 0.7 * deep[0]
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    bare, running = tokenizer("joy")["input_ids"], tokenizer("and joy")["input_ids"]
    assert len(bare) == 1 and running[-1] == bare[0]
    model = AutoModelForCausalLM.from_pretrained(tmp_path, dtype=torch.float32)
    assert model.config.model_type == "openelm" and model.config.num_transformer_layers == 2
    assert model.get_input_embeddings().weight.shape == (len(tokenizer), 32)


def test_second_phase_trains_only_embeddings_of_new_words(tmp_path):
    train_lm(TEXTS, TALKS, tmp_path, LM)
    first, second = (
        torch.load(tmp_path / f"training-{phase}.pt", weights_only=True)["model"]
        for phase in (1, 2)
    )
    assert "transformer.layers.1.attn.qkv_proj.weight" in second.keys() - first.keys()
    table = "transformer.token_embeddings.weight"
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    of_texts = sorted({token for ids in tokenizer(TEXTS)["input_ids"] for token in ids})
    only_spoken = sorted(
        {token for (turn,) in TALKS for ids in tokenizer(list(turn))["input_ids"] for token in ids}
        - set(of_texts)
    )
    assert torch.equal(first[table][of_texts], second[table][of_texts])
    unchanged = torch.isclose(first[table][only_spoken], second[table][only_spoken]).all(dim=1)
    assert only_spoken and not unchanged.any()


def test_importing_emoscenes_first_prepares_torchvision():
    """Beside another build of torch, torchvision needs the work-around that tinyemo installs."""
    program = "import sys, emoscenes; assert 'tinyemo' in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT)
