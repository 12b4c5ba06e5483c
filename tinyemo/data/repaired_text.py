"""Text and CSV files of older corpora: encodings are repaired, cells are text or numbers.

Takes paths; gives text, tables of text, and columns of numbers, with errors that name the file,
the row and the column. What the content means is the subject of the caller (conversations.py,
iemocap.py, meld.py, merr.py).
"""

import csv
import io
from pathlib import Path

import numpy as np
import pandas as pd

# U+0080 to U+009F, control characters that no transcript contains -> the character of cp1252
_CP1252 = {}
for _number in range(0x80, 0xA0):
    _character = bytes([_number]).decode("cp1252", "ignore")
    if _character:
        _CP1252[_number] = _character


def read_repaired_text(path: Path) -> str:
    """A text file whose lines are in UTF-8 or in cp1252, with line ends "\\n".

    Characters U+0080 to U+009F are repaired: older conversions left them in place of cp1252's
    apostrophes and dashes. FileNotFoundError names a missing file.
    """
    if not path.is_file():
        raise FileNotFoundError(f"not found: {path}")
    lines = []
    for line in path.read_bytes().removeprefix(b"\xef\xbb\xbf").split(b"\n"):
        try:
            text = line.decode("utf-8")
        except UnicodeDecodeError:
            text = line.decode("latin-1")  # cp1252's own characters become U+0080 to U+009F
        lines.append(text.translate(_CP1252).removesuffix("\r"))
    return "\n".join(lines)


def read_text_table(path: Path) -> pd.DataFrame:
    """A CSV with a header, decoded as by `read_repaired_text`; all cells are text, stripped.

    ValueError names the file and the line: no header, two columns of one name, or a row with
    another number of cells than the header, as a comma in a text without quotes makes it.
    """
    reader = csv.reader(io.StringIO(read_repaired_text(path)), skipinitialspace=True, strict=True)
    rows = []
    try:
        for cells in reader:
            cells = [cell.strip() for cell in cells]
            if cells in ([], [""]):  # a blank line
                continue
            rows.append(cells)
            if len(cells) != len(rows[0]):
                raise ValueError(
                    f"{path}, line {reader.line_num}: {len(cells)} cells, expected "
                    f"{len(rows[0])} as in the header"
                )
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


def numbers_of(cells: pd.Series, path: Path, whole: bool = False) -> pd.Series:
    """Text cells as finite numbers (float64), NaN where empty; `whole`: 0, 1, 2, ... only.

    ValueError names the file, the row, the column and the cell.
    """
    numbers = pd.to_numeric(cells, errors="coerce").astype(float)
    bad = ~np.isfinite(numbers) & (cells != "")
    refuse_rows(cells, bad, path, "a number, or an empty cell")
    if whole:
        bad = (numbers < 0) | (numbers % 1 > 0)
        refuse_rows(cells, bad, path, "a whole number from 0, or an empty cell")
    return numbers
