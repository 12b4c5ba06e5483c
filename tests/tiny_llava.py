"""Small random vision-language models: MultimodalLMs around several LMs, and a LLaVA-1.5."""

from pathlib import Path

import numpy as np
import torch
from checkpoints import save_tokenizer
from PIL import Image
from tiny_clip import stir
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import (
    AutoModelForCausalLM,
    CLIPImageProcessor,
    CLIPVisionConfig,
    GPTNeoXConfig,
    LlamaConfig,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaProcessor,
    PhiConfig,
    PreTrainedTokenizerFast,
)

from tinyemo.models.multimodal_lm import Connector, MultimodalLM
from tinyemo.models.openelm_config import OpenELMConfig
from tinyemo.models.prompt import Sample

SMALL = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
}
QUESTION = "<image>\nwhat is felt here, anger or joy?"
LLAVA_CHAT = (  # llava-hf/llava-1.5-7b-hf
    "{% for message in messages %}"
    "{% if message['role'] != 'system' %}{{ message['role'].upper() + ': '}}{% endif %}"
    "{% for content in message['content'] | selectattr('type', 'equalto', 'image') %}"
    "{{ '<image>\n' }}{% endfor %}"
    "{% for content in message['content'] | selectattr('type', 'equalto', 'text') %}"
    "{{ content['text'] + ' '}}{% endfor %}"
    "{% endfor %}{% if add_generation_prompt %}{{ 'ASSISTANT:' }}{% endif %}"
)


def config_of(kind: str, rows: int):
    """The configuration of a small language model with `rows` tokens."""
    if kind == "llama":
        return LlamaConfig(vocab_size=rows, num_key_value_heads=2, **SMALL)
    if kind == "tied":
        return LlamaConfig(vocab_size=rows, tie_word_embeddings=True, **SMALL)
    if kind == "spare rows":
        return LlamaConfig(vocab_size=rows + 40, **SMALL)
    if kind == "neox":
        return GPTNeoXConfig(vocab_size=rows, **SMALL)
    if kind == "phi":
        return PhiConfig(vocab_size=rows, **SMALL)
    assert kind == "openelm"
    return OpenELMConfig(
        vocab_size=rows,
        model_dim=32,
        head_dim=8,
        num_transformer_layers=2,
        num_gqa_groups=2,
        ffn_dim_divisor=8,
        normalize_qk_projections=True,
        share_input_output_layers=True,
    )


def multimodal(folder: Path, kind: str = "llama", width: int = 32, **options) -> MultimodalLM:
    """A random LM of `kind` with a random connector and a small Llama-2-style tokenizer."""
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
    tokens = [
        image and encoder.encode(encoder.preprocess(image)[None])[1][0].clone() for image in images
    ]
    return Sample(turns, {"image": tokens})


@torch.inference_mode()
def logits(model, encoder, *images, turns=((QUESTION, ""),)) -> torch.Tensor:
    batch = model.collate([sample(encoder, *images, turns=turns)])
    return model(batch["input_ids"], batch["attention_mask"], image=batch["image"]).logits


def stock_inputs(folder: Path, image: Image.Image, *turns: str):
    """The inputs by LLaVA's processor, for an image and the texts of user and assistant in turn."""
    messages = [
        {"role": ("user", "assistant")[i % 2], "content": [{"type": "text", "text": text}]}
        for i, text in enumerate(turns)
    ]
    messages[0]["content"].insert(0, {"type": "image", "image": image})
    return LlavaProcessor.from_pretrained(folder).apply_chat_template(
        messages, add_generation_prompt=True, tokenize=True, return_dict=True, return_tensors="pt"
    )


def save_llava(folder: Path, words: list[str], template: bool = True) -> Path:
    """A random LLaVA-1.5 in `folder`, with CLIP, a two-layer connector and a Llama of width 32.

    Images have 32 px. The byte-level tokenizer of its processor is trained on `words`. With
    `template` the processor has LLaVA-1.5's chat template.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<s>", "</s>", "<pad>", "<image>"]
    tokenizer.train_from_iterator(
        words,
        trainers.BpeTrainer(
            vocab_size=600,
            special_tokens=special,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", special_tokens=[("<s>", 0)]
    )
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", pad_token="<pad>"
    )
    size = {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
    }
    config = LlavaConfig(
        vision_config=CLIPVisionConfig(image_size=32, patch_size=16, **size),
        image_token_index=3,
        text_config=LlamaConfig(
            vocab_size=len(fast),
            bos_token_id=0,
            eos_token_id=1,
            pad_token_id=2,
            initializer_range=0.3,
            **size,
        ),
    )
    torch.manual_seed(0)
    LlavaForConditionalGeneration(config).save_pretrained(folder)
    LlavaProcessor(
        CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}),
        fast,
        patch_size=16,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=LLAVA_CHAT if template else None,
    ).save_pretrained(folder)
    return folder
