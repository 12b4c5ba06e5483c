"""Do the bias detectors find what is there, and stay quiet where nothing is?

    python benchmarks/bias_detection.py [--world FOLDER] [--sets 480] [--references 40] [--workers 2] [--out FOLDER]

FOLDER of the world is the run folder of notebook 00 (its small CLIP); `make reproduce PROFILE=scenes` makes it.
Training sets are drawn from one pool of scenes with labels of their own, half of them clean, half with one to four
plants: inert attribute values tied to an emotion at a training risk difference of .05, .15 or .30, both marginals kept,
by which scenes there are ("company": the value comes to go with the causes of the emotion) or by what annotators say
("misread": labels change places, the scenes stay). On each a projector is trained, and references on clean sets of the
same size.

The truth about a model is counterfactual: held-out scenes are drawn again with and without a value, and the difference
of the model's mean p(k) is compared with that of the world's law. How the detectors are judged by it, and what is
written, says bias_judging.py beside this file.
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
from emoscenes.injected_biases import BIASABLE_ATTRIBUTES, possible_biases
from emoscenes.scenes import ATTRIBUTES, Scene, sample_scenes
from tinyemo.bias.attributes import data_gaps, naive_gaps
from tinyemo.bias.erasure import erase
from tinyemo.bias.references import AdjustedEffects, both, model_gaps
from tinyemo.bias.values import attribute_values
from tinyemo.emotions import FROM_PARROTT, labels_of
from tinyemo.features.encoders import load_image_encoder
from tinyemo.models.anchors import load_anchors
from tinyemo.paths import runs_dir
from tinyemo.training.projector import PRESETS, fit_projector

WORDS = labels_of("ekman")
SIZES = (2000, 4000, 8000)
STRENGTHS = (0.05, 0.15, 0.30)
CLEAN = 100_000  # seeds from here on are those of references
KINDS = ("company", "misread")


class Bench:
    """The pool, the test scenes that detectors see, and the counterfactual scenes that judge them."""

    def __init__(
        self,
        encode: Callable[[list[Scene]], torch.Tensor],
        anchors: torch.Tensor,
        seed: int,
        pool: int,
        test: int,
        redrawn: int,
    ):
        self.anchors = anchors
        scenes, _ = sample_scenes(pool, [seed, 0])
        self.pool = ScenePool(scenes, encode(scenes), encode)
        scenes, labels = sample_scenes(test, [seed, 1])
        placed = [i for i, label in enumerate(labels) if label in FROM_PARROTT["ekman"]]
        scenes = [scenes[i] for i in placed]
        self.y = np.array([WORDS.index(FROM_PARROTT["ekman"][labels[i]]) for i in placed])
        self.x, self.values = encode(scenes), values_of(scenes)
        self.effects = AdjustedEffects(self.values)
        self.shown = [self.values.of(name) for name in self.values.names]
        self.erased = [
            erase(self.x, shown)(self.x[torch.from_numpy(shown)]) for shown in self.shown
        ]
        self.redrawn = Counterfactuals.draw(sample_scenes(redrawn, [seed, 2])[0], encode)
        order = [self.redrawn.names.index(name) for name in self.values.names]
        self.law = self.redrawn.true_effects("ekman")[order]
        self.order = order


def values_of(scenes: list[Scene]):
    return attribute_values(
        pd.DataFrame({f"attr_{a}": [getattr(s, a) for s in scenes] for a in ATTRIBUTES}), 1
    )


def choose_plants(seed: int, world: int) -> tuple[int, list[tuple]]:
    """The size of a set and its plants: none for even seeds, else one to four, each of another attribute."""
    rng = np.random.default_rng([5, seed, world])
    n, plants = int(rng.choice(SIZES)), []
    if seed % 2 == 0:
        return n, plants
    for attribute in rng.permutation(BIASABLE_ATTRIBUTES)[: rng.integers(1, 5)]:
        strength = float(rng.choice(STRENGTHS, p=(0.25, 0.25, 0.5)))
        values, labels = possible_biases(str(attribute), strength)
        plant = (str(attribute), str(rng.choice(values)), str(rng.choice(labels)), strength)
        plants.append((*plant, str(rng.choice(KINDS))))
    return n, plants


def planted_set(pool: ScenePool, seed: int, n: int, plants: list[tuple]) -> TrainingSet:
    """n scenes of the pool with plants of `choose_plants`, each by its kind."""
    company, misread = ([plant[:4] for plant in plants if plant[4] == kind] for kind in KINDS)
    return pool.training_set(n, seed, company, misread)


def examine(bench: Bench, seed: int, n: int, plants: list[tuple]) -> dict:
    """Train on one set: what the detectors need of it, and the truth."""
    drawn = planted_set(bench.pool, seed, n, plants)
    projector, _ = fit_projector(
        drawn.x, torch.from_numpy(drawn.y), bench.anchors, PRESETS["quick"], seed
    )
    predict = partial(projector.classify, anchors=bench.anchors)
    p = predict(bench.x).numpy().astype(float)
    erasure = np.stack(
        [
            p[shown].mean(axis=0) - predict(x).numpy().mean(axis=0)
            for shown, x in zip(bench.shown, bench.erased, strict=True)
        ]
    )
    data = data_gaps(drawn.y, WORDS, values_of(drawn.scenes), drawn.posterior)
    return {
        "seed": seed,
        "n": n,
        "plants": plants,
        "p": p.astype(np.float32),
        "effects": bench.effects(p),
        "erasure": erasure,
        "raw": np.stack([p[s].mean(axis=0) - p[~s].mean(axis=0) for s in bench.shown]),
        "naive": naive_gaps(bench.y, p.argmax(axis=1), WORDS, bench.values),
        "data": data,
        "causal": bench.redrawn.effects(predict)[bench.order],
    }


def examine_many(bench: Bench, jobs: list[tuple]) -> list[dict]:
    return [examine(bench, *job) for job in jobs]


def tables_of(one: dict, bench: Bench, kinds: dict[str, np.ndarray]) -> dict[str, pd.DataFrame]:
    """The detector tables of one set, the same rows in the same order; kinds: effects of references, their mean p."""
    rows = pd.MultiIndex.from_product([bench.values.names, WORDS], names=["what", "where"])
    data = (
        one["data"].set_index(["what", "where"]).reindex(rows).reset_index()
    )  # a value may be missing from a set
    data = data.fillna(
        {"p": 1.0, "q": 1.0, "effect": 0.0, "found": False, "unit": "risk difference"}
    )
    errors = bench.effects.errors(one["p"] - kinds["p"])
    model = model_gaps(one["effects"], kinds["effects"], bench.values, WORDS, errors)
    erasure = model_gaps(one["erasure"], kinds["erasure"], bench.values, WORDS, detector="erasure")
    return {
        "data and model": both(data, model),
        "data": data,
        "model": model,
        "erasure": erasure,
        "naive": one["naive"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--world", type=Path, default=runs_dir() / "scenes" / "00_start_here")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "bias_detection")
    for name, default in {
        "sets": 480,
        "references": 40,
        "workers": 2,
        "seed": 12,
        "pool": 18000,
        "test": 6000,
        "redrawn": 400,
    }.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    args, started = parser.parse_args(), time.monotonic()
    encoder = load_image_encoder(f"local-dir:{args.world / 'clip'}", device="cpu")
    bench = Bench(
        partial(encode_scenes, encoder=encoder),
        load_anchors(args.world / "lm", WORDS),
        args.seed,
        args.pool,
        args.test,
        args.redrawn,
    )
    jobs = [(seed, *choose_plants(seed, args.seed)) for seed in range(args.sets)]
    jobs += [(CLEAN * n + r, n, []) for n in SIZES for r in range(args.references)]
    jobs = [
        jobs[i] for i in np.random.default_rng(0).permutation(len(jobs))
    ]  # so that the parts take equal time
    parts = [part for part in np.array_split(np.arange(len(jobs)), 8 * args.workers) if len(part)]
    done = Parallel(args.workers)(
        delayed(examine_many)(bench, [jobs[i] for i in part]) for part in parts
    )
    report(judged([one for part in done for one in part], bench), args, time.monotonic() - started)


def judged(done: list[dict], bench: Bench) -> list[dict]:
    """The sets in their order, each with the detectors' tables, the truth, and place and frequency of its plants."""
    references, share = {}, bench.values.counts / len(bench.y)
    for n in {one["n"] for one in done}:
        own = [one for one in done if one["seed"] >= CLEAN and one["n"] == n]
        references[n] = {
            kind: np.stack([one[kind] for one in own]) for kind in ("effects", "erasure")
        }
        references[n]["p"] = np.mean([one["p"] for one in own], axis=0, dtype=float)
    sets = sorted((one for one in done if one["seed"] < CLEAN), key=lambda one: one["seed"])
    for one in sets:
        one["tables"] = tables_of(one, bench, references[one["n"]])
        one["size"] = np.abs(one["causal"] - bench.law)
        one["planted"] = [
            bench.values.names.index(f"{a}: {v}") * len(WORDS) + WORDS.index(label.split(":")[1])
            for a, v, label, _, _ in one["plants"]
        ]
        one["prevalence"] = [share[cell // len(WORDS)] for cell in one["planted"]]
    return sets


if __name__ == "__main__":
    main()
