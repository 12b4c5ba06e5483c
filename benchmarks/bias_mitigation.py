"""How much of the loss from an injected bias does mitigation recover, and what does it cost?

    python benchmarks/bias_mitigation.py [--world FOLDER] [--cases 24] [--seeds 3] [--n 4000]
                                         [--out FOLDER]

--world is the run folder of notebook 00. Every case has one bias with a risk difference of .30 in
training: an inert attribute value tied to an emotion. Half of the cases have an "attribute" bias
(values are swapped between scenes), half a "label" bias (labels are swapped). Judged on unbiased
scenes: the accuracy of the worst group (a label with the value, or without it), the gap between the
two, and the overall accuracy. A model trained on the same scenes before the bias was injected shows
what was lost. `recovered` is the mean gain over cases divided by the mean loss, with a bootstrap
interval over cases.

Written: mitigation.csv, about.json.
"""

import argparse
import json
import time
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from emoscenes.biased_sets import ScenePool, encode_scenes
from emoscenes.experiment_sets import ExperimentSets
from emoscenes.injected_biases import BIASABLE_ATTRIBUTES, InjectedBias, possible_biases
from emoscenes.scenes import sample_scenes
from tinyemo.bias.experiment import BEFORE, WITHOUT_BIAS, InjectedBiasExperiment
from tinyemo.bias.mitigation import MEASURES, MITIGATIONS
from tinyemo.emotions import labels_of
from tinyemo.evaluation.bootstrap import percentile_interval
from tinyemo.features.encoders import load_image_encoder
from tinyemo.models.anchors import load_anchors
from tinyemo.paths import runs_dir
from tinyemo.runs import manifest

WORDS = labels_of("ekman")
STRENGTH = 0.30
KINDS = ("attribute", "label")
OPTIONS = {"cases": 24, "seeds": 3, "n": 4000, "test": 10000, "workers": 2, "seed": 21}
DRAWS = 10_000  # of the bootstrap


def choose_bias(case: int) -> InjectedBias:
    """An inert value and a label that allows the strength; attributes take turns over cases."""
    rng = np.random.default_rng([7, case])
    attribute = BIASABLE_ATTRIBUTES[case // 2 % len(BIASABLE_ATTRIBUTES)]
    values, labels = possible_biases(attribute, STRENGTH)
    return attribute, str(rng.choice(values)), str(rng.choice(labels)), STRENGTH


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--world", type=Path, default=runs_dir() / "scenes" / "00_start_here")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "bias_mitigation")
    for name, default in OPTIONS.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    args, started = parser.parse_args(), time.monotonic()
    encoder = load_image_encoder(f"local-dir:{args.world / 'clip'}")
    encode = partial(encode_scenes, encoder=encoder)
    anchors = load_anchors(args.world / "lm", WORDS)

    pools = []
    for i, size in enumerate((2 * args.n, args.test)):
        scenes, _ = sample_scenes(size, [args.seed, i])
        pools.append(ScenePool(scenes, encode(scenes, workers=args.workers), encode))
    pool, test_pool = pools
    test = test_pool.training_set(args.test, args.seed)

    tables = []
    for case in range(args.cases):
        bias, kind = choose_bias(case), KINDS[case % 2]
        biased = pool.training_set(args.n, case, **{f"{kind}_biases": [bias]})
        unbiased = pool.training_set(args.n, case)
        sets = ExperimentSets(biased, unbiased, test, (bias,), pool, args.n)
        experiment = InjectedBiasExperiment(sets, anchors)
        value, _ = sets.injected[0]
        found = experiment.mitigated([value], args.seeds, args.workers)
        tables.append(found.assign(case=case, kind=kind, bias=", ".join(map(str, bias))))
    report(pd.concat(tables), args, time.monotonic() - started)


def report(cases: pd.DataFrame, args: argparse.Namespace, seconds: float) -> None:
    """Write the table over cases and about.json."""
    rng = np.random.default_rng(0)
    tables = []
    for kind in (*KINDS, "all"):
        own = cases if kind == "all" else cases[cases["kind"] == kind]
        count = own["case"].nunique()
        draws = rng.integers(count, size=(DRAWS, count))
        for measure in MEASURES:
            of_measure = own[own["measure"] == measure]
            values = of_measure.pivot(index="case", columns="model", values="value")
            tables.append(over_cases(values, draws).assign(kind=kind, measure=measure))
    table = pd.concat(tables)
    first = ["kind", "cases", "measure"]
    table = table[first + [name for name in table if name not in first]]
    about = {
        "profile": args.world.parent.name,
        "commit": manifest.git_state()["commit"],
        "cases": args.cases,
        "seeds": args.seeds,
        "n": args.n,
        "test": args.test,
        "seconds": round(seconds),
    }
    args.out.mkdir(parents=True, exist_ok=True)
    table.to_csv(args.out / "mitigation.csv", index=False, float_format="%.4g")
    (args.out / "about.json").write_text(json.dumps(about, indent=1) + "\n")
    print(table.round(4).to_string(index=False), json.dumps(about), sep="\n\n")


def over_cases(values: pd.DataFrame, draws: np.ndarray) -> pd.DataFrame:
    """One measure of one kind: one row per model, with means and intervals over cases.

    values: one row per case, one column per model. draws: (R, cases) positions of the cases in each
    resample.
    """
    loss = (values[WITHOUT_BIAS] - values[BEFORE]).to_numpy()
    drawn_loss = loss[draws].mean(axis=1)  # (R,)
    rows = []
    for model in (BEFORE, *MITIGATIONS, WITHOUT_BIAS):
        gain = (values[model] - values[BEFORE]).to_numpy()
        drawn_gain = gain[draws].mean(axis=1)
        low, high = percentile_interval(drawn_gain)
        row = {"cases": len(values), "model": model, "mean": values[model].mean()}
        row |= {"difference": gain.mean(), "low": low, "high": high}
        row["recovered"] = gain.mean() / loss.mean()
        limits = percentile_interval(drawn_gain / drawn_loss)
        row["recovered_low"], row["recovered_high"] = limits
        rows.append(row)
    return pd.DataFrame(rows)


if __name__ == "__main__":
    main()
