"""Exported folders, loaded by the stock LLaVA classes and read back."""

import json
import subprocess
import sys

import pytest
import torch
from tiny_clip import open_clip_vit
from tiny_llava import QUESTION, logits, multimodal, picture, sample, stock_inputs
from transformers import (
    LlavaForConditionalGeneration,
)

from tinyemo.models.llava.exporting import export_llava
from tinyemo.models.llava.reading import read_llava
from tinyemo.models.multimodal_lm import Connector, MultimodalLM

CHATML = (
    "{% for message in messages %}<|{{ message['role'] }}|>\n"
    "{{ message['content'] }}{{ eos_token }}\n{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>\n{% endif %}"
)


@pytest.mark.parametrize("kind", ["llama", "tied", "spare rows", "openelm", "neox"])
@torch.inference_mode()
def test_exported_models_give_the_same_prompts_pixels_logits_and_texts(tmp_path, kind):
    encoder = open_clip_vit(tmp_path / "clip", quick_gelu=True)
    model = multimodal(tmp_path / "words", kind)
    folder = export_llava(model, encoder, tmp_path / "out" / "llava")
    inputs = stock_inputs(folder, picture(), QUESTION.removeprefix("<image>\n"))
    ours = model.collate([sample(encoder, picture())])
    assert inputs["input_ids"].tolist() == ours["input_ids"].tolist()
    assert (ours["input_ids"] >= 0).all()
    torch.testing.assert_close(
        inputs["pixel_values"][0], encoder.preprocess(picture()), rtol=0, atol=1e-5
    )
    stock = LlavaForConditionalGeneration.from_pretrained(folder, dtype=torch.float32).eval()
    expected = logits(model, encoder, picture())
    got = stock(**inputs).logits[..., : expected.shape[-1]]
    words = len(model.tokenizer) - 2
    torch.testing.assert_close(got[..., :words], expected[..., :words], rtol=0, atol=1e-4)
    assert expected.std() > 0.3
    assert not torch.allclose(expected, logits(model, encoder, picture(1)), atol=1e-2)
    (ids,) = stock.generate(**inputs, max_new_tokens=12, do_sample=False)
    new = ids[inputs["input_ids"].shape[1] :]
    text = model.tokenizer.decode(new, skip_special_tokens=True).strip()
    assert text
    assert [text] == model.generate([sample(encoder, picture())], max_new_tokens=12)


@pytest.mark.parametrize("template", [None, "plain", CHATML, "{{ bos_token }}" + CHATML])
def test_exported_template_gives_the_builders_ids_in_every_turn(tmp_path, template):
    encoder = open_clip_vit(tmp_path / "clip")
    model = multimodal(tmp_path / "words", template=template)
    folder = export_llava(model, encoder, tmp_path / "llava")
    turns = ((QUESTION, "joy, as the sun is out."), ("and why?", ""))
    ours = model.collate([sample(encoder, picture(), turns=turns)])["input_ids"]
    texts = QUESTION.removeprefix("<image>\n"), turns[0][1], turns[1][0]
    assert stock_inputs(folder, picture(), *texts)["input_ids"].tolist() == ours.tolist()


def test_tokenizers_own_template_is_exported_without_bos(tmp_path):
    """With the tokenizer's own template no BOS is added, here and in the exported folder."""
    encoder = open_clip_vit(tmp_path / "clip")
    model = multimodal(tmp_path / "words")
    model.tokenizer.chat_template = CHATML
    model = MultimodalLM(model.lm, model.tokenizer, model.kinds, max_length=256).eval()
    ours = model.collate([sample(encoder, picture())])["input_ids"]
    assert ours[0, 0] != model.tokenizer.bos_token_id
    folder = export_llava(model, encoder, tmp_path / "llava")
    inputs = stock_inputs(folder, picture(), QUESTION.removeprefix("<image>\n"))
    assert inputs["input_ids"].tolist() == ours.tolist()
    again, _ = read_llava(folder)
    assert again.collate([sample(encoder, picture())])["input_ids"].tolist() == ours.tolist()


