"""What do the detectors of a collection find if the world's causes are declared legitimate?

    python benchmarks/bias_legitimate.py [--world FOLDER] [--clean 20] [--injected 40]
                                         [--simple 20] [--references 30] [--workers 2]
                                         [--out FOLDER]

Two experiments, on the training sets of bias_detection.py with other seeds.

**Sets.** Each is analysed as notebook 15 does (`bias_collected.examine`), with the four decisive
attributes of EmoScenes declared. `clean` sets have no bias. `injected` sets have one bias of
strength .30 on another attribute: label biases and attribute biases in turn. Counted: what is found
in a clean set, and whether the injected pair is among the first five that were found.

**Simple sets.** Only the labels are analysed, by the data detector, the detector of pairs and the
detector of label noise; no reference model is trained. `simple` sets of each kind: without a
change; with random labels for half of the items in rain; with a label bias of strength .30 for
brightness above .9, for forests at night, and for "both painting and night, or neither". The causes
are declared here too.

Written: legitimate.csv (one row per question, with 95 % intervals: Wilson's for shares, Garwood's
for mean counts, which assumes Poisson counts), about.json.
"""

import argparse
import json
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from bias_collected import examine, judge, second_pass
from bias_detection import KINDS, SIZES, WORDS, Bias
from joblib import Parallel, delayed
from scipy.stats import binomtest, chi2

from emoscenes.biased_sets import ScenePool, TrainingSet, encode_scenes
from emoscenes.counterfactuals import Counterfactuals
from emoscenes.injected_biases import BIASABLE_ATTRIBUTES, pairs_to_swap, possible_biases
from emoscenes.probability_table import SIGNATURES
from emoscenes.scenes import sample_scenes
from tinyemo.bias.attributes import data_associations
from tinyemo.bias.label_noise import ANY_LABEL
from tinyemo.bias.values import attribute_values
from tinyemo.features.encoders import load_image_encoder
from tinyemo.models.anchors import load_anchors
from tinyemo.paths import runs_dir
from tinyemo.runs import manifest

OPTIONS = {
    "clean": 20,
    "injected": 40,
    "simple": 20,
    "references": 30,
    "workers": 2,
    "seed": 31,
    "pool": 12000,
    "test": 4000,
    "redrawn": 200,
}
LEGITIMATE = tuple(SIGNATURES)  # the decisive attributes
STRENGTH = 0.30
FIRST = 5  # places
FIRST_SIMPLE = 10_000  # seeds of simple sets start here
# kind of a simple set -> the finding that has to be there: detector, what, where
SIMPLE = {
    "clean": None,
    "noise in rain": ("label noise", "weather: rain", ANY_LABEL),
    "brightness > .9": ("data", "brightness: highest tenth", "joy"),
    "forest and night": ("two values", "background: forest and time: night", "fear"),
    "painting XNOR night": ("two values", "time: night and style: painting", "joy"),
}


def one_bias(number: int, world: int) -> tuple[int, list[Bias]]:
    """The size of a set and its only bias, on an attribute that is not declared."""
    rng = np.random.default_rng([6, number, world])
    n = int(rng.choice(SIZES))
    attribute = str(rng.choice([a for a in BIASABLE_ATTRIBUTES if a not in LEGITIMATE]))
    values, labels = possible_biases(attribute, STRENGTH)
    value, label = str(rng.choice(values)), str(rng.choice(labels))
    return n, [(attribute, value, label, STRENGTH, KINDS[number % len(KINDS)])]


