"""evaluation/calibration.py: models with known errors of calibration, and their temperature."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.special import softmax
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedKFold

from tinyemo.evaluation import calibration as C
from tinyemo.evaluation.classification import predictions_table
from tinyemo.training.projector import Recipe, fit_projector

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


def test_temperature_is_the_known_one_and_does_not_change_the_labels():
    both = pd.concat([drawn(6000, 2.5, 0, "validation"), drawn(6000, 2.5, 1, "test")])
    both["p_of_another_set"] = np.nan  # several label sets may share one frame
    rescaled_table = C.calibrated(both)
    temperature = rescaled_table["temperature"].iloc[0]
    assert temperature == pytest.approx(2.5, rel=0.1)
    test = both[both["split"] == "test"].reset_index(drop=True)
    assert list(rescaled_table["pred"]) == list(test["pred"])
    assert set(rescaled_table["split"]) == {"test"}
    p = test[["p_a", "p_b", "p_c"]].to_numpy(dtype=float)
    # logits and log p differ by one constant per row
    rescaled = softmax(np.log(p) / temperature, axis=1)
    assert np.allclose(rescaled_table[["p_a", "p_b", "p_c"]], rescaled, atol=1e-6)
    scores = C.calibration_scores(both)
    assert scores["temperature"] == temperature
    assert scores["helps"] and scores["log_loss_gain_low"] > 0
    expected = C.log_loss(test).mean() - C.log_loss(rescaled_table).mean()
    assert scores["log_loss_gain"] == pytest.approx(expected)
    # the same number of items from the same source: the gain is the same up to noise
    assert scores["known_gain"] == pytest.approx(expected, rel=0.15)
    before, after = C.expected_calibration_error(test), C.expected_calibration_error(rescaled_table)
    assert after < 0.5 * before


def test_temperature_of_calibrated_probabilities_is_left_alone():
    """Few items: the fitted temperature is noise, and the advice is not to use it."""
    helps = []
    for seed in range(40):
        both = pd.concat([drawn(100, 1.0, seed, "validation"), drawn(20, 1.0, 100 + seed)])
        helps.append(C.calibration_scores(both)["helps"])
    assert np.mean(helps) <= 0.1  # at most 2.5 % expected


def test_temperature_does_not_depend_on_the_test_part():
    validation = drawn(500, 2.0, 0, "validation")
    found = []
    for sharpness in (0.2, 5.0):
        scores = C.calibration_scores(pd.concat([validation, drawn(50, sharpness, 0)]))
        found.append((scores["temperature"], scores["known_gain"], scores["helps"]))
    assert found[0] == found[1]
    with pytest.raises(ValueError, match="run 'r': all predictions are of split 'test'"):
        C.calibrated(drawn(10, 1.0, 0))


def test_cross_fitted_predictions_do_not_see_the_label_of_their_item():
    """Random labels: out of fold, the true label is no more probable than the others."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(90, 40, generator=generator)
    y = torch.arange(90) % 3
    recipe = Recipe(epochs=20, batch_size=16, input_dropout=0.0, dropout=0.0)
    p = C.cross_fitted(x, y, y, torch.eye(3), recipe, epochs=18, seed=0)
    assert p.sum(axis=1) == pytest.approx(np.ones(90), abs=1e-5)
    of_label = p[np.arange(90), y].mean()
    assert of_label == pytest.approx(1 / 3, abs=0.1)
    assert p.max(axis=1).mean() > 0.6  # the projectors did learn their own folds by heart
    # the same training as that of the final projector: its schedule, stopped after its epochs
    train = torch.from_numpy(
        next(iter(StratifiedKFold(5, shuffle=True, random_state=0).split(x, y)))[0]
    )
    held_out = np.setdiff1d(np.arange(90), train)
    whole = replace(recipe, patience=None, refit=False)
    projector, history = fit_projector(x[train], y[train], torch.eye(3), whole, 0, last_epoch=18)
    assert len(history) == 18
    assert p[held_out] == pytest.approx(projector.classify(x[held_out], torch.eye(3)).numpy())
