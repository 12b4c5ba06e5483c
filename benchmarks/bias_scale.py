"""How long the attribute analysis takes on input of EmoSet's size, with planted associations.

    python benchmarks/bias_scale.py [--items 118000] [--references 30] [--size 20000] [--asked 30000]

118,000 items of eight emotions, unit feature rows of 768, and attributes as EmoSet has them: a scene of 254 words,
objects that are lists of 409 words, an action of 264, a facial expression of 6, brightness and colourfulness as
numbers. Word frequencies fall as Zipf's law says, so most of the values are rare. A share of the words speaks for
emotions, as in EmoSet; the planted ones are swapped between items until their risk difference is what was asked for.

Timed: the matrix of values; the data question, law unknown; a linear projector on `size` items drawn evenly; metrics by
group and effects on `asked` other items; for every attribute, so for the 50 largest findings too, as many references as
asked for, each on `size` items in which labels do not depend on that attribute; their tests and the
ranked table. Making the input is not timed.
"""

import argparse
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pandas as pd
import torch
from scipy import sparse

from emoscenes.injected_biases import pairs_to_swap
from tinyemo.bias.attributes import data_gaps, group_metrics
from tinyemo.bias.findings import rank
from tinyemo.bias.references import AdjustedEffects, both, model_gaps, resampled_references
from tinyemo.bias.values import attribute_values
from tinyemo.emotions import labels_of
from tinyemo.runs import manifest
from tinyemo.training.linear_projector import fit_linear

LABEL_SET = "mikels"
WORDS_OF = {"scene": 254, "object": 409, "action": 264, "expression": 6}
NUMBERS = ("brightness", "colorfulness")
MISSING = {
    "scene": 0.3,
    "object": 0.2,
    "action": 0.5,
    "expression": 0.6,
}  # share of items that name none
PLANTS = (
    ("scene", 3, 0, 0.30),
    ("object", 5, 4, 0.30),
    ("action", 8, 2, 0.15),
    ("expression", 2, 6, 0.15),
)


def records_like_emoset(
    items: int = 118_000, seed: int = 0, plants: tuple = PLANTS, speaking: float = 0.4
) -> pd.DataFrame:
    """A records table of one training part. plants: (attribute, word number, emotion number, risk difference) each.

    speaking: the share of words that are drawn given the emotion. A word of an attribute that none speaks in and
    nothing is planted in has nothing to do with the emotion.
    """
    rng = np.random.default_rng(seed)
    emotions = labels_of(LABEL_SET)
    y, columns = rng.integers(len(emotions), size=items), {}
    for attribute, count in WORDS_OF.items():
        base = 1 / np.arange(1, count + 1)
        speaks = np.exp(
            rng.normal(size=(count, len(emotions))) * (rng.random((count, 1)) < speaking)
        )
        speaks[[word for name, word, _, _ in plants if name == attribute]] = (
            1  # a planted word has no cause
        )
        law = base[:, None] * speaks
        shown = _draw(
            law / law.sum(axis=0), y, rng, 3 if attribute == "object" else 1
        )  # (items, 1 or 3) of numbers
        for name, word, emotion, strength in plants:
            if name == attribute:
                has_word = (shown == word).any(axis=1)
                rows, partners = pairs_to_swap(
                    has_word, y == emotion, strength, rng, first=has_word
                )
                shown[rows], shown[partners] = shown[partners].copy(), shown[rows].copy()
        names = np.array([f"{attribute} {i:03}" for i in range(count)], dtype=object)
        missing = rng.random(items) < MISSING[attribute]
        lists = [
            [] if gone else list(dict.fromkeys(names[row]))
            for gone, row in zip(missing, shown, strict=True)
        ]
        columns[f"attr_{attribute}"] = (
            lists if attribute == "object" else [" ".join(words) for words in lists]
        )
    for position, name in enumerate(NUMBERS):
        columns[f"attr_{name}"] = rng.beta(2, 2 + position * speaking * (y % 2))
    return pd.DataFrame(
        {
            "id": [f"emoset/train/{i:06}" for i in range(items)],
            "dataset": "emoset",
            "split": "train",
            "label": np.array(emotions)[y],
            "label_set": LABEL_SET,
            **columns,
        }
    )


