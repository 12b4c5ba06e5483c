"""Train on A, test on B (Torralba and Efros 2011, "Unbiased look at dataset bias"): what a dataset fails to teach.

Takes training and test parts of several datasets on equal terms (`equal_terms`) and a recipe; gives the train-on-A,
test-on-B matrix and what each dataset loses elsewhere. Whether datasets can be told apart is another question
(`naming`): what can be seen need not cost anything.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import product

import numpy as np
import pandas as pd
from torch import Tensor

from tinyemo.bias.evidence import corrected
from tinyemo.evaluation.classification import predictions_table
from tinyemo.evaluation.intervals import RESAMPLES
from tinyemo.evaluation.significance import ALPHA, correctness
from tinyemo.features.tensors import Part

OTHERS = "all others"


def train_and_test(
    train: Mapping[str, Part],
    test: Mapping[str, Part],
    words: Sequence[str],
    fit: Callable[[Tensor, Tensor, int], Callable[[Tensor], Tensor]],
    seeds: int,
) -> pd.DataFrame:
    """Predictions (evaluation/classification.py) of every dataset's models on every dataset's test part.

    Parts are those of `equal_terms.equal_parts`. `fit(x, y, seed)` trains on features and labels, positions in
    `words`, and gives a function features -> probabilities (N, C). A seed is a bootstrap draw of the training items,
    and a training: the spread says what another training part of this size would have taught. `run` names the dataset
    trained on.
    """
    tables = []
    for name, seed in product(train, range(seeds)):
        rng, part = np.random.default_rng([seed, 1]), train[name]
        rows = np.concatenate(
            [rng.choice(own, len(own)) for own in map(np.flatnonzero, part.votes.T.numpy())]
        )
        predict = fit(part.x[rows], part.y[rows], seed)
        tables += [
            predictions_table(one.records, predict(one.x).numpy(), tuple(words), name, seed)
            for one in test.values()
        ]
    return pd.concat(tables, ignore_index=True)


def train_test_matrix(predictions: pd.DataFrame, alpha: float = ALPHA) -> pd.DataFrame:
    """Every model of `train_and_test` on every test part: detector table, `what` trained on, `where` tested on.

    `effect` is the drop: accuracy of the model trained where it is tested, minus this model's, on the same items; at
    home it is 0 and no candidate. The last row of each dataset, `where` is OTHERS, is the mean over the others' parts.
    Own columns: accuracy, its sd over seeds, its interval, items. Intervals and p are those of `_resampled`: they hold
    for other test items and for another training part.
    """
    names, by_seed, draws = _resampled(predictions)
    drop = _with_others(np.einsum("rbb->rb", draws)[:, None] - draws)  # (1 + R, A, B + 1)
    p = (1 + (np.abs(drop[1:] - drop[0]) >= np.abs(drop[0]) - 1e-12).sum(axis=0)) / len(drop)
    p[:, :-1][np.eye(len(names), dtype=bool)] = np.nan
    draws, n = _with_others(draws), predictions.groupby("dataset")["id"].nunique()[names].to_numpy()
    (low, high), (least, most) = (
        np.quantile(one[1:], [0.025, 0.975], axis=0).reshape(2, -1) for one in (drop, draws)
    )
    table = pd.DataFrame(
        {
            "what": np.repeat(names, len(names) + 1),
            "where": [*names, OTHERS] * len(names),
            "effect": drop[0].ravel(),
            "low": low,
            "high": high,
            "p": p.ravel(),
            "accuracy": draws[0].ravel(),
            "accuracy_sd": _with_others(by_seed).std(axis=0, ddof=1).ravel(),
            "accuracy_low": least,
            "accuracy_high": most,
            "items": np.column_stack([np.tile(n, (len(n), 1)), n.sum() - n]).ravel(),
        }
    )
    return corrected(table, "dataset", "accuracy lost", alpha, candidates=table["p"].notna())


def percent_drops(predictions: pd.DataFrame) -> pd.DataFrame:
    """What each dataset's models lose elsewhere (Torralba and Efros, table 1), a row a dataset trained on.

    Columns: dataset, self (accuracy at home), others (mean over the other test parts), drop = 100 (self - others) /
    self, low, high (95 %, of the drop). A home that is easy, or hard, for everybody's models shows as a drop, or gain.
    """
    names, _, draws = _resampled(predictions)
    home, others = np.einsum("raa->ra", draws), _with_others(draws)[..., -1]
    drop = 100 * (home - others) / home
    low, high = np.quantile(drop[1:], [0.025, 0.975], axis=0)
    return pd.DataFrame(
        {
            "dataset": names,
            "self": home[0],
            "others": others[0],
            "drop": drop[0],
            "low": low,
            "high": high,
        }
    )


def _with_others(values: np.ndarray) -> np.ndarray:
    """(..., A, A) -> (..., A, A + 1): the last column is the mean over the columns of the other datasets."""
    others = (values * (1 - np.eye(values.shape[-1]))).sum(axis=-1, keepdims=True) / (
        values.shape[-1] - 1
    )
    return np.concatenate([values, others], axis=-1)


def _resampled(predictions: pd.DataFrame) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Datasets; accuracies (S, A, B) by seed, trained on A, tested on B; and (1 + R, A, B), row 0 the mean over seeds.

    The other rows draw the test items anew, alike for all models, and add to each model the deviation of one training
    from the mean of its S seeds, times sqrt(S / (S - 1)). The deviations of all models are one pool: S is small.
    """
    names, seeds = list(dict.fromkeys(predictions["run"])), predictions["seed"].nunique()
    if seeds < 2 or set(names) != set(predictions["dataset"]):
        tested = ", ".join(predictions["dataset"].unique())
        raise ValueError(
            f"predictions of {seeds} seed(s), trained on {', '.join(names)}, tested on {tested}: expected "
            "at least two seeds, and every dataset in both places"
        )
    right = predictions.assign(right=predictions["pred"] == predictions["label"])
    table = right.pivot_table(index=["run", "seed"], columns="dataset", values="right")[names]
    by_seed = np.stack([table.loc[name] for name in names], axis=1)
    draws, rng = np.empty((1 + RESAMPLES, len(names), len(names))), np.random.default_rng(0)
    for b, name in enumerate(names):
        items = correctness(predictions[predictions["dataset"] == name])[names].to_numpy()  # (N, A)
        drawn = rng.multinomial(len(items), np.full(len(items), 1 / len(items)), RESAMPLES)
        draws[:, :, b] = np.vstack([items.mean(axis=0), drawn @ items / len(items)])
    noise = (by_seed - by_seed.mean(axis=0)).reshape(-1, len(names)) * (
        seeds / (seeds - 1)
    ) ** 0.5  # (S A, B)
    draws[1:] += noise[rng.integers(len(noise), size=(RESAMPLES, len(names)))]
    return names, by_seed, draws
