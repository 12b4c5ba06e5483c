"""Calibration: whether probabilities agree with how often the model is right, and their correction.

Owns the reliability curve, its error, and temperature scaling (Guo et al. 2017). Takes predictions
tables; gives tables and flat metrics.

A temperature is fitted to predictions for items that the model was not trained on. A validation
part that also chose the epoch is not suitable: its predictions look better than those for new
items, and the final model may be another one, trained on more items. So every known item is
predicted by a model of the final kind that was trained on other folds (`cross_fitted`). Whether a
temperature helps at all is decided on these items too, by a second cross-validation. The test part
is used only to measure the result.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
import torch
from scipy.special import log_softmax
from sklearn.model_selection import KFold, StratifiedKFold
from torch import Tensor

from tinyemo.evaluation.bootstrap import mean_interval
from tinyemo.training.projector import Recipe, fit_projector
from tinyemo.training.temperature import best_temperature

FOLDS = 5
BINS = 10  # at most
SMALLEST_BIN = 10  # items
SMALLEST_P = 1e-12  # a probability that float32 rounds to zero gets a finite logarithm


def confidence_of(predictions: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Probability of the predicted label (N,) float64, and whether it is right (N,) bool."""
    confidence = _probabilities(predictions).max(axis=1).to_numpy(dtype=np.float64)
    right = predictions["pred"] == predictions["label"]
    return confidence, right.to_numpy()


