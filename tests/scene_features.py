"""Features of scenes without drawing, as a frozen encoder that sees every attribute gives them.

Each attribute value adds a fixed random vector; noise is added by the seed of the scene.
"""

import numpy as np
import torch

from emoscenes.scenes import ATTRIBUTES

WIDTH = 64
NOISE = 0.3
VALUES = [(attribute, value) for attribute, values in ATTRIBUTES.items() for value in values]
VECTORS = np.random.default_rng(0).normal(size=(len(VALUES), WIDTH)) / np.sqrt(WIDTH)


def encode(scenes):
    """Scenes -> (n, 64) float32, the same for the same scene."""
    features = np.zeros((len(scenes), WIDTH))
    for row, scene in enumerate(scenes):
        shown = [VALUES.index((name, getattr(scene, name))) for name in ATTRIBUTES]
        noise = np.random.default_rng(scene.seed).normal(size=WIDTH)
        features[row] = VECTORS[shown].sum(axis=0) + noise * NOISE / np.sqrt(WIDTH)
    return torch.tensor(features, dtype=torch.float32)
