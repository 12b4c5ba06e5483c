"""How long the attribute analysis takes on input of EmoSet's size, with injected associations.

    python benchmarks/bias_scale.py [--items 118000] [--references 30] [--size 20000]
                                    [--predicted 30000]

118,000 items of eight emotions, feature rows of unit length and width 768, and attributes as in
EmoSet: a scene of 254 words, objects that are lists of 409 words, an action of 264, a facial
expression of 6, brightness and colourfulness as numbers. Word frequencies follow Zipf's law, so
most values are rare. A share of the words depends on the emotion, as in EmoSet. The injected words
are swapped between items until their risk difference has the given strength.

Timed: the matrix of values; the data detector without a posterior; a linear projector on `size`
items, and effects and group metrics on `predicted` other items; reference models, as many as given
for every attribute, each on `size` items in which labels do not depend on that attribute; their
tests and the ranked table. Making the input is not timed.
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
from tinyemo.bias.attributes import data_associations
from tinyemo.bias.findings import rank
from tinyemo.bias.groups import group_metrics
from tinyemo.bias.references import (
    AdjustedEffects,
    data_and_model,
    excess_effects,
    resampled_references,
)
from tinyemo.bias.training_runs import TrainingRuns
from tinyemo.bias.values import attribute_values
from tinyemo.emotions import labels_of
from tinyemo.runs import manifest

LABEL_SET = "mikels"
WORDS_OF = {"scene": 254, "object": 409, "action": 264, "expression": 6}
OBJECTS = 3  # named by an item
NUMBERS = ("brightness", "colorfulness")
# share of the items that name no word
MISSING = {"scene": 0.3, "object": 0.2, "action": 0.5, "expression": 0.6}
# attribute, number of the word, number of the emotion, risk difference
INJECTED = (
    ("scene", 3, 0, 0.30),
    ("object", 5, 4, 0.30),
    ("action", 8, 2, 0.15),
    ("expression", 2, 6, 0.15),
)
OPTIONS = {
    "items": 118_000,
    "references": 30,
    "size": 20_000,
    "predicted": 30_000,
    "seed": 0,
}


def records_like_emoset(
    items: int = 118_000, seed: int = 0, injected: tuple = INJECTED, dependent: float = 0.4
) -> pd.DataFrame:
    """A records table of one training part.

    dependent: the share of words whose frequency depends on the emotion. In an attribute without
    such words and without an injected association, nothing depends on the emotion.
    """
    rng = np.random.default_rng(seed)
    emotions = labels_of(LABEL_SET)
    y = rng.integers(len(emotions), size=items)
    columns = {}
    for attribute, count in WORDS_OF.items():
        own = [bias for bias in injected if bias[0] == attribute]
        p = _word_probabilities(count, [word for _, word, _, _ in own], dependent, rng)
        words_per_item = OBJECTS if attribute == "object" else 1
        shown = _draw(p, y, rng, words_per_item)  # (items, 1 or 3) numbers of words
        for _, word, emotion, strength in own:
            has_word = (shown == word).any(axis=1)
            has_label = y == emotion
            rows, partners = pairs_to_swap(has_word, has_label, strength, rng, first=has_word)
            shown[rows], shown[partners] = shown[partners].copy(), shown[rows].copy()
        columns[f"attr_{attribute}"] = _column(attribute, count, shown, rng)
    for position, name in enumerate(NUMBERS):
        b = 2 + position * dependent * (y % 2)
        columns[f"attr_{name}"] = rng.beta(2, b)
    table = {"id": [f"emoset/train/{i:06}" for i in range(items)], "dataset": "emoset"}
    table |= {"split": "train", "label": np.array(emotions)[y], "label_set": LABEL_SET}
    return pd.DataFrame(table | columns)


def _word_probabilities(
    count: int, injected: list[int], dependent: float, rng: np.random.Generator
) -> np.ndarray:
    """p(word | emotion) (words, emotions), the same for all emotions for injected words."""
    emotions = len(labels_of(LABEL_SET))
    zipf = 1 / np.arange(1, count + 1)
    effect = rng.normal(size=(count, emotions))
    depends = rng.random((count, 1)) < dependent
    factor = np.exp(effect * depends)
    factor[injected] = 1
    p = zipf[:, None] * factor
    return p / p.sum(axis=0)


def _draw(p: np.ndarray, y: np.ndarray, rng: np.random.Generator, times: int) -> np.ndarray:
    """Numbers of words (N, times), drawn from p (words, emotions) given each item's emotion."""
    shown = np.empty((len(y), times), dtype=int)
    for emotion in range(p.shape[1]):
        rows = np.flatnonzero(y == emotion)
        drawn = rng.choice(len(p), size=(len(rows), times), p=p[:, emotion])
        shown[rows] = drawn
    return shown