def simple_labels(drawn: TrainingSet, kind: str, rng: np.random.Generator) -> np.ndarray:
    """The labels (N,) of a set after the change of its kind."""
    records, y = drawn.records, drawn.y.copy()
    if kind == "noise in rain":
        rain = np.flatnonzero(records["attr_weather"] == "rain")
        random = rng.choice(rain, len(rain) // 2, replace=False)
        y[random] = rng.choice(drawn.y, len(random))
        return y
    night = (records["attr_time"] == "night").to_numpy()
    shown = {
        "brightness > .9": (records["attr_brightness"] > 0.9).to_numpy(),
        "forest and night": (records["attr_background"] == "forest").to_numpy() & night,
        "painting XNOR night": (records["attr_style"] == "painting").to_numpy() == night,
    }
    if kind in shown:
        is_label = y == WORDS.index(SIMPLE[kind][2])
        rows, partners = pairs_to_swap(shown[kind], is_label, STRENGTH, rng, shown[kind])
        y[rows], y[partners] = drawn.y[partners], drawn.y[rows]
    return y


def examine_simple(pool: ScenePool, anchors: torch.Tensor, seed: int, kind: str) -> dict:
    """One simple set: its kind, whether the wanted finding is there, and what else was found."""
    rng = np.random.default_rng([7, seed])
    drawn = pool.training_set(int(rng.choice(SIZES)), FIRST_SIMPLE + seed)
    y = simple_labels(drawn, kind, rng)
    values = attribute_values(drawn.records)
    in_data = data_associations(y, WORDS, values, legitimate=LEGITIMATE)
    tables = [in_data, *second_pass(y, values, drawn.x, anchors, LEGITIMATE)]
    keys = ["detector", "what", "where"]
    found = pd.concat([table[table["found"]] for table in tables])
    names = list(found[keys].itertuples(index=False, name=None))
    row = {"kind": kind, "n": len(y), "hit": SIMPLE[kind] in names, "found": len(names)}
    row["noise"] = int((found["detector"] == "label noise").sum())
    return row


def share(question: str, answers: Sequence[bool]) -> dict:
    """A share with Wilson's 95 % interval."""
    answers = np.asarray(answers, dtype=bool)
    interval = binomtest(int(answers.sum()), len(answers)).proportion_ci(method="wilson")
    row = {"question": question, "sets": len(answers), "value": answers.mean()}
    return row | {"low": interval.low, "high": interval.high}


def mean(question: str, numbers: Sequence[int]) -> dict:
    """A mean count over sets with Garwood's 95 % interval, which is not empty if all are 0."""
    total, sets = int(np.sum(numbers)), len(numbers)
    low = chi2.ppf(0.025, 2 * total) / 2 if total else 0.0
    high = chi2.ppf(0.975, 2 * total + 2) / 2
    row = {"question": question, "sets": sets, "value": total / sets}
    return row | {"low": low / sets, "high": high / sets}


def of_sets(rows: pd.DataFrame, kind_of: dict[int, str]) -> list[dict]:
    """The answers about the sets that were analysed as in notebook 15."""
    clean = rows[rows["without_bias"]].groupby("seed")
    answers = [mean("findings in a clean set", clean["all_found"].first())]
    answers.append(share("clean sets with a finding", clean["all_found"].first() > 0))
    noise = clean["found_by"].first().str.contains("label noise")
    answers.append(share("clean sets with label noise found", noise))

    injected = rows[rows["strength"] > 0].set_index("seed")
    first = injected["place"] <= FIRST  # False where it was not found
    learned = injected["causal"].abs() > 0.05
    kind = injected.index.map(kind_of)
    answers.append(share("injected bias in the first five", first))
    for name in KINDS:
        answers.append(share(f"the same, {name} bias", first[kind == name]))
    answers.append(share("the same, learned by the model", first[learned]))
    answers.append(share("injected bias at the first place", injected["place"] == 1))
    answers.append(
        share("found by data and model, if learned", injected["data and model"][learned])
    )
    judged = judge(rows, "data and model", "all")
    fdr = {"question": "FDR of data and model (95 % bound)", "sets": judged["sets"]}
    answers.append(fdr | {"value": judged["fdr"], "low": 0.0, "high": judged["fdr_upper"]})
    return answers


def of_simple_sets(simple: pd.DataFrame) -> list[dict]:
    """The answers about the simple sets."""
    answers = []
    for kind in SIMPLE:
        own = simple[simple["kind"] == kind]
        if kind == "clean":
            answers.append(mean("findings in a simple clean set", own["found"]))
            answers.append(share("simple clean sets with label noise found", own["noise"] > 0))
        else:
            answers.append(share(f"{kind}: found", own["hit"]))
    return answers


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--world", type=Path, default=runs_dir() / "scenes" / "00_start_here")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "bias_legitimate")
    for name, default in OPTIONS.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    args, started = parser.parse_args(), time.monotonic()
    encoder = load_image_encoder(f"local-dir:{args.world / 'clip'}", device="cpu")
    encode = partial(encode_scenes, encoder=encoder)

    pool_scenes, _ = sample_scenes(args.pool, [args.seed, 0])
    test_scenes, _ = sample_scenes(args.test, [args.seed, 1])
    further_scenes, _ = sample_scenes(args.redrawn, [args.seed, 2])
    pool = ScenePool(pool_scenes, encode(pool_scenes, workers=args.workers), encode)
    test_pool = ScenePool(test_scenes, encode(test_scenes, workers=args.workers), encode)
    test = test_pool.training_set(args.test, args.seed)
    counterfactuals = Counterfactuals.draw(further_scenes, encode)
    anchors = load_anchors(args.world / "lm", WORDS)

    jobs = []
    for number in range(args.clean + args.injected):
        n, biases = one_bias(number, args.seed)
        jobs.append((number, n, biases if number >= args.clean else []))
    common = pool, test, counterfactuals, anchors, args.references
    tables = Parallel(args.workers)(delayed(examine)(*common, *job, LEGITIMATE) for job in jobs)
    rows = pd.concat(tables, ignore_index=True)
    kinds = list(SIMPLE) * args.simple
    simple = Parallel(args.workers)(
        delayed(examine_simple)(pool, anchors, seed, kind) for seed, kind in enumerate(kinds)
    )

    kind_of = {seed: biases[0][4] for seed, _, biases in jobs if biases}
    table = pd.DataFrame(of_sets(rows, kind_of) + of_simple_sets(pd.DataFrame(simple)))
    about = {
        "profile": args.world.parent.name,
        "commit": manifest.git_state()["commit"],
        **{name: getattr(args, name) for name in ("clean", "injected", "simple", "references")},
        "seconds": round(time.monotonic() - started),
    }
    args.out.mkdir(parents=True, exist_ok=True)
    table.to_csv(args.out / "legitimate.csv", index=False, float_format="%.4g")
    (args.out / "about.json").write_text(json.dumps(about, indent=1) + "\n")
    print(table.round(3).to_string(), json.dumps(about, indent=1), sep="\n\n")


if __name__ == "__main__":
    main()
