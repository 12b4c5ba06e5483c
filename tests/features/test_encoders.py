"""Image encoders: open_clip's own numbers, from one pass, under a key that changes when they do."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from timm.models.vision_transformer import VisionTransformer
from tiny_clip import save_tiny_clip
from torch.nn import functional as F

from tinyemo.features.encoders import (
    ENCODERS,
    TimmModel,
    load_image_encoder,
    open_clip,
)
from tinyemo.models.anchor_sources import text_anchors


@pytest.mark.parametrize(
    ("tower", "tokens"), [("vit", (16, 32)), ("resnet", (16, 128)), ("timm", (16, 64))]
)
@torch.inference_mode()
def test_pooled_and_patch_tokens_are_those_of_open_clip(tmp_path, tower, tokens):
    encoder = load_image_encoder(save_tiny_clip(tmp_path, tower))
    visual = encoder.model.visual
    blocks = {
        "vit": lambda: visual.transformer.resblocks[-2],
        "resnet": lambda: visual.layer3,
        "timm": lambda: visual.trunk.blocks[-2],
    }[tower]()
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
def test_texts_and_images_have_one_feature_space(tmp_path):
    name = save_tiny_clip(tmp_path)
    encoder = load_image_encoder(name)
    words = ["anger"] + ["a scene evoking joy to viewers"] * 300
    features = encoder.encode_text(words)
    assert features.shape == (301, 24)
    tokens = open_clip.get_tokenizer(name)(words[:2])
    torch.testing.assert_close(
        features[:2], encoder.model.encode_text(tokens), rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize("siglip", [False, True])
@torch.inference_mode()
def test_zero_shot_classification_equals_clip(tmp_path, siglip):
    """Against CLIP's forward pass, with one and two templates; SigLIP's bias shifts all logits."""
    torch.manual_seed(1)
    folder = Path(save_tiny_clip(tmp_path).removeprefix("local-dir:"))
    weights, config = (
        load_file(folder / "open_clip_model.safetensors"),
        json.loads((folder / "open_clip_config.json").read_text()),
    )
    weights["logit_scale"] = torch.tensor(3.0)
    if siglip:
        weights["logit_bias"], config["model_cfg"]["init_logit_bias"] = torch.tensor(-10.0), -10.0
        (folder / "open_clip_config.json").write_text(json.dumps(config))
    save_file(weights, folder / "open_clip_model.safetensors")
    encoder = load_image_encoder(f"local-dir:{folder}")
    words, images = ["anger", "joy", "fear"], torch.randn(4, 3, 64, 64)
    pooled, _ = encoder.encode(images)
    anchors = text_anchors(encoder, words)
    assert torch.equal(anchors, encoder.encode_text(words))
    image, text, scale = encoder.model(
        images, open_clip.get_tokenizer(f"local-dir:{folder}")(words)
    )[:3]
    bias = -10 if siglip else 0
    torch.testing.assert_close(
        encoder.classify(pooled, anchors), (scale * image @ text.T + bias).softmax(dim=1)
    )
    averaged = text_anchors(encoder, words, ["{emotion}", "a {emotion} scene"])
    parts = [anchors, encoder.encode_text([f"a {word} scene" for word in words])]
    torch.testing.assert_close(
        averaged, sum(part / part.norm(dim=1, keepdim=True) for part in parts) / 2
    )


@timm.models.register_model
def tiny_reg4_dinov2(pretrained=False, num_classes=0, global_pool="token", **options):
    """DINOv2 with registers as timm builds it, but three blocks of width 32, trained at 42 px."""
    return VisionTransformer(
        img_size=42,
        patch_size=14,
        embed_dim=32,
        depth=3,
        num_heads=2,
        init_values=1e-5,
        reg_tokens=4,
        no_embed_class=True,
        num_classes=num_classes,
        global_pool=global_pool,
    )


def meta_dinov2(path: Path) -> dict:
    """Random weights of tiny_reg4_dinov2 in `path`, with the names and shapes of Meta's files."""
    generator = torch.Generator().manual_seed(0)
    state = timm.create_model("tiny_reg4_dinov2").state_dict()
    state["register_tokens"] = state.pop("reg_token")
    state |= {"pos_embed": torch.empty(1, 1 + 3 * 3, 32), "mask_token": torch.empty(1, 32)}
    state = {
        name: 0.3 * torch.randn(tensor.shape, generator=generator) for name, tensor in state.items()
    }
    torch.save(state, path)
    return state


