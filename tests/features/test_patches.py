"""Patch sources: store and encoder give the same tokens, in the given order, also for training."""

from dataclasses import replace

import pytest
import torch
from tiny_clip import save_tiny_clip
from tiny_lm import save_lm
from toy_records import save_images

from tinyemo.data.instructions import Instruction
from tinyemo.features.encoders import ImageEncoder, load_image_encoder
from tinyemo.features.patches import CachedPatches, LivePatches, cache_patches
from tinyemo.features.store import FeatureStore
from tinyemo.models.multimodal_lm import Connector, MultimodalLM
from tinyemo.training.multimodal_lm import fit_stage
from tinyemo.training.multimodal_recipes import StageRecipe
from tinyemo.training.multimodal_samples import Samples

IMAGES = [f"{i}.png" for i in range(12)]


@pytest.fixture
def encoder(tmp_path) -> ImageEncoder:
    save_images(tmp_path / "images", 12)
    return load_image_encoder(save_tiny_clip(tmp_path / "clip"))


def test_cached_tokens_equal_those_of_the_encoder(tmp_path, encoder):
    live = LivePatches(encoder, tmp_path / "images")
    cached = cache_patches(
        IMAGES + IMAGES[:3], encoder, tmp_path / "images", tmp_path / "store", workers=0
    )
    asked = ["7.png", "0.png", "7.png"]
    for one, other in zip(cached(asked), live(asked), strict=True):
        assert one.shape == other.shape and one.dtype == other.dtype == torch.float32
        assert (one - other).abs().max() < 1e-3 * other.abs().max()  # half precision
    assert torch.equal(cached(asked)[0], cached(asked)[2]) and not torch.equal(
        cached(asked)[0], cached(asked)[1]
    )
    assert cached([]) == live([]) == [] and len(cached.store) == 12
    assert cached.key != live.key == LivePatches(encoder, "elsewhere").key


def test_the_encoder_runs_once_per_image(tmp_path, encoder, monkeypatch):
    cache_patches(IMAGES[:8], encoder, tmp_path / "images", tmp_path / "store", workers=0)
    monkeypatch.setattr(ImageEncoder, "encode", lambda *_: pytest.fail("the tower ran again"))
    cached = cache_patches(IMAGES[:8], encoder, tmp_path / "images", tmp_path / "store", workers=0)
    assert len(cached(IMAGES[:8])) == 8


def test_missing_images_and_tokens_are_named(tmp_path, encoder):
    live = LivePatches(encoder, tmp_path / "images")
    with pytest.raises(FileNotFoundError, match="image not found: .*none.png"):
        live(["0.png", "none.png"])
    (tmp_path / "images/bad.png").write_bytes(b"no picture")
    with pytest.raises(ValueError, match="no features for id 'none.png'"):
        cache_patches(IMAGES[:2], encoder, tmp_path / "images", tmp_path / "store", workers=0)(
            ["none.png"]
        )
    with pytest.raises(ValueError, match="cannot read the image .*bad.png"):
        live(["bad.png"])
    store = FeatureStore.write(tmp_path / "bare", IMAGES, torch.zeros(12, 2))
    with pytest.raises(ValueError, match="holds no patch tokens"):
        CachedPatches(store)(IMAGES[:1])


def test_training_from_the_cache_equals_training_from_the_encoder(tmp_path, encoder):
    live = LivePatches(encoder, tmp_path / "images")
    cached = cache_patches(IMAGES, encoder, tmp_path / "images", tmp_path / "store", workers=0)
    items = [
        Instruction(image, image, (("<image>\nw1", f"w{i} w2 w{i}"),))
        for i, image in enumerate(IMAGES)
    ]
    recipe = StageRecipe("all", lr=1e-2, epochs=6, batch=4, per_device=4)
    lm, losses = save_lm(tmp_path / "lm"), {}
    other = CachedPatches(replace(cached.store, ids=cached.store.ids[::-1]))
    for name, source in (("cached", cached), ("live", live), ("other images", other)):
        width = source(IMAGES[:1])[0].shape[1]
        model = MultimodalLM.from_lm(
            lm, {"image": Connector("mlp2x_gelu", width)}, template="plain"
        )
        with torch.no_grad():
            model.connectors["image"][0].weight *= 300  # the tiny tower's numbers are small
        losses[name] = torch.tensor(
            fit_stage(
                model,
                Samples(items, source, model.prompts),
                Samples(items[:4], source, model.prompts),
                recipe,
                tmp_path / name,
            )["loss"]
        )
    gap = {name: float((one - losses["cached"]).abs().max()) for name, one in losses.items()}
    assert gap["live"] < 1e-3 < gap["other images"]
    assert losses["cached"][-1] < losses["cached"][0] - 0.5
