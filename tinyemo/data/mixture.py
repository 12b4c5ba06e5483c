"""Several photo datasets as one table to write about or to learn from: broken images and leaks between splits apart.

Takes names of data/photos.py and the folder that holds their folders; gives records.
"""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from tinyemo.data.audit import find_duplicates, repair_splits
from tinyemo.data.photos import PHOTO_SETS, read_photos, sound_images


def read_mixture(
    names: Sequence[str], root: Path, on_broken: str = "error"
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(records, report of broken images) of the datasets under `root`, as the collection of notebook 09 splits them.

    A training or validation image that stands in the test part of any of them, the same file or nearly the same
    picture, is left out. `on_broken` as in `sound_images`. FileNotFoundError: how to get the first that is not there.
    """
    tables = [read_photos(name, root / PHOTO_SETS[name].folder) for name in names]
    records, broken = sound_images(pd.concat(tables, ignore_index=True), on_broken)
    pairs = find_duplicates(records)
    leaks = pairs[(pairs["split_a"] != "test") & (pairs["split_b"] == "test")]
    return repair_splits(records, leaks), broken
