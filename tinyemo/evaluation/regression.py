"""Regression: how well a feature or an embedding predicts a number (valence, arousal, brightness).

The model is a ridge regression on standardised inputs. Its penalty is chosen by leave-one-out
within the training part. The scores on the test part are Lin's concordance correlation coefficient
(CCC, 1989) and the root mean squared error. Takes records and arrays; gives one table.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
from sklearn.linear_model import RidgeCV
from sklearn.metrics import root_mean_squared_error as rmse
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tinyemo.evaluation.bootstrap import score_interval

PENALTIES = np.logspace(-1, 5, 13)


def concordance(truth: np.ndarray, predicted: np.ndarray) -> float:
    """CCC of (N,) values: 2 cov / (var + var + (difference of means)^2).

    It is 1 only if the values are equal, and 0 on average for unrelated ones.
    """
    truth_deviation = truth - truth.mean()
    predicted_deviation = predicted - predicted.mean()
    covariance = (truth_deviation * predicted_deviation).mean()
    shift = (truth.mean() - predicted.mean()) ** 2
    return float(2 * covariance / (truth.var() + predicted.var() + shift))


def numeric_attributes(records: pd.DataFrame, names: Sequence[str]) -> list[str]:
    """Those of the columns `names` that the records have, as numbers and not all missing."""
    found = []
    for name in names:
        if name not in records:
            continue
        column = records[name]
        if pd.api.types.is_numeric_dtype(column) and column.notna().any():
            found.append(name)
    return found


def regression_table(
    train: pd.DataFrame,
    test: pd.DataFrame,
    inputs: Mapping[str, tuple[np.ndarray, np.ndarray]],
    names: Sequence[str],
) -> pd.DataFrame:
    """One row per column of `names` and per entry of `inputs`.

    `inputs[source]` is (training rows (N, D), test rows (M, D)). Columns `attribute, input, ccc,
    ccc_low, ccc_high, rmse, rmse_low, rmse_high, rmse_of_mean, items`; intervals are 95 % over
    test items, `rmse_of_mean` is the error of always predicting the training mean. Items without a
    value are left out.
    """
    rows = []
    for name in names:
        in_train = train[name].notna().to_numpy()  # (N,)
        in_test = test[name].notna().to_numpy()  # (M,)
        y = train[name].to_numpy(dtype=float)[in_train]
        truth = test[name].to_numpy(dtype=float)[in_test]
        constant = np.full(len(truth), y.mean())
        for source, (x, x_test) in inputs.items():
            head = make_pipeline(StandardScaler(), RidgeCV(PENALTIES))
            head.fit(np.asarray(x)[in_train], y)
            predicted = head.predict(np.asarray(x_test)[in_test])
            row = {"attribute": name.removeprefix("attr_"), "input": source}
            row |= _scored("ccc", concordance, truth, predicted)
            row |= _scored("rmse", rmse, truth, predicted)
            row["rmse_of_mean"] = rmse(truth, constant)
            row["items"] = len(truth)
            rows.append(row)
    return pd.DataFrame(rows)


def _scored(
    name: str,
    score: Callable[[np.ndarray, np.ndarray], float],
    truth: np.ndarray,
    predicted: np.ndarray,
) -> dict[str, float]:
    """`score(truth, predicted)` with its interval: keys <name>, <name>_low, <name>_high."""

    def of_rows(rows: np.ndarray) -> float:
        return score(truth[rows], predicted[rows])

    low, high = score_interval(of_rows, len(truth))
    return {name: score(truth, predicted), f"{name}_low": low, f"{name}_high": high}
