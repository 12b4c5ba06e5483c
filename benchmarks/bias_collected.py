"""Do the detectors hold where nobody knows the law of the world, as in data that somebody collected?

    python benchmarks/bias_collected.py [--world FOLDER] [--sets 120] [--references 30] [--workers 2] [--out FOLDER]

Training sets as in bias_detection.py, but analysed as notebook 15 analyses a collection: the data question without the
law (p(label | the other attributes) is estimated), a linear projector, references on items drawn with independence
weights, and the rules as the library has them. Nothing is chosen here, so all sets judge.

Such references know of no good reason why an answer should move with an attribute. So the truth is how far the model's
mean p(k) moves when scenes are drawn again with and without a value: a finding is true above .05, false below .03, and
not counted between. That a true finding is a bias does not follow, and the column `causes` says how seldom it is one:
most findings are causes of the emotions, by the law of the world, which the detectors were not told. The data question
asks nothing of the model, so its FDR is no error rate: it says how much of what the data show the model leaves alone.
Both are tested by `level`, the share of p <= .05 where in clean sets no value of an attribute is a cause.

Written: collected.csv (a row a detector and size of set, and one for all), about.json.
"""

import argparse
import json
import time
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from bias_detection import WORDS, choose_plants, planted_set
from bias_judging import FALSE, TRUE, bound, over_sets
from joblib import Parallel, delayed
from scipy.stats import spearmanr

from emoscenes.biased_sets import ScenePool, TrainingSet, encode_scenes
from emoscenes.counterfactuals import Counterfactuals
from emoscenes.scenes import ATTRIBUTES, sample_scenes
from tinyemo.bias.attributes import data_gaps
from tinyemo.bias.collected import CollectedCase
from tinyemo.bias.references import both
from tinyemo.features.encoders import load_image_encoder
from tinyemo.features.tensors import Part
from tinyemo.models.anchors import load_anchors
from tinyemo.paths import runs_dir
from tinyemo.runs import manifest


def part_of(drawn: TrainingSet) -> Part:
    """Without what is measured on pictures, as brightness is: no scene can be drawn again with another."""
    measured = [
        name for name in drawn.records if name.startswith("attr_") and name[5:] not in ATTRIBUTES
    ]
    y = torch.from_numpy(drawn.y)
    return Part(drawn.records.drop(columns=measured), drawn.x, y, torch.eye(len(WORDS))[y])


def examine(
    pool: ScenePool,
    test: TrainingSet,
    redrawn: Counterfactuals,
    anchors: torch.Tensor,
    references: int,
    seed: int,
    n: int,
    plants: list[tuple],
) -> pd.DataFrame:
    """One set: a row a value and label, what each detector found beside the truth."""
    case = CollectedCase(
        "scenes", "ekman", part_of(planted_set(pool, seed, n, plants)), part_of(test), None
    )
    known, values = case.attributes()
    linear, model = case.model_question(anchors, known, values, references, seed, workers=1)
    data = data_gaps(case.train.y.numpy(), WORDS, known)
    rows = [redrawn.names.index(name) for name in values.names]
    planted = {(f"{a}: {v}", label.split(":")[1]): strength for a, v, label, strength, _ in plants}
    pairs = model[["what", "where"]]
    table = pairs.assign(
        seed=seed,
        n=n,
        clean=not plants,
        effect=model["effect"],
        moved=redrawn.effects(partial(linear.classify, anchors=anchors))[rows].ravel(),
        law=redrawn.true_effects("ekman")[rows].ravel(),
        strength=[planted.get(pair, 0.0) for pair in pairs.itertuples(index=False, name=None)],
    )
    idle = pd.Series(table["law"].abs().to_numpy(), index=np.repeat(values.attributes, len(WORDS)))
    table["idle"] = (idle.groupby(level=0).max() < 0.005)[
        idle.index
    ].to_numpy()  # no value of the attribute is a cause
    for name, one in {"data and model": both(data, model), "data": data, "model": model}.items():
        of_pairs = pairs.merge(one)
        table[name], table[f"p {name}"] = of_pairs["found"], of_pairs["p"]
    return table


def judge(rows: pd.DataFrame, detector: str, n: str) -> dict:
    """One row of collected.csv, of the rows of some sets."""
    rows = rows.assign(true=rows["moved"].abs() > TRUE, false=rows["moved"].abs() < FALSE)
    found, idle = rows[rows[detector]], rows[rows["idle"] & rows["clean"]]
    counts = (
        found.groupby("seed")[["true", "false"]].sum().reindex(rows["seed"].unique(), fill_value=0)
    )
    fdp = (counts["false"] / counts.sum(axis=1).clip(lower=1)).to_numpy()
    taken = rows[(rows["strength"] == 0.30) & rows["true"]]
    return {
        "detector": detector,
        "n": n,
        "sets": len(counts),
        "found": len(found) / len(counts),
        "fdr": fdp.mean(),
        "fdr_upper": bound(fdp, 1),
        "recall": counts["true"].sum() / rows["true"].sum(),
        "planted_0.30": taken[detector].mean(),
        "pairs": len(taken),
        "level": (idle[f"p {detector}"] <= 0.05).mean(),
        "causes": (found["law"].abs() > 0.02).mean(),
    }


def agreement(rows: pd.DataFrame) -> list[float]:
    """Rank correlation of excess effects with causal ones of more than .02: mean over sets, 2.5 and 97.5 % of sets."""
    large = rows[rows["moved"].abs() > 0.02]
    return over_sets(
        [spearmanr(one["effect"], one["moved"]).statistic for _, one in large.groupby("seed")]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--world", type=Path, default=runs_dir() / "scenes" / "00_start_here")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "bias_collected")
    for name, default in {
        "sets": 120,
        "references": 30,
        "workers": 2,
        "seed": 13,
        "pool": 18000,
        "test": 4000,
        "redrawn": 400,
    }.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    args, started = parser.parse_args(), time.monotonic()
    encode = partial(
        encode_scenes, encoder=load_image_encoder(f"local-dir:{args.world / 'clip'}", device="cpu")
    )
    scenes, asked, redrawn = (
        sample_scenes(n, [args.seed, i])[0]
        for i, n in enumerate((args.pool, args.test, args.redrawn))
    )
    pool = ScenePool(scenes, encode(scenes, workers=args.workers), encode)
    test = ScenePool(asked, encode(asked, workers=args.workers), encode).training_set(
        args.test, args.seed
    )
    common = (
        pool,
        test,
        Counterfactuals.draw(redrawn, encode),
        load_anchors(args.world / "lm", WORDS),
        args.references,
    )
    rows = pd.concat(
        Parallel(args.workers)(
            delayed(examine)(*common, seed, *choose_plants(seed, args.seed))
            for seed in range(args.sets)
        ),
        ignore_index=True,
    )
    table = pd.DataFrame(
        [
            judge(some, detector, n)
            for detector in ("data and model", "data", "model")
            for n, some in [("all", rows), *((str(n), some) for n, some in rows.groupby("n"))]
        ]
    )
    about = {
        "profile": args.world.parent.name,
        "commit": manifest.git_state()["commit"],
        "sets": args.sets,
        "references": args.references,
        "seconds": round(time.monotonic() - started),
        "agreement": agreement(rows),
    }
    args.out.mkdir(parents=True, exist_ok=True)
    table.to_csv(args.out / "collected.csv", index=False, float_format="%.4g")
    (args.out / "about.json").write_text(json.dumps(about, indent=1) + "\n")
    print(table.round(3).to_string(), json.dumps(about, indent=1), sep="\n\n")


if __name__ == "__main__":
    main()
