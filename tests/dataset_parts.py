"""Small parts of datasets with known differences, to test bias/transfer.py and bias/naming.py."""

import numpy as np
import pandas as pd
import torch

from tinyemo.features.split_tensors import SplitTensors

WORDS = ("anger", "fear", "joy")


def part_of(name, split, n, seed, shift=0.0, swapped=False, width=8):
    """A part with n items per word; features are normal noise plus the direction of the word.

    `shift` moves all items of the dataset. `swapped`: anger and fear have each other's direction.
    """
    rng = np.random.default_rng(seed)
    y = np.repeat(np.arange(len(WORDS)), n)  # (N,)
    axes = [1, 0, 2] if swapped else [0, 1, 2]
    directions = 1.5 * np.eye(width)[axes]  # (C, width)
    x = rng.normal(size=(len(y), width)) + directions[y]  # (N, width)
    x[:, -1] += shift
    records = pd.DataFrame(
        {
            "id": [f"{name}/{split}/{i}" for i in range(len(y))],
            "dataset": name,
            "split": split,
            "label": np.array(WORDS)[y],
            "label_set": "ekman",
        }
    )
    features = torch.tensor(x, dtype=torch.float32)
    one_hot = torch.eye(len(WORDS))[y]
    return SplitTensors(records, features, torch.tensor(y), one_hot)