def test_exported_openelm_loads_after_import_of_tinyemo(tmp_path):
    encoder = open_clip_vit(tmp_path / "clip")
    model = multimodal(tmp_path / "words", "openelm")
    folder = export_llava(model, encoder, tmp_path / "llava")
    code = (
        "import tinyemo, torch; from transformers import LlavaForConditionalGeneration as Llava; "
        f"model = Llava.from_pretrained({str(folder)!r}).eval(); "
        "print(model(torch.arange(9)[None]).logits[0, -1, :5].tolist())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with torch.inference_mode():
        expected = model.lm(torch.arange(9)[None]).logits[0, -1, :5].tolist()
    assert json.loads(done.stdout) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("kind", ["llama", "spare rows", "openelm"])
@torch.inference_mode()
def test_export_and_reading_back_keep_the_model(tmp_path, kind):
    encoder = open_clip_vit(tmp_path / "clip")
    model = multimodal(tmp_path / "words", kind, template="plain")
    again, read_encoder = read_llava(export_llava(model, encoder, tmp_path / "llava"))
    words = len(model.tokenizer) - 2
    assert repr(read_encoder.preprocess) == repr(encoder.preprocess)
    assert read_encoder.width == encoder.width
    pixels = encoder.preprocess(picture())[None]
    for ours, theirs in zip(encoder.encode(pixels), read_encoder.encode(pixels), strict=True):
        torch.testing.assert_close(theirs, ours, rtol=0, atol=0)
    for image in (picture(), None):  # None: the learned embedding of a missing image
        expected = logits(model, encoder, image)[..., :words]
        got = logits(again, read_encoder, image)[..., :words]
        torch.testing.assert_close(got, expected, rtol=0, atol=1e-4)
    without_image = logits(again, read_encoder, None)[0, -1]
    with_image = logits(again, read_encoder, picture())[0, -1]
    assert not torch.equal(without_image, with_image)
    again = MultimodalLM.load(again.save(tmp_path / "own"))  # a read model is saved like any other
    samples = [sample(encoder, picture(seed)) for seed in range(3)]
    assert again.generate(samples, max_new_tokens=10) == model.generate(samples, max_new_tokens=10)


def test_adapters_are_merged_in_a_copy(tmp_path):
    encoder = open_clip_vit(tmp_path / "clip")
    model = multimodal(tmp_path / "words")
    model.add_lora(2, 4)
    for name, tensor in model.lm.named_parameters():
        if "lora_B" in name:
            tensor.data.normal_(0, 0.3)
    model.eval()
    again, _ = read_llava(export_llava(model, encoder, tmp_path / "llava"))
    expected = logits(model, encoder, picture())
    torch.testing.assert_close(
        logits(again, encoder, picture())[..., : expected.shape[-1]], expected, rtol=0, atol=1e-4
    )
    assert hasattr(model.lm, "merge_and_unload")


def test_parts_that_llava_cannot_hold_are_refused(tmp_path):
    vit = open_clip_vit(tmp_path / "clip")
    resnet = open_clip_vit(tmp_path / "resnet", layers=[1, 1, 1, 1], width=8, image_size=64)
    two = {name: Connector("mlp2x_gelu", 32) for name in ("image", "audio")}
    biased = multimodal(tmp_path / "phi", "phi")
    biased.lm.lm_head.bias.data += 1
    cases = [
        (multimodal(tmp_path / "a"), resnet, "the image tower has the network ModifiedResNet"),
        (
            multimodal(tmp_path / "b", connectors=two),
            vit,
            "streams image, audio cannot be exported",
        ),
        (
            multimodal(tmp_path / "c", connectors={"image": Connector("linear", 32)}),
            vit,
            "connector 'linear'",
        ),
        (multimodal(tmp_path / "d", width=16), vit, "tokens of width 16, .* gives 32"),
        (biased, vit, "PhiForCausalLM adds a bias to its logits"),
    ]
    for model, encoder, words in cases:
        with pytest.raises(ValueError, match=words):
            export_llava(model, encoder, tmp_path / "out" / "llava")
    with pytest.raises(ValueError, match="clip: not empty"):
        export_llava(multimodal(tmp_path / "e"), vit, tmp_path / "clip")
    assert not (tmp_path / "out").exists()


def test_export_with_other_logits_is_refused_and_leaves_no_folder(tmp_path):
    """A language model that changes its logits after the output layer, as Gemma 2 and Cohere do."""
    encoder = open_clip_vit(tmp_path / "clip")
    model = multimodal(tmp_path / "words")
    model.lm.lm_head.register_forward_hook(
        lambda module, inputs, output: 5 * torch.tanh(output / 5)
    )
    with pytest.raises(ValueError, match="LlamaForCausalLM gives other logits in LLaVA's format"):
        export_llava(model, encoder, tmp_path / "out" / "llava")
    assert list((tmp_path / "out").iterdir()) == []
