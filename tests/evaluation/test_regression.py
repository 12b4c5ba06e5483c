"""evaluation/regression.py: concordance against its formula, ridge regression on known numbers."""

import numpy as np
import pandas as pd
import pytest

from tinyemo.evaluation import regression as R


def test_concordance_is_correlation_times_bias_correction():
    rng = np.random.default_rng(0)
    x = rng.normal(5, 2, 500)
    y = 0.5 * x + rng.normal(1, 1, 500)
    scale = x.std() / y.std()  # Lin 1989: r * C_b
    shift = (x.mean() - y.mean()) ** 2 / (x.std() * y.std())
    assert R.concordance(x, y) == pytest.approx(
        np.corrcoef(x, y)[0, 1] * 2 / (scale + 1 / scale + shift)
    )
    assert R.concordance(x, x) == 1
    assert R.concordance(x, -x + 2 * x.mean()) == pytest.approx(-1)
    assert abs(R.concordance(x, rng.permutation(x))) < 0.15
    assert R.concordance(x, np.full(500, 4.0)) == 0  # a constant agrees with nothing


@pytest.fixture
def parts():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(900, 12))
    # noise of sd 1: no predictor has a lower RMSE
    valence = x @ rng.normal(size=12) + rng.normal(size=900)
    table = pd.DataFrame({"attr_valence": valence, "attr_style": "photo", "attr_empty": np.nan})
    table.loc[[3, 700], "attr_valence"] = np.nan
    return table[:600], table[600:].reset_index(drop=True), x


def test_linear_number_is_predicted_and_noise_is_not(parts):
    train, test, x = parts
    noise = np.random.default_rng(1).normal(size=(900, 300))
    table = R.regression_table(
        train,
        test,
        {"x": (x[:600], x[600:]), "noise": (noise[:600], noise[600:])},
        ["attr_valence"],
    ).set_index("input")
    assert set(table["items"]) == {299}  # the item without a value is left out
    assert table.loc["x", "rmse"] == pytest.approx(1, abs=0.12)
    assert table.loc["x", "rmse_low"] < 1 < table.loc["x", "rmse_high"]
    truth = test["attr_valence"].dropna()
    assert table.loc["x", "rmse_of_mean"] == pytest.approx(truth.std(), rel=0.05)
    # R^2 of the best predictor; its CCC is 2 R^2 / (1 + R^2)
    r2 = 1 - 1 / truth.var()
    assert table.loc["x", "ccc"] == pytest.approx(2 * r2 / (1 + r2), abs=0.03)
    # for noise, the chosen penalty is large: hardly worse than the mean
    assert table.loc["noise", "rmse"] < 1.05 * table.loc["noise", "rmse_of_mean"]
    assert abs(table.loc["noise", "ccc"]) < 0.1


def test_only_numeric_columns_with_values_are_used(parts):
    names = ["attr_arousal", "attr_valence", "attr_style", "attr_empty"]
    assert R.numeric_attributes(parts[0], names) == ["attr_valence"]
