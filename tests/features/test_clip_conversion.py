"""CLIP towers and preprocessing of open_clip against transformers' own, in both directions."""

import json

import numpy as np
import open_clip
import pytest
import torch
from PIL import Image
from tiny_clip import VIT, open_clip_vit, stir
from transformers import (
    CLIPImageProcessor,
    CLIPVisionConfig,
    CLIPVisionModel,
    CLIPVisionModelWithProjection,
    LlavaImageProcessor,
    SiglipImageProcessor,
)

from tinyemo.features.clip_conversion import (
    as_encoder,
    from_transformers,
    to_processor,
    to_transform,
    to_transformers,
)


def transformers_vit(kind=CLIPVisionModel, **options) -> CLIPVisionModel:
    config = CLIPVisionConfig(
        hidden_size=32,
        intermediate_size=75,
        num_hidden_layers=3,
        num_attention_heads=4,
        image_size=48,
        patch_size=16,
        projection_dim=24,
        **options,
    )
    return stir(kind(config)).eval()


@pytest.mark.parametrize(
    "vision",
    [{}, {"quick_gelu": True}, {"norm_kwargs": {"eps": 1e-3}, "final_ln_after_pool": True}],
)
@torch.inference_mode()
def test_an_open_clip_tower_gives_the_same_numbers_in_transformers(tmp_path, vision):
    encoder = open_clip_vit(tmp_path, **vision)
    images = torch.randn(2, 3, 48, 48)
    pooled, patches = encoder.encode(images)
    tower = to_transformers(encoder.model.visual)
    tower.save_pretrained(tmp_path / "tower")
    loaded = CLIPVisionModel.from_pretrained(tmp_path / "tower")
    out = loaded(images, output_hidden_states=True)
    projected = out.pooler_output @ encoder.model.visual.proj
    torch.testing.assert_close(out.hidden_states[-2][:, 1:], patches, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(projected, pooled, rtol=1e-5, atol=1e-5)
    # the same weights with the other activation give other numbers
    other = open_clip_vit(tmp_path / "other", quick_gelu=not vision.get("quick_gelu"))
    assert not torch.allclose(projected, other.encode(images)[0], atol=1e-3)


@pytest.mark.parametrize("options", [{}, {"hidden_act": "gelu", "layer_norm_eps": 1e-3}])
@torch.inference_mode()
def test_a_tower_of_transformers_gives_the_same_numbers_in_open_clip(options):
    model = transformers_vit(CLIPVisionModelWithProjection, **options)
    images = torch.randn(2, 3, 48, 48)
    out = model(images, output_hidden_states=True)
    processor = CLIPImageProcessor().to_dict()
    encoder = as_encoder("clip", model.vision_model, processor, model.visual_projection.weight)
    pooled, patches = encoder.encode(images)
    assert pooled.shape == (2, encoder.width) == (2, 24)
    assert patches.shape == (2, 9, 32)
    assert not encoder.has_text
    torch.testing.assert_close(pooled, out.image_embeds, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(patches, out.hidden_states[-2][:, 1:], rtol=1e-5, atol=1e-5)
    bare = as_encoder("clip", model.vision_model, processor, layer=0)
    pooled, patches = bare.encode(images)
    assert bare.width == 32
    assert bare.key != encoder.key
    expected = model.vision_model(images).pooler_output
    torch.testing.assert_close(pooled, expected, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(patches, out.hidden_states[1][:, 1:], rtol=1e-5, atol=1e-5)


def assert_same_weights(one: torch.nn.Module, other: torch.nn.Module) -> None:
    expected = other.state_dict()
    assert one.state_dict().keys() == expected.keys()
    for name, tensor in one.state_dict().items():
        assert torch.equal(tensor, expected[name]), name


def test_conversion_there_and_back_changes_no_weight(tmp_path):
    visual = open_clip_vit(tmp_path).model.visual
    assert_same_weights(from_transformers(to_transformers(visual), visual.proj.T), visual)
    tower = transformers_vit()
    assert_same_weights(to_transformers(from_transformers(tower)), tower)


@pytest.mark.parametrize(
    ("vision", "words"),
    [
        ({"layers": [1, 1, 1, 1], "width": 8}, "ModifiedResNet"),
        ({"timm_model_name": "test_vit", "timm_pool": "avg", "image_size": 64}, "TimmModel"),
        ({"ls_init_value": 0.1}, "layer scale"),
        ({"pool_type": "avg"}, "pooling 'avg'"),
        ({"no_ln_pre": True}, "no norm before its blocks"),
        ({"attentional_pool": True, "attn_pooler_heads": 4}, "attention pooling"),
        ({"image_size": (48, 64)}, "an oblong image"),
        ({"qk_norm": True}, "blocks of another kind"),
        ({"act_kwargs": {"approximate": "tanh"}}, "another activation"),
    ],
)
def test_properties_that_transformers_lacks_are_named(vision, words):
    visual = open_clip.model._build_vision_tower(24, VIT | vision)
    message = f"the image tower has .*{words}.*; expected a plain vision transformer"
    with pytest.raises(ValueError, match=message):
        to_transformers(visual)


def test_an_activation_that_open_clip_lacks_is_named():
    with pytest.raises(ValueError, match="hidden_act 'relu'"):
        from_transformers(transformers_vit(hidden_act="relu"))


def picture(width: int, height: int) -> Image.Image:
    """Smooth colours, so that a shift or another resizing is visible, and rounding is not."""
    y, x = np.mgrid[:height, :width] / max(width, height)
    waves = [np.sin(7 * x + 3 * y), np.cos(9 * y), np.sin(5 * x * y)]
    pixels = np.stack(waves, axis=2)  # (height, width, 3) in -1 .. 1
    return Image.fromarray(np.uint8(127.5 + 127 * pixels))


def grey_levels(difference: torch.Tensor, transform) -> float:
    """The largest difference of two preprocessed images, in levels of 255."""
    std = torch.tensor(transform.transforms[-1].std)[:, None, None]
    return (255 * std * difference).abs().max().item()


@pytest.mark.parametrize("size", [(48, 48), (96, 96), (130, 96), (96, 128)])
def test_preprocessing_is_the_same_up_to_rounding(tmp_path, size):
    encoder = open_clip_vit(tmp_path)
    to_processor(encoder.preprocess).save_pretrained(tmp_path)
    processor = CLIPImageProcessor.from_pretrained(tmp_path)
    ours = encoder.preprocess(picture(*size))
    theirs = processor(picture(*size), return_tensors="pt").pixel_values[0]
    assert ours.shape == theirs.shape == (3, 48, 48)
    tolerance = 1e-4 if size == (48, 48) else 1.01
    assert grey_levels(ours - theirs, encoder.preprocess) < tolerance
    saved = json.loads((tmp_path / "preprocessor_config.json").read_text())
    first = saved | {"size": 48, "crop_size": 48}  # the form of CLIP's first files
    assert repr(to_transform(saved)) == repr(to_transform(first)) == repr(encoder.preprocess)


SQUARE = {"height": 48, "width": 48}


@pytest.mark.parametrize(
    "processor",
    [
        CLIPImageProcessor(size={"shortest_edge": 60}, crop_size=SQUARE, resample=2),
        CLIPImageProcessor(size=SQUARE, do_center_crop=False, image_mean=[0.1] * 3),
        LlavaImageProcessor(size={"shortest_edge": 48}, crop_size=SQUARE, do_pad=True),
    ],
)
def test_other_image_processors_are_converted(processor):
    transform = to_transform(processor.to_dict())
    theirs = processor(picture(96, 72), return_tensors="pt").pixel_values[0]
    assert grey_levels(transform(picture(96, 72)) - theirs, transform) < 1.01
    again = to_processor(transform)
    assert type(again) is type(processor)
    assert torch.equal(again(picture(96, 72), return_tensors="pt").pixel_values[0], theirs)


def test_unknown_preprocessing_is_refused(tmp_path):
    with pytest.raises(ValueError, match="SiglipImageProcessor is not supported"):
        to_transform(SiglipImageProcessor().to_dict())
    message = "CLIPImageProcessor is not supported; expected .* with do_resize"
    with pytest.raises(ValueError, match=message):
        to_transform(CLIPImageProcessor(do_resize=False).to_dict())
    longest = open_clip.image_transform(48, is_train=False, resize_mode="longest")
    with pytest.raises(ValueError, match="differs from CLIP's in CenterCropOrPad"):
        to_processor(longest)