def features_like_clip(records: pd.DataFrame, width: int = 768, seed: int = 0) -> np.ndarray:
    """(N, width) float32 unit rows: a direction for each word that an item shows, one for its emotion, and noise."""
    rng = np.random.default_rng([seed, 1])
    x = rng.standard_normal((len(records), width), dtype=np.float32)
    for column, clear in {
        "label": 2.0,
        **{f"attr_{name}": 3.0 for name in WORDS_OF},
    }.items():  # in sd of the noise
        shown = records[column].explode().replace("", np.nan).dropna()
        codes, words = pd.factorize(shown)
        directions = (
            clear * rng.standard_normal((len(words), width), dtype=np.float32) / np.sqrt(width)
        )
        one_hot = sparse.csr_array(
            (np.ones(len(codes), np.float32), (shown.index, codes)), shape=(len(x), len(words))
        )
        x += one_hot @ directions
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def _draw(law: np.ndarray, y: np.ndarray, rng: np.random.Generator, times: int) -> np.ndarray:
    """(N, times) numbers of words, drawn from the columns law (words, emotions) of each item's emotion."""
    shown = np.empty((len(y), times), dtype=int)
    for emotion in range(law.shape[1]):
        rows = np.flatnonzero(y == emotion)
        shown[rows] = rng.choice(len(law), size=(len(rows), times), p=law[:, emotion])
    return shown


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, default in {
        "items": 118_000,
        "references": 30,
        "size": 20_000,
        "asked": 30_000,
        "seed": 0,
    }.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    args, seconds = parser.parse_args(), {}
    words, rng = labels_of(LABEL_SET), np.random.default_rng(args.seed)
    records = records_like_emoset(args.items, args.seed)
    x = torch.from_numpy(features_like_clip(records, seed=args.seed))
    anchors = torch.randn(len(words), 384, generator=torch.Generator().manual_seed(0))
    made = manifest.peak_memory_mb()

    @contextmanager
    def timed(step: str) -> Iterator[None]:
        started = time.monotonic()
        yield
        seconds[step] = time.monotonic() - started

    with timed("values"):
        y, values = records["label"].map(words.index).to_numpy(), attribute_values(records)
    with timed("data question"):
        data = data_gaps(y, words, values)
    order = rng.permutation(args.items)
    asked, drawn = order[: args.asked], order[args.asked :][: args.size]

    def fit(x: torch.Tensor, y: np.ndarray, seed: int) -> np.ndarray:
        return fit_linear(x, y, anchors).classify(shown, anchors).numpy()

    with timed("model, effects, groups"):
        shown, of_asked = x[torch.from_numpy(asked)], values.rows(asked)
        p = fit(x[torch.from_numpy(drawn)], y[drawn], 0).astype(float)
        effects = AdjustedEffects(of_asked)
        groups = group_metrics(y[asked], p.argmax(axis=1), words, of_asked)
    own, attributes = effects(p), len(set(values.attributes))
    with timed(f"{args.references} references for each of {attributes} attributes"):
        keep = torch.from_numpy(order[args.asked :])  # trained on none of the items asked
        references, errors = resampled_references(
            fit,
            x[keep],
            y[keep],
            values.rows(keep.numpy()),
            effects,
            p,
            args.references,
            size=args.size,
            seed=args.seed,
            workers=1,
        )
    with timed("tests and ranking"):
        model = model_gaps(own, references, of_asked, words, errors)
        findings = rank([both(data, model), data])
    planted = [(f"{a}: {a} {word:03}", words[k]) for a, word, k, _ in PLANTS]
    for name, table in {"data": data, "model": model, "both": both(data, model)}.items():
        pairs = set(map(tuple, table.loc[table["found"], ["what", "where"]].to_numpy()))
        print(
            f"{name}: {len(pairs)} of {len(table)} found, planted ones {[pair in pairs for pair in planted]}"
        )
    print(
        f"{len(values.names)} values, {len(findings)} findings, worst group of all {groups['worst_group'].min():.2f}"
    )
    print(pd.Series(seconds, name="seconds").round(1).to_string())
    peak = manifest.peak_memory_mb()
    print(
        f"in all {sum(seconds.values()):.0f} s, peak memory {peak:,} MB ({made:,} to make the input)"
    )


if __name__ == "__main__":
    main()
