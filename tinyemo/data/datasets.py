"""The datasets that a parameter names -> one records table.

A dataset is named by a published dataset's name (photos.PHOTO_SETS), or by the path of a folder of
classes or of a CSV file with the reader's own images. Takes such names; gives records, and the
reason for every dataset that is missing. The layouts themselves are read by photos.py and
folders.py, the CSV here.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from tinyemo.data.audit import repair_splits
from tinyemo.data.duplicates import find_duplicates
from tinyemo.data.folders import file_records, read_folder
from tinyemo.data.labels import Labelling
from tinyemo.data.left_out import LeftOut
from tinyemo.data.photos import PHOTO_SETS, read_photos
from tinyemo.data.records import OPTIONAL, check_records, seeded_split
from tinyemo.data.repaired_text import refuse_rows
from tinyemo.data.split_names import splits_named
from tinyemo.data.text_files import AbsentDataset, check_columns, check_some_listed, read_table
from tinyemo.io import name_like, read_image
from tinyemo.paths import locate
from tinyemo.pixels import SCALED

TEST_SHARE = 0.2  # of own images whose split is not given


def read_datasets(
    entries: Sequence[str],
    root: Path,
    seed: int = 0,
    left_out: LeftOut | None = None,
    labelling: Labelling | None = None,
) -> tuple[pd.DataFrame, dict[str, str]]:
    """(records of all datasets that are present, name -> why a dataset is missing).

    An entry is a name of PHOTO_SETS, whose folder is below `root`, or the path (as `paths.locate`
    takes it) of a CSV for `read_csv` or of a folder of classes for `folders.read_folder`. A
    dataset of the last two kinds has the name of its file (without .csv) or folder; without a test
    part, a seeded fifth of its training part becomes test. What is passed over is counted in
    `left_out` and logged. `labelling` is about the datasets of the last two kinds.

    ValueError: two datasets of one name, unexpected content, or a synonym that no label of these
    datasets needs. FileNotFoundError: none is present, or a file of one that is present is missing
    (a missing image is the subject of `readable_images`).
    """
    paths = {entry: locate(entry).absolute() for entry in entries if entry not in PHOTO_SETS}
    names = [_name_of(paths[entry]) if entry in paths else entry for entry in entries]
    for entry, name in zip(entries, names, strict=True):
        hides_published = entry in paths and name in PHOTO_SETS
        if names.count(name) > 1 or hides_published:
            raise ValueError(
                f"datasets: {entry} would be called {name!r}, as another dataset is: rename its "
                "file or folder, or name it once"
            )
    left_out, labelling = left_out or LeftOut(), labelling or Labelling()
    tables, absent = [], {}
    for entry, name in zip(entries, names, strict=True):
        counts = LeftOut()
        try:
            if entry in paths:
                table = _read_own(paths[entry], name, seed, counts, labelling)
            else:
                table = read_photos(name, root / PHOTO_SETS[name].folder, seed, counts)
            tables.append(table)
            left_out.add_from(name, counts)
        except AbsentDataset as reason:
            absent[name] = str(reason)
    left_out.log()
    if not tables:
        raise FileNotFoundError(f"none of the datasets is there. {' '.join(absent.values())}")
    if unused := sorted(set(labelling.synonyms) - labelling.used):
        raise ValueError(
            f"synonyms: {unused[0]!r} is the label of nothing in {', '.join(paths) or 'no dataset'}"
            "; expected labels of own images"
        )
    return pd.concat(tables, ignore_index=True), absent


def read_datasets_without_leaks(
    entries: Sequence[str], root: Path, on_broken: str = "error"
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(records, report of broken images) of datasets that must all be present, safe to train on.

    A training or validation image that is also in the test part of any of them (the same file or
    nearly the same picture) is left out, as notebook 09 does. `entries` and `root` as in
    `read_datasets`, `on_broken` as in `readable_images`. FileNotFoundError says how to get the
    datasets that are missing.
    """
    records, absent = read_datasets(entries, root)
    if absent:
        raise FileNotFoundError(" ".join(absent.values()))
    records, broken = readable_images(records, on_broken)
    pairs = find_duplicates(records)
    leaks = pairs[(pairs["split_a"] != "test") & (pairs["split_b"] == "test")]
    return repair_splits(records, leaks), broken


def read_csv(
    path: str | Path, dataset: str | None = None, label_set: str | Labelling = ""
) -> pd.DataFrame:
    """Records of a CSV with the columns image and label, and optionally others of the records
    table.

    Others are split, p_<label>, attr_<name>, text, group and so on. Image paths are relative to
    the folder of the CSV; without a split all are train. `dataset` defaults to the name of the
    file. Without a `label_set`, the labels define it (labels.py). FileNotFoundError or ValueError
    names the file, and the row where one row is wrong.
    """
    path = Path(path).expanduser().absolute()
    texts = {column: "" for column in OPTIONAL if column != "turn"}
    check_columns(path, ("image", "label"))
    as_text = ("id", "image", "label", "split", "turn", *texts)
    table = read_table(path, dtype=dict.fromkeys(as_text, str))
    if table.empty:
        raise ValueError(
            f"{path}: no row: found only the header {', '.join(table)}; expected one row per image"
        )
    for column in ("image", "label"):
        empty = table[column].isna()
        if empty.any():
            raise ValueError(f"{path}: row {int(np.argmax(empty)) + 1}: column {column!r} is empty")
    given = table.get("split", pd.Series("train", index=table.index)).fillna("train")
    splits = given.replace(splits_named(given.unique()))
    for column in table:
        if column == "turn" or column.startswith("p_"):
            table[column] = _numbers(table[column], path)
    _check_some_listed(table["image"], path)
    rows = zip(table["image"], splits, table["label"], strict=True)
    name = dataset or path.stem

    def place_of(row: int) -> str:
        return f"{path}: row {row + 1}"

    records = file_records(rows, path.parent, name, label_set, path, place_of)
    rest = table.drop(columns=["image", "label", "split"], errors="ignore").fillna(texts)
    return check_records(records.assign(**rest), path, place_of)


