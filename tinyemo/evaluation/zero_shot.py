"""Zero-shot classification: asking a projector for words that it was not trained on, beside its controls.

Takes projectors, spaces of anchors and a test part under the finer label set; gives one table. Or trains one without
some of its classes and gives its cosines to all (`evaluation.unseen` compares those with other maps').
"""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from tinyemo.evaluation.classification import accuracy_metrics, majority_accuracy, predictions_table
from tinyemo.features.tensors import Part
from tinyemo.models.projector import MetricProjector
from tinyemo.training.projector import Recipe, fit_projector

PERMUTATIONS = 20


def zero_shot_table(
    projectors: dict[str, list[MetricProjector]],
    spaces: dict[str, Callable[[Sequence[str], int], Tensor]],
    test: Part,
    asked: Sequence[str],
) -> pd.DataFrame:
    """Accuracy among the `asked` words of the test items that carry one, a row a kind of anchors.

    `projectors[kind]` holds one projector a seed, trained towards anchors of `spaces[kind]`, a function of
    (words, seed) -> (n, D). The first kind is also asked with its words permuted: PERMUTATIONS derangements take the
    place of seeds, so its interval is that of the projector whose words have lost their meaning.
    Columns: anchors, accuracy, sd, low, high, chance, majority, items.
    """
    kept = test.records["label"].isin(asked).to_numpy()
    records, x = test.records[kept], test.x[torch.tensor(kept)]

    def predictions(
        projector: MetricProjector, vectors: Tensor, kind: str, seed: int
    ) -> pd.DataFrame:
        return predictions_table(
            records, projector.classify(x, vectors).numpy(), tuple(asked), kind, seed
        )

    tables = {
        kind: [
            predictions(p, spaces[kind](asked, seed), kind, seed) for seed, p in enumerate(members)
        ]
        for kind, members in projectors.items()
    }
    first, rng = next(iter(projectors)), np.random.default_rng(0)
    tables["permuted words"] = [
        predictions(
            projectors[first][i % len(projectors[first])],
            spaces[first](asked, 0)[_derangement(len(asked), rng)],
            "permuted words",
            i,
        )
        for i in range(PERMUTATIONS)
    ]
    rows = []
    for kind, parts in tables.items():
        table = pd.concat(parts, ignore_index=True)
        one = accuracy_metrics(table)
        rows.append(
            {
                "anchors": kind,
                "accuracy": one["accuracy"],
                "sd": one["accuracy_sd"],
                "low": one["accuracy_low"],
                "high": one["accuracy_high"],
                "chance": 1 / len(asked),
                "majority": majority_accuracy(table),
                "items": len(records),
            }
        )
    return pd.DataFrame(rows)


def zero_shot_metrics(table: pd.DataFrame) -> dict[str, float]:
    """The table as flat metrics: zero_shot/<anchors>, ..._low, ..._high, and zero_shot/chance."""
    metrics = {"zero_shot/chance": float(table["chance"].iloc[0])}
    for row in table.to_dict("records"):
        name = f"zero_shot/{row['anchors'].replace(' ', '_')}"
        metrics |= {name: row["accuracy"], f"{name}_low": row["low"], f"{name}_high": row["high"]}
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
    """Cosines (M, C) of items `at` (M, d_vision) to all anchors (C, D), the `hidden` classes' items not trained on."""
    seen, rows = (
        np.setdiff1d(np.arange(len(anchors)), hidden),
        torch.from_numpy(~np.isin(y, hidden)),
    )
    vectors = torch.tensor(anchors, dtype=torch.float32)
    labels = torch.from_numpy(np.searchsorted(seen, y[rows]))
    projector, _ = fit_projector(x[rows], labels, vectors[seen], recipe, seed)
    return (projector.embed(at) @ torch.nn.functional.normalize(vectors, dim=1).T).numpy()


def _derangement(n: int, rng: np.random.Generator) -> Tensor:
    """A permutation that leaves nothing in its place."""
    while True:
        order = rng.permutation(n)
        if (order != np.arange(n)).all():
            return torch.from_numpy(order)