def _column(attribute: str, count: int, shown: np.ndarray, rng: np.random.Generator) -> list:
    """A column of the records: lists of words for objects, else one word or an empty text."""
    names = np.array([f"{attribute} {i:03}" for i in range(count)], dtype=object)
    missing = rng.random(len(shown)) < MISSING[attribute]
    lists = []
    for row, gone in zip(shown, missing, strict=True):
        words = [] if gone else list(dict.fromkeys(names[row]))
        lists.append(words)
    return lists if attribute == "object" else [" ".join(words) for words in lists]


def features_like_clip(records: pd.DataFrame, width: int = 768, seed: int = 0) -> np.ndarray:
    """Unit rows (N, width) float32: directions of an item's words and emotion, and noise."""
    rng = np.random.default_rng([seed, 1])
    x = rng.standard_normal((len(records), width), dtype=np.float32)
    scales = {"label": 2.0}  # of the directions, in standard deviations of the noise
    scales |= {f"attr_{name}": 3.0 for name in WORDS_OF}
    for column, scale in scales.items():
        shown = records[column].explode().replace("", np.nan).dropna()
        codes, words = pd.factorize(shown)
        directions = scale * rng.standard_normal((len(words), width), dtype=np.float32)
        directions = directions / np.sqrt(width)
        ones = np.ones(len(codes), np.float32)
        one_hot = sparse.csr_array((ones, (shown.index, codes)), shape=(len(x), len(words)))
        x += one_hot @ directions
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, default in OPTIONS.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    args = parser.parse_args()
    words, rng = labels_of(LABEL_SET), np.random.default_rng(args.seed)
    records = records_like_emoset(args.items, args.seed)
    x = torch.from_numpy(features_like_clip(records, seed=args.seed))
    generator = torch.Generator().manual_seed(0)
    anchors = torch.randn(len(words), 384, generator=generator)
    memory_of_input = manifest.peak_memory_mb()
    seconds = {}

    @contextmanager
    def timed(step: str) -> Iterator[None]:
        started = time.monotonic()
        yield
        seconds[step] = time.monotonic() - started

    with timed("values"):
        y = records["label"].map(words.index).to_numpy()
        values = attribute_values(records)
    with timed("data detector"):
        data = data_associations(y, words, values)

    # no model is trained on the items that it predicts
    order = rng.permutation(args.items)
    predicted, others = order[: args.predicted], order[args.predicted :]
    drawn = others[: args.size]
    with timed("model, effects, groups"):
        runs = TrainingRuns(None, anchors, x[torch.from_numpy(predicted)])
        of_predicted = values.rows(predicted)
        p = runs.fit_and_predict(x[torch.from_numpy(drawn)], y[drawn], 0)
        adjusted = AdjustedEffects(of_predicted)
        groups = group_metrics(y[predicted], p.argmax(axis=1), words, of_predicted)
    effects, attributes = adjusted(p), len(set(values.attributes))
    with timed(f"{args.references} references for each of {attributes} attributes"):
        references, errors = resampled_references(
            runs.fit_and_predict,
            x[torch.from_numpy(others)],
            y[others],
            values.rows(others),
            adjusted,
            p,
            args.references,
            size=args.size,
            seed=args.seed,
            workers=1,
        )
    with timed("tests and ranking"):
        model = excess_effects(effects, references, of_predicted, words, errors)
        both = data_and_model(data, model)
        findings = rank([both, data])

    injected = [(f"{a}: {a} {word:03}", words[k]) for a, word, k, _ in INJECTED]
    for name, table in {"data": data, "model": model, "both": both}.items():
        rows = table.loc[table["found"], ["what", "where"]].to_numpy()
        pairs = set(map(tuple, rows))
        injected_found = [pair in pairs for pair in injected]
        print(f"{name}: {len(pairs)} of {len(table)} found, the injected ones: {injected_found}")
    print(f"{len(values.names)} values, {len(findings)} findings")
    print(f"lowest accuracy of a group: {groups['worst_group'].min():.2f}")
    print(pd.Series(seconds, name="seconds").round(1).to_string())
    peak = manifest.peak_memory_mb()
    print(f"in all {sum(seconds.values()):.0f} s")
    print(f"peak memory {peak:,} MB ({memory_of_input:,} to make the input)")


if __name__ == "__main__":
    main()
