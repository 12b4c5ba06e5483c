"""Calibration: are the probabilities to be believed, and the one number that mends them.

Owns: the reliability curve, its error, and temperature scaling (Guo et al. 2017). Takes predictions tables and
gives tables. A temperature is chosen on predictions of a validation part by a model that was not trained on it; the
test part only shows what came of it.
"""

import numpy as np
import pandas as pd
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from tinyemo.evaluation.bootstrap import mean_interval

BINS, SMALLEST = 10, 10  # bins at most, items a bin at least
TINY = 1e-12  # a probability that a float32 table rounds to nothing still has a logarithm


def confidence_of(predictions: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Probability of the named label (N,) float64, and whether it is right (N,) bool."""
    confidence = _probabilities(predictions).max(axis=1).to_numpy(dtype=np.float64)
    return confidence, (predictions["pred"] == predictions["label"]).to_numpy()


def calibration_curve(predictions: pd.DataFrame) -> pd.DataFrame:
    """Confidence against accuracy in bins that hold equally many items: columns `confidence, accuracy, items`.

    Bins of equal width would leave some nearly empty, and their points would jump. Items of all seeds are pooled;
    items of the same confidence stay together.
    """
    confidence, right = confidence_of(predictions)
    bins = min(BINS, max(len(confidence) // SMALLEST, 1))
    edges = np.unique(np.quantile(confidence, np.arange(1, bins) / bins))
    table = pd.DataFrame({"confidence": confidence, "accuracy": right.astype(float)})
    grouped = table.groupby(np.searchsorted(edges, confidence))
    return grouped.mean().assign(items=grouped.size()).reset_index(drop=True)


def expected_calibration_error(predictions: pd.DataFrame) -> float:
    """ECE: mean |confidence - accuracy| over the bins of `calibration_curve`, weighted by their items.

    Equally filled bins as in Nguyen and O'Connor 2015; it is not below zero by chance, so a small part of it is noise.
    """
    curve = calibration_curve(predictions)
    return float(
        np.average((curve["confidence"] - curve["accuracy"]).abs(), weights=curve["items"])
    )


def log_loss(predictions: pd.DataFrame) -> pd.Series:
    """-log p(true label) in nats, mean over seeds, by id."""
    p = _probabilities(predictions).to_numpy(dtype=np.float64)
    loss = -np.log(np.maximum(p[np.arange(len(p)), _positions(predictions)], TINY))
    return pd.Series(loss, index=predictions["id"].to_numpy()).groupby(level=0).mean()


def best_temperature(scores: np.ndarray, y: np.ndarray) -> float:
    """The divisor of the scores (N, C) with the lowest mean negative log-likelihood of the labels y (N,) int."""

    def loss(log_temperature: float) -> float:
        return -log_softmax(scores / np.exp(log_temperature), axis=1)[np.arange(len(y)), y].mean()

    return float(np.exp(minimize_scalar(loss, bounds=(-4, 4), method="bounded").x))


def calibrated(predictions: pd.DataFrame) -> pd.DataFrame:
    """Test predictions of one run, the probabilities of each seed rescaled by its own validation temperature.

    p becomes p^(1/T), normalised: what dividing the logits by T does. The added column `temperature` is T. The named
    labels stay as they are. ValueError: a seed without validation predictions.
    """
    parts = []
    for seed, one in predictions.groupby("seed"):
        held_out, test = one[one["split"] == "validation"], one[one["split"] == "test"]
        if held_out.empty:
            raise ValueError(
                f"run {one['run'].iloc[0]!r}, seed {seed}: no predictions of split 'validation', "
                "on which a temperature could be chosen"
            )
        log_p = np.log(_probabilities(held_out).clip(lower=TINY).to_numpy(dtype=np.float64))
        temperature = best_temperature(log_p, _positions(held_out))
        scaled = _probabilities(test).astype(np.float64) ** (1 / temperature)
        scaled = scaled.div(scaled.sum(axis=1), axis=0)
        parts.append(
            test.assign(**{name: scaled[name] for name in scaled}, temperature=temperature)
        )
    return pd.concat(parts, ignore_index=True)


def calibration_scores(predictions: pd.DataFrame) -> dict[str, float]:
    """Of one run's test part: `temperature` (mean over seeds), ECE and log loss before it and after.

    `log_loss_gain` is the fall of the log loss in nats, with its paired 95 % interval over items.
    """
    before, after = predictions[predictions["split"] == "test"], calibrated(predictions)
    losses = log_loss(before), log_loss(after)
    gain = (losses[0] - losses[1]).to_numpy()
    low, high = mean_interval(gain)
    return {
        "temperature": float(after.groupby("seed")["temperature"].first().mean()),
        "ece": expected_calibration_error(before),
        "ece_calibrated": expected_calibration_error(after),
        "log_loss": float(losses[0].mean()),
        "log_loss_calibrated": float(losses[1].mean()),
        "log_loss_gain": float(gain.mean()),
        "log_loss_gain_low": low,
        "log_loss_gain_high": high,
    }


def _probabilities(predictions: pd.DataFrame) -> pd.DataFrame:
    """The p_ columns of the table's own label set."""
    return predictions[[name for name in predictions if name.startswith("p_")]].dropna(
        axis=1, how="all"
    )


def _positions(predictions: pd.DataFrame) -> np.ndarray:
    names = [name.removeprefix("p_") for name in _probabilities(predictions)]
    return np.array([names.index(label) for label in predictions["label"]])
