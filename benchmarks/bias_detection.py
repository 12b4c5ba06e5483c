"""Do the bias detectors find injected biases, and find nothing where no bias was injected?

    python benchmarks/bias_detection.py [--world FOLDER] [--sets 480] [--references 40]
                                        [--workers 2] [--out FOLDER]

--world is the run folder of notebook 00, with its small CLIP and small language model;
`make reproduce PROFILE=scenes` makes it.

Training sets are drawn from one pool of scenes, with new labels for each set. Half of the sets have
no bias, half have one to four. A bias ties an inert attribute value to an emotion, at a risk
difference of .05, .15 or .30 in training, and keeps both marginals. There are two kinds:
"attribute" (values are swapped between scenes, so the value occurs together with the causes of the
emotion) and "label" (labels are swapped between scenes, which stay as they are). A projector is
trained on each set, and reference models on sets of the same size without biases.

The truth about a model is counterfactual: further scenes are drawn with and without a value, and
the difference of the model's mean p(k) is compared with the difference of the true posterior's
mean. bias_judging.py, beside this file, describes how the detectors are judged and what is written.
"""

import argparse
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from bias_judging import report
from joblib import Parallel, delayed

from emoscenes.biased_sets import ScenePool, TrainingSet, encode_scenes
from emoscenes.counterfactuals import Counterfactuals
from emoscenes.experiment_sets import bias_pair
from emoscenes.injected_biases import BIASABLE_ATTRIBUTES, possible_biases
from emoscenes.scenes import ATTRIBUTES, Scene, sample_scenes
from tinyemo.bias.attributes import data_associations
from tinyemo.bias.erasure import erase
from tinyemo.bias.groups import naive_associations
from tinyemo.bias.references import (
    AdjustedEffects,
    ReferenceModels,
    data_and_model,
    excess_effects,
    model_associations,
)
from tinyemo.bias.training_runs import TrainingRuns
from tinyemo.bias.values import AttributeValues, attribute_values, risk_difference
from tinyemo.emotions import FROM_PARROTT, labels_of
from tinyemo.features.encoders import load_image_encoder
from tinyemo.models.anchors import load_anchors
from tinyemo.paths import runs_dir
from tinyemo.training.projector import PRESETS

WORDS = labels_of("ekman")
SIZES = (2000, 4000, 8000)
STRENGTHS = (0.05, 0.15, 0.30)
REFERENCE_SEEDS = 100_000  # seeds from here on belong to reference models
KINDS = ("attribute", "label")
OPTIONS = {
    "sets": 480,
    "references": 40,
    "workers": 2,
    "seed": 12,
    "pool": 18000,
    "test": 6000,
    "redrawn": 400,
}

# attribute, value, label ("ekman:anger"), strength, kind
Bias = tuple[str, str, str, float, str]
Job = tuple[int, int, list[Bias]]  # seed, size and biases of a training set


class Benchmark:
    """The pool, the test scenes that detectors see, and the counterfactual scenes for the truth."""

    def __init__(
        self,
        encode: Callable[[list[Scene]], torch.Tensor],
        anchors: torch.Tensor,
        seed: int,
        pool: int,
        test: int,
        redrawn: int,
    ):
        scenes, _ = sample_scenes(pool, [seed, 0])
        self.pool = ScenePool(scenes, encode(scenes), encode)

        # the test scenes that have a label of the label set
        scenes, labels = sample_scenes(test, [seed, 1])
        word_of = FROM_PARROTT["ekman"]
        kept = [i for i, label in enumerate(labels) if label in word_of]
        scenes = [scenes[i] for i in kept]
        self.y = np.array([WORDS.index(word_of[labels[i]]) for i in kept])  # (M,)
        self.x = encode(scenes)  # (M, D)
        self.values = values_of(scenes)
        self.runs = TrainingRuns(PRESETS["quick"], anchors, self.x)
        self.adjusted = AdjustedEffects(self.values)

        # for each value: the test scenes that show it, and their features with the value erased
        self.shown, self.erased = [], []
        for name in self.values.names:
            shown = self.values.of(name)
            self.shown.append(shown)
            self.erased.append(erase(self.x, shown)(self.x[torch.from_numpy(shown)]))

        scenes, _ = sample_scenes(redrawn, [seed, 2])
        self.counterfactuals = Counterfactuals.draw(scenes, encode)
        self.order = [self.counterfactuals.names.index(name) for name in self.values.names]
        self.true_effects = self.counterfactuals.true_effects("ekman")[self.order]  # (V, C)


def values_of(scenes: list[Scene]) -> AttributeValues:
    """The values of all attributes of scenes."""
    columns = {f"attr_{a}": [getattr(scene, a) for scene in scenes] for a in ATTRIBUTES}
    return attribute_values(pd.DataFrame(columns), min_items=1)


def choose_biases(seed: int, world: int) -> tuple[int, list[Bias]]:
    """The size of a set and its biases: none for even seeds, else one to four."""
    rng = np.random.default_rng([5, seed, world])
    n, biases = int(rng.choice(SIZES)), []
    if seed % 2 == 0:
        return n, biases
    for attribute in rng.permutation(BIASABLE_ATTRIBUTES)[: rng.integers(1, 5)]:
        strength = float(rng.choice(STRENGTHS, p=(0.25, 0.25, 0.5)))
        values, labels = possible_biases(str(attribute), strength)
        value, label = str(rng.choice(values)), str(rng.choice(labels))
        kind = str(rng.choice(KINDS))
        biases.append((str(attribute), value, label, strength, kind))
    return n, biases


