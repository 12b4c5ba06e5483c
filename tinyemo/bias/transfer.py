"""Train on A, test on B: how much accuracy a model loses on other datasets.

Takes training and test parts of several datasets that were made comparable (`equal_terms`), and a
training function. Gives the train-on-A, test-on-B matrix and how much accuracy the models of each
dataset lose on the other datasets. Whether datasets can be distinguished is another question
(`naming`): a visible difference need not reduce accuracy.

Source: Torralba and Efros 2011, "Unbiased look at dataset bias", section 3.1 and table 1.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import product

import numpy as np
import pandas as pd
from torch import Tensor

from tinyemo.bias.evidence import corrected
from tinyemo.evaluation.bootstrap import (
    ALPHA,
    RESAMPLES,
    correctness_by_run,
    percentile_interval,
)
from tinyemo.evaluation.classification import predictions_table
from tinyemo.evaluation.proportions import resampled_share_interval
from tinyemo.features.split_tensors import SplitTensors

OTHERS = "all others"


def train_and_test(
    train: Mapping[str, SplitTensors],
    test: Mapping[str, SplitTensors],
    words: Sequence[str],
    fit: Callable[[Tensor, Tensor, int], Callable[[Tensor], Tensor]],
    seeds: int,
) -> pd.DataFrame:
    """Predictions of every dataset's models on every dataset's test part.

    The table has the columns of `evaluation.classification.predictions_table`.

    Parts are those of `equal_terms.equal_parts`. `fit(x, y, seed)` trains on features (N, D) and
    labels (N,), which are positions in `words`, and gives a function from features to probabilities
    (N, C). Each seed is one bootstrap draw of the training items and one training. So the spread
    over seeds includes the choice of the training items. Column `run` is the dataset trained on.
    """
    tables = []
    for name, seed in product(train, range(seeds)):
        rng = np.random.default_rng([seed, 1])
        part = train[name]
        drawn = []
        for has_label in part.soft_labels.T.numpy():
            rows_of_label = np.flatnonzero(has_label)
            drawn.append(rng.choice(rows_of_label, len(rows_of_label)))
        rows = np.concatenate(drawn)
        predict = fit(part.x[rows], part.y[rows], seed)
        for other in test.values():
            probabilities = predict(other.x).numpy()
            tables.append(predictions_table(other.records, probabilities, tuple(words), name, seed))
    return pd.concat(tables, ignore_index=True)


def train_test_matrix(predictions: pd.DataFrame, alpha: float = ALPHA) -> pd.DataFrame:
    """A detector table with every model of `train_and_test` on every test part.

    `what` is the dataset trained on, `where` the dataset tested on. `effect` is the drop in
    accuracy: the model trained on the dataset of the test, minus this model, on the same items. On
    its own dataset a model's drop is 0 and is not tested. The last row of each dataset (`where` is
    OTHERS) is the mean over the parts of the others. Further columns: accuracy, its sd over seeds,
    its interval, items. Intervals and p are those of `_resampled`: they cover other test items and
    another training part.
    """
    names, by_seed, draws = _resampled(predictions)
    accuracy_at_home = np.einsum("rbb->rb", draws)  # (1 + R, B)
    drop = _with_others(accuracy_at_home[:, None] - draws)  # (1 + R, A, B + 1)

    distance = np.abs(drop[1:] - drop[0])
    extreme = distance >= np.abs(drop[0]) - 1e-12
    p = (1 + extreme.sum(axis=0)) / len(drop)  # (A, B + 1)
    own_dataset = np.eye(len(names), dtype=bool)
    p[:, :-1][own_dataset] = np.nan

    accuracy = _with_others(draws)
    drop_low, drop_high = percentile_interval(drop[1:])
    items = predictions.groupby("dataset")["id"].nunique()[names].to_numpy()  # (B,)
    items = np.column_stack([np.tile(items, (len(items), 1)), items.sum() - items])  # (A, B + 1)
    accuracy_low, accuracy_high = resampled_share_interval(accuracy[0], accuracy[1:], items)
    table = pd.DataFrame({"what": np.repeat(names, len(names) + 1)})
    table["where"] = [*names, OTHERS] * len(names)
    table["effect"] = drop[0].ravel()
    table["low"] = drop_low.ravel()
    table["high"] = drop_high.ravel()
    table["p"] = p.ravel()
    table["accuracy"] = accuracy[0].ravel()
    table["accuracy_sd"] = _with_others(by_seed).std(axis=0, ddof=1).ravel()
    table["accuracy_low"] = accuracy_low.ravel()
    table["accuracy_high"] = accuracy_high.ravel()
    table["items"] = items.ravel()
    return corrected(table, "dataset", "accuracy lost", alpha, candidates=table["p"].notna())


def percent_drops(predictions: pd.DataFrame) -> pd.DataFrame:
    """The loss of each dataset's models on the other datasets, one row per dataset trained on.

    Source: Torralba and Efros 2011, table 1. Columns: dataset, self (accuracy on its own test
    part), others (mean over the other test parts), drop = 100 (self - others) / self, low, high (95
    % interval of the drop). A test part that is easy or hard for all models also shows as a drop or
    a gain.
    """
    names, _, draws = _resampled(predictions)
    own = np.einsum("raa->ra", draws)  # (1 + R, A)
    others = _with_others(draws)[..., -1]  # (1 + R, A)
    drop = 100 * (own - others) / own
    low, high = percentile_interval(drop[1:])
    columns = {"dataset": names, "self": own[0], "others": others[0]}
    return pd.DataFrame(columns | {"drop": drop[0], "low": low, "high": high})


def _with_others(values: np.ndarray) -> np.ndarray:
    """(..., A, A) -> (..., A, A + 1), where the last column is the mean over the other datasets."""
    datasets = values.shape[-1]
    of_others = values * (1 - np.eye(datasets))
    mean = of_others.sum(axis=-1, keepdims=True) / (datasets - 1)
    return np.concatenate([values, mean], axis=-1)


def _resampled(predictions: pd.DataFrame) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Dataset names, accuracies by seed (S, A, B), and resampled accuracies (1 + R, A, B).

    Row 0 of the resampled ones is the mean over seeds. A is the dataset trained on, B the dataset
    tested on. The R other rows resample the test items, in the same way for all models. They also
    add, to each model, the deviation of one training from the mean of its S seeds, times sqrt(S /
    (S - 1)). The deviations of all models form one pool, because S is small.

    ValueError: fewer than two seeds, or a dataset that is not both trained on and tested on.
    """
    names = list(dict.fromkeys(predictions["run"]))
    seeds = predictions["seed"].nunique()
    if seeds < 2 or set(names) != set(predictions["dataset"]):
        tested = ", ".join(predictions["dataset"].unique())
        raise ValueError(
            f"predictions of {seeds} seed(s), trained on {', '.join(names)}, tested on {tested}: "
            "expected at least two seeds, and every dataset both trained on and tested on"
        )
    correct = predictions.assign(correct=predictions["pred"] == predictions["label"])
    accuracies = correct.pivot_table(index=["run", "seed"], columns="dataset", values="correct")
    accuracies = accuracies[names]
    by_seed = np.stack([accuracies.loc[name] for name in names], axis=1)  # (S, A, B)

    rng = np.random.default_rng(0)
    draws = np.empty((1 + RESAMPLES, len(names), len(names)))
    for b, name in enumerate(names):
        tested = predictions[predictions["dataset"] == name]
        trainings = correctness_by_run(tested)  # (N, A S)
        items = np.column_stack([trainings[one].mean(axis=1) for one in names])  # (N, A)
        n = len(items)
        share = np.full(n, 1 / n)
        counts = rng.multinomial(n, share, RESAMPLES)  # (R, N)
        draws[0, :, b] = items.mean(axis=0)
        draws[1:, :, b] = counts @ items / n

    deviations = (by_seed - by_seed.mean(axis=0)).reshape(-1, len(names))  # (S A, B)
    deviations = deviations * (seeds / (seeds - 1)) ** 0.5
    drawn = rng.integers(len(deviations), size=(RESAMPLES, len(names)))
    draws[1:] += deviations[drawn]
    return names, by_seed, draws
