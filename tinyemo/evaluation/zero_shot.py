"""Zero-shot classification: a projector is tested on words that it was not trained on, with
controls.

Takes projectors, kinds of anchors and a test part under the finer label set; gives one table. Also
trains a projector without some of its classes and gives its cosines to all of them
(evaluation/unseen.py compares them with those of other methods).
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from tinyemo.evaluation.classification import accuracy_metrics, majority_accuracy, predictions_table
from tinyemo.evaluation.unseen import choose_penalty
from tinyemo.features.split_tensors import SplitTensors, concatenated
from tinyemo.models.projector import MetricProjector
from tinyemo.training.projector import Recipe, fit_projector

PERMUTATIONS = 20
PERMUTED = "permuted words"


def zero_shot_table(
    projectors: dict[str, list[MetricProjector]],
    spaces: dict[str, Callable[[Sequence[str], int], Tensor]],
    test: SplitTensors,
    words: Sequence[str],
) -> pd.DataFrame:
    """Accuracy among `words`, on the test items with one of these labels: one row per kind of
    anchors.

    `projectors[kind]` holds one projector per seed, trained towards anchors of `spaces[kind]`, a
    function of (words, seed) -> (n, D). As a control, the first kind is also tested with permuted
    words. Here PERMUTATIONS permutations, which leave no word in its place, are used instead of
    seeds. So the interval is that of a projector whose words have lost their meaning.

    Columns: anchors, accuracy, sd, low, high, chance, majority, items.
    """
    kept = test.records["label"].isin(words).to_numpy()
    records = test.records[kept]
    x = test.x[torch.tensor(kept)]  # (N, d_vision)

    def predictions(
        projector: MetricProjector, anchors: Tensor, kind: str, seed: int
    ) -> pd.DataFrame:
        probabilities = projector.classify(x, anchors).numpy()  # (N, n)
        return predictions_table(records, probabilities, tuple(words), kind, seed)

    tables = {}
    for kind, members in projectors.items():
        tables[kind] = []
        for seed, projector in enumerate(members):
            anchors = spaces[kind](words, seed)  # (n, D)
            tables[kind].append(predictions(projector, anchors, kind, seed))

    first = next(iter(projectors))
    members = projectors[first]
    rng = np.random.default_rng(0)
    tables[PERMUTED] = []
    for i in range(PERMUTATIONS):
        anchors = spaces[first](words, 0)[_derangement(len(words), rng)]
        table = predictions(members[i % len(members)], anchors, PERMUTED, i)
        tables[PERMUTED].append(table)

    rows = []
    for kind, parts in tables.items():
        table = pd.concat(parts, ignore_index=True)
        metrics = accuracy_metrics(table)
        row = {"anchors": kind, "accuracy": metrics["accuracy"]}
        for key in ("sd", "low", "high"):
            row[key] = metrics[f"accuracy_{key}"]
        row["chance"] = 1 / len(words)
        row["majority"] = majority_accuracy(table)
        row["items"] = len(records)
        rows.append(row)
    return pd.DataFrame(rows)


def zero_shot_metrics(table: pd.DataFrame) -> dict[str, float]:
    """The table as flat metrics: zero_shot/<anchors>, ..._low, ..._high, and zero_shot/chance."""
    metrics = {"zero_shot/chance": float(table["chance"].iloc[0])}
    for row in table.to_dict("records"):
        name = f"zero_shot/{row['anchors'].replace(' ', '_')}"
        metrics[name] = row["accuracy"]
        metrics[f"{name}_low"] = row["low"]
        metrics[f"{name}_high"] = row["high"]
    return metrics


def cosines_without(
    hidden: Sequence[int],
    x: Tensor,
    y: Tensor,
    at: Tensor,
    anchors: np.ndarray,
    recipe: Recipe,
    seed: int,
) -> np.ndarray:
    """Cosines (M, C) to all anchors, from a projector trained without the classes `hidden`.

    `x` (N, d_vision) and `y` (N,) are the training items; `at` (M, d_vision) the items to score;
    `anchors` (C, D).
    """
    seen = np.setdiff1d(np.arange(len(anchors)), hidden)
    rows = torch.from_numpy(~np.isin(y, hidden))  # (N,) bool
    vectors = torch.tensor(anchors, dtype=torch.float32)
    labels = torch.from_numpy(np.searchsorted(seen, y[rows]))  # numbered among the seen classes
    projector, _ = fit_projector(x[rows], labels, vectors[seen], recipe, seed)
    unit = torch.nn.functional.normalize(vectors, dim=1)
    return (projector.embed(at) @ unit.T).numpy()


def leave_classes_out(
    parts: Mapping[str, SplitTensors],
    anchors: np.ndarray,
    recipe: Recipe,
    seeds: int,
    rate: float,
) -> tuple[np.ndarray, np.ndarray]:
    """The test of `unseen.LeftOut` for trained projectors: cosines (S, C, M, C), penalties (S, C).

    `parts` are train, validation and test; `anchors` is (C, D). For each of `seeds` and each class
    left out, a projector trained on train and validation gives the cosines of the M test items. The
    penalty of a class is chosen on validation items, by projectors trained without this class and
    one more, at the false-positive rate `rate` (`unseen.choose_penalty`).
    """
    train, validation, test = parts["train"], parts["validation"], parts["test"]
    known = concatenated(train, validation)
    classes = range(len(anchors))

    pairs = {}  # two classes left out -> cosines of the validation items
    for c, h in combinations(classes, 2):
        both = cosines_without((c, h), train.x, train.y, validation.x, anchors, recipe, 0)
        pairs[c, h] = pairs[h, c] = both
    penalties = []
    for c in classes:
        trials = {h: pairs[c, h] for h in classes if h != c}
        penalties.append(choose_penalty(trials, validation.y.numpy(), c, rate))

    tests = []
    for seed in range(seeds):
        of_seed = []
        for c in classes:
            cosines = cosines_without([c], known.x, known.y, test.x, anchors, recipe, seed)
            of_seed.append(cosines)
        tests.append(of_seed)
    return np.array(tests), np.array([penalties] * seeds)


def _derangement(n: int, rng: np.random.Generator) -> Tensor:
    """A random permutation (n,) that leaves nothing in its place."""
    while True:
        order = rng.permutation(n)
        if (order != np.arange(n)).all():
            return torch.from_numpy(order)
