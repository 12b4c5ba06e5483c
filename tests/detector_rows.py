"""Training scenes for tests of the bias detectors, and single rows of detector tables."""

import numpy as np
import pandas as pd

from emoscenes.scenes import make_records, true_posterior
from tinyemo.bias.values import AttributeValues, attribute_values
from tinyemo.data.records import relabel
from tinyemo.emotions import labels_of

WORDS = labels_of("ekman")


def training_scenes(
    seed: int, biases=(), n: int = 2000
) -> tuple[np.ndarray, AttributeValues, np.ndarray]:
    """Labels (N,), attribute values and true posterior (N, C) of a training set."""
    records, _ = make_records(n, 1, 1, seed, biases=biases)
    records = relabel(records[records["split"] == "train"], "ekman")
    records = records.reset_index(drop=True)
    y = np.array([WORDS.index(label) for label in records["label"]])
    return y, attribute_values(records), true_posterior(records, "ekman")


def row_of(table: pd.DataFrame, what: str, where: str) -> pd.Series:
    """The only row of a detector table for a value and a label."""
    found = table[(table["what"] == what) & (table["where"] == where)]
    assert len(found) == 1
    return found.iloc[0]
