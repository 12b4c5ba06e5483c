"""Calibration: whether probabilities agree with how often the model is right, and their correction.

Owns the reliability curve, its error, and temperature scaling (Guo et al. 2017). Takes predictions
tables; gives tables and flat metrics. A temperature is chosen on the predictions for a validation
part that the model was not trained on. The test part is used only to measure the result.
"""

import numpy as np
import pandas as pd

from tinyemo.evaluation.bootstrap import mean_interval
from tinyemo.training.temperature import best_temperature

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


def calibrated(predictions: pd.DataFrame) -> pd.DataFrame:
    """Test predictions of one run, each seed's probabilities rescaled by its validation
    temperature.

    p becomes p^(1/T), normalised; this is the same as dividing the logits by T. The added column
    `temperature` is T. The predicted labels do not change. ValueError: a seed without validation
    predictions.
    """
    parts = []
    for seed, one in predictions.groupby("seed"):
        held_out = one[one["split"] == "validation"]
        test = one[one["split"] == "test"]
        if held_out.empty:
            raise ValueError(
                f"run {one['run'].iloc[0]!r}, seed {seed}: no predictions of split 'validation', "
                "which are needed to choose a temperature"
            )
        p = _probabilities(held_out).clip(lower=SMALLEST_P)
        log_p = np.log(p.to_numpy(dtype=np.float64))  # (N, C)
        temperature = best_temperature(log_p, _positions(held_out))
        scaled = _probabilities(test).astype(np.float64) ** (1 / temperature)
        scaled = scaled.div(scaled.sum(axis=1), axis=0)
        columns = {name: scaled[name] for name in scaled}
        parts.append(test.assign(**columns, temperature=temperature))
    return pd.concat(parts, ignore_index=True)


def calibration_scores(predictions: pd.DataFrame) -> dict[str, float]:
    """Scores of one run's test part: `temperature` (mean over seeds), and ECE and log loss before
    and after scaling.

    `log_loss_gain` is the decrease of the log loss in nats, with its 95 % interval over items.
    """
    before = predictions[predictions["split"] == "test"]
    after = calibrated(predictions)
    loss, loss_calibrated = log_loss(before), log_loss(after)
    gain = (loss - loss_calibrated).to_numpy()  # (N,)
    low, high = mean_interval(gain)
    temperatures = after.groupby("seed")["temperature"].first()
    return {
        "temperature": float(temperatures.mean()),
        "ece": expected_calibration_error(before),
        "ece_calibrated": expected_calibration_error(after),
        "log_loss": float(loss.mean()),
        "log_loss_calibrated": float(loss_calibrated.mean()),
        "log_loss_gain": float(gain.mean()),
        "log_loss_gain_low": low,
        "log_loss_gain_high": high,
    }


def _probabilities(predictions: pd.DataFrame) -> pd.DataFrame:
    """The p_ columns of the table's own label set: (N, C)."""
    columns = [name for name in predictions if name.startswith("p_")]
    return predictions[columns].dropna(axis=1, how="all")


def _positions(predictions: pd.DataFrame) -> np.ndarray:
    """Place of each true label among the columns of `_probabilities`: (N,) int."""
    names = [name.removeprefix("p_") for name in _probabilities(predictions)]
    return np.array([names.index(label) for label in predictions["label"]])
