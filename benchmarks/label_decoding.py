"""What it costs to score ten labels instead of one.

    python benchmarks/label_decoding.py [--repeats 9]

Two language models with random weights: the shape that is trained from scratch (GPT-NeoX, 128 wide,
2 layers, 30,000 words, prompts of 60 tokens), and a Llama (512 wide, 8 layers, 32,000 words,
prompts of 200 tokens, labels of one to three tokens). Each prompt has four tokens of a stream. Both
tasks use `label_log_likelihoods` with the same prompts and take turns; the table shows the medians
of their seconds and the ratio. The last column compares the labels' numbers with those of whole
forward passes, so that what is timed is also right.
"""

import argparse
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedTokenizerFast

from tinyemo.models.label_scoring import label_log_likelihoods, whole_log_likelihoods
from tinyemo.models.multimodal_lm import Connector, MultimodalLM
from tinyemo.models.prompt import Sample

STREAM, WIDTH, TURNS = "audio", 64, 4
# ten labels, written in the words of the vocabulary
ONE_TOKEN = tuple(f"w{number}" for number in range(10))
ONE_TO_THREE_TOKENS = tuple(
    " ".join(f"w{10 * label + place}" for place in range(1 + label % 3)) for label in range(10)
)


@dataclass(frozen=True)
class Case:
    """A language model, and what is asked of it."""

    name: str
    family: str
    shape: dict[str, int]
    vocabulary: int
    prompts: int  # that are scored
    words: int  # of a prompt
    labels: Sequence[str]


NEOX = {
    "hidden_size": 128,
    "intermediate_size": 512,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
}
LLAMA = {
    "hidden_size": 512,
    "intermediate_size": 1376,
    "num_hidden_layers": 8,
    "num_attention_heads": 8,
}
CASES = (
    Case("GPT-NeoX, 128 wide, 2 layers", "gpt_neox", NEOX, 30_000, 64, 52, ONE_TOKEN),
    Case("Llama, 512 wide, 8 layers", "llama", LLAMA, 32_000, 8, 192, ONE_TO_THREE_TOKENS),
)


def tokenizer(vocabulary: int) -> PreTrainedTokenizerFast:
    """Every word is one token."""
    special = ["<end>", "<unk>", "USER:", "ASSISTANT:"]
    words = [*special, *(f"w{number}" for number in range(vocabulary - len(special)))]
    model = models.WordLevel({word: index for index, word in enumerate(words)}, "<unk>")
    own = Tokenizer(model)
    own.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(
        tokenizer_object=own, bos_token="<end>", eos_token="<end>", unk_token="<unk>"
    )


def prompts(case: Case) -> list[Sample]:
    """Random words with the tokens of a stream; the lengths differ by up to a tenth."""
    generator = torch.Generator().manual_seed(0)
    samples = []
    for _ in range(case.prompts):
        shorter = int(torch.randint(case.words // 10 + 1, (1,), generator=generator))
        size = (case.words - shorter,)
        words = torch.randint(case.vocabulary - 4, size, generator=generator).tolist()
        text = " ".join([*[f"<{STREAM}>"] * TURNS, *(f"w{word}" for word in words)])
        tokens = [torch.randn(1, WIDTH, generator=generator) for _ in range(TURNS)]
        samples.append(Sample(((text, ""),), {STREAM: tokens}))
    return samples


def measure(case: Case, repeats: int) -> dict[str, object]:
    """One row of the table."""
    torch.manual_seed(0)
    end = {"bos_token_id": 0, "eos_token_id": 0}
    config = AutoConfig.for_model(case.family, vocab_size=case.vocabulary, **case.shape, **end)
    model = MultimodalLM(
        AutoModelForCausalLM.from_config(config),
        tokenizer(case.vocabulary),
        {STREAM: Connector("linear", WIDTH)},
        template="plain",
        max_length=512,
    ).eval()
    samples = prompts(case)
    tasks = {"one label": case.labels[:1], "ten labels": case.labels}
    seconds: dict[str, list[float]] = {name: [] for name in tasks}
    for repeat in range(repeats + 1):
        for name, labels in tasks.items():
            start = time.perf_counter()
            scores = label_log_likelihoods(model, samples, labels)
            if repeat:  # the first turn warms up
                seconds[name].append(time.perf_counter() - start)
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    expected = whole_log_likelihoods(model, samples[:1], case.labels)
    difference = (scores[:1] - expected).abs().max()
    return {
        "language model": case.name,
        "prompts": case.prompts,
        "tokens per prompt": len(model.prompts.encode(samples[0]).input_ids),
        **{f"{name}, s": round(value, 3) for name, value in medians.items()},
        "ratio": round(medians["ten labels"] / medians["one label"], 2),
        "largest difference": f"{difference:.0e}",
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=9)
    args = parser.parse_args()
    rows = [measure(case, args.repeats) for case in CASES]
    print(pd.DataFrame(rows).to_markdown(index=False))


if __name__ == "__main__":
    main()