def biased_set(pool: ScenePool, seed: int, n: int, biases: list[Bias]) -> TrainingSet:
    """n scenes of the pool with biases of `choose_biases`, each injected in the way of its kind."""
    attribute_biases, label_biases = (
        [bias[:4] for bias in biases if bias[4] == kind] for kind in KINDS
    )
    return pool.training_set(n, seed, attribute_biases, label_biases)


def examine(benchmark: Benchmark, seed: int, n: int, biases: list[Bias]) -> dict:
    """Train on one set: what the detectors need, and the causal effects (V, C)."""
    drawn = biased_set(benchmark.pool, seed, n, biases)
    runs = benchmark.runs
    projector = runs.fit(drawn.x, drawn.y, seed)
    predict = partial(projector.classify, anchors=runs.anchors)
    p = runs.probabilities(projector)  # (M, C)

    raw, erasure = [], []
    for shown, erased in zip(benchmark.shown, benchmark.erased, strict=True):
        raw.append(risk_difference(shown, p))
        after = predict(erased).numpy()
        erasure.append(p[shown].mean(axis=0) - after.mean(axis=0))
    return {
        "seed": seed,
        "n": n,
        "biases": biases,
        "p": p.astype(np.float32),
        "effects": benchmark.adjusted(p),
        "erasure": np.stack(erasure),
        "raw": np.stack(raw),
        "naive": naive_associations(benchmark.y, p.argmax(axis=1), WORDS, benchmark.values),
        "data": data_associations(drawn.y, WORDS, values_of(drawn.scenes), drawn.posterior),
        "causal": benchmark.counterfactuals.effects(predict)[benchmark.order],
    }


def examine_many(benchmark: Benchmark, jobs: list[Job]) -> list[dict]:
    return [examine(benchmark, *job) for job in jobs]


def tables_of(
    one: dict, benchmark: Benchmark, references: ReferenceModels, erasure: np.ndarray
) -> dict[str, pd.DataFrame]:
    """The detector tables of one set, with the same rows in the same order.

    erasure: (R, V, C) the erasure effects of the reference models.
    """
    values = benchmark.values
    rows = pd.MultiIndex.from_product([values.names, WORDS], names=["what", "where"])
    # a value may be missing from a set: then there is nothing to find
    data = one["data"].set_index(["what", "where"]).reindex(rows).reset_index()
    missing = {"p": 1.0, "q": 1.0, "effect": 0.0, "found": False, "unit": "risk difference"}
    data = data.fillna(missing)
    model = model_associations(benchmark.adjusted, one["p"], references, WORDS)
    return {
        "data and model": data_and_model(data, model),
        "data": data,
        "model": model,
        "erasure": excess_effects(one["erasure"], erasure, values, WORDS, detector="erasure"),
        "naive": one["naive"],
    }


def judged(done: list[dict], benchmark: Benchmark) -> list[dict]:
    """The sets in their order, each with its detector tables, the truth, and its injected pairs.

    Added keys: tables; excess (V, C), how far the causal effect on the model is from the effect on
    the true posterior; injected, the positions of the injected pairs in the flattened (V, C);
    prevalence of their values.
    """
    references, erasure = {}, {}
    for n in {one["n"] for one in done}:
        own = [one for one in done if one["seed"] >= REFERENCE_SEEDS and one["n"] == n]
        references[n] = ReferenceModels.of(benchmark.adjusted, [one["p"] for one in own])
        erasure[n] = np.stack([one["erasure"] for one in own])
    share = benchmark.values.counts / len(benchmark.y)  # (V,)
    sets = [one for one in done if one["seed"] < REFERENCE_SEEDS]
    sets.sort(key=lambda one: one["seed"])
    for one in sets:
        n = one["n"]
        one["tables"] = tables_of(one, benchmark, references[n], erasure[n])
        one["excess"] = np.abs(one["causal"] - benchmark.true_effects)
        one["injected"], one["prevalence"] = [], []
        for bias in one["biases"]:
            what, where = bias_pair(bias[:4])
            row = benchmark.values.names.index(what)
            one["injected"].append(row * len(WORDS) + WORDS.index(where))
            one["prevalence"].append(share[row])
    return sets


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--world", type=Path, default=runs_dir() / "scenes" / "00_start_here")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "bias_detection")
    for name, default in OPTIONS.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    args, started = parser.parse_args(), time.monotonic()
    encoder = load_image_encoder(f"local-dir:{args.world / 'clip'}", device="cpu")
    benchmark = Benchmark(
        partial(encode_scenes, encoder=encoder),
        load_anchors(args.world / "lm", WORDS),
        args.seed,
        args.pool,
        args.test,
        args.redrawn,
    )

    jobs = [(seed, *choose_biases(seed, args.seed)) for seed in range(args.sets)]
    for n in SIZES:
        for number in range(args.references):
            jobs.append((REFERENCE_SEEDS * n + number, n, []))
    # in random order, so that the parts take equal time
    order = np.random.default_rng(0).permutation(len(jobs))
    parts = [part for part in np.array_split(order, 8 * args.workers) if len(part)]
    done = Parallel(args.workers)(
        delayed(examine_many)(benchmark, [jobs[i] for i in part]) for part in parts
    )
    examined = [one for part in done for one in part]
    report(judged(examined, benchmark), args, time.monotonic() - started)


if __name__ == "__main__":
    main()
