"""The contribution of each part of the tuned recipe: cross-validation within a training part.

    python benchmarks/recipe_search.py --features-root FOLDER --anchors CHECKPOINT [--repeats 3]

Repeated stratified 5-fold cross-validation on the items of split `train` of a tree in TinyEmo's
layout; no other split is used. Every variant gets the same folds. If a recipe selects its epoch,
its validation part is taken from the fold's training items. Prints a Markdown table: accuracy, its
standard deviation over the repeats, and the difference to the tuned recipe with its standard error
over items (paired).
"""

import argparse
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from sklearn.model_selection import StratifiedKFold, train_test_split
from torch import Tensor

from tinyemo.emotions import labels_of
from tinyemo.evaluation.probes import fit_probe
from tinyemo.features.pt_trees import import_pt_tree
from tinyemo.features.split_tensors import split_tensors
from tinyemo.models.anchors import load_anchors
from tinyemo.training.projector import PRESETS, Recipe, fit_projector

TUNED, PUBLISHED = PRESETS["tuned"], PRESETS["published"]
VALIDATION = 0.15  # share of a fold's training items, as in notebook 02
VARIANTS: dict[str, Recipe | str] = {
    "tuned": TUNED,
    "no refit": replace(TUNED, refit=False),
    "no selection (all epochs on all items)": replace(TUNED, patience=None),
    "selection from the first epoch on": replace(TUNED, min_epochs=1),
    "no input dropout": replace(TUNED, input_dropout=0.0),
    "published dropout, 0.2": replace(TUNED, dropout=0.2),
    "temperature 0.07": replace(TUNED, temperature=0.07),
    "temperature 0.5": replace(TUNED, temperature=0.5),
    "batches of 128 at twice the rate": replace(TUNED, batch_size=128, peak_lr=2e-3),
    "CosineEmbedding": replace(TUNED, loss="cosine_embedding"),
    "NT-Xent in the batch": replace(TUNED, loss="nt_xent", batch_anchors=True),
    "twice the epochs": replace(TUNED, epochs=24, min_epochs=12),
    "published, CosineEmbedding": PUBLISHED,
    "published, NT-Xent": replace(PUBLISHED, loss="nt_xent"),
    "probe: logistic regression": "logreg",
    "probe: RBF-SVM": "svm",
}


def predicted_labels(
    variant: Recipe | str, x: Tensor, y: Tensor, test_x: Tensor, anchors: Tensor, seed: int
) -> Tensor:
    """Train on (x, y) and predict the labels (M,) of `test_x`."""
    if isinstance(variant, str):
        probe = fit_probe(variant, x.numpy(), y.numpy(), seed)
        return torch.from_numpy(probe.predict_proba(test_x.numpy()).argmax(axis=1))
    rows, held_out = np.arange(len(y)), None
    if variant.patience is not None:
        rows, carved = train_test_split(rows, test_size=VALIDATION, stratify=y, random_state=seed)
        held_out = (x[carved], y[carved])
    projector, _ = fit_projector(x[rows], y[rows], anchors, variant, seed, held_out)
    return projector.classify(test_x, anchors).argmax(dim=1)


def cross_validate(
    variant: Recipe | str, x: Tensor, y: Tensor, anchors: Tensor, seeds: range
) -> np.ndarray:
    """1 for each item that is classified correctly in a repeat: (repeats, N) float."""
    right = np.zeros((len(seeds), len(y)))
    for r, seed in enumerate(seeds):
        for train, test in StratifiedKFold(5, shuffle=True, random_state=seed).split(x, y):
            found = predicted_labels(variant, x[train], y[train], x[test], anchors, seed)
            right[r, test] = (found == y[test]).numpy()
    return right


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--features-root", type=Path, required=True)
    parser.add_argument("--anchors", required=True)
    parser.add_argument("--label-set", default="ekman")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        records, store = import_pt_tree(args.features_root, Path(temporary))
        train = split_tensors(records, store, args.label_set)["train"]
        anchors = load_anchors(args.anchors, labels_of(args.label_set))
        print(f"{len(train.y)} training items, 5 folds x {args.repeats}, seed {args.seed}\n")
        print("| variant | accuracy | sd over repeats | minus tuned | s per fit |")
        print("|---|---|---|---|---|")
        tuned = None
        for name, variant in VARIANTS.items():
            start, seeds = time.perf_counter(), range(args.seed, args.seed + args.repeats)
            right = cross_validate(variant, train.x, train.y, anchors, seeds)
            taken = (time.perf_counter() - start) / (5 * args.repeats)
            tuned = right if tuned is None else tuned
            difference = (right - tuned).mean(axis=0)  # (N,)
            error = difference.std(ddof=1) / len(difference) ** 0.5
            by_repeat = right.mean(axis=1)
            print(
                f"| {name} | {by_repeat.mean():.4f} | {by_repeat.std(ddof=1):.4f} | "
                f"{difference.mean():+.4f} ± {error:.4f} | {taken:.1f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
