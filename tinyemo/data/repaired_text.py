"""Text and CSV files of older corpora: encodings are repaired, cells are text or numbers.

Takes paths; gives text, tables of text, and columns of numbers, with errors that name the file,
the row and the column. What the content means is the subject of the caller (conversations.py,
iemocap.py, meld.py, merr.py).
"""

import csv
import io
import unicodedata
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from tinyemo.data.text_files import other_separator

LARGEST = 2**53 - 1  # whole number in a table: above it, two of them may be one in float64
WHOLE = f"a whole number from 0 to {LARGEST}"
# U+0080 to U+009F, control characters that no transcript contains -> the character of cp1252
_CP1252 = {}
for _number in range(0x80, 0xA0):
    _character = bytes([_number]).decode("cp1252", "ignore")
    if _character:
        _CP1252[_number] = _character


def read_repaired_text(path: Path) -> str:
    """A text file whose lines are in UTF-8 or in cp1252, with line ends "\\n".

    Characters U+0080 to U+009F are repaired: older conversions left them in place of cp1252's
    apostrophes and dashes. Line ends may be those of any system. FileNotFoundError names a missing
    file. ValueError: a file in UTF-16 or of another kind.
    """
    if not path.is_file():
        raise FileNotFoundError(f"not found: {path}")
    content = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    if b"\0" in content:
        raise ValueError(f"{path}: not a text file in UTF-8 or cp1252: it has NUL characters")
    if b"\n" not in content:  # line ends of old Macs; Excel still writes them
        content = content.replace(b"\r", b"\n")
    lines = []
    for line in content.split(b"\n"):
        try:
            text = line.decode("utf-8")
        except UnicodeDecodeError:
            text = line.decode("latin-1")  # cp1252's own characters become U+0080 to U+009F
        lines.append(text.translate(_CP1252).removesuffix("\r"))
    return "\n".join(lines)


def read_text_table(path: Path) -> pd.DataFrame:
    """A CSV with a header, decoded as by `read_repaired_text`; all cells are text, stripped.

    ValueError names the file and the line: no header, a header that is not separated by commas or
    occurs again, two columns of one name, or a row with another number of cells than the header, as
    a comma in a text without quotes makes it.
    """
    reader = csv.reader(io.StringIO(read_repaired_text(path)), skipinitialspace=True, strict=True)
    rows = []
    try:
        for cells in reader:
            cells = [cell.strip() for cell in cells]
            if cells in ([], [""]):  # a blank line
                continue
            if not rows and (separator := other_separator(cells)):
                raise ValueError(
                    f"{path}: the header is {cells[0]!r} (separated by {separator}); expected "
                    "names separated by commas"
                )
            place = f"{path}, line {reader.line_num}"
            if rows and len(cells) != len(rows[0]):
                raise ValueError(
                    f"{place}: {len(cells)} cells, expected {len(rows[0])} as in the header"
                )
            if cells in rows[:1]:
                raise ValueError(f"{place}: the header once more; expected one header per file")
            rows.append(cells)
    except csv.Error as error:
        raise ValueError(f"{path}, line {reader.line_num}: not readable as CSV: {error}") from error
    if not rows:
        raise ValueError(f"{path}: an empty file, expected a CSV with a header")
    header, *rows = rows
    repeated = [name for name in header if header.count(name) > 1]
    if repeated:
        raise ValueError(f"{path}: two columns {repeated[0]!r}: expected one of each name")
    return pd.DataFrame(rows, columns=header, dtype=str)


def require_columns(table: pd.DataFrame, columns: tuple[str, ...], path: Path) -> None:
    """ValueError names the file and the first of `columns` that the table lacks."""
    for column in columns:
        if column not in table:
            raise ValueError(
                f"{path}: column {column!r} is missing: expected {', '.join(columns)}, "
                f"got {', '.join(table.columns)}"
            )


def refuse_rows(cells: pd.Series, bad: pd.Series, path: Path, expected: str) -> None:
    """ValueError names the file, the first row where `bad` holds, the cell and what is expected.

    Rows are counted from 1 below the header.
    """
    if bad.any():
        row = int(np.argmax(bad))
        cell = cells.tolist()[row]  # a number of Python, not of numpy
        raise ValueError(
            f"{path}: row {row + 1}, column {cells.name!r}: got {cell!r}, expected {expected}"
        )


def refuse_two_forms(cells: pd.Series, path: Path) -> None:
    """ValueError: two names that look alike, since they differ only in their Unicode form."""
    composed = cells.map(partial(unicodedata.normalize, "NFC"))
    first = cells.groupby(composed).transform("first")
    if (cells != first).any():
        row = int(np.argmax(cells != first))
        raise ValueError(
            f"{path}: row {row + 1}, column {cells.name!r}: got {ascii(cells[row])}, expected "
            f"{ascii(first[row])} as in an earlier row, which looks the same"
        )


def numbers_of(cells: pd.Series, path: Path, whole: bool = False) -> pd.Series:
    """Text cells as finite numbers (float64), NaN where empty; `whole`: 0, 1, 2, ... only, up to
    the largest that a float64 holds exactly.

    ValueError names the file, the row, the column and the cell.
    """
    expected = WHOLE if whole else "a number"
    numbers = pd.to_numeric(cells, errors="coerce").astype(float)
    bad = ~_are_valid(numbers, whole) & (cells != "")
    refuse_rows(cells, bad, path, f"{expected}, or an empty cell")
    return numbers


def required_numbers_of(cells: pd.Series, path: Path) -> pd.Series:
    """Text cells as whole numbers from 0 (int64), none empty. ValueError as of `numbers_of`."""
    numbers = pd.to_numeric(cells, errors="coerce").astype(float)
    refuse_rows(cells, ~_are_valid(numbers, whole=True), path, WHOLE)
    return numbers.astype(int)


def _are_valid(numbers: pd.Series, whole: bool) -> pd.Series:
    if not whole:
        return np.isfinite(numbers)
    return (numbers >= 0) & (numbers <= LARGEST) & (numbers % 1 == 0)
