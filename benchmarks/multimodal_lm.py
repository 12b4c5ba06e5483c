"""The time saved by caching patch tokens in training, and how well training uses a GPU.

    python benchmarks/multimodal_lm.py [--items 256] [--repeats 3] [--tower small]
    python benchmarks/multimodal_lm.py --tower ViT-B-16 --items 32
    python benchmarks/multimodal_lm.py --gpu [--steps 20] [--batch 16]

On any machine: seconds per epoch of stage 1, with batches of 32 records with one image each, with
patch tokens from the store and with the frozen tower run at every step. The tower is the small CLIP
of EmoScenes (64-pixel images, 16 tokens) or one of open_clip's at its own size; the language model
is the small OpenELM of EmoScenes. All weights are random. The two ways take turns; their medians
and their losses are compared. Filling the store is timed too: it happens once.

With --gpu, on CUDA: tokens per second, peak memory and model FLOP utilisation of an OpenELM with
the shape of the 270M model. A record has 256 image tokens of ViT-L/14's width and as many text
tokens, half of them in the answer. Training is in bfloat16 autocast, of all weights and with LoRA.
The FLOPs are those that the model needs: per weight and token 6 if the weight is trained and 4 if
gradients only pass through it; for causal attention 6 per layer, unit of width and pair of
positions; the output layer counts at answer tokens. The peak is that of dense bfloat16.
"""

import argparse
import math
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from PIL import Image
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from emoscenes.toy_models import ClipRecipe, LmRecipe
from tinyemo.data.instructions import Instruction
from tinyemo.features.encoders import ImageEncoder
from tinyemo.features.patches import LivePatches, cache_patches
from tinyemo.models.multimodal_lm import Connector, MultimodalLM
from tinyemo.models.openelm import OpenELMConfig, OpenELMForCausalLM
from tinyemo.models.prompt import Sample
from tinyemo.training.multimodal_lm import fit_stage
from tinyemo.training.multimodal_recipes import StageRecipe
from tinyemo.training.multimodal_samples import Samples

WORDS = (
    "the a house tree dog child smiles runs sits by in rain sun red blue old near it feels like "
    "joy fear"
).split()
# dense bfloat16 FLOP/s, from NVIDIA's data sheets
PEAKS = {"H200": 989e12, "H100": 989e12, "A100": 312e12, "L4": 121e12, "T4": 65e12}


def tokenizer() -> PreTrainedTokenizerFast:
    own = Tokenizer(models.BPE())
    own.pre_tokenizer, own.decoder = (
        pre_tokenizers.ByteLevel(add_prefix_space=True),
        decoders.ByteLevel(),
    )
    own.train_from_iterator(
        [" ".join(WORDS)] * 3,
        trainers.BpeTrainer(
            vocab_size=LmRecipe().vocabulary,
            special_tokens=["<pad>", "<s>", "</s>"],
            show_progress=False,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        ),
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=own, pad_token="<pad>", bos_token="<s>", eos_token="</s>"
    )


def instructions(n: int, words: tuple[int, int, int]) -> list[Instruction]:
    """Records with an image and random words.

    `words` are the number of words in a question, the smallest number in an answer, and the largest
    number plus one.
    """
    rng = np.random.default_rng(0)
    in_question, shortest, longest = words
    records = []
    for i in range(n):
        question = " ".join(rng.choice(WORDS, in_question))
        answer = " ".join(rng.choice(WORDS, rng.integers(shortest, longest)))
        records.append(Instruction(f"{i}", f"{i}.png", ((f"<image>\n{question}", answer),)))
    return records


def random_encoder(tower: str) -> ImageEncoder:
    """The small CLIP of EmoScenes ("small"), or one of open_clip's, with random weights."""
    import open_clip  # after tinyemo, which makes torchvision importable with a CPU torch

    recipe = ClipRecipe()
    small = {
        "embed_dim": recipe.embed_dim,
        "vision_cfg": {"image_size": 64, "layers": list(recipe.layers), "width": recipe.width},
        "text_cfg": {
            "context_length": recipe.context_length,
            "vocab_size": 49408,
            "width": recipe.text_width,
            "heads": 2,
            "layers": recipe.text_layers,
        },
    }
    config = small if tower == "small" else open_clip.get_model_config(tower)
    torch.manual_seed(0)
    model = open_clip.CLIP(**config).eval()
    preprocess = open_clip.image_transform(model.visual.image_size, is_train=False)
    return ImageEncoder(tower, model, preprocess, config, torch.device("cpu"), torch.float32)


def openelm(config: OpenELMConfig, words: PreTrainedTokenizerFast, width: int) -> MultimodalLM:
    torch.manual_seed(0)
    return MultimodalLM(
        OpenELMForCausalLM(config),
        words,
        {"image": Connector("mlp2x_gelu", width)},
        template="plain",
    )


def small_openelm(words: PreTrainedTokenizerFast) -> OpenELMConfig:
    recipe = LmRecipe()
    return OpenELMConfig(
        vocab_size=len(words),
        model_dim=recipe.width,
        num_transformer_layers=recipe.layers,
        head_dim=recipe.head_dim,
        num_query_heads=[recipe.heads] * recipe.layers,
        num_gqa_groups=2,
        ffn_multipliers=recipe.ffn,
        ffn_dim_divisor=32,
        normalize_qk_projections=True,
        share_input_output_layers=True,
        max_context_length=512,
    )


