"""The two small models of the embedded world, trained from scratch on its scenes and its text.

Owns: a CLIP of 1.7 million parameters (open_clip's own model class and contrastive loss) and a causal
language model of transformers with its own byte-pair tokenizer. Takes pixels, captions and text; gives
folders: `local-dir:<folder>` loads the first with open_clip, `from_pretrained(<folder>)` the second. Both
are used frozen afterwards, exactly as a published CLIP and LLM are.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import open_clip
import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from tinyemo.data.files import write_atomically
from tinyemo.training.loop import batch_of_step, train


@dataclass(frozen=True)
class ClipRecipe:
    """Shape and training of the small CLIP."""

    width: int = 16  # channels of the ResNet's stem; its last stage has 32 times as many
    layers: tuple[int, ...] = (1, 1, 1, 1)  # blocks a stage
    embed_dim: int = 128  # the space shared by images and captions
    text_width: int = 64
    text_layers: int = 2
    context_length: int = 24  # tokens of a caption
    steps: int = 1000
    batch: int = 256
    lr: float = 2e-3
    weight_decay: float = 0.05


@dataclass(frozen=True)
class LmRecipe:
    """Shape and training of the small language model."""

    vocabulary: int = 1500
    width: int = 128  # d_llm: the width of the input-embedding table, so of every anchor
    layers: int = 1  # with one, what words mean must stand in their embeddings: that is what anchors need
    heads: int = 4
    context_length: int = 96
    steps: int = 600
    batch: int = 32
    lr: float = 3e-3
    weight_decay: float = 0.05


def train_clip(
    images: np.ndarray, captions: list[list[str]], folder: Path, recipe: ClipRecipe = ClipRecipe(), seed: int = 0
) -> list[float]:
    """Train the small CLIP on (N, S, S, 3) uint8 images with K captions each; returns the losses.

    In a step every image meets two of its captions, each in a contrastive loss of its own, and the next two
    in the next step: the image tower costs most, and captions that name one thing (an object, a person)
    teach it more than one that names everything. `folder` gets the open_clip config and weights; a training
    that was killed resumes from the checkpoint there.
    """
    n, size = images.shape[:2]
    mean, std = (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)
    config = {
        "embed_dim": recipe.embed_dim,
        "vision_cfg": {"image_size": size, "layers": list(recipe.layers), "width": recipe.width},
        "text_cfg": {
            "context_length": recipe.context_length, "vocab_size": 49408, "width": recipe.text_width,
            "heads": max(1, recipe.text_width // 32), "layers": recipe.text_layers,
        },
    }
    torch.manual_seed(seed)
    model = open_clip.CLIP(**config).to(memory_format=torch.channels_last)
    tokenizer = open_clip.SimpleTokenizer(context_length=recipe.context_length)
    k = len(captions[0])
    tokens = torch.stack([tokenizer([c[j] for c in captions]) for j in range(k)])  # (K, N, L)
    pixels = torch.from_numpy(images)  # (N, S, S, 3) uint8
    contrast = open_clip.ClipLoss()

    def loss_of_step(step: int) -> torch.Tensor:
        rows = batch_of_step(step, n, recipe.batch, seed)
        batch = (pixels[rows].permute(0, 3, 1, 2).float() / 255 - mean[0]) / std[0]  # (B, 3, S, S), channels last
        image_features = model.encode_image(batch, normalize=True)  # (B, E)
        pair = [2 * step % k, (2 * step + 1) % k]
        text_features = model.encode_text(tokens[pair][:, rows].flatten(0, 1), normalize=True)  # (2B, E)
        scale = model.logit_scale.exp().clamp(max=100)
        return sum(contrast(image_features, part, scale) for part in text_features.chunk(2)) / 2

    key = _key(asdict(recipe), seed, images[:: max(1, n // 64)].tobytes(), n, captions[:64])
    losses = train(
        model, loss_of_step, steps=recipe.steps, lr=recipe.lr, weight_decay=recipe.weight_decay,
        checkpoint=folder / "training.pt", key=key, label="small CLIP",
    )
    weights = {name: value.contiguous() for name, value in model.state_dict().items()}
    write_atomically(folder / "open_clip_model.safetensors", lambda path: save_file(weights, path))
    settings = {"model_cfg": config, "preprocess_cfg": {"mean": mean, "std": std, "interpolation": "bicubic"}}
    (folder / "open_clip_config.json").write_text(json.dumps(settings, indent=1))
    return losses


def train_lm(texts: list[str], folder: Path, recipe: LmRecipe = LmRecipe(), seed: int = 0) -> list[float]:
    """Train the small language model on `texts`, one document each; returns the losses.

    The input and output embeddings are tied: a word's vector is then shaped by the contexts that it is
    predicted in, which is what makes neighbours of words that are felt for the same reasons.
    """
    tokenizer = _train_tokenizer(texts, recipe.vocabulary)
    stream: list[int] = []
    for ids in tokenizer(texts)["input_ids"]:
        stream += [tokenizer.bos_token_id, *ids]
    length = recipe.context_length
    blocks = torch.tensor(stream[: len(stream) // length * length]).view(-1, length)  # (N, L)
    torch.manual_seed(seed)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer), hidden_size=recipe.width, intermediate_size=3 * recipe.width,
            num_hidden_layers=recipe.layers, num_attention_heads=recipe.heads,
            num_key_value_heads=recipe.heads, max_position_embeddings=512, tie_word_embeddings=True,
            bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )

    def loss_of_step(step: int) -> torch.Tensor:
        batch = blocks[batch_of_step(step, len(blocks), recipe.batch, seed)]
        return model(input_ids=batch, labels=batch).loss

    losses = train(
        model, loss_of_step, steps=recipe.steps, lr=recipe.lr, weight_decay=recipe.weight_decay,
        checkpoint=folder / "training.pt", key=_key(asdict(recipe), seed, stream), label="small LM",
    )
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return losses


def _train_tokenizer(texts: list[str], vocabulary: int) -> PreTrainedTokenizerFast:
    """Byte-level BPE. A prefix space makes the bare word "joy" the token it is in running text."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary, special_tokens=["<pad>", "<s>", "</s>"], show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    tokenizer.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", bos_token="<s>", eos_token="</s>"
    )


def _key(*parts: object) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part if isinstance(part, bytes) else json.dumps(part).encode())
    return digest.hexdigest()
