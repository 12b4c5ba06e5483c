"""The small CLIP and LM, and the loop that trains them: loadable by the stock libraries, exact after a kill."""

import numpy as np
import pytest
import torch
from torch import nn
from transformers import AutoModelForCausalLM, AutoTokenizer

from emoscenes.toy_models import ClipRecipe, LmRecipe, train_clip, train_lm
from tinyemo.training import loop

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


def test_open_clip_loads_the_small_clip_and_encodes_as_it_was_trained(tmp_path):
    import open_clip

    captions = [[f"picture {i}", f"a thing called {i}"] for i in range(8)]
    losses = train_clip(images(8), captions, tmp_path, CLIP)
    assert np.mean(losses[-8:]) < np.log(8) / 2  # log 8: a guess among the batch
    model, _, preprocess = open_clip.create_model_and_transforms(f"local-dir:{tmp_path}")
    saved = torch.load(tmp_path / "training.pt", weights_only=True)["model"]
    assert all(torch.equal(value, saved[name]) for name, value in model.state_dict().items())
    assert model.visual.image_size in (32, (32, 32))
    assert model.encode_text(
        open_clip.get_tokenizer(f"local-dir:{tmp_path}")(["a rose"])
    ).shape == (1, 16)


def test_the_small_lm_learns_and_emotion_words_are_one_token(tmp_path):
    losses, deep = train_lm(TEXTS, TALKS, tmp_path, LM)
    assert np.mean(losses[-5:]) < 0.7 * losses[0] and np.mean(deep[-5:]) < 0.7 * deep[0]
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    bare, running = tokenizer("joy")["input_ids"], tokenizer("and joy")["input_ids"]
    assert len(bare) == 1 and running[-1] == bare[0]
    model = AutoModelForCausalLM.from_pretrained(tmp_path, dtype=torch.float32)
    assert model.config.model_type == "openelm" and model.config.num_transformer_layers == 2
    assert model.get_input_embeddings().weight.shape == (len(tokenizer), 32)


def test_words_keep_the_place_that_one_layer_gave_them_and_the_others_find_theirs(tmp_path):
    train_lm(TEXTS, TALKS, tmp_path, LM)
    first, second = (
        torch.load(tmp_path / f"training-{phase}.pt", weights_only=True)["model"]
        for phase in (1, 2)
    )
    assert "transformer.layers.1.attn.qkv_proj.weight" in second.keys() - first.keys()
    table = "transformer.token_embeddings.weight"
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    told = sorted({token for ids in tokenizer(TEXTS)["input_ids"] for token in ids})
    only_spoken = sorted(
        {token for (turn,) in TALKS for ids in tokenizer(list(turn))["input_ids"] for token in ids}
        - set(told)
    )
    assert torch.equal(first[table][told], second[table][told])
    assert (
        only_spoken
        and not torch.isclose(first[table][only_spoken], second[table][only_spoken])
        .all(dim=1)
        .any()
    )


class Stop(Exception):
    pass


def toy(checkpoint, steps=12, stop_at=None, key="k"):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Linear(8, 1))
    x = torch.randn(40, 4, generator=torch.Generator().manual_seed(1))

    def loss_of_step(step):
        if step == stop_at:
            raise Stop
        rows = loop.batch_of_step(step, 40, 8, seed=0)
        return (model(x[rows])[:, 0] - x[rows].sum(1)).square().mean()

    losses = loop.train(
        model,
        loss_of_step,
        steps=steps,
        lr=0.05,
        weight_decay=0.01,
        checkpoint=checkpoint,
        key=key,
        save_every=0.0,
    )
    return losses, model.state_dict()


def test_a_killed_training_resumes_to_the_same_bits(tmp_path):
    whole, weights = toy(tmp_path / "a.pt")
    with pytest.raises(Stop):
        toy(tmp_path / "b.pt", stop_at=7)
    again, resumed = toy(tmp_path / "b.pt")
    assert again == whole
    assert all(torch.equal(weights[name], resumed[name]) for name in weights)
    assert not list(tmp_path.glob("*.tmp"))


def test_a_checkpoint_of_other_data_is_not_resumed(tmp_path):
    toy(tmp_path / "a.pt", steps=5, key="other")
    fresh, _ = toy(tmp_path / "b.pt", steps=5)
    assert toy(tmp_path / "a.pt", steps=5)[0] == fresh


def test_batches_cover_every_item_once_an_epoch():
    rows = torch.cat([loop.batch_of_step(step, 24, 8, seed=3) for step in range(3)])
    assert sorted(rows.tolist()) == list(range(24))
    assert not torch.equal(loop.batch_of_step(0, 24, 8, 3), loop.batch_of_step(3, 24, 8, 3))
    with pytest.raises(ValueError, match="batch of 32 was asked for, but there are only 24"):
        loop.batch_of_step(0, 24, 32, 0)


def test_a_checkpoint_that_cannot_be_written_is_named_and_leaves_nothing(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(loop.torch, "save", full)
    with pytest.raises(OSError, match="cannot write .*model.pt.*No space left"):
        loop.save_atomically({}, tmp_path / "model.pt")
    assert list(tmp_path.iterdir()) == []
