"""Does mitigation win back what a planted bias took, and what does it cost?

    python benchmarks/bias_mitigation.py [--world FOLDER] [--cases 24] [--seeds 3] [--n 4000] [--out FOLDER]

FOLDER of the world is the run folder of notebook 00. Every case is one plant at a training risk difference of .30: an
inert attribute value tied to an emotion, half of the cases by which scenes there are ("company"), half by what
annotators say ("misread"). Judged on unbiased scenes: the accuracy of the worst group (a label with the value, or
without it), the gap between the two, and the accuracy of all. A model trained on the same scenes without the plant says
what was lost. Won back is the mean gain over cases divided by the mean loss, with a bootstrap interval over cases.
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
from emoscenes.injected_biases import BIASABLE_ATTRIBUTES, possible_biases
from emoscenes.scenes import sample_scenes
from tinyemo.bias.mitigation import MITIGATIONS
from tinyemo.bias.planted import PlantedCase
from tinyemo.emotions import labels_of
from tinyemo.features.encoders import load_image_encoder
from tinyemo.models.anchors import load_anchors
from tinyemo.paths import runs_dir
from tinyemo.runs import manifest

WORDS = labels_of("ekman")
STRENGTH = 0.30


def choose_plant(case: int) -> tuple[str, str, str, float]:
    """An inert value, another attribute in every case of a round, and a label for which the strength can be reached."""
    rng = np.random.default_rng([7, case])
    attribute = BIASABLE_ATTRIBUTES[case // 2 % len(BIASABLE_ATTRIBUTES)]
    values, labels = possible_biases(attribute, STRENGTH)
    return attribute, str(rng.choice(values)), str(rng.choice(labels)), STRENGTH


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--world", type=Path, default=runs_dir() / "scenes" / "00_start_here")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "bias_mitigation")
    for name, default in {
        "cases": 24,
        "seeds": 3,
        "n": 4000,
        "test": 10000,
        "workers": 2,
        "seed": 21,
    }.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    args, started = parser.parse_args(), time.monotonic()
    encoder, anchors = (
        load_image_encoder(f"local-dir:{args.world / 'clip'}"),
        load_anchors(args.world / "lm", WORDS),
    )
    encode = partial(encode_scenes, encoder=encoder)
    pools = [
        ScenePool(scenes, encode(scenes, workers=args.workers), encode)
        for scenes in (
            sample_scenes(n, [args.seed, i])[0] for i, n in enumerate((2 * args.n, args.test))
        )
    ]
    test, tables = pools[1].training_set(args.test, args.seed), []
    for number in range(args.cases):
        plant, kind = choose_plant(number), ("company", "misread")[number % 2]
        chosen = {"attribute_biases" if kind == "company" else "label_biases": [plant]}
        case = PlantedCase(
            pools[0].training_set(args.n, number, **chosen),
            pools[0].training_set(args.n, number),
            test,
            (plant,),
            pools[0],
            anchors,
            encoder,
            args.world,
            args.n,
        )
        found = case.mitigated([case.planted[0][0]], args.seeds, args.workers)
        tables.append(found.assign(case=number, kind=kind, plant=", ".join(map(str, plant))))
    report(pd.concat(tables), args, time.monotonic() - started)


def report(cases: pd.DataFrame, args: argparse.Namespace, seconds: float) -> None:
    rows, rng = [], np.random.default_rng(0)
    for kind in ("company", "misread", "all"):
        own = cases if kind == "all" else cases[cases["kind"] == kind]
        draws = None
        for measure in ("worst group", "gap", "accuracy"):
            values = own[own["measure"] == measure].pivot(
                index="case", columns="model", values="value"
            )
            if draws is None:
                draws = rng.integers(len(values), size=(10_000, len(values)))
            loss = (values["never biased"] - values["before"]).to_numpy()
            for model in ("before", *MITIGATIONS, "never biased"):
                gain = (values[model] - values["before"]).to_numpy()
                low, high = np.quantile(gain[draws].mean(axis=1), [0.025, 0.975])
                back = np.quantile(
                    gain[draws].mean(axis=1) / loss[draws].mean(axis=1), [0.025, 0.975]
                )
                rows.append(
                    {
                        "kind": kind,
                        "cases": len(values),
                        "measure": measure,
                        "model": model,
                        "mean": values[model].mean(),
                        "difference": gain.mean(),
                        "low": low,
                        "high": high,
                        "won_back": gain.mean() / loss.mean(),
                        "won_back_low": back[0],
                        "won_back_high": back[1],
                    }
                )
    table = pd.DataFrame(rows)
    args.out.mkdir(parents=True, exist_ok=True)
    table.to_csv(args.out / "mitigation.csv", index=False, float_format="%.4g")
    about = {
        "profile": args.world.parent.name,
        "commit": manifest.git_state()["commit"],
        "cases": args.cases,
        "seeds": args.seeds,
        "n": args.n,
        "test": args.test,
        "seconds": round(seconds),
    }
    (args.out / "about.json").write_text(json.dumps(about, indent=1) + "\n")
    print(table.round(4).to_string(), json.dumps(about), sep="\n\n")


if __name__ == "__main__":
    main()
