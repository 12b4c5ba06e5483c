"""Regression: what a number about an image (valence, arousal, brightness) has left in a feature or an embedding.

A ridge head on standardised inputs, its penalty chosen by leave-one-out within the training part, is scored on the
test part by Lin's concordance correlation coefficient (CCC, 1989) and the root mean squared error.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from sklearn.linear_model import RidgeCV
from sklearn.metrics import root_mean_squared_error as rmse
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tinyemo.evaluation.bootstrap import score_interval

PENALTIES = np.logspace(-1, 5, 13)


def concordance(truth: np.ndarray, predicted: np.ndarray) -> float:
    """CCC of (N,) values: 2 cov / (var + var + (difference of means)^2); 1 only if they are equal, 0 by chance."""
    covariance = ((truth - truth.mean()) * (predicted - predicted.mean())).mean()
    return float(
        2 * covariance / (truth.var() + predicted.var() + (truth.mean() - predicted.mean()) ** 2)
    )


def numeric_attributes(records: pd.DataFrame, names: Sequence[str]) -> list[str]:
    """Those of the columns `names` that the records have, as numbers."""
    return [
        name
        for name in names
        if name in records
        and pd.api.types.is_numeric_dtype(records[name])
        and records[name].notna().any()
    ]


def regression_table(
    train: pd.DataFrame,
    test: pd.DataFrame,
    inputs: Mapping[str, tuple[np.ndarray, np.ndarray]],
    names: Sequence[str],
) -> pd.DataFrame:
    """A row each column of `names` and each of `inputs`: {name: (training rows (N, D), test rows (M, D))}.

    Columns `attribute, input, ccc, ccc_low, ccc_high, rmse, rmse_low, rmse_high, rmse_of_mean, items`; intervals are
    95 % over test items, `rmse_of_mean` is the error of always naming the training mean. Items without a value are
    left out.
    """
    rows = []
    for name in names:
        known, asked = train[name].notna().to_numpy(), test[name].notna().to_numpy()
        y, truth = train[name].to_numpy(dtype=float)[known], test[name].to_numpy(dtype=float)[asked]
        for source, (x, x_test) in inputs.items():
            head = make_pipeline(StandardScaler(), RidgeCV(PENALTIES)).fit(np.asarray(x)[known], y)
            predicted = head.predict(np.asarray(x_test)[asked])
            row = {"attribute": name.removeprefix("attr_"), "input": source}
            for label, score in (("ccc", concordance), ("rmse", rmse)):
                low, high = score_interval(
                    lambda i, score=score, t=truth, p=predicted: score(t[i], p[i]), len(truth)
                )
                row |= {label: score(truth, predicted), f"{label}_low": low, f"{label}_high": high}
            rows.append(
                row
                | {"rmse_of_mean": rmse(truth, np.full(len(truth), y.mean())), "items": len(truth)}
            )
    return pd.DataFrame(rows)