def calibration_curve(predictions: pd.DataFrame) -> pd.DataFrame:
    """Accuracy by confidence in bins of equally many items: columns `confidence, accuracy, items`.

    Bins of equal width can be nearly empty, and the accuracy of few items is noisy. Items of all
    seeds are pooled. Items of the same confidence are in the same bin.
    """
    confidence, right = confidence_of(predictions)
    bins = min(BINS, max(len(confidence) // SMALLEST_BIN, 1))
    inner = np.arange(1, bins) / bins
    edges = np.unique(np.quantile(confidence, inner))
    table = pd.DataFrame({"confidence": confidence, "accuracy": right.astype(float)})
    grouped = table.groupby(np.searchsorted(edges, confidence))
    curve = grouped.mean().assign(items=grouped.size())
    return curve.reset_index(drop=True)


def expected_calibration_error(predictions: pd.DataFrame) -> float:
    """ECE: mean |confidence - accuracy| over the bins of `calibration_curve`, weighted by their
    items.

    The bins hold equally many items, as in Nguyen and O'Connor (2015). The error of each bin is
    positive even for perfect calibration, because its accuracy is an estimate from few items. So a
    small ECE is partly noise.
    """
    curve = calibration_curve(predictions)
    error = (curve["confidence"] - curve["accuracy"]).abs()
    return float(np.average(error, weights=curve["items"]))


def log_loss(predictions: pd.DataFrame) -> pd.Series:
    """-log p(true label) in nats, mean over seeds, by id."""
    p = _probabilities(predictions).to_numpy(dtype=np.float64)  # (N, C)
    of_label = p[np.arange(len(p)), _positions(predictions)]  # (N,)
    loss = -np.log(np.maximum(of_label, SMALLEST_P))
    by_id = pd.Series(loss, index=predictions["id"].to_numpy())
    return by_id.groupby(level=0).mean()


def cross_fitted(
    x: Tensor, targets: Tensor, y: Tensor, anchors: Tensor, recipe: Recipe, epochs: int, seed: int
) -> np.ndarray:
    """Probabilities (N, C) of every item, from a projector that was trained on the other folds.

    `x` (N, d_vision), `targets` as for `fit_projector`, and `y` (N,) labels, by which the folds are
    stratified. `epochs` is the number of epochs of the final projector. No item of a fold has any
    influence on the projector that predicts it, except through this number.
    """
    recipe = replace(recipe, patience=None, refit=False)
    p = np.empty((len(x), len(anchors)))
    smallest = int(np.bincount(y.numpy()).min())
    folds = StratifiedKFold(max(2, min(FOLDS, smallest)), shuffle=True, random_state=seed)
    for train, held_out in folds.split(x, y):
        train, held_out = torch.from_numpy(train), torch.from_numpy(held_out)
        projector, _ = fit_projector(
            x[train], targets[train], anchors, recipe, seed, last_epoch=epochs
        )
        p[held_out] = projector.classify(x[held_out], anchors).numpy()
    return p


def calibrated(predictions: pd.DataFrame) -> pd.DataFrame:
    """Test predictions of one run, with all probabilities rescaled by one temperature.

    The temperature T is fitted to all predictions of the other splits; the model that made them
    must not have been trained on their items (`cross_fitted`). p becomes p^(1/T), normalised; this
    is the same as dividing the logits by T. The added column `temperature` is T. The predicted
    labels do not change. ValueError: no predictions besides those of the test part.
    """
    test = predictions[predictions["split"] == "test"]
    temperature = best_temperature(*_log_p_and_labels(_held_out(predictions)))
    scaled = _probabilities(test).astype(np.float64) ** (1 / temperature)
    scaled = scaled.div(scaled.sum(axis=1), axis=0)
    columns = {name: scaled[name] for name in scaled}
    return test.assign(**columns, temperature=temperature).reset_index(drop=True)


def calibration_scores(predictions: pd.DataFrame) -> dict[str, float | bool]:
    """Scores of one run: `temperature`, and ECE and log loss on the test part before and after
    scaling.

    `log_loss_gain` is the decrease of the test log loss in nats, with its 95 % interval over items.
    `known_gain` is the same for the items that the temperature is fitted to, by cross-validation:
    the temperature for a fold comes from the others. `helps` is True if the interval of
    `known_gain` lies above 0. So this decision does not use the test part.
    """
    before = predictions[predictions["split"] == "test"]
    after = calibrated(predictions)
    loss, loss_calibrated = log_loss(before), log_loss(after)
    gain = (loss - loss_calibrated).to_numpy()  # (N,)
    low, high = mean_interval(gain)
    known = _known_gain(_held_out(predictions))  # (N',)
    known_low, known_high = mean_interval(known)
    return {
        "temperature": float(after["temperature"].iloc[0]),
        "known_gain": float(known.mean()),
        "known_gain_low": known_low,
        "known_gain_high": known_high,
        "helps": bool(known_low > 0),
        "ece": expected_calibration_error(before),
        "ece_calibrated": expected_calibration_error(after),
        "log_loss": float(loss.mean()),
        "log_loss_calibrated": float(loss_calibrated.mean()),
        "log_loss_gain": float(gain.mean()),
        "log_loss_gain_low": low,
        "log_loss_gain_high": high,
    }


def _held_out(predictions: pd.DataFrame) -> pd.DataFrame:
    """The predictions that a temperature may be fitted to. ValueError: there are none."""
    held_out = predictions[predictions["split"] != "test"]
    if held_out.empty:
        raise ValueError(
            f"run {predictions['run'].iloc[0]!r}: all predictions are of split 'test', expected "
            "predictions for other items too, to which a temperature is fitted"
        )
    return held_out


def _known_gain(held_out: pd.DataFrame) -> np.ndarray:
    """Decrease of the log loss (N,) of each item, by temperatures of folds without this item."""
    log_p, y = _log_p_and_labels(held_out)
    items, of_row = np.unique(held_out["id"], return_inverse=True)
    gain = np.zeros(len(y))
    folds = KFold(min(FOLDS, len(items)), shuffle=True, random_state=0)
    for _, left_out in folds.split(items):
        scored = np.isin(of_row, left_out)
        temperature = best_temperature(log_p[~scored], y[~scored])
        before = _nll(log_p[scored], y[scored], 1.0)
        gain[scored] = before - _nll(log_p[scored], y[scored], temperature)
    return np.bincount(of_row, gain) / np.bincount(of_row)


def _nll(log_p: np.ndarray, y: np.ndarray, temperature: float) -> np.ndarray:
    """-log of the rescaled probability (N,) of each label."""
    return -log_softmax(log_p / temperature, axis=1)[np.arange(len(y)), y]


def _log_p_and_labels(predictions: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Log-probabilities (N, C) and positions of the labels (N,)."""
    p = _probabilities(predictions).clip(lower=SMALLEST_P)
    return np.log(p.to_numpy(dtype=np.float64)), _positions(predictions)


def _probabilities(predictions: pd.DataFrame) -> pd.DataFrame:
    """The p_ columns of the table's own label set: (N, C)."""
    columns = [name for name in predictions if name.startswith("p_")]
    return predictions[columns].dropna(axis=1, how="all")


def _positions(predictions: pd.DataFrame) -> np.ndarray:
    """Place of each true label among the columns of `_probabilities`: (N,) int."""
    names = [name.removeprefix("p_") for name in _probabilities(predictions)]
    return np.array([names.index(label) for label in predictions["label"]])
