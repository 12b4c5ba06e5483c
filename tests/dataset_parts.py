"""Parts of datasets that differ by what was planted, or not: helpers of the tests of bias/transfer.py and naming.py."""

import numpy as np
import pandas as pd
import torch

from tinyemo.features.split_tensors import SplitTensors

WORDS = ("anger", "fear", "joy")


def part_of(name, split, n, seed, shift=0.0, turned=False, width=8):
    """n items a word: a word is a direction, a shift moves the whole dataset; `turned`: two words change places."""
    rng = np.random.default_rng(seed)
    y = np.repeat(np.arange(len(WORDS)), n)
    x = (
        rng.normal(size=(len(y), width))
        + 1.5 * np.eye(width)[[1, 0, 2] if turned else [0, 1, 2]][y]
    )
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
    return SplitTensors(
        records, torch.tensor(x, dtype=torch.float32), torch.tensor(y), torch.eye(len(WORDS))[y]
    )
