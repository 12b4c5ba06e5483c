"""A linear metric projector in closed form: for references by the hundred, where a training would take too long.

Takes features, labels, anchors and item weights; gives a MetricProjector of one layer. Ridge regression from centred
features onto the unit anchor of each item's label: it places an image at sum_k share_k(x) anchor_k, with shares that
are the least-squares estimate of p(k | x). The same recipe on the same items gives the same projector: only items and
weights differ between references.
"""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from tinyemo.evaluation.calibration import best_temperature
from tinyemo.models.projector import MetricProjector

CALIBRATED_ON = 5000  # items at most that the temperature is chosen on


def fit_linear(x: Tensor, y: np.ndarray, anchors: Tensor, weights: np.ndarray | None = None,
               penalty: float = 1e-3) -> MetricProjector:
    """Features (N, d_vision), labels (N,) int64, anchors (C, d_llm) -> the projector, with a temperature fitted to it.

    `weights` (N,) >= 0 count items more than once or less. `penalty` is in units of the features' mean variance times
    the sum of weights. Cost: N * d_vision^2 multiplications.
    """
    x, unit = torch.as_tensor(x, dtype=torch.float32), F.normalize(torch.as_tensor(anchors).float(), dim=1)
    w = torch.ones(len(x)) if weights is None else torch.as_tensor(weights, dtype=torch.float32)
    targets = F.one_hot(torch.as_tensor(y), len(unit)).float() * w[:, None]  # (N, C)
    total = w.sum()
    mean, shares = (w @ x) / total, targets.sum(dim=0) / total
    gram = (x * w[:, None]).T @ x - total * mean.outer(mean)
    gram += penalty * gram.diagonal().mean() * torch.eye(len(gram))
    slopes = torch.linalg.solve(gram.double(), (x.T @ targets - total * mean.outer(shares)).double()).float()
    projector = MetricProjector(x.shape[1], unit.shape[1], layers=1)
    with torch.no_grad():
        projector.model[0].weight.copy_((slopes @ unit).T)
        projector.model[0].bias.copy_((shares - mean @ slopes) @ unit)
    # items as often as they count
    some = torch.multinomial(w, min(len(x), CALIBRATED_ON), True, generator=torch.Generator().manual_seed(0))
    cosines = projector.embed(x[some]) @ unit.T
    projector.temperature = best_temperature(cosines.double().numpy(), np.asarray(y)[some.numpy()])
    return projector.eval()