def _numbers(cells: pd.Series, path: Path) -> pd.Series:
    """The cells of p_<label> as numbers, those of turn as whole ones. ValueError names the row."""
    numbers = pd.to_numeric(cells, errors="coerce")
    if cells.name != "turn":
        refuse_rows(cells, numbers.isna() & cells.notna(), path, "a number, or an empty cell")
        return numbers
    refuse_rows(cells.fillna(""), ~(numbers % 1 == 0), path, "a whole number")
    return numbers.astype(int)


def _check_some_listed(names: pd.Series, path: Path) -> None:
    """FileNotFoundError if none of the images of an own CSV is there: its paths are wrong."""
    try:
        check_some_listed([path.parent / name for name in names], path)
    except AbsentDataset as error:
        raise FileNotFoundError(str(error)) from error


def readable_images(
    records: pd.DataFrame, on_broken: str = "error", left_out: LeftOut | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(records whose images can be decoded, report of the others: id, image, reason). Decodes all
    images.

    `left_out` counts, and the log says, which images have values without a known scale, so that
    they were scaled by their own minimum and maximum.

    With on_broken "error", broken or missing images are a ValueError with their number and the
    first of them; with "skip" they are left out and reported.
    """
    if on_broken not in ("error", "skip"):
        raise ValueError(f"on_broken {on_broken!r}: expected 'error' or 'skip'")
    with ThreadPoolExecutor() as pool:  # decoding releases Python's global lock
        work = pool.map(_look, records["image"])
        found = list(tqdm(work, total=len(records), unit="image", desc="decoding"))
    reasons = pd.Series([fault for fault, _ in found], index=records.index, dtype=str)
    scaled = pd.Series([by_range for _, by_range in found], index=records.index, dtype=bool)
    _count_scaled(records[scaled], left_out or LeftOut())
    bad = reasons != ""
    broken = records.assign(reason=reasons).loc[bad, ["id", "image", "reason"]]
    broken = broken.reset_index(drop=True)
    if len(broken) and on_broken == "error":
        raise ValueError(
            f"{len(broken)} of {len(records)} images cannot be read, the first is "
            f"{broken['image'][0]}: {broken['reason'][0]}{name_like(broken['image'][0])}; "
            "on_broken='skip' leaves them out"
        )
    return records[~bad].reset_index(drop=True), broken


def _look(path: str) -> tuple[str, bool]:
    """(why an image cannot be decoded completely or "", whether it was scaled by its own range)."""
    try:
        return "", SCALED in read_image(path, smallest=1).info
    except FileNotFoundError:
        return "file not found", False
    except ValueError as error:  # without the path, which has its own column
        return str(error).removeprefix(f"cannot read the image {path}: "), False


def _count_scaled(records: pd.DataFrame, left_out: LeftOut) -> None:
    counts = LeftOut()
    for dataset, table in records.groupby("dataset", sort=False):
        reason = f"{dataset}: image scaled by its own minimum and maximum"
        counts.add_all(reason, table["image"].tolist())
        left_out.add_all(reason, table["image"].tolist())
    counts.log()


def _name_of(path: Path) -> str:
    return path.stem if path.suffix.lower() == ".csv" else path.name


def _read_own(
    path: Path, name: str, seed: int, left_out: LeftOut, labelling: Labelling
) -> pd.DataFrame:
    """Records of a user's own CSV or folder of classes.

    If there are training items and no test items, a share of the training part becomes the test
    part, and `left_out` says so.
    """
    if not path.exists():
        kinds = f"a folder of classes, or one of {', '.join(PHOTO_SETS)}"
        if path.suffix.lower() == ".csv":
            kinds = "a CSV file with the columns image and label"
        raise AbsentDataset(f"not found: {path}{name_like(path)}: expected {kinds}")
    if path.is_dir():
        records = read_folder(path, name, labelling, left_out=left_out)
    else:
        records = read_csv(path, name, labelling)
    if (records["split"] == "test").any() or not (records["split"] == "train").any():
        return records
    train = records[records["split"] == "train"]
    carved = seeded_split(train, {"train": 1 - TEST_SHARE, "test": TEST_SHARE}, seed)
    moved = train["id"][carved == "test"].tolist()
    left_out.add_all("no test part is given: taken from train for it", moved)
    return records.assign(split=carved.reindex(records.index).fillna(records["split"]))
