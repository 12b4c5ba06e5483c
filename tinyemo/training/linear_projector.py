"""A linear metric projector in closed form: for references by the hundred, where a training would take too long.

Takes features, labels and anchors; gives a MetricProjector of one layer. Ridge regression from centred features onto
the unit anchor of each item's label: it places an image at sum_k share_k(x) anchor_k, with shares that are the
least-squares estimate of p(k | x). The same items give the same projector: only items differ between references.
"""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from tinyemo.evaluation.calibration import best_temperature
from tinyemo.models.projector import MetricProjector

CALIBRATED_ON = 5000  # items at most that the temperature is chosen on


def fit_linear(x: Tensor, y: np.ndarray, anchors: Tensor, penalty: float = 1e-3) -> MetricProjector:
    """Features (N, d_vision), labels (N,) int64, anchors (C, d_llm) -> the projector, with a temperature fitted to it.

    `penalty` is in units of the features' mean variance times N. Cost: N * d_vision^2 multiplications. ValueError:
    features without any variance.
    """
    x, unit = (
        torch.as_tensor(x, dtype=torch.float32),
        F.normalize(torch.as_tensor(anchors).float(), dim=1),
    )
    targets = F.one_hot(torch.as_tensor(y), len(unit)).float()  # (N, C)
    mean, shares = x.mean(dim=0), targets.mean(dim=0)
    centred = x - mean
    gram = (centred.T @ centred).double()
    if not (spread := gram.diagonal().mean()) > 0:
        raise ValueError(
            f"features of {len(x)} items: all alike or not numbers, expected some variance"
        )
    gram += penalty * spread * torch.eye(len(gram))
    slopes = torch.linalg.solve(gram, (centred.T @ targets).double()).float()
    projector = MetricProjector(x.shape[1], unit.shape[1], layers=1)
    with torch.no_grad():
        projector.model[0].weight.copy_((slopes @ unit).T)
        projector.model[0].bias.copy_((shares - mean @ slopes) @ unit)
    some = torch.randperm(len(x), generator=torch.Generator().manual_seed(0))[:CALIBRATED_ON]
    cosines = projector.embed(x[some]) @ unit.T
    projector.temperature = best_temperature(cosines.double().numpy(), np.asarray(y)[some.numpy()])
    return projector.eval()
