"""The two small models of EmoScenes, trained from scratch on its scenes and texts.

A CLIP of 1.7 million parameters (open_clip's own model class and contrastive loss), and an OpenELM
of one million with its own byte-pair tokenizer. Takes pixels, captions and texts; gives folders:
`local-dir:<folder>` loads the first with open_clip, `from_pretrained(<folder>)` loads the second.
Both are used like a published CLIP and a published language model.
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
from torch import nn
from transformers import PreTrainedTokenizerFast

from tinyemo.code_digest import code_digest
from tinyemo.io import write_atomically
from tinyemo.models.openelm import OpenELMForCausalLM
from tinyemo.models.openelm_config import OpenELMConfig
from tinyemo.models.prompt import TEMPLATES, PromptBuilder, Sample
from tinyemo.training.loop import batch_of_step, train

MAX_LENGTH = 512  # tokens that the small language model is made for
# A turn as in the template "plain", so that the tokenizer learns the words of the template.
_TURN = "USER: {} ASSISTANT: {}"
CLIP_VOCABULARY = 49408  # tokens of open_clip's tokenizer
MEAN, STD = (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)  # of pixel values, for normalisation


@dataclass(frozen=True)
class ClipRecipe:
    """Shape and training of the small CLIP."""

    width: int = 16  # channels of the ResNet's stem; its last stage has 32 times as many
    layers: tuple[int, ...] = (1, 1, 1, 1)  # blocks per stage
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

    vocabulary: int = 2000
    width: int = 128  # d_llm: the width of the input-embedding table, so of every anchor
    layers: int = 4
    heads: int = 4  # of queries, in each layer; keys and values have half as many
    head_dim: int = 32
    ffn: tuple[float, float] = (1.5, 3.0)  # widths of the first and last FFN, in model widths
    context_length: int = 96
    steps: int = 600  # with the first layer alone: they train the embeddings
    deep_steps: int = 600  # with all layers
    batch: int = 32
    lr: float = 3e-3
    weight_decay: float = 0.05


def train_clip(
    images: np.ndarray,
    captions: list[list[str]],
    folder: Path,
    recipe: ClipRecipe = ClipRecipe(),
    seed: int = 0,
) -> list[float]:
    """Train the small CLIP on (N, S, S, 3) uint8 images with K captions each; returns the losses.

    In each step an image is paired with two of its captions, each in a contrastive loss of its own,
    and with the next two captions in the next step. The image tower takes most of the time. It
    learns more from captions that name one thing (an object, a person) than from one that names
    everything.
    `folder` gets the open_clip config and weights. A training that was interrupted resumes from the
    checkpoint there.
    """
    n, size = images.shape[:2]
    config = _clip_config(recipe, size)
    torch.manual_seed(seed)
    model = open_clip.CLIP(**config).to(memory_format=torch.channels_last)
    tokenizer = open_clip.SimpleTokenizer(context_length=recipe.context_length)
    k = len(captions[0])
    tokens = torch.stack([tokenizer([c[j] for c in captions]) for j in range(k)])  # (K, N, L)
    pixels = torch.from_numpy(images)  # (N, S, S, 3) uint8
    contrast = open_clip.ClipLoss()

    def loss_of_step(step: int) -> torch.Tensor:
        rows = batch_of_step(step, n, recipe.batch, seed)
        batch = pixels[rows].permute(0, 3, 1, 2).float() / 255  # (B, 3, S, S), channels last
        batch = (batch - MEAN[0]) / STD[0]
        image_features = model.encode_image(batch, normalize=True)  # (B, E)
        pair = [2 * step % k, (2 * step + 1) % k]
        both_captions = tokens[pair][:, rows].flatten(0, 1)  # (2B, L)
        text_features = model.encode_text(both_captions, normalize=True)  # (2B, E)
        scale = model.logit_scale.exp().clamp(max=100)
        return sum(contrast(image_features, part, scale) for part in text_features.chunk(2)) / 2

    key = _key(asdict(recipe), seed, images, captions)
    losses = train(
        model,
        loss_of_step,
        steps=recipe.steps,
        lr=recipe.lr,
        weight_decay=recipe.weight_decay,
        checkpoint=folder / "training.pt",
        key=key,
        label="small CLIP",
    )
    weights = {name: value.contiguous() for name, value in model.state_dict().items()}
    write_atomically(folder / "open_clip_model.safetensors", lambda path: save_file(weights, path))
    settings = {
        "model_cfg": config,
        "preprocess_cfg": {"mean": MEAN, "std": STD, "interpolation": "bicubic"},
    }
    (folder / "open_clip_config.json").write_text(json.dumps(settings, indent=1))
    return losses


def _clip_config(recipe: ClipRecipe, size: int) -> dict:
    """open_clip's configuration for images of `size` pixels."""
    return {
        "embed_dim": recipe.embed_dim,
        "vision_cfg": {"image_size": size, "layers": list(recipe.layers), "width": recipe.width},
        "text_cfg": {
            "context_length": recipe.context_length,
            "vocab_size": CLIP_VOCABULARY,
            "width": recipe.text_width,
            "heads": max(1, recipe.text_width // 32),
            "layers": recipe.text_layers,
        },
    }


def train_lm(
    texts: list[str],
    conversations: list[list[tuple[str, str]]],
    folder: Path,
    recipe: LmRecipe = LmRecipe(),
    seed: int = 0,
) -> tuple[list[float], list[float]]:
    """Train the small language model on `texts` and on `conversations`, one document each.

    conversations: lists of (question, answer) turns.

    Returns the losses of the two phases. In the first phase a model with a single layer is trained
    on `texts`. So the meaning of a word has to be in its embedding, and words that are used for the
    same reasons become neighbours. Anchors need this property. A deep model would store the meaning
    in its layers instead. In the second phase the model is trained on all texts, with the other
    layers on top, which have no effect at first. The embeddings of the words of `texts` do not
    change. Input and output embeddings are tied.
    """
    turn_texts = [_TURN.format(*turn) for turns in conversations for turn in turns]
    tokenizer = _train_tokenizer(texts + turn_texts, recipe.vocabulary)
    prompts = PromptBuilder(tokenizer, [], max_length=MAX_LENGTH)
    text_ids = [[tokenizer.bos_token_id, *ids] for ids in tokenizer(texts)["input_ids"]]
    conversation_ids = [prompts.encode(Sample(tuple(turns))).input_ids for turns in conversations]

    def fit(
        model: OpenELMForCausalLM, documents: list[list[int]], steps: int, decay: float, phase: int
    ) -> list[float]:
        order = np.random.default_rng(seed).permutation(len(documents))
        stream = [token for document in order for token in documents[document]]
        length = recipe.context_length
        whole_blocks = len(stream) // length
        blocks = torch.tensor(stream[: whole_blocks * length]).view(-1, length)  # (N, L)

        def loss_of_step(step: int) -> torch.Tensor:
            batch = blocks[batch_of_step(step, len(blocks), recipe.batch, seed)]
            return model(input_ids=batch, labels=batch).loss

        return train(
            model,
            loss_of_step,
            steps=steps,
            lr=recipe.lr,
            weight_decay=decay,
            label=f"small LM, phase {phase}",
            checkpoint=folder / f"training-{phase}.pt",
            key=_key(asdict(recipe), seed, phase, len(text_ids), stream),
        )

    torch.manual_seed(seed)
    shallow = OpenELMForCausalLM(_lm_config(recipe, tokenizer, layers=1))
    losses = fit(shallow, text_ids, recipe.steps, recipe.weight_decay, phase=1)
    model = OpenELMForCausalLM(_lm_config(recipe, tokenizer, layers=recipe.layers))
    model.load_state_dict(shallow.state_dict(), strict=False)
    for layer in model.transformer.layers[1:]:  # no effect at first
        nn.init.zeros_(layer.attn.out_proj.weight)
        nn.init.zeros_(layer.ffn.proj_2.weight)
    # Embeddings of words in `texts` get no gradient. Weight decay would move them, so there is
    # none.
    trainable = torch.ones(len(tokenizer), 1)
    trainable[sorted({token for ids in text_ids for token in ids})] = 0
    embeddings = model.get_input_embeddings().weight
    embeddings.register_hook(lambda gradient: gradient * trainable)
    deep_losses = fit(model, text_ids + conversation_ids, recipe.deep_steps, decay=0.0, phase=2)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return losses, deep_losses


def _lm_config(recipe: LmRecipe, tokenizer: PreTrainedTokenizerFast, layers: int) -> OpenELMConfig:
    """The first `layers` layers of the recipe's model; as in OpenELM, later FFNs are wider."""
    return OpenELMConfig(
        vocab_size=len(tokenizer),
        model_dim=recipe.width,
        head_dim=recipe.head_dim,
        num_transformer_layers=layers,
        num_query_heads=[recipe.heads] * layers,
        num_gqa_groups=2,
        ffn_dim_divisor=32,
        ffn_multipliers=np.linspace(*recipe.ffn, recipe.layers)[:layers].round(2).tolist(),
        normalize_qk_projections=True,
        share_input_output_layers=True,
        max_context_length=MAX_LENGTH,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )


def _train_tokenizer(texts: list[str], vocabulary: int) -> PreTrainedTokenizerFast:
    """Byte-level BPE. A space before each text gives a single word "joy" the same token as within a
    text."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=["<pad>", "<s>", "</s>"],
        show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    tokenizer.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<pad>",
        bos_token="<s>",
        eos_token="</s>",
        chat_template="{{ bos_token }}" + TEMPLATES["plain"],
    )


def _key(*parts: object) -> str:
    """A hash of all that determines a training: recipe, seed, all data (`parts`), and the code."""
    digest = hashlib.sha256(code_digest("emoscenes.toy_models").encode())
    for part in parts:
        if isinstance(part, np.ndarray):
            digest.update(f"{part.shape} {part.dtype}".encode())
            digest.update(np.ascontiguousarray(part).data)
        else:
            digest.update(json.dumps(part).encode())
    return digest.hexdigest()
