"""Do the detectors hold where the true posterior is unknown, as in data that somebody collected?

    python benchmarks/bias_collected.py [--world FOLDER] [--sets 120] [--references 30] [--workers
    2]
                                        [--out FOLDER]

The training sets are those of bias_detection.py, analysed as notebook 15 analyses a collection: the
data detector without the true posterior (p(label | the other attributes) is estimated), a linear
projector, reference models on items drawn with independence weights, and the library's own
thresholds. Nothing is chosen here, so all sets judge.

For such reference models no effect of an attribute is legitimate. Therefore the truth is how much
the model's mean p(k) changes when scenes are drawn with and without a value: a finding is true
above .05, false below .03, and not counted in between. A true finding need not be a bias. The
column `causes` is the share of findings that are causes of the emotion according to the true
posterior, which the detectors do not use; it is high. The data detector does not use the model, so
its FDR is no error rate: it is the share of what the data show and the model does not use. Both
detectors are tested by `level`, the share of p <= .05 in sets without biases, over attributes of
which no value is a cause.

Written: collected.csv (one row per detector and size of set, and one for all sizes), about.json.
"""

import argparse
import json
import time
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from bias_detection import WORDS, Bias, biased_set, choose_biases
from bias_judging import FALSE, TRUE, bound, over_sets
from joblib import Parallel, delayed
from scipy.stats import spearmanr

from emoscenes.biased_sets import ScenePool, TrainingSet, encode_scenes
from emoscenes.counterfactuals import Counterfactuals
from emoscenes.experiment_sets import bias_pair
from emoscenes.scenes import ATTRIBUTES, sample_scenes
from tinyemo.bias.attributes import data_associations
from tinyemo.bias.collected import CollectedDataset
from tinyemo.bias.findings import rank
from tinyemo.bias.label_noise import cross_fitted, label_noise
from tinyemo.bias.legitimate import Declared, values_to_test
from tinyemo.bias.pairs import MOST_PAIRS, pair_associations, pairs_to_test
from tinyemo.bias.references import data_and_model
from tinyemo.bias.values import AttributeValues
from tinyemo.features.encoders import load_image_encoder
from tinyemo.features.split_tensors import SplitTensors
from tinyemo.models.anchors import load_anchors
from tinyemo.paths import runs_dir
from tinyemo.runs import manifest

OPTIONS = {
    "sets": 120,
    "references": 30,
    "workers": 2,
    "seed": 13,
    "pool": 18000,
    "test": 4000,
    "redrawn": 400,
}
INERT_BELOW = 0.005  # true effect of every value of an attribute that is no cause
CAUSE_ABOVE = 0.02  # true effect of a cause


def part_of(drawn: TrainingSet) -> SplitTensors:
    """A set as a part of a dataset, without attributes measured on pictures, such as brightness.

    No scene can be drawn again with another value of those.
    """
    columns = [name for name in drawn.records if name.startswith("attr_")]
    measured = [name for name in columns if name.removeprefix("attr_") not in ATTRIBUTES]
    y = torch.from_numpy(drawn.y)
    one_hot = torch.eye(len(WORDS))[y]
    return SplitTensors(drawn.records.drop(columns=measured), drawn.x, y, one_hot)


