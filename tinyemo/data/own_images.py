"""One's own images beside published datasets: whatever a parameter names -> records.

Takes names of `photos.PHOTO_SETS` and paths of folders of classes or CSV files; gives one records table, and what is
not there with the reason. How such a folder lies on disk says `folders.read_folder`, how a CSV does `photos.read_csv`.
"""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from tinyemo.data.folders import read_folder
from tinyemo.data.photos import PHOTO_SETS, read_csv, read_photos
from tinyemo.data.records import seeded_split
from tinyemo.paths import locate

TEST_SHARE = 0.2  # where nothing says which images are for testing


def read_datasets(
    entries: Sequence[str], root: Path, seed: int = 0
) -> tuple[pd.DataFrame, dict[str, str]]:
    """(records of all that are there, name -> why it is not there): names of PHOTO_SETS, whose folders lie under
    `root`, and paths (as `paths.locate` takes them) of one's own images: a CSV for `read_csv`, or a folder of classes
    for `folders.read_folder`.

    One's own dataset is called as its file (without .csv) or folder is; if all of it is train, a seeded fifth becomes
    test. ValueError: two of one name, or content that is not as it should be. FileNotFoundError: none is there.
    """
    places = {entry: locate(entry).absolute() for entry in entries if entry not in PHOTO_SETS}
    names = [_own_name(places[entry]) if entry in places else entry for entry in entries]
    for entry, name in zip(entries, names, strict=True):
        if names.count(name) > 1 or entry in places and name in PHOTO_SETS:
            raise ValueError(
                f"datasets: {entry} would be called {name!r}, as another dataset is: rename its file "
                f"or folder, or name it once"
            )
    tables, absent = [], {}
    for entry, name in zip(entries, names, strict=True):
        try:
            tables.append(
                _read_own(places[entry], name, seed)
                if entry in places
                else read_photos(name, root / PHOTO_SETS[name].folder, seed)
            )
        except FileNotFoundError as reason:
            absent[name] = str(reason)
    if not tables:
        raise FileNotFoundError(f"none of the datasets is there. {' '.join(absent.values())}")
    return pd.concat(tables, ignore_index=True), absent


def _own_name(path: Path) -> str:
    return path.stem if path.suffix.lower() == ".csv" else path.name


def _read_own(path: Path, name: str, seed: int) -> pd.DataFrame:
    if not path.exists():
        raise FileNotFoundError(
            f"not found: {path}: expected a CSV file, a folder of classes, or one of "
            f"{', '.join(PHOTO_SETS)}"
        )
    records = (read_folder if path.is_dir() else read_csv)(path, name)
    if (records["split"] == "train").all():
        records = records.assign(
            split=seeded_split(records, {"train": 1 - TEST_SHARE, "test": TEST_SHARE}, seed)
        )
    return records
