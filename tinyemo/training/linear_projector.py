"""A linear metric projector in closed form, for experiments that need hundreds of projectors.

Takes features, labels and anchors; gives a MetricProjector of one layer. It is a ridge regression
from centred features onto the unit anchor of each item's label. So an image is mapped to
sum over k of share_k(x) anchor_k, where the shares are the least-squares estimate of p(k | x). The
same items always give the same projector.
"""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from tinyemo.models.projector import MetricProjector
from tinyemo.training.temperature import best_temperature

CALIBRATION_ITEMS = 5000  # at most; the temperature is fitted on them


def fit_linear(x: Tensor, y: np.ndarray, anchors: Tensor, penalty: float = 1e-3) -> MetricProjector:
    """A projector for features (N, d_vision), labels (N,) int64 and anchors (C, d_llm).

    `penalty` is in units of N times the mean variance of the features. The temperature is fitted to
    the same items. Cost: N * d_vision^2 multiplications. ValueError: features without variance.
    """
    x = torch.as_tensor(x, dtype=torch.float32)
    unit_anchors = F.normalize(torch.as_tensor(anchors).float(), dim=1)
    classes = len(unit_anchors)
    targets = F.one_hot(torch.as_tensor(y), classes).float()  # (N, C)
    mean = x.mean(dim=0)  # (d_vision,)
    class_shares = targets.mean(dim=0)  # (C,)
    centred = x - mean
    gram = (centred.T @ centred).double()  # (d_vision, d_vision)
    spread = gram.diagonal().mean()
    if not spread > 0:  # also if it is NaN
        raise ValueError(
            f"features of {len(x)} items: all are equal or not numbers, expected some variance"
        )
    gram += penalty * spread * torch.eye(len(gram))
    slopes = torch.linalg.solve(gram, (centred.T @ targets).double()).float()  # (d_vision, C)
    projector = MetricProjector(x.shape[1], unit_anchors.shape[1], layers=1)
    layer = projector.model[0]
    with torch.no_grad():
        layer.weight.copy_((slopes @ unit_anchors).T)  # (d_llm, d_vision)
        layer.bias.copy_((class_shares - mean @ slopes) @ unit_anchors)  # (d_llm,)
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(0))
    sample = order[:CALIBRATION_ITEMS]
    cosines = projector.embed(x[sample]) @ unit_anchors.T  # (n, C)
    labels = np.asarray(y)[sample.numpy()]
    projector.temperature = best_temperature(cosines.double().numpy(), labels)
    return projector.eval()
