"""Image encoders: open_clip's own numbers, from one pass, under a key that changes when they do."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from tinyemo.features.encoders import ENCODERS, load_image_encoder, open_clip

TOWERS = {
    "vit": {"layers": 3, "width": 32, "head_width": 16, "patch_size": 16},
    "resnet": {"layers": [1, 1, 1, 1], "width": 8},
    "timm": {"timm_model_name": "test_vit", "timm_model_pretrained": False, "timm_pool": "avg"},
}


def save_tiny_clip(folder: Path, tower: str = "resnet", seed: int = 0) -> str:
    """A randomly initialised open_clip model for 64 px in `folder`; gives its name."""
    torch.manual_seed(seed)
    config = {"embed_dim": 24, "vision_cfg": {"image_size": 64, **TOWERS[tower]},
              "text_cfg": {"context_length": 16, "width": 32, "heads": 2, "layers": 1}}
    model = (open_clip.CustomTextCLIP if tower == "timm" else open_clip.CLIP)(**config)
    folder.mkdir(parents=True, exist_ok=True)
    save_file(model.state_dict(), folder / "open_clip_model.safetensors")
    config["custom_text"] = tower == "timm"
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": config, "preprocess_cfg": {}}))
    return f"local-dir:{folder}"


@pytest.mark.parametrize(("tower", "tokens"), [("vit", (16, 32)), ("resnet", (16, 128)), ("timm", (16, 64))])
@torch.inference_mode()
def test_pooled_and_patch_tokens_are_those_of_open_clip(tmp_path, tower, tokens):
    encoder = load_image_encoder(save_tiny_clip(tmp_path, tower))
    visual = encoder.model.visual
    blocks = {"vit": lambda: visual.transformer.resblocks[-2], "resnet": lambda: visual.layer3,
              "timm": lambda: visual.trunk.blocks[-2]}[tower]()
    seen = []
    blocks.register_forward_hook(lambda module, inputs, output: seen.append(output))
    images = torch.randn(3, 3, 64, 64)
    pooled, patches = encoder.encode(images)
    assert len(seen) == 1  # one pass gave both
    reference = seen[0].flatten(2).transpose(1, 2) if tower == "resnet" else seen[0][:, -16:]
    assert pooled.shape == (3, encoder.width) == (3, 24) and patches.shape == (3, *tokens)
    torch.testing.assert_close(pooled, encoder.model.encode_image(images), rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(patches, reference, rtol=0, atol=0)
    assert not torch.allclose(pooled.norm(dim=1), torch.ones(3))  # not normalised


@torch.inference_mode()
def test_texts_land_in_the_space_of_the_images(tmp_path):
    name = save_tiny_clip(tmp_path)
    encoder = load_image_encoder(name)
    words = ["anger"] + ["a scene evoking joy to viewers"] * 300
    features = encoder.encode_text(words)
    assert features.shape == (301, 24)
    tokens = open_clip.get_tokenizer(name)(words[:2])
    torch.testing.assert_close(features[:2], encoder.model.encode_text(tokens), rtol=1e-5, atol=1e-6)


def test_preprocessing_gives_the_encoder_what_it_expects(tmp_path):
    encoder = load_image_encoder(save_tiny_clip(tmp_path))
    for image in (Image.new("RGB", (100, 70), "white"), Image.new("L", (64, 64), 255)):
        pixels = encoder.preprocess(image)
        assert pixels.shape == (3, 64, 64)
        mean, std = torch.tensor(open_clip.OPENAI_DATASET_MEAN), torch.tensor(open_clip.OPENAI_DATASET_STD)
        torch.testing.assert_close(pixels[:, 5, 5], (1 - mean) / std)


def test_the_key_follows_weights_layer_dtype_and_preprocessing(tmp_path):
    name = save_tiny_clip(tmp_path / "a")
    key = load_image_encoder(name).key
    assert load_image_encoder(name).key == key
    assert load_image_encoder(save_tiny_clip(tmp_path / "elsewhere")).key == key
    assert load_image_encoder(name, layer=-3).key != key
    assert load_image_encoder(name, dtype=torch.bfloat16).key != key
    assert replace(load_image_encoder(name), preprocess=lambda image: image).key != key
    weights = load_file(tmp_path / "a/open_clip_model.safetensors")
    weights["visual.conv1.weight"][0, 0, 0, 0] += 1e-6
    save_file(weights, tmp_path / "a/open_clip_model.safetensors")
    assert load_image_encoder(name).key != key


def test_bfloat16_stays_close_to_float32(tmp_path):
    name, images = save_tiny_clip(tmp_path, "vit"), torch.randn(4, 3, 64, 64)
    exact, _ = load_image_encoder(name).encode(images)
    rough, _ = load_image_encoder(name, dtype=torch.bfloat16).encode(images)
    assert rough.dtype == torch.float32 and not torch.equal(rough, exact)
    assert torch.nn.functional.cosine_similarity(rough, exact).min() > 0.999


def test_the_known_encoders_are_open_clips_and_have_these_widths():
    for name, (tag, width) in ENCODERS.items():
        assert open_clip.get_model_config(name)["embed_dim"] == width
        assert (name, tag) in open_clip.list_pretrained()


@pytest.mark.parametrize(("name", "quick"), [("ViT-L-14", True), ("ViT-SO400M-14-SigLIP-384", False)])
def test_openai_weights_get_quick_gelu_and_a_failed_download_says_what_to_do(monkeypatch, name, quick):
    asked = {}

    def no_internet(model_name, pretrained, **options):
        asked.update(options, tag=pretrained)
        raise RuntimeError("Failed to download weights.\nmore lines")

    monkeypatch.setattr(open_clip, "create_model_from_pretrained", no_internet)
    expected = f"{name} with weights .*Failed to download.*local-dir:"
    with pytest.raises(FileNotFoundError, match=expected) as caught:
        load_image_encoder(name)
    assert "\n" not in str(caught.value)
    assert asked["force_quick_gelu"] is quick and asked["weights_only"] and asked["tag"] == ENCODERS[name][0]


def test_encoders_that_do_not_exist_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere/open_clip_config.json"):
        load_image_encoder(f"local-dir:{tmp_path}/nowhere")
    for name, pretrained in (("ViT-Z-99", None), ("ViT-B-16", "no-such-tag"), ("RN50", None)):
        with pytest.raises(ValueError, match=f"unknown image encoder '{name}'"):
            load_image_encoder(name, pretrained)


def test_damaged_foreign_and_hostile_weights_are_refused(tmp_path):
    name = save_tiny_clip(tmp_path / "clip")
    weights = tmp_path / "clip/open_clip_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(ValueError, match="cannot load the image encoder local-dir:.*clip"):
        load_image_encoder(name)
    weights.unlink()
    torch.save({"visual.conv1.weight": Path("code")}, tmp_path / "clip/open_clip_pytorch_model.bin")
    with pytest.raises(ValueError, match="cannot load the image encoder") as caught:
        load_image_encoder(name)
    assert "\n" not in str(caught.value)
    (tmp_path / "clip/open_clip_pytorch_model.bin").unlink()
    with pytest.raises(ValueError, match="cannot load the image encoder"):
        load_image_encoder(name)
