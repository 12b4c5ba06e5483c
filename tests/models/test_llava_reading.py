"""LLaVA checkpoints of three layouts, compared with stock LLaVA classes with the same weights."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from tiny_clip import open_clip_vit, stir
from tiny_llava import (
    QUESTION,
    SMALL,
    logits,
    multimodal,
    picture,
    sample,
    save_llava,
    stock_inputs,
)
from transformers import (
    CLIPConfig,
    CLIPImageProcessor,
    CLIPModel,
    CLIPVisionModel,
    LlavaForConditionalGeneration,
    LlavaProcessor,
)

from tinyemo.features.clip_conversion import to_transformers
from tinyemo.models.llava.exporting import export_llava
from tinyemo.models.llava.reading import read_llava
from tinyemo.models.multimodal_lm import MultimodalLM


@pytest.fixture(scope="module")
def llava(tmp_path_factory) -> Path:
    """A random LLaVA-1.5 in transformers' layout."""
    folder = save_llava(
        tmp_path_factory.mktemp("llava") / "hf", [QUESTION, "USER: ASSISTANT: joy and anger"]
    )
    stock = stir(LlavaForConditionalGeneration.from_pretrained(folder), 0.4)
    stock.save_pretrained(folder)
    return folder


def edit(folder: Path, **changes) -> Path:
    """The folder with other values in its config.json; a dict changes a nested configuration."""
    config = json.loads((folder / "config.json").read_text())
    for key, value in changes.items():
        config[key] = config[key] | value if isinstance(value, dict) else value
    (folder / "config.json").write_text(json.dumps(config))
    return folder


@torch.inference_mode()
def check_against(stock: LlavaForConditionalGeneration, model: MultimodalLM, encoder) -> None:
    """The model's logits and text, and the encoder's patch tokens, are those of the stock model."""
    batch = model.collate([sample(encoder, picture(size=(32, 32)))])
    pixels = encoder.preprocess(picture(size=(32, 32)))[None]
    expected = stock(batch["input_ids"], pixel_values=pixels).logits
    got = model(batch["input_ids"], batch["attention_mask"], image=batch["image"]).logits
    assert expected.std() > 0.3
    torch.testing.assert_close(got, expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("template", [True, False])
@torch.inference_mode()
def test_transformers_layout_is_read(llava, tmp_path, template):
    if not template:
        llava = Path(shutil.copytree(llava, tmp_path / "bare"))
        (llava / "chat_template.jinja").unlink()
    model, encoder = read_llava(llava)
    stock = LlavaForConditionalGeneration.from_pretrained(llava).eval()
    check_against(stock, model, encoder)
    if template:
        inputs = stock_inputs(llava, picture(size=(32, 32)), QUESTION.removeprefix("<image>\n"))
    else:
        inputs = LlavaProcessor.from_pretrained(llava)(
            images=picture(size=(32, 32)), text=f"USER: {QUESTION} ASSISTANT:", return_tensors="pt"
        )
    ours = model.collate([sample(encoder, picture(size=(32, 32)))])
    assert ours["input_ids"].tolist() == inputs["input_ids"].tolist()
    pooled, _ = encoder.encode(inputs["pixel_values"])  # no projection there: the bare class token
    expected = stock.model.vision_tower(inputs["pixel_values"]).pooler_output
    torch.testing.assert_close(pooled, expected, rtol=1e-5, atol=1e-5)
    first = read_llava(
        Path(shutil.copytree(llava, tmp_path / "first"))
        and edit(tmp_path / "first", vision_feature_layer=1)
    )
    check_against(LlavaForConditionalGeneration.from_pretrained(tmp_path / "first").eval(), *first)


def original_layout(llava: Path, folder: Path, suffix: str) -> Path:
    """A stock model in the layout of haotian-liu/LLaVA, with its tower in folder/clip."""
    stock = LlavaForConditionalGeneration.from_pretrained(llava)
    text = stock.config.text_config
    state = {
        f"model.{name}": tensor for name, tensor in stock.model.language_model.state_dict().items()
    }
    state |= {
        "lm_head.weight": stock.lm_head.weight,
        "model.layers.0.self_attn.rotary_emb.inv_freq": torch.ones(8),
    }
    for ours, layer in (("0", "linear_1"), ("2", "linear_2")):
        for part in ("weight", "bias"):
            state[f"model.mm_projector.{ours}.{part}"] = stock.get_parameter(
                f"model.multi_modal_projector.{layer}.{part}"
            )
    folder.mkdir()
    names = sorted(state)
    for i, part in enumerate((names[:5], names[5:]), start=1):
        tensors = {name: state[name].detach().clone() for name in part}
        if suffix == "bin":
            torch.save(tensors, folder / f"pytorch_model-0000{i}-of-00002.bin")
        else:
            save_file(tensors, folder / f"model-0000{i}-of-00002.safetensors")
    config = text.to_dict() | {
        "architectures": ["LlavaLlamaForCausalLM"],
        "model_type": "llava",
        "mm_vision_tower": "openai/clip",
        "mm_projector_type": "mlp2x_gelu",
        "mm_vision_select_layer": -2,
        "mm_vision_select_feature": "patch",
        "mm_hidden_size": 32,
        "image_aspect_ratio": "pad",
        "mm_use_im_start_end": False,
        "mm_use_im_patch_token": False,
    }
    (folder / "config.json").write_text(json.dumps(config))
    LlavaProcessor.from_pretrained(llava).tokenizer.save_pretrained(folder)
    vision = stock.config.vision_config.to_dict()
    words = SMALL | {"vocab_size": 9, "bos_token_id": 1, "eos_token_id": 2}
    clip = stir(CLIPModel(CLIPConfig(vision_config=vision, text_config=words, projection_dim=24)))
    clip.vision_model.load_state_dict(stock.model.vision_tower.state_dict())
    clip.save_pretrained(folder / "clip")
    CLIPImageProcessor(
        size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}
    ).save_pretrained(folder / "clip")
    return folder