def published_openelm() -> OpenELMConfig:
    """OpenELM-270M's shape."""
    return OpenELMConfig(
        vocab_size=32000,
        model_dim=1280,
        num_transformer_layers=16,
        head_dim=64,
        qkv_multipliers=[0.5, 1.0],
        num_gqa_groups=4,
        ffn_multipliers=[0.5, 4.0],
        ffn_dim_divisor=256,
        ffn_with_glu=True,
        normalize_qk_projections=True,
        share_input_output_layers=True,
        max_context_length=2048,
    )


def caching(tower: str, items: int, repeats: int) -> None:
    """Print the seconds per epoch with cached patch tokens and with the tower at every step."""
    records, words = instructions(items, (10, 10, 40)), tokenizer()
    encoder = random_encoder(tower)
    size = encoder.config["vision_cfg"]["image_size"]
    with tempfile.TemporaryDirectory() as folder:
        draw = np.random.default_rng(0)
        for item in records:
            pixels = Image.fromarray(draw.integers(0, 256, (8, 8, 3), dtype=np.uint8))
            pixels.resize((size, size)).save(Path(folder, item.image))
        start = time.perf_counter()
        images = [item.image for item in records]
        cached = cache_patches(images, encoder, folder, Path(folder, "store"), workers=0)
        filled = time.perf_counter() - start
        sources = {"store": cached, "tower": LivePatches(encoder, folder)}
        count, width = cached(images[:1])[0].shape
        scale = torch.stack(cached(images)).std()
        seconds, losses = {name: [] for name in sources}, {}
        for repeat in range(repeats + 1):
            for name, source in sources.items():
                model = openelm(small_openelm(words), words, width)
                # the tokens of an untrained tower are small: without this they would hardly matter
                model.connectors["image"][0].weight.data /= scale
                samples = Samples(records, source, model.prompts)
                out = Path(folder, f"{name} {repeat}")
                history = fit_stage(model, samples, None, StageRecipe(), out)
                losses[name] = history["loss"]
                if repeat:  # the first turn of each warms up
                    seconds[name].append(history["seconds"].iloc[-1])
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    print(f"{tower} tower, {items} records, {count} image tokens")
    print(f"filling the store, once: {filled:.2f} s")
    print("| patch tokens from | s per epoch |\n|---|---|")
    print(*(f"| {name} | {value:.2f} |" for name, value in medians.items()), sep="\n")
    print(
        f"ratio {medians['tower'] / medians['store']:.2f}; "
        f"losses differ by at most {(losses['store'] - losses['tower']).abs().max():.1e}"
    )


class Noise:
    """A source with 256 random tokens of ViT-L/14's width for every image."""

    key = "noise"

    def __init__(self):
        self.tokens = torch.randn(256, 1024)

    def __call__(self, images: Sequence[str]) -> list[Tensor]:
        return [self.tokens] * len(images)


def utilisation(
    config: OpenELMConfig, words: PreTrainedTokenizerFast, trains: str, batch: int, steps: int
) -> dict:
    """One row of the table, for `steps` steps of `batch` records of equal length."""
    cuda = torch.cuda.is_available()
    peak = next(
        (value for name, value in PEAKS.items() if cuda and name in torch.cuda.get_device_name()),
        math.nan,
    )
    records, model = instructions(batch * steps, (120, 124, 125)), openelm(config, words, 1024)
    if cuda:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    recipe = StageRecipe(trains, lr=1e-5, batch=batch, per_device=batch, bf16=True)
    with tempfile.TemporaryDirectory() as folder:
        samples = Samples(records, Noise(), model.prompts)
        history = fit_stage(model, samples, None, recipe, Path(folder))
    encoded = model.prompts.encode(Sample(records[0].turns, {"image": [Noise().tokens]}))
    length, answered = len(encoded.input_ids), sum(label >= 0 for label in encoded.labels)
    table = model.lm.get_input_embeddings().weight
    adapters = sum(value.numel() for name, value in model.lm.named_parameters() if "lora_" in name)
    weights = sum(value.numel() for value in model.lm.parameters()) - table.numel() - adapters
    per_weight = 6 if trains == "all" else 4
    in_layers = length * (per_weight * weights + 6 * adapters)
    in_output = per_weight * answered * table.numel()
    in_attention = 6 * length**2 * sum(config.num_query_heads) * config.head_dim
    flops = (in_layers + in_output + in_attention) * batch
    seconds = history["seconds"].diff().iloc[steps // 4 :].median()  # the first steps warm up
    memory = torch.cuda.max_memory_allocated() / 2**30 if cuda else math.nan
    return {
        "trains": trains,
        "tokens per step": length * batch,
        "tokens/s": round(length * batch / seconds),
        "peak memory, GiB": round(memory, 1),
        "FLOP utilisation": round(flops / seconds / peak, 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--items", type=int, default=256, help="records, a multiple of 32")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--tower", default="small", help="small, or a ViT of open_clip's")
    parser.add_argument("--gpu", action="store_true", help="measure the use of a GPU instead")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--batch", type=int, default=16)
    args = parser.parse_args()
    if not args.gpu:
        caching(args.tower, args.items, args.repeats)
    elif not torch.cuda.is_available():
        parser.error("--gpu: this machine has no CUDA device")
    else:
        words = tokenizer()
        rows = [
            utilisation(published_openelm(), words, trains, args.batch, args.steps)
            for trains in ("all", "lora")
        ]
        print(torch.cuda.get_device_name(), torch.__version__)
        print(pd.DataFrame(rows).to_markdown(index=False))


if __name__ == "__main__":
    main()
