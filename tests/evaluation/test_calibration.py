"""evaluation/calibration.py: forecasters whose fault is known, and the temperature that mends it."""

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
    """Labels drawn from softmax(logits), told as softmax(sharpness * logits): the right temperature is `sharpness`."""
    rng = np.random.default_rng([seed, len(split)])
    logits = rng.normal(size=(n, 3)) * 1.5
    labels = [rng.choice(3, p=p) for p in softmax(logits, axis=1)]
    return table(softmax(sharpness * logits, axis=1), labels, split, seed)


def test_a_forecaster_that_is_overconfident_by_a_tenth():
    one = table(np.tile([0.8, 0.1, 0.1], (100, 1)), [0] * 70 + [1] * 30)
    assert C.expected_calibration_error(one) == pytest.approx(0.1, abs=1e-6)
    curve = C.calibration_curve(one)
    assert len(curve) == 1 and curve["items"].iloc[0] == 100  # one confidence cannot be parted


@pytest.mark.parametrize("n", [5, 47, 1000])
def test_no_bin_is_nearly_empty_and_none_of_the_items_is_lost(n):
    curve = C.calibration_curve(drawn(n, 3.0, 0))
    assert curve["items"].sum() == n and len(curve) == min(10, max(n // 10, 1))
    assert curve["items"].min() >= min(n, 9)
    assert curve["confidence"].is_monotonic_increasing


def test_the_error_of_the_truth_itself_is_noise_and_that_of_a_liar_is_not():
    assert C.expected_calibration_error(drawn(20_000, 1.0, 0)) < 0.01
    assert C.expected_calibration_error(drawn(20_000, 3.0, 0)) > 0.1


def test_log_loss_is_that_of_sklearn_and_a_mean_over_seeds():
    one, other = drawn(200, 2.0, 0), drawn(200, 2.0, 1)
    p = one[["p_a", "p_b", "p_c"]].to_numpy(dtype=float)
    expected = log_loss(one["label"], p / p.sum(axis=1, keepdims=True), labels=list(LABELS))
    assert C.log_loss(one).mean() == pytest.approx(expected, abs=1e-6)
    both = C.log_loss(pd.concat([one, other]))
    assert len(both) == 200
    assert both.mean() == pytest.approx((C.log_loss(one).mean() + C.log_loss(other).mean()) / 2)


def test_each_seed_gets_back_the_temperature_that_was_put_in():
    both = pd.concat(
        [
            drawn(6000, sharpness, seed, split)
            for seed, sharpness in enumerate((2.5, 0.5))
            for split in ("validation", "test")
        ]
    )
    both["p_of_another_set"] = np.nan  # several label sets may share one frame
    mended = C.calibrated(both)
    found = mended.groupby("seed")["temperature"].first()
    assert found[0] == pytest.approx(2.5, rel=0.1) and found[1] == pytest.approx(0.5, rel=0.1)
    test = both[both["split"] == "test"].reset_index(drop=True)
    assert list(mended["pred"]) == list(test["pred"]) and set(mended["split"]) == {"test"}
    p = test[["p_a", "p_b", "p_c"]].to_numpy(dtype=float)
    first = (test["seed"] == 0).to_numpy()
    rescaled = softmax(
        np.log(p[first]) / found[0], axis=1
    )  # logits and log p differ by a constant a row
    assert np.allclose(mended.loc[first, ["p_a", "p_b", "p_c"]], rescaled, atol=1e-6)
    scores = C.calibration_scores(both)
    assert scores["temperature"] == pytest.approx(found.mean())
    assert scores["log_loss_gain_low"] > 0
    assert scores["log_loss_gain"] == pytest.approx(
        C.log_loss(test).mean() - C.log_loss(mended).mean()
    )
    for seed, one in mended.groupby("seed"):
        assert C.expected_calibration_error(one) < 0.5 * C.expected_calibration_error(
            test[test["seed"] == seed]
        )


def test_the_test_part_has_no_say_in_the_temperature():
    validation = drawn(500, 2.0, 0, "validation")
    found = [
        C.calibrated(pd.concat([validation, drawn(50, sharpness, 0)]))["temperature"].iloc[0]
        for sharpness in (0.2, 5.0)
    ]
    assert found[0] == found[1]
    with pytest.raises(ValueError, match="run 'r', seed 0: no predictions of split 'validation'"):
        C.calibrated(drawn(10, 1.0, 0))