@pytest.mark.parametrize("suffix", ["bin", "safetensors"])
@torch.inference_mode()
def test_original_layout_is_read(llava, tmp_path, suffix):
    folder = original_layout(llava, tmp_path / "llava", suffix)
    model, encoder = read_llava(folder, tower=folder / "clip")
    check_against(LlavaForConditionalGeneration.from_pretrained(llava).eval(), model, encoder)
    said = model.tokenizer.decode(model.collate([sample(encoder, None)])["input_ids"][0])
    assert said == (
        "<s>A chat between a curious user and an artificial intelligence assistant. The assistant "
        f"gives helpful, detailed, and polite answers to the user's questions. USER: "
        f"{QUESTION.replace('<image>', '<missing:image>')} ASSISTANT:"
    )
    pixels = encoder.preprocess(picture(size=(32, 32)))[None]
    clip = CLIPModel.from_pretrained(folder / "clip").eval()
    expected = clip.get_image_features(
        pixels
    ).pooler_output  # CLIP's own feature: a metric projector takes it
    torch.testing.assert_close(encoder.encode(pixels)[0], expected, rtol=1e-5, atol=1e-5)
    wide = Image.new(
        "RGB", (64, 32), "white"
    )  # padded to a square: the bars are CLIP's mean colour, 0 once normalised
    assert encoder.preprocess(wide)[:, 0].abs().max() < 0.02 < encoder.preprocess(wide)[:, 16].min()
    again, sight = read_llava(export_llava(model, encoder, tmp_path / "exported"))
    expected = logits(model, encoder, wide)
    torch.testing.assert_close(
        logits(again, sight, wide)[..., : expected.shape[-1]], expected, rtol=0, atol=1e-4
    )


@torch.inference_mode()
def test_trained_tower_is_taken_from_the_checkpoint(llava, tmp_path):
    folder = original_layout(llava, tmp_path / "llava", "bin")
    tuned = stir(CLIPVisionModel.from_pretrained(folder / "clip"), 0.3)
    torch.save(
        {
            f"model.vision_tower.vision_tower.vision_model.{name}": tensor
            for name, tensor in tuned.state_dict().items()
        },
        folder / "pytorch_model-00003-of-00003.bin",
    )
    _, encoder = read_llava(folder, tower=folder / "clip")
    pixels = torch.randn(1, 3, 32, 32)
    torch.testing.assert_close(
        encoder.encode(pixels)[0], tuned(pixels).pooler_output, rtol=1e-5, atol=1e-5
    )


