"""Tables of predictions whose correct items are chosen by the test."""

import numpy as np
import pandas as pd


def predictions_of(
    right: dict[str, np.ndarray], dataset: str = "d", split: str = "test"
) -> pd.DataFrame:
    """Predictions of several runs; correct where `right[run]`, (items,) or (seeds, items), is True.

    Every item has the label "joy"; a wrong prediction is "fear".
    """
    tables = []
    for run, by_seed in right.items():
        for seed, one in enumerate(np.atleast_2d(by_seed)):
            columns = {
                "id": [f"{dataset}/{i:05}" for i in range(len(one))],
                "dataset": dataset,
                "split": split,
                "label": "joy",
                "label_set": "ekman",
                "pred": np.where(one, "joy", "fear"),
                "run": run,
                "seed": seed,
            }
            tables.append(pd.DataFrame(columns))
    return pd.concat(tables, ignore_index=True)
