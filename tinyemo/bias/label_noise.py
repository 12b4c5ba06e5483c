"""The detector "label noise": are the training labels of items with a value less predictable?

Takes: features and labels of the training items, anchors, and attribute values.
Gives: cross-fitted probabilities (`cross_fitted`), and a detector table with one row per value
(`label_noise`).

If annotators guess where it rains, no label becomes more frequent in rain, so no detector of
frequencies finds anything. But a model that was trained on other items is less often right there
than it expects to be. A bias of the labels has this effect too, if it makes them unpredictable.
"""

import numpy as np
import pandas as pd
import torch
from scipy.stats import norm
from sklearn.model_selection import KFold
from torch import Tensor

from tinyemo.bias.evidence import corrected
from tinyemo.bias.values import AttributeValues, risk_difference
from tinyemo.training.linear_projector import fit_linear

ANY_LABEL = "any label"  # in the column `where`: the test is not about one label
FOLDS = 5
# Without noise, the confidence of a good model is wrong by up to this much in some groups
MARGIN = 0.05


def cross_fitted(x: Tensor, y: np.ndarray, anchors: Tensor, seed: int = 0) -> np.ndarray:
    """Probabilities (N, C) of each item, by a linear projector that was not trained on it.

    x: (N, D) features. y: (N,) labels, positions in `anchors` (C, d_llm). Five folds.
    """
    p = np.empty((len(y), len(anchors)))
    folds = KFold(FOLDS, shuffle=True, random_state=seed)
    for train, held_out in folds.split(y):
        model = fit_linear(x[torch.from_numpy(train)], y[train], anchors)
        p[held_out] = model.classify(x[torch.from_numpy(held_out)], anchors).numpy()
    return p


def label_noise(
    y: np.ndarray, p: np.ndarray, values: AttributeValues, alpha: float = 0.05
) -> pd.DataFrame:
    """Detector table "label noise": the accuracy on the labels, beyond what the model expects.

    y: (N,) labels. p: (N, C) of `cross_fitted`. values: V attribute values of the N items.

    The surplus of an item is 1 or 0 (the most probable label is the item's label, or not) minus the
    probability of that label. So an item that is hard for the model is expected to be wrong.
    `effect` is the mean surplus of the items with the value minus that of the others. If the labels
    of a share s of the items are random, it is about s times (chance - accuracy).

    One-sided test: is the effect below -MARGIN? The interval is Welch's, from normal quantiles.
    Further columns: items (with the value), accuracy (of these), expected (their mean probability).
    """
    predicted = p.argmax(axis=1)
    correct = (predicted == y).astype(float)
    confidence = p.max(axis=1)
    surplus = correct - confidence
    rows = []
    for name, items in zip(values.names, values.counts, strict=True):
        shown = values.of(name)
        effect = risk_difference(shown, surplus)
        error = np.hypot(_error_of_mean(surplus[shown]), _error_of_mean(surplus[~shown]))
        half_width = norm.ppf(0.975) * error
        row = {"what": name, "where": ANY_LABEL, "effect": effect}
        row |= {"low": effect - half_width, "high": effect + half_width}
        row["p"] = norm.cdf((effect + MARGIN) / error) if error > 0 else 1.0
        row |= {"items": items, "accuracy": correct[shown].mean()}
        row["expected"] = confidence[shown].mean()
        rows.append(row)
    return corrected(pd.DataFrame(rows), "label noise", "accuracy", alpha)


def _error_of_mean(x: np.ndarray) -> float:
    """The standard error of the mean of x (n,)."""
    return float(x.std(ddof=1) / np.sqrt(len(x)))
