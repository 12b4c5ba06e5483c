"""Exported folders against stock LLaVA classes that load them; folders of others against stock LLaVA as well."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from checkpoints import save_tokenizer
from PIL import Image
from test_clip_vit import open_clip_vit, stir
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    GPTNeoXConfig,
    LlamaConfig,
    LlavaForConditionalGeneration,
    LlavaProcessor,
    PhiConfig,
    PreTrainedTokenizerFast,
)

from tinyemo.models.llava import export_llava
from tinyemo.models.mm_llm import Connector, MultimodalLM
from tinyemo.models.openelm_config import OpenELMConfig
from tinyemo.models.prompt import Sample

SMALL = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
CHATML = ("{% for message in messages %}<|{{ message['role'] }}|>\n{{ message['content'] }}{{ eos_token }}\n{% endfor %}"
          "{% if add_generation_prompt %}<|assistant|>\n{% endif %}")
QUESTION = "<image>\nwhat is felt here, anger or joy?"


def config_of(kind: str, rows: int):
    tied = {"tie_word_embeddings": True}
    return {
        "llama": lambda: LlamaConfig(vocab_size=rows, num_key_value_heads=2, **SMALL),
        "tied": lambda: LlamaConfig(vocab_size=rows, **SMALL, **tied),
        "spare rows": lambda: LlamaConfig(vocab_size=rows + 40, **SMALL),
        "openelm": lambda: OpenELMConfig(
            vocab_size=rows, model_dim=32, head_dim=8, num_transformer_layers=2, num_gqa_groups=2, ffn_dim_divisor=8,
            normalize_qk_projections=True, share_input_output_layers=True),
        "neox": lambda: GPTNeoXConfig(vocab_size=rows, **SMALL),
        "phi": lambda: PhiConfig(vocab_size=rows, **SMALL),
    }[kind]()


def multimodal(folder: Path, kind: str = "llama", width: int = 32, **options) -> MultimodalLM:
    """A random LM of `kind` with random connector, its tokenizer that of Llama 2 in small."""
    save_tokenizer(folder, "llama")
    words = PreTrainedTokenizerFast.from_pretrained(folder, add_bos_token=True)
    torch.manual_seed(0)
    lm = stir(AutoModelForCausalLM.from_config(config_of(kind, len(words))), 0.5)
    connectors = options.pop("connectors", {"image": Connector("mlp2x_gelu", width)})
    model = MultimodalLM(lm, words, connectors, max_length=256, **options).eval()
    stir(model.connectors)
    return model


def picture(seed: int = 0, size: tuple[int, int] = (48, 48)) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (*size, 3), np.uint8))


def sample(encoder, *images: Image.Image | None, turns=((QUESTION, ""),)) -> Sample:
    tokens = [image and encoder.encode(encoder.preprocess(image)[None])[1][0].clone() for image in images]
    return Sample(turns, {"image": tokens})


@torch.inference_mode()
def logits(model, encoder, *images, turns=((QUESTION, ""),)) -> torch.Tensor:
    batch = model.collate([sample(encoder, *images, turns=turns)])
    return model(batch["input_ids"], batch["attention_mask"], image=batch["image"]).logits


def chat(*turns: str) -> list[dict]:
    """Messages as LLaVA's processor takes them, an image in the first."""
    messages = [{"role": ("user", "assistant")[i % 2], "content": [{"type": "text", "text": text}]}
                for i, text in enumerate(turns)]
    messages[0]["content"].insert(0, {"type": "image"})
    return messages


def stock_inputs(folder: Path, image: Image.Image, *turns: str):
    processor = LlavaProcessor.from_pretrained(folder)
    prompt = processor.apply_chat_template(chat(*turns), add_generation_prompt=True)
    bos = processor.tokenizer.bos_token
    return processor(images=image, text=prompt, return_tensors="pt", add_special_tokens=not prompt.startswith(bos))


@pytest.mark.parametrize("kind", ["llama", "tied", "spare rows", "openelm", "neox"])
@torch.inference_mode()
def test_exported_models_give_the_same_prompts_pixels_logits_and_texts(tmp_path, kind):
    encoder = open_clip_vit(tmp_path / "clip", quick_gelu=True)
    model = multimodal(tmp_path / "words", kind)
    folder = export_llava(model, encoder, tmp_path / "out" / "llava")
    inputs = stock_inputs(folder, picture(), QUESTION.removeprefix("<image>\n"))
    ours = model.collate([sample(encoder, picture())])
    assert inputs["input_ids"].tolist() == ours["input_ids"].tolist() and (ours["input_ids"] >= 0).all()
    torch.testing.assert_close(inputs["pixel_values"][0], encoder.preprocess(picture()), rtol=0, atol=1e-5)
    stock = LlavaForConditionalGeneration.from_pretrained(folder, dtype=torch.float32).eval()
    expected = logits(model, encoder, picture())
    got = stock(**inputs).logits[..., :expected.shape[-1]]
    words = len(model.tokenizer) - 2
    torch.testing.assert_close(got[..., :words], expected[..., :words], rtol=0, atol=1e-4)
    assert expected.std() > 0.3 and not torch.allclose(expected, logits(model, encoder, picture(1)), atol=1e-2)
    new = stock.generate(**inputs, max_new_tokens=12, do_sample=False)[0, inputs["input_ids"].shape[1]:]
    said = model.tokenizer.decode(new, skip_special_tokens=True).strip()
    assert [said] == model.generate([sample(encoder, picture())], max_new_tokens=12) and said
