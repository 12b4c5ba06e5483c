"""Name that dataset: can the dataset of an item be predicted from its features?

Takes parts of several datasets that were made comparable (`equal_terms`). Gives the accuracy with
which the dataset of an item is predicted from its features alone. Whether the differences between
datasets reduce the accuracy of a model is measured in `transfer`.

Source: Torralba and Efros 2011, "Unbiased look at dataset bias", section 2.
"""

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
import pandas as pd
import torch
from sklearn.linear_model import Ridge
from sklearn.model_selection import StratifiedKFold

from tinyemo.bias.evidence import corrected
from tinyemo.evaluation.bootstrap import ALPHA, mean_interval
from tinyemo.features.split_tensors import SplitTensors

ALL_DATASETS, ALL_EMOTIONS = "all datasets", "all emotions"
FOLDS = 5
RIDGE_PENALTY = 1.0  # on features whose variances sum to one


def name_that_dataset(
    parts: Mapping[str, SplitTensors],
    words: Sequence[str],
    permutations: int = 400,
    alpha: float = ALPHA,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """How well the dataset of an item is predicted.

    Gives a detector table, and a table `dataset, named` with one row per item.

    `parts` are those of `equal_terms.equal_parts`; `words` are their label words. A ridge
    regression on unit-length features predicts the dataset of held-out items (5-fold
    cross-validation). The table has these rows:

    - `what` "all datasets", `where` "all emotions" or one emotion: one of all datasets is
      predicted;
    - `what` "a / b", `where` "all emotions": one of two datasets is predicted.

    `effect` is the accuracy minus chance, with its interval over items. For p, dataset names are
    permuted within emotion and fold, so that everything else stays equal; the smallest possible p
    is 1 / (1 + permutations).
    """
    x = torch.cat([part.x for part in parts.values()])  # (N, D)
    x = torch.nn.functional.normalize(x, dim=1).numpy()
    y = torch.cat([part.y for part in parts.values()]).numpy()  # (N,)
    datasets = np.repeat(list(parts), [len(part.y) for part in parts.values()])  # (N,)
    rows, named = [], {}
    for (what, where), among in _questions(datasets, y, words).items():
        candidates, true = np.unique(datasets[among], return_inverse=True)
        predicted, permuted_accuracies = _cross_validated(x[among], true, y[among], permutations)
        named[what, where] = candidates[predicted]
        hits = predicted == true
        accuracy = hits.mean()
        chance = 1 / len(candidates)
        low, high = mean_interval(hits)
        as_good = (permuted_accuracies >= accuracy - 1e-12).sum()
        row = {"what": what, "where": where, "effect": accuracy - chance}
        row |= {"low": low - chance, "high": high - chance}
        row |= {"p": (1 + as_good) / (1 + permutations)}
        row |= {"accuracy": accuracy, "chance": chance, "items": len(hits)}
        rows.append(row)
    table = corrected(pd.DataFrame(rows), "dataset", "accuracy above chance", alpha)
    named_among_all = named[ALL_DATASETS, ALL_EMOTIONS]
    return table, pd.DataFrame({"dataset": datasets, "named": named_among_all})


def _questions(
    datasets: np.ndarray, y: np.ndarray, words: Sequence[str]
) -> dict[tuple[str, str], np.ndarray]:
    """(what, where) of every row of the table -> which items (N,) bool belong to it."""
    questions = {(ALL_DATASETS, ALL_EMOTIONS): np.ones(len(y), dtype=bool)}
    for k, word in enumerate(words):
        questions[ALL_DATASETS, word] = y == k
    in_order = list(dict.fromkeys(datasets))
    for a, b in combinations(in_order, 2):
        questions[f"{a} / {b}", ALL_EMOTIONS] = np.isin(datasets, (a, b))
    return questions


def _cross_validated(
    x: np.ndarray, true: np.ndarray, y: np.ndarray, permutations: int
) -> tuple[np.ndarray, np.ndarray]:
    """Predicted datasets (N,) of held-out items, and accuracies (permutations,) of permuted names.

    `x` (N, D) features; `true` (N,) positions of the datasets; `y` (N,) labels.
    """
    classes = int(true.max()) + 1
    folds = _folds(y * classes + true)

    # Row 0 holds the true names; each other row permutes them within emotion and fold.
    rng = np.random.default_rng(0)
    stratum = y * FOLDS + folds
    names = np.tile(true, (1 + permutations, 1))  # (1 + P, N)
    orders = np.argsort(stratum + rng.random((permutations, len(y))), axis=1)
    names[1:, np.argsort(stratum, kind="stable")] = true[orders]

    one_hot = np.eye(classes, dtype=np.float32)[names.T]  # (N, 1 + P, classes)
    targets = one_hot.reshape(len(y), -1)
    x = (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0).sum())
    predicted = np.empty_like(names)
    for fold in range(FOLDS):
        held_out = folds == fold
        ridge = Ridge(RIDGE_PENALTY)  # one matrix factorisation for all permutations
        scores = ridge.fit(x[~held_out], targets[~held_out]).predict(x[held_out])
        scores = scores.reshape(held_out.sum(), -1, classes)
        predicted[:, held_out] = scores.argmax(axis=2).T
    permuted_accuracies = (predicted[1:] == names[1:]).mean(axis=1)
    return predicted[0], permuted_accuracies


def _folds(strata: np.ndarray) -> np.ndarray:
    """The fold (N,) of every item; each fold has the same shares of the strata (N,)."""
    folds = np.empty(len(strata), dtype=int)
    splitter = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    for fold, (_, held_out) in enumerate(splitter.split(strata, strata)):
        folds[held_out] = fold
    return folds
