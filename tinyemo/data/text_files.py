"""Text, JSON and CSV files of datasets, read with errors that name the file.

Takes paths; gives text, JSON values or tables of strings. What the content means is the subject of
the caller (photos.py, datasets.py).
"""

import json
from collections.abc import Sequence
from pathlib import Path

import pandas as pd


def read_text(path: Path) -> str:
    """A UTF-8 text, with or without a byte order mark. FileNotFoundError or ValueError names the
    file.
    """
    if not path.is_file():
        raise FileNotFoundError(f"not found: {path}")
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: not a text file in UTF-8: {error}") from error


def read_json(path: Path, kind: type) -> list | dict:
    """A JSON file that holds one value of `kind` (list or dict). Errors as of `read_text`."""
    try:
        content = json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise ValueError(f"{path}: not readable as JSON: {error}") from error
    if not isinstance(content, kind):
        raise ValueError(f"{path}: holds a {type(content).__name__}, expected a {kind.__name__}")
    return content


def read_table(path: Path, **options) -> pd.DataFrame:
    """A CSV file; `options` go to pandas.read_csv. Errors as of `read_text`.

    Only an empty cell is a missing value: "null" and "None" may be words.
    """
    read_text(path)
    try:
        return pd.read_csv(
            path,
            keep_default_na=False,
            na_values=[""],
            skipinitialspace=True,
            encoding="utf-8-sig",
            **options,
        )
    except ValueError as error:
        raise ValueError(f"{path}: not readable as CSV: {error}") from error


def check_listed(files: Sequence[Path], source: Path) -> None:
    """FileNotFoundError names the first missing file, and `source`, which lists the files."""
    missing = [file for file in files if not file.is_file()]
    if missing:
        raise FileNotFoundError(
            f"{source} lists {missing[0]}, which is not there "
            f"({len(missing)} of its {len(files)} files are missing)"
        )