def dinov2_by_hand(state: dict, images: torch.Tensor) -> list[torch.Tensor]:
    """DINOv2 with registers written out: tokens after each block, then after the last norm."""

    def layer(name, x):
        return F.linear(x, state[f"{name}.weight"], state[f"{name}.bias"])

    def norm(name, x):
        return F.layer_norm(x, (32,), state[f"{name}.weight"], state[f"{name}.bias"], eps=1e-6)

    patches = F.conv2d(
        images, state["patch_embed.proj.weight"], state["patch_embed.proj.bias"], stride=14
    )
    grid = state["pos_embed"][:, 1:].reshape(1, 3, 3, 32).permute(0, 3, 1, 2)
    patches = patches + F.interpolate(grid, patches.shape[2:], mode="bicubic", antialias=True)
    first = torch.cat(
        [state["cls_token"] + state["pos_embed"][:, :1], state["register_tokens"]], dim=1
    )
    x = torch.cat([first.expand(len(images), -1, -1), patches.flatten(2).transpose(1, 2)], dim=1)
    outputs = []
    for i in range(3):
        qkv = layer(f"blocks.{i}.attn.qkv", norm(f"blocks.{i}.norm1", x)).unflatten(2, (3, 2, 16))
        q, k, v = qkv.permute(2, 0, 3, 1, 4)  # heads before tokens
        mixed = ((q @ k.transpose(2, 3) / 4).softmax(dim=3) @ v).transpose(1, 2).flatten(2)
        x = x + state[f"blocks.{i}.ls1.gamma"] * layer(f"blocks.{i}.attn.proj", mixed)
        hidden = F.gelu(layer(f"blocks.{i}.mlp.fc1", norm(f"blocks.{i}.norm2", x)))
        x = x + state[f"blocks.{i}.ls2.gamma"] * layer(f"blocks.{i}.mlp.fc2", hidden)
        outputs.append(x)
    return [*outputs, norm("norm", x)]


@torch.inference_mode()
def test_dinov2_pooled_feature_is_the_class_token_after_the_norm(tmp_path):
    """At 224 px, from a file as Meta publishes it: positions of 42 px are resampled."""
    state = meta_dinov2(tmp_path / "dinov2_pretrain.pth")
    encoder = load_image_encoder("tiny_reg4_dinov2", str(tmp_path / "dinov2_pretrain.pth"))
    images = torch.randn(2, 3, 224, 224)
    pooled, patches = encoder.encode(images)
    *blocks, normed = dinov2_by_hand(state, images)
    assert pooled.shape == (2, encoder.width) == (2, 32) and patches.shape == (2, 16 * 16, 32)
    torch.testing.assert_close(pooled, normed[:, 0], rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(patches, blocks[-2][:, 5:], rtol=1e-4, atol=1e-4)
    assert not encoder.has_text
    with pytest.raises(ValueError, match="tiny_reg4_dinov2 has no text tower"):
        encoder.encode_text(["joy"])
    assert (
        load_image_encoder("tiny_reg4_dinov2", str(tmp_path / "dinov2_pretrain.pth"), layer=-1).key
        != encoder.key
    )


def test_dinov2_preprocessing_crops_224_of_256_pixels(tmp_path):
    """TinyEmo's transform: shorter side to 256, central 224, ImageNet's mean and deviation."""
    meta_dinov2(tmp_path / "weights.pth")
    preprocess = load_image_encoder("tiny_reg4_dinov2", str(tmp_path / "weights.pth")).preprocess
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (256, 300, 3), np.uint8))
    middle = torch.from_numpy(np.array(image.crop((38, 16, 262, 240)))).permute(2, 0, 1) / 255
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    torch.testing.assert_close(
        preprocess(image), (middle - mean[:, None, None]) / std[:, None, None]
    )
    assert preprocess(Image.new("L", (64, 80))).shape == (3, 224, 224)


