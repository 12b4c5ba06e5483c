"""Name that dataset (Torralba and Efros 2011, "Unbiased look at dataset bias"): can items be told by their dataset?

Takes parts of several datasets on equal terms (`equal_terms`); gives how well the dataset can be named from the
features of its items alone. Whether the difference costs a model anything, `transfer` asks.
"""

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
import pandas as pd
import torch
from sklearn.linear_model import Ridge
from sklearn.model_selection import StratifiedKFold

from tinyemo.bias.evidence import corrected
from tinyemo.evaluation.intervals import bootstrap
from tinyemo.evaluation.significance import ALPHA
from tinyemo.features.tensors import Part

EVERYTHING = ("all datasets", "all emotions")
FOLDS, PENALTY = (
    5,
    1.0,
)  # of the ridge regression that names datasets, on features whose variances sum to one


def name_that_dataset(
    parts: Mapping[str, Part], words: Sequence[str], permutations: int = 400, alpha: float = ALPHA
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Can items be told by their dataset? Detector table, and `dataset, named` of every item.

    `parts` are those of `equal_terms.equal_parts`. A ridge regression on unit-length features names the dataset of
    held-out items (cross-validation): among all datasets, over all emotions and within each (`where`), and between any
    two (`what` is "a / b"). `effect` is the accuracy above chance, its interval over items. p: names are permuted
    within emotion and fold, which leaves all else as it was; the least is 1 / (1 + permutations).
    """
    x = torch.nn.functional.normalize(torch.cat([part.x for part in parts.values()]), dim=1).numpy()
    y = torch.cat([part.y for part in parts.values()]).numpy()
    names = np.repeat(list(parts), [len(part.y) for part in parts.values()])
    questions = {EVERYTHING: np.ones(len(y), dtype=bool)}
    questions |= {(EVERYTHING[0], word): y == k for k, word in enumerate(words)}
    questions |= {
        (f"{a} / {b}", EVERYTHING[1]): np.isin(names, (a, b)) for a, b in combinations(parts, 2)
    }
    rows, named = [], {}
    for (what, where), among in questions.items():
        known, true = np.unique(names[among], return_inverse=True)
        codes, permuted = _named(x[among], true, y[among], permutations)
        named[what, where], hits, chance = known[codes], codes == true, 1 / len(known)
        low, high = bootstrap(hits)
        rows.append(
            {
                "what": what,
                "where": where,
                "effect": hits.mean() - chance,
                "low": low - chance,
                "high": high - chance,
                "p": (1 + (permuted >= hits.mean() - 1e-12).sum()) / (1 + permutations),
                "accuracy": hits.mean(),
                "chance": chance,
                "items": len(hits),
            }
        )
    table = corrected(pd.DataFrame(rows), "dataset", "accuracy above chance", alpha)
    return table, pd.DataFrame({"dataset": names, "named": named[EVERYTHING]})


def _named(
    x: np.ndarray, true: np.ndarray, y: np.ndarray, permutations: int
) -> tuple[np.ndarray, np.ndarray]:
    """Names (N,) given to held-out items, and the accuracies (permutations,) where the true names are permuted."""
    classes, folds, rng = int(true.max()) + 1, np.empty(len(y), dtype=int), np.random.default_rng(0)
    splitter = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    for fold, (_, held) in enumerate(splitter.split(x, y * classes + true)):
        folds[held] = fold
    stratum, given = y * FOLDS + folds, np.tile(true, (1 + permutations, 1))  # row 0: as they are
    orders = np.argsort(stratum + rng.random((permutations, len(y))), axis=1)
    given[1:, np.argsort(stratum, kind="stable")] = true[orders]
    targets, named = (
        np.eye(classes, dtype=np.float32)[given.T].reshape(len(y), -1),
        np.empty_like(given),
    )
    x = (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0).sum())
    for held in (
        folds == fold for fold in range(FOLDS)
    ):  # one factorisation serves all permutations
        scores = Ridge(PENALTY).fit(x[~held], targets[~held]).predict(x[held])
        named[:, held] = scores.reshape(held.sum(), -1, classes).argmax(axis=2).T
    return named[0], (named[1:] == given[1:]).mean(axis=1)
