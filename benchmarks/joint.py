"""One projector for three label sets against one projector each: accuracy on validation items.

    python benchmarks/joint.py --records RECORDS --features STORE --anchors CHECKPOINT [--seeds 3]

Takes records with Parrott's labels (records.parquet of notebook 01), their features, and a language model.
The split `train` becomes three disjoint datasets of unequal size, one for each label set, with a single
label an item; 15 % of each decide when to stop. Scored on the split `validation` under every label set; no
other split is touched. Prints a Markdown table; the last column compares the mean over the three label sets
with single projectors of the same seeds and items, with its standard error over items.
"""

import argparse
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from tinyemo.data.records import carve_validation, read_records, relabel
from tinyemo.emotions import labels_of
from tinyemo.features.split_tensors import SplitTensors, split_tensors
from tinyemo.features.store import FeatureStore
from tinyemo.models.anchors import load_anchors
from tinyemo.training.projector import PRESETS, Recipe, fit_jointly
from tinyemo.training.projector_tasks import Task, tasks_of

SIZES = {"ekman": 2000, "mikels": 4000, "parrott": 6000}
JOINT, PUBLISHED = PRESETS["joint"], PRESETS["published"]
COARSER = ("ekman", "mikels")
SYNONYMS = replace(JOINT, synonym_share=0.5)
BALANCED = {name: size**-0.5 for name, size in SIZES.items()}
# name -> recipe, options of tasks_of; "single" and "all words" rearrange the tasks (see `arranged`)
VARIANTS: dict[str, tuple[Recipe, dict]] = {
    "single": (JOINT, {}),
    "**joint**": (JOINT, {}),
    "joint, all words compete": (JOINT, {}),
    "joint, taxonomy": (JOINT, {"taxonomy": COARSER}),
    "joint, synonyms": (SYNONYMS, {"synonyms": True}),
    "joint, weights N^-1/2": (JOINT, {"weights": BALANCED}),
    "joint, temperature 0.05": (replace(JOINT, temperature=0.05), {}),
    "joint, temperature 0.2": (replace(JOINT, temperature=0.2), {}),
    "joint, recipe votes": (PRESETS["votes"], {}),
    "joint, three layers": (replace(JOINT, layers=3), {}),
    "joint, one layer": (replace(JOINT, layers=1), {}),
    "single, recipe votes": (PRESETS["votes"], {}),
    "published, CosineEmbedding": (PUBLISHED, {}),
    "published, NT-Xent": (replace(PUBLISHED, loss="nt_xent"), {}),
    "published, NT-Xent, taxonomy and synonyms": (
        replace(PUBLISHED, loss="nt_xent", synonym_share=0.5),
        {"taxonomy": COARSER, "synonyms": True},
    ),
}


def datasets(records: pd.DataFrame, seed: int) -> pd.DataFrame:
    """The training split as three datasets, each with its label set and its own validation part."""
    pool = records[records["split"] == "train"].sample(frac=1, random_state=seed)
    pool = pool.drop(columns=[column for column in pool if column.startswith("p_")])
    found, start = [], 0
    for name, size in SIZES.items():
        part = relabel(pool[start : start + size], name).assign(dataset=name)
        found.append(carve_validation(part, 0.15, seed))
        start += size
    return pd.concat(found, ignore_index=True)


def arranged(name: str, tasks: list[Task]) -> list[list[Task]]:
    """The tasks of each projector of a variant."""
    if name.startswith("single"):
        return [[task] for task in tasks]
    if "all words" not in name:
        return [tasks]
    anchor = {
        word: vector
        for task in tasks
        for word, vector in zip(task.words, task.anchors, strict=True)
    }
    words = tuple(anchor)
    y = torch.cat(
        [torch.tensor([words.index(word) for word in task.words])[task.y] for task in tasks]
    )
    return [
        [Task(torch.cat([task.x for task in tasks]), y, words, torch.stack(list(anchor.values())))]
    ]


def right(
    name: str,
    tasks: dict[str, list[Task]],
    scored: dict[str, SplitTensors],
    recipe: Recipe,
    seed: int,
) -> dict:
    """Whether each scored item is answered rightly, by label set: {label set: (N,) float}."""
    trainings = zip(
        arranged(name, tasks["train"]), arranged(name, tasks["validation"]), strict=True
    )
    projectors = [fit_jointly(train, recipe, seed, held_out)[0] for train, held_out in trainings]
    found = {}
    for i, (label_set, part) in enumerate(scored.items()):
        anchors = next(
            task.anchors for task in tasks["train"] if task.words == labels_of(label_set)
        )
        answers = projectors[i % len(projectors)].classify(part.x, anchors).argmax(dim=1)
        found[label_set] = (answers == part.y).double().numpy()
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--records", type=Path, required=True)
    parser.add_argument("--features", type=Path, required=True)
    parser.add_argument("--anchors", required=True)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="*", default=list(VARIANTS), help="variants")
    args = parser.parse_args()
    records, store = read_records(args.records), FeatureStore.open(args.features)
    scored = {name: split_tensors(records, store, name)["validation"] for name in SIZES}
    known = {}

    def anchors_of(dataset: str, words: tuple[str, ...]) -> torch.Tensor:
        if words not in known:
            known[words] = load_anchors(args.anchors, words)
        return known[words]

    print(
        f"| variant | {' | '.join(SIZES)} | mean | minus single | s a seed |\n|---|---|---|---|---|---|---|"
    )
    seeds, reference = range(args.seed, args.seed + args.seeds), None
    collections = [datasets(records, seed) for seed in seeds]
    for name in args.only:
        recipe, options = VARIANTS[name]
        start, runs = time.perf_counter(), []
        for seed, collection in zip(seeds, collections, strict=True):
            tasks = tasks_of(collection, dict.fromkeys(SIZES, store), anchors_of, **options)
            runs.append(right(name, tasks, scored, recipe, seed))
        taken = (time.perf_counter() - start) / len(seeds)
        hits = {label_set: np.mean([run[label_set] for run in runs], axis=0) for label_set in SIZES}
        ids = {label_set: part.records["id"] for label_set, part in scored.items()}
        table = pd.DataFrame(
            {s: pd.Series(hits[s], index=ids[s]) for s in SIZES}
        )  # NaN: no such label
        reference = table if reference is None else reference
        # an item's part in the mean of the three accuracies
        difference = ((table - reference) / table.notna().sum() * len(table)).fillna(0).mean(axis=1)
        error = difference.std(ddof=1) / len(difference) ** 0.5
        means = table.mean()
        print(
            f"| {name} | {' | '.join(f'{v:.4f}' for v in means)} | {means.mean():.4f} | "
            f"{difference.mean():+.4f} ± {error:.4f} | {taken:.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
