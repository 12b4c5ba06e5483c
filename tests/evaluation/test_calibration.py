"""evaluation/calibration.py: models with known errors of calibration, and their temperature."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax
from sklearn.metrics import log_loss

from tinyemo.evaluation import calibration as C
from tinyemo.evaluation.classification import predictions_table

LABELS = ("a", "b", "c")


def table(p, labels, split="test", seed=0):
    records = pd.DataFrame(
        {
            "id": [f"{split}/{i}" for i in range(len(p))],
            "dataset": "d",
            "split": split,
            "label": np.array(LABELS)[labels],
            "label_set": "abc",
        }
    )
    return predictions_table(records, p, LABELS, "r", seed)


def drawn(n, sharpness, seed, split="test"):
    """Labels drawn from softmax(logits), predicted as softmax(sharpness * logits).

    The right temperature is `sharpness`.
    """
    rng = np.random.default_rng([seed, len(split)])
    logits = rng.normal(size=(n, 3)) * 1.5
    labels = [rng.choice(3, p=p) for p in softmax(logits, axis=1)]
    return table(softmax(sharpness * logits, axis=1), labels, split, seed)


def test_overconfidence_by_a_tenth_is_measured():
    one = table(np.tile([0.8, 0.1, 0.1], (100, 1)), [0] * 70 + [1] * 30)
    assert C.expected_calibration_error(one) == pytest.approx(0.1, abs=1e-6)
    curve = C.calibration_curve(one)
    assert len(curve) == 1 and curve["items"].iloc[0] == 100  # equal confidences share a bin


@pytest.mark.parametrize("n", [5, 47, 1000])
def test_bins_are_well_filled_and_hold_all_items(n):
    curve = C.calibration_curve(drawn(n, 3.0, 0))
    assert curve["items"].sum() == n and len(curve) == min(10, max(n // 10, 1))
    assert curve["items"].min() >= min(n, 9)
    assert curve["confidence"].is_monotonic_increasing


def test_true_probabilities_have_a_small_error_and_sharpened_ones_a_large():
    assert C.expected_calibration_error(drawn(20_000, 1.0, 0)) < 0.01
    assert C.expected_calibration_error(drawn(20_000, 3.0, 0)) > 0.1


def test_log_loss_agrees_with_sklearn_and_is_a_mean_over_seeds():
    one, other = drawn(200, 2.0, 0), drawn(200, 2.0, 1)
    p = one[["p_a", "p_b", "p_c"]].to_numpy(dtype=float)
    expected = log_loss(one["label"], p / p.sum(axis=1, keepdims=True), labels=list(LABELS))
    assert C.log_loss(one).mean() == pytest.approx(expected, abs=1e-6)
    both = C.log_loss(pd.concat([one, other]))
    assert len(both) == 200
    assert both.mean() == pytest.approx((C.log_loss(one).mean() + C.log_loss(other).mean()) / 2)


def test_each_seed_gets_its_own_known_temperature():
    both = pd.concat(
        [
            drawn(6000, sharpness, seed, split)
            for seed, sharpness in enumerate((2.5, 0.5))
            for split in ("validation", "test")
        ]
    )
    both["p_of_another_set"] = np.nan  # several label sets may share one frame
    rescaled_table = C.calibrated(both)
    found = rescaled_table.groupby("seed")["temperature"].first()
    assert found[0] == pytest.approx(2.5, rel=0.1) and found[1] == pytest.approx(0.5, rel=0.1)
    test = both[both["split"] == "test"].reset_index(drop=True)
    assert list(rescaled_table["pred"]) == list(test["pred"]) and set(rescaled_table["split"]) == {
        "test"
    }
    p = test[["p_a", "p_b", "p_c"]].to_numpy(dtype=float)
    first = (test["seed"] == 0).to_numpy()
    # logits and log p differ by one constant per row
    rescaled = softmax(np.log(p[first]) / found[0], axis=1)
    assert np.allclose(rescaled_table.loc[first, ["p_a", "p_b", "p_c"]], rescaled, atol=1e-6)
    scores = C.calibration_scores(both)
    assert scores["temperature"] == pytest.approx(found.mean())
    assert scores["log_loss_gain_low"] > 0
    assert scores["log_loss_gain"] == pytest.approx(
        C.log_loss(test).mean() - C.log_loss(rescaled_table).mean()
    )
    for seed, one in rescaled_table.groupby("seed"):
        assert C.expected_calibration_error(one) < 0.5 * C.expected_calibration_error(
            test[test["seed"] == seed]
        )


def test_temperature_does_not_depend_on_the_test_part():
    validation = drawn(500, 2.0, 0, "validation")
    found = [
        C.calibrated(pd.concat([validation, drawn(50, sharpness, 0)]))["temperature"].iloc[0]
        for sharpness in (0.2, 5.0)
    ]
    assert found[0] == found[1]
    with pytest.raises(ValueError, match="run 'r', seed 0: no predictions of split 'validation'"):
        C.calibrated(drawn(10, 1.0, 0))