@torch.inference_mode()
def test_tinyllava_layout_is_read(tmp_path):
    """Around OpenELM, as the published ones; they have SigLIP towers, this one has CLIP's."""
    encoder, model = open_clip_vit(tmp_path / "clip"), multimodal(tmp_path / "llava", "openelm")
    folder = tmp_path / "llava"
    tower = to_transformers(encoder.model.visual)
    state = {f"language_model.{name}": tensor for name, tensor in model.lm.state_dict().items()}
    state |= {
        f"vision_tower._vision_tower.vision_model.{name}": tensor
        for name, tensor in tower.state_dict().items()
    }
    state |= {
        f"connector._connector.{name}": tensor
        for name, tensor in model.connectors["image"].state_dict().items()
    }
    save_file(
        {name: tensor.clone() for name, tensor in state.items() if "lm_head" not in name},
        folder / "model.safetensors",
    )  # tied: it is not in the file
    (folder / "config.json").write_text(
        json.dumps(
            {
                "architectures": ["TinyLlavaForConditionalGeneration"],
                "model_type": "tinyllava",
                "connector_type": "mlp2x_gelu",
                "image_aspect_ratio": "square",
                "vision_model_name_or_path2": "",
                "llm_model_name_or_path": "apple/OpenELM-450M-Instruct",
                "text_config": model.lm.config.to_dict(),
                "vision_config": tower.config.to_dict(),
                "vision_feature_layer": -2,
                "vision_feature_select_strategy": "patch",
            }
        )
    )
    again, sight = read_llava(folder)
    torch.testing.assert_close(
        logits(again, sight, picture()), logits(model, encoder, picture()), rtol=0, atol=1e-4
    )
    assert again.lm.lm_head.weight is again.lm.get_input_embeddings().weight
    assert repr(sight.preprocess) == repr(
        encoder.preprocess
    )  # CLIP's own, where the folder says nothing
    siglip = {"vision_config": {"model_type": "siglip_vision_model"}}
    with pytest.raises(
        ValueError,
        match="model_type 'siglip_vision_model' is not supported; expected 'clip_vision_mo",
    ):
        read_llava(edit(folder, **siglip))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"model_type": "llava_next"}, "model_type 'llava_next' is not supported"),
        (
            {"vision_config": {"model_type": "siglip_vision_model"}},
            "model_type 'siglip_vision_model' is not supported",
        ),
        (
            {"vision_feature_select_strategy": "full"},
            "vision_feature_select_strategy 'full' is not supported",
        ),
        ({"vision_feature_layer": [-2, -1]}, "layers \\[-2, -1\\] are not supported"),
        (
            {"vision_feature_layer": -3},
            "layer -3 are not supported",
        ),  # of two blocks: what goes into the first
        (
            {"projector_hidden_act": "relu"},
            "projector_hidden_act 'relu' is not supported; expected 'gelu'",
        ),
        ({"image_token_index": 2}, "image_token_index 2 is another token than '<image>'"),
        ({"multimodal_projector_bias": False}, "multimodal_projector_bias False is not supported"),
    ],
)
def test_unsupported_values_of_transformers_layout_are_named(llava, tmp_path, changes, words):
    folder = edit(Path(shutil.copytree(llava, tmp_path / "llava")), **changes)
    with pytest.raises(ValueError, match=words) as caught:
        read_llava(folder)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"image_aspect_ratio": "anyres"},
            "image_aspect_ratio 'anyres' is not supported; expected 'square' or 'pad'",
        ),
        (
            {"mm_patch_merge_type": "spatial_unpad"},
            "mm_patch_merge_type 'spatial_unpad' is not supported",
        ),
        ({"mm_projector_type": "ldpnetv2"}, "mm_projector_type 'ldpnetv2' is not supported"),
        (
            {"mm_vision_select_feature": "cls_patch"},
            "mm_vision_select_feature 'cls_patch' is not supported",
        ),
        ({"mm_use_im_start_end": True}, "mm_use_im_start_end True is not supported"),
        (
            {"architectures": ["LlavaMPTForCausalLMX"]},
            "the architecture 'LlavaMPTForCausalLMX' is not supported",
        ),
        (
            {"num_hidden_layers": 3},
            "lacks the tensor model.layers.2.input_layernorm.weight .and 8 more",
        ),
    ],
)
def test_unsupported_values_of_the_original_layout_are_named(llava, tmp_path, changes, words):
    folder = edit(original_layout(llava, tmp_path / "llava", "bin"), **changes)
    with pytest.raises(ValueError, match=words):
        read_llava(folder, tower=folder / "clip")


def test_missing_files_are_named(llava, tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere: no such folder"):
        read_llava(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(
        FileNotFoundError, match="config.json: no such file; expected a LLaVA checkpoint's folder"
    ):
        read_llava(tmp_path / "empty")
    folder = original_layout(llava, tmp_path / "llava", "bin")
    with pytest.raises(
        FileNotFoundError, match="openai/clip: neither a folder here nor a repository"
    ):
        read_llava(folder)
    for file in folder.glob("*.bin"):
        torch.save({"model.norm.weight": Path("code")}, file)
    with pytest.raises(ValueError, match="holds pickled code or is damaged"):
        read_llava(folder, tower=folder / "clip")