def examine(
    pool: ScenePool,
    test: TrainingSet,
    counterfactuals: Counterfactuals,
    anchors: torch.Tensor,
    references: int,
    seed: int,
    n: int,
    biases: list[Bias],
    legitimate: Declared = None,
) -> pd.DataFrame:
    """One set: one row per tested value and label, with what each detector found and the truth.

    Columns about all attribute detectors of notebook 15, those of two values and of label noise
    among them: `place`, the place of the row among all that were found, as the notebook ranks them;
    `all_found`, the number of pairs of `what` and `where` that were found in the set; `found_by`,
    the number of findings of each detector.
    """
    train = biased_set(pool, seed, n, biases)
    dataset = CollectedDataset("scenes", "ekman", part_of(train), part_of(test), None)
    train_values, values = dataset.attributes()
    linear, model = dataset.model_associations(
        anchors, train_values, values, references, seed, workers=1, legitimate=legitimate
    )
    y = dataset.train.y.numpy()
    data = data_associations(y, WORDS, train_values, legitimate=legitimate)

    tested = values.only(np.flatnonzero(values_to_test(values, legitimate)))
    order = [counterfactuals.names.index(name) for name in tested.names]
    causal = counterfactuals.effects(partial(linear.classify, anchors=anchors))[order]  # (V, C)
    true = counterfactuals.true_effects("ekman")[order]
    strengths = {bias_pair(bias[:4]): bias[3] for bias in biases}
    pairs = model[["what", "where"]]
    table = pairs.assign(seed=seed, n=n, without_bias=not biases, effect=model["effect"])
    table["causal"] = causal.ravel()
    table["true_effect"] = true.ravel()
    names = pairs.itertuples(index=False, name=None)
    table["strength"] = [strengths.get(pair, 0.0) for pair in names]
    table["inert"] = _of_inert_attribute(tested.attributes, true)

    detectors = {"data and model": data_and_model(data, model), "data": data, "model": model}
    for name, found in detectors.items():
        of_pairs = pairs.merge(found)
        table[name] = of_pairs["found"]
        table[f"p {name}"] = of_pairs["p"]
    findings = rank(
        [*detectors.values(), *second_pass(y, train_values, train.x, anchors, legitimate)]
    )
    found_pairs = findings[["what", "where"]].drop_duplicates()
    places = found_pairs.assign(place=np.arange(1, len(found_pairs) + 1))
    found_by = findings["detector"].value_counts().to_dict()
    table = table.merge(places, how="left").assign(all_found=len(found_pairs))
    return table.assign(found_by=json.dumps(found_by))


def second_pass(
    y: np.ndarray,
    values: AttributeValues,
    x: torch.Tensor,
    anchors: torch.Tensor,
    legitimate: Declared = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The detector tables "two values" and "label noise" of one training set."""
    pairs = pairs_to_test(values, legitimate)[:MOST_PAIRS]
    in_pairs = pair_associations(y, WORDS, values, pairs)
    return in_pairs, label_noise(y, cross_fitted(x, y, anchors), values)


def _of_inert_attribute(attributes: tuple[str, ...], true: np.ndarray) -> np.ndarray:
    """(V * C,) bool: rows of attributes without a cause. true: (V, C) effects on the posterior."""
    largest_of_value = pd.Series(np.abs(true).max(axis=1), index=list(attributes))
    largest = largest_of_value.groupby(level=0).max()[list(attributes)]
    return np.repeat(largest.to_numpy() < INERT_BELOW, true.shape[1])


def judge(rows: pd.DataFrame, detector: str, n: str) -> dict:
    """One row of collected.csv, from the rows of some sets."""
    size = rows["causal"].abs()
    rows = rows.assign(true=size > TRUE, false=size < FALSE)
    found = rows[rows[detector]]
    counts = found.groupby("seed")[["true", "false"]].sum()
    counts = counts.reindex(rows["seed"].unique(), fill_value=0)  # (sets, 2)
    judged = counts.sum(axis=1).clip(lower=1)
    fdp = (counts["false"] / judged).to_numpy()

    row = {"detector": detector, "n": n, "sets": len(counts), "found": len(found) / len(counts)}
    row["fdr"] = fdp.mean()
    row["fdr_upper"] = bound(fdp, 1)
    row["recall"] = counts["true"].sum() / rows["true"].sum()
    learned = rows[(rows["strength"] == 0.30) & rows["true"]]
    row["injected_0.30"] = learned[detector].mean()
    row["pairs"] = len(learned)
    inert = rows[rows["inert"] & rows["without_bias"]]
    row["level"] = (inert[f"p {detector}"] <= 0.05).mean()
    row["causes"] = (found["true_effect"].abs() > CAUSE_ABOVE).mean()
    return row


def agreement(rows: pd.DataFrame) -> list[float]:
    """Rank correlation of excess effects with causal effects of more than .02: see `over_sets`."""
    large = rows[rows["causal"].abs() > 0.02]
    correlations = []
    for _, one in large.groupby("seed"):
        correlations.append(spearmanr(one["effect"], one["causal"]).statistic)
    return over_sets(correlations)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--world", type=Path, default=runs_dir() / "scenes" / "00_start_here")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "bias_collected")
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

    common = pool, test, counterfactuals, anchors, args.references
    tables = Parallel(args.workers)(
        delayed(examine)(*common, seed, *choose_biases(seed, args.seed))
        for seed in range(args.sets)
    )
    rows = pd.concat(tables, ignore_index=True)

    judged = []
    for detector in ("data and model", "data", "model"):
        judged.append(judge(rows, detector, "all"))
        for n, of_size in rows.groupby("n"):
            judged.append(judge(of_size, detector, str(n)))
    table = pd.DataFrame(judged)
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
