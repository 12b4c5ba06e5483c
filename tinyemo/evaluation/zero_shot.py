"""Zero-shot classification: asking a projector for words that it was not trained on, beside its controls.

Takes projectors, spaces of anchors and a test part under the finer label set; gives one table.
"""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from tinyemo.evaluation.classification import accuracy_metrics, majority_accuracy, predictions_table
from tinyemo.features.tensors import Part
from tinyemo.models.projector import MetricProjector

PERMUTATIONS = 20


def zero_shot_table(
    projectors: dict[str, list[MetricProjector]],
    spaces: dict[str, Callable[[Sequence[str]], Tensor]],
    test: Part,
    asked: Sequence[str],
) -> pd.DataFrame:
    """Accuracy among the `asked` words of the test items that carry one, a row a kind of anchors.

    `projectors[kind]` holds one projector a seed, trained towards anchors of `spaces[kind]`, a function of
    words -> (n, D). The first kind is also asked with its words permuted: PERMUTATIONS derangements take the
    place of seeds, so its interval is that of the projector whose words have lost their meaning.
    Columns: anchors, accuracy, sd, low, high, chance, majority, items.
    """
    kept = test.records["label"].isin(asked).to_numpy()
    records, x = test.records[kept], test.x[torch.from_numpy(kept)]

    def predictions(kind: str, vectors: Tensor) -> list[pd.DataFrame]:
        return [
            predictions_table(records, projector.classify(x, vectors).numpy(), tuple(asked), kind, seed)
            for seed, projector in enumerate(projectors[kind])
        ]

    first = next(iter(projectors))
    tables = {kind: predictions(kind, spaces[kind](asked)) for kind in projectors}
    rng = np.random.default_rng(0)
    vectors = spaces[first](asked)
    permuted = []
    for i in range(PERMUTATIONS):
        one = predictions(first, vectors[_derangement(len(asked), rng)])[i % len(projectors[first])]
        permuted.append(one.assign(seed=i))
    tables["permuted words"] = permuted
    rows = []
    for kind, parts in tables.items():
        table = pd.concat(parts, ignore_index=True)
        one = accuracy_metrics(table)
        rows.append({
            "anchors": kind, "accuracy": one["accuracy"], "sd": one["accuracy_sd"],
            "low": one["accuracy_low"], "high": one["accuracy_high"], "chance": 1 / len(asked),
            "majority": majority_accuracy(table), "items": len(records),
        })
    return pd.DataFrame(rows)


def _derangement(n: int, rng: np.random.Generator) -> Tensor:
    """A permutation that leaves nothing in its place."""
    while True:
        order = rng.permutation(n)
        if (order != np.arange(n)).all():
            return torch.from_numpy(order)