def test_dinov2_loads_from_a_timm_folder_and_refuses_other_weights(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="'tiny_reg4_dinov2' without weights"):
        load_image_encoder("tiny_reg4_dinov2")
    trunk = timm.create_model("tiny_reg4_dinov2", num_classes=0)
    save_file(trunk.state_dict(), tmp_path / "model.safetensors")
    key = load_image_encoder("tiny_reg4_dinov2", str(tmp_path)).key
    assert load_image_encoder("tiny_reg4_dinov2", str(tmp_path / "model.safetensors")).key == key
    torch.save({"cls_token": Path("code")}, tmp_path / "code.pth")
    save_file({"cls_token": torch.zeros(1, 1, 32)}, tmp_path / "half.safetensors")
    for file in ("code.pth", "half.safetensors"):
        message = f"cannot load the image encoder tiny_reg4_dinov2 .*{file}"
        with pytest.raises(ValueError, match=message) as caught:
            load_image_encoder("tiny_reg4_dinov2", str(tmp_path / file))
        assert "\n" not in str(caught.value)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    message = "timm/vit_large_patch14_dinov2.lvd142m: neither a folder here nor"
    with pytest.raises(FileNotFoundError, match=message):
        load_image_encoder("vit_large_patch14_dinov2.lvd142m")


def test_preprocessing_gives_the_encoder_what_it_expects(tmp_path):
    encoder = load_image_encoder(save_tiny_clip(tmp_path))
    for image in (Image.new("RGB", (100, 70), "white"), Image.new("L", (64, 64), 255)):
        pixels = encoder.preprocess(image)
        assert pixels.shape == (3, 64, 64)
        mean = torch.tensor(open_clip.OPENAI_DATASET_MEAN)
        std = torch.tensor(open_clip.OPENAI_DATASET_STD)
        torch.testing.assert_close(pixels[:, 5, 5], (1 - mean) / std)


def test_the_key_depends_on_weights_layer_dtype_and_preprocessing(tmp_path):
    name = save_tiny_clip(tmp_path / "a")
    key = load_image_encoder(name).key
    same = save_tiny_clip(tmp_path / "elsewhere")
    assert load_image_encoder(name).key == key
    assert load_image_encoder(same).key == key
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


@pytest.mark.parametrize("name", ENCODERS)
def test_the_known_encoders_are_built_without_weights(name):
    """The published networks on torch's meta device: shapes alone, no memory."""
    weights, width = ENCODERS[name]
    with torch.device("meta"):
        if timm.is_model(name):
            assert weights == f"timm/{name}" and name in timm.list_pretrained()
            visual, size, patch = TimmModel(name, embed_dim=0, pool="token", proj="none"), 224, 14
            visual.set_input_size(size)
        else:
            assert (name, weights) in open_clip.list_pretrained()
            config = open_clip.get_model_config(name)
            vision = config["vision_cfg"] | (
                {"timm_model_pretrained": False} if "SigLIP" in name else {}
            )
            build = open_clip.CustomTextCLIP if config.get("custom_text") else open_clip.CLIP
            model = build(config["embed_dim"], vision, config["text_cfg"])
            assert hasattr(model, "encode_text")
            visual = model.visual
            size, patch = config["vision_cfg"]["image_size"], 16 if "16" in name else 14
        out = visual.forward_intermediates(
            torch.zeros(2, 3, size, size), indices=[-2, -1], output_fmt="NCHW"
        )
    assert out["image_features"].shape == (2, width)
    assert out["image_intermediates"][0].shape[2:] == (size // patch, size // patch)


@pytest.mark.parametrize(
    ("name", "quick"), [("ViT-L-14", True), ("ViT-SO400M-14-SigLIP-384", False)]
)
def test_openai_weights_get_quick_gelu_and_a_failed_download_says_what_to_do(
    monkeypatch, name, quick
):
    asked = {}

    def no_internet(model_name, pretrained, **options):
        asked.update(options, tag=pretrained)
        raise RuntimeError("Failed to download weights.\nmore lines")

    monkeypatch.setattr(open_clip, "create_model_from_pretrained", no_internet)
    expected = f"{name} with weights .*Failed to download.*local-dir:"
    with pytest.raises(FileNotFoundError, match=expected) as caught:
        load_image_encoder(name)
    assert "\n" not in str(caught.value)
    assert (
        asked["force_quick_gelu"] is quick
        and asked["weights_only"]
        and asked["tag"] == ENCODERS[name][0]
    )


def test_unknown_encoders_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere/open_clip_config.json"):
        load_image_encoder(f"local-dir:{tmp_path}/nowhere")
    for name, pretrained in (("ViT-Z-99", None), ("ViT-B-16", "no-such-tag"), ("RN50", None)):
        with pytest.raises(ValueError, match=f"unknown image encoder '{name}'"):
            load_image_encoder(name, pretrained)


def test_damaged_wrong_and_pickled_weights_are_refused(tmp_path):
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
