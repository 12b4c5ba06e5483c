"""One projector for three label sets, compared with one projector for each of them.

    python benchmarks/joint.py --records RECORDS --features STORE --anchors CHECKPOINT [--seeds 3]

Takes records with Parrott's labels (records.parquet of notebook 01), their features, and a language
model. The split `train` becomes three disjoint datasets of different sizes, one per label set, with
a single label per item; 15 % of each decide when training stops. Accuracy is measured on the split
`validation` under every label set; no other split is used. Prints a Markdown table. The column
"minus single" compares the mean over the three label sets with single projectors of the same seeds
and items, with the standard error over items.
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
# name -> recipe, options of tasks_of. "single" and "all words" rearrange the tasks, see `arranged`.
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
    # one task, in which an item is compared with the words of all label sets
    anchor_of: dict[str, torch.Tensor] = {}
    for task in tasks:
        anchor_of |= zip(task.words, task.anchors, strict=True)
    words = tuple(anchor_of)
    labels = []
    for task in tasks:
        positions = torch.tensor([words.index(word) for word in task.words])  # (C of the task,)
        labels.append(positions[task.y])
    x = torch.cat([task.x for task in tasks])
    return [[Task(x, torch.cat(labels), words, torch.stack(list(anchor_of.values())))]]


def correct_items(
    name: str,
    tasks: dict[str, list[Task]],
    scored: dict[str, SplitTensors],
    recipe: Recipe,
    seed: int,
) -> dict[str, np.ndarray]:
    """Label set -> (N,) float, 1 for each scored item that is classified correctly."""
    train = arranged(name, tasks["train"])
    validation = arranged(name, tasks["validation"])
    projectors = []
    for own, held_out in zip(train, validation, strict=True):
        projectors.append(fit_jointly(own, recipe, seed, held_out)[0])
    anchors_of = {task.words: task.anchors for task in reversed(tasks["train"])}
    found = {}
    for i, (label_set, part) in enumerate(scored.items()):
        projector = projectors[i % len(projectors)]
        predicted = projector.classify(part.x, anchors_of[labels_of(label_set)]).argmax(dim=1)
        found[label_set] = (predicted == part.y).double().numpy()
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

    print(f"| variant | {' | '.join(SIZES)} | mean | minus single | s per seed |")
    print("|---|---|---|---|---|---|---|")
    seeds, reference = range(args.seed, args.seed + args.seeds), None
    collections = [datasets(records, seed) for seed in seeds]
    for name in args.only:
        recipe, options = VARIANTS[name]
        start, runs = time.perf_counter(), []
        for seed, collection in zip(seeds, collections, strict=True):
            tasks = tasks_of(collection, dict.fromkeys(SIZES, store), anchors_of, **options)
            runs.append(correct_items(name, tasks, scored, recipe, seed))
        taken = (time.perf_counter() - start) / len(seeds)
        columns = {}
        for label_set, part in scored.items():
            share_correct = np.mean([run[label_set] for run in runs], axis=0)  # (N,), over seeds
            columns[label_set] = pd.Series(share_correct, index=part.records["id"])
        table = pd.DataFrame(columns)  # NaN: the item has no label in the label set
        reference = table if reference is None else reference
        # the contribution of each item to the mean of the three accuracies
        weighted = (table - reference) / table.notna().sum() * len(table)
        difference = weighted.fillna(0).mean(axis=1)
        error = difference.std(ddof=1) / len(difference) ** 0.5
        means = table.mean()
        print(
            f"| {name} | {' | '.join(f'{v:.4f}' for v in means)} | {means.mean():.4f} | "
            f"{difference.mean():+.4f} ± {error:.4f} | {taken:.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
