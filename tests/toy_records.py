"""Tables of records about no real dataset."""

from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from tinyemo.data.records import check_records
from tinyemo.emotions import LABEL_SETS


def table(n: int = 12, split: str = "train", label_set: str = "ekman", **columns) -> pd.DataFrame:
    words = LABEL_SETS[label_set]
    return pd.DataFrame(
        {
            "id": [f"toy/{i:06d}" for i in range(n)],
            "dataset": "toy",
            "split": split,
            "label": [words[i % len(words)] for i in range(n)],
            "label_set": label_set,
            **columns,
        }
    )


def records_in_parts(*sizes: tuple[str, str, int]) -> pd.DataFrame:
    """Records without images: as many items of each (dataset, split) as its size says."""
    rows = []
    for dataset, split, n in sizes:
        rows += [(dataset, split, f"{dataset}/{split}/{i}") for i in range(n)]
    named = pd.DataFrame(rows, columns=["dataset", "split", "id"])
    return check_records(named.assign(label="joy", label_set="ekman"))


def save_images(folder: Path, n: int) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    folder.mkdir(parents=True)
    paths = [folder / f"{i}.png" for i in range(n)]
    for path in paths:
        colour = rng.integers(0, 200, (1, 1, 3)) + rng.integers(
            0, 50, (64, 80, 3)
        )  # flat, and some grain
        Image.fromarray(colour.astype(np.uint8)).save(path)
    return check_records(
        pd.DataFrame(
            {
                "id": [f"toy/{i}" for i in range(n)],
                "dataset": "toy",
                "split": "train",
                "label": "joy",
                "label_set": "ekman",
                "image": [str(path) for path in paths],
            }
        )
    )
