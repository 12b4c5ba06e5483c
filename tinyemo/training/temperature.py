"""The temperature of a softmax, fitted to labels (temperature scaling, Guo et al. 2017)."""

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax


def best_temperature(scores: np.ndarray, y: np.ndarray) -> float:
    """The divisor of the scores (N, C) with the lowest mean negative log-likelihood of y (N,)."""

    def loss(log_temperature: float) -> float:
        log_p = log_softmax(scores / np.exp(log_temperature), axis=1)  # (N, C)
        return -log_p[np.arange(len(y)), y].mean()

    found = minimize_scalar(loss, bounds=(-4, 4), method="bounded")
    return float(np.exp(found.x))
