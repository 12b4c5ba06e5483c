"""Text, JSON and CSV files of datasets, read with errors that name the file.

Takes paths; gives text, JSON values or tables of strings. What the content means is the subject of
the caller (photos.py, datasets.py).
"""

import csv
import json
import warnings
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from tinyemo.io import first_line, name_like

SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}  # in place of commas


class AbsentDataset(FileNotFoundError):
    """A dataset, or all of its pictures, is not on this machine."""


def read_text(path: Path) -> str:
    """A UTF-8 text, with or without a byte order mark. FileNotFoundError or ValueError names the
    file.
    """
    if not path.is_file():
        raise FileNotFoundError(f"not found: {path}")
    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise ValueError(f"{path}: not a text file in UTF-8: line {line}: {error}") from error
    if "\0" in text:
        raise ValueError(f"{path}: not a text file in UTF-8: it has NUL characters")
    return text


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

    Only an empty cell is a missing value: "null" and "None" may be words. ValueError also for two
    columns of one name, which pandas would rename, and for a row with more cells than the header,
    which pandas would shift or cut.
    """
    names = _header(path)[1]
    if repeated := [name for name in names if names.count(name) > 1]:
        raise ValueError(f"{path}: two columns {repeated[0]!r}: expected one of each name")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            return pd.read_csv(
                path,
                index_col=False,
                keep_default_na=False,
                na_values=[""],
                skipinitialspace=True,
                encoding="utf-8-sig",
                **options,
            )
    except (ValueError, pd.errors.ParserWarning) as error:
        reason = _longer_line(path) or first_line(error)
        raise ValueError(f"{path}: not readable as CSV: {reason}") from error


def _longer_line(path: Path) -> str:
    """About the first line of a CSV that has more cells than its header; "" if there is none."""
    rows = csv.reader(read_text(path).splitlines(keepends=True), skipinitialspace=True)
    header = next((cells for cells in rows if cells), [])
    for cells in rows:
        if len(cells) > len(header):
            return (
                f"line {rows.line_num} has {len(cells)} cells, more cells than the header "
                f"({len(header)}); expected quotes around a cell that contains a comma"
            )
    return ""


def check_columns(path: Path, expected: Sequence[str]) -> None:
    """ValueError unless the header of a CSV has the `expected` columns; it says what it found."""
    header, found = _header(path)
    missing = [column for column in expected if column not in found]
    if not missing or not header:
        return
    raise ValueError(
        f"{path}: column {missing[0]!r} is missing: found {', '.join(map(repr, found))}"
        f"{_about_header(header, found, missing[0])}; expected {', '.join(map(repr, expected))}, "
        "separated by commas"
    )


def _header(path: Path) -> tuple[str, list[str]]:
    """The first line of a CSV that is not blank, and its cells. Errors as of `read_text`."""
    lines = (line for line in read_text(path).splitlines() if line.strip())
    header = next(lines, "")
    return header, next(csv.reader([header], skipinitialspace=True), [])


def _about_header(header: str, found: Sequence[str], missing: str) -> str:
    """What is probably wrong with a header."""
    separators = [name for sign, name in SEPARATORS.items() if sign in header]
    if len(found) == 1 and separators:
        return f" (separated by {separators[0]})"
    alike = [column for column in found if column.strip().casefold() == missing]
    return f" ({alike[0]!r} is another name: letter case and spaces count)" if alike else ""


def check_listed(files: Sequence[Path], source: Path, places: Sequence[str]) -> None:
    """FileNotFoundError names the first missing file, and `source`, which lists it at its place."""
    missing = [number for number, file in enumerate(files) if not file.is_file()]
    if missing:
        first = missing[0]
        number, total = len(missing), len(files)
        raise FileNotFoundError(_missing(files[first], number, total, source, places[first]))


def check_some_listed(files: Sequence[Path], source: Path) -> None:
    """AbsentDataset if none of the files that `source` lists is there.

    If only some are missing, the dataset is there: `datasets.readable_images` reports them.
    """
    if files and not any(file.is_file() for file in files):
        raise AbsentDataset(_missing(files[0], len(files), len(files), source))


def _missing(first: Path, number: int, total: int, source: Path, place: str = "") -> str:
    return (
        f"{source} lists {first}, which is not there ({place}{number} of its {total} files are "
        f"missing){name_like(first)}"
    )
