"""The bias review file: a CSV in which a person marks findings and writes comments.

Takes the path of the file and the ranked findings (`findings.rank`). Gives the review as a table of
text. People edit the file in a spreadsheet or in the form of a notebook (`review_form`), and the
next run reads it. No run ever removes a mark, a comment or a row.
"""

import csv
import fcntl
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd

from tinyemo.bias.findings import MARKS, finding_id
from tinyemo.io import write_atomically

REVIEW = ("id", "what", "where", "detector", "mark", "comment", "seen")
NOT_UTF8 = "found a character that is not UTF-8: save the file as CSV in UTF-8"
UNDECODABLE = "\ufffd"  # replaces bytes that are not UTF-8


def read_review(path: str | Path) -> pd.DataFrame:
    """The review as text, with columns REVIEW and those that a person added.

    It is empty if there is no file. All forms that spreadsheets write are read: commas, semicolons
    or tabs, a byte order mark, any line end, marks in capital letters.

    ValueError: a malformed file; the message names the file, the row (as a spreadsheet counts) and
    the reason. The file is not changed.
    """
    review, _ = _parse(Path(path))
    return review


def update_review(path: str | Path, findings: pd.DataFrame) -> pd.DataFrame:
    """Add findings that the file does not have yet, without a mark; gives the new review.

    Column `seen` becomes "yes" for what is found now and "no" for all else. Everything else stays:
    marks, comments, columns, rows that are no longer found, their order, the delimiter.

    ValueError: a malformed file, which is left as it is.
    """
    path = Path(path)
    with _locked(path):
        review, delimiter = _parse(path)
        is_new = ~findings["id"].isin(review["id"])
        new = findings.loc[is_new, ["id", "what", "where", "detector"]].astype(str)
        columns = review.columns
        review = pd.concat([review, new], ignore_index=True)
        review = review.reindex(columns=columns).fillna("")
        review["seen"] = np.where(review["id"].isin(findings["id"]), "yes", "no")
        _write(path, review, delimiter)
    return review


def write_mark(
    path: str | Path, what: str, where: str, mark: str | None = None, comment: str | None = None
) -> None:
    """Give all rows of a pair of what and where one mark or comment.

    The file is read again first, because others may have changed it.

    ValueError, and nothing is written: a mark that is not in MARKS or empty, a comment that could
    not be read again, or a pair without a row in the file.
    """
    path = Path(path)
    if mark not in (None, "", *MARKS):
        raise ValueError(f"mark {mark!r}, expected {', '.join(MARKS)} or nothing")
    with _locked(path):
        review, delimiter = _parse(path)
        of_pair = (review["what"] == what) & (review["where"] == where)
        if not of_pair.any():
            raise ValueError(f"{path} has no finding {what!r} at {where!r}: its rows were removed")
        if mark is not None:
            review.loc[of_pair, "mark"] = mark
        if comment is not None:
            review.loc[of_pair, "comment"] = comment
        _write(path, review, delimiter)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Let only one process at a time read and write the file, so that no mark is overwritten."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path.with_name(f".{path.name}.lock"), "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _write(path: Path, review: pd.DataFrame, delimiter: str) -> None:
    """Write the review, unless it could not be read again.

    With a byte order mark, spreadsheets read the file as UTF-8. Line ends are those of RFC 4180, so
    that a comment with a line end of any kind is quoted.
    """

    def write(file: Path) -> None:
        review.to_csv(file, index=False, sep=delimiter, encoding="utf-8-sig", lineterminator="\r\n")
        _parse(file)

    write_atomically(path, write)


def _parse(path: Path) -> tuple[pd.DataFrame, str]:
    """The review and the delimiter of the file."""
    if not path.exists():
        return pd.DataFrame(columns=list(REVIEW), dtype=str), ","
    text = path.read_bytes().decode("utf-8-sig", errors="replace")
    first_line = "".join(text.splitlines()[:1])
    delimiter = max(",;\t", key=first_line.count)
    rows = _cells_of_rows(path, text, delimiter)
    header = rows.pop(1, [])
    _check_header(path, header)
    entries: dict[str, dict[str, str]] = {}  # id -> row
    row_of: dict[str, int] = {}
    for row, cells in rows.items():
        entry = _entry(path, row, header, cells, delimiter)
        name = entry["id"]
        if name in row_of:
            reason = f"finding {name} is already in row {row_of[name]}, expected it once"
            raise _malformed(path, row, reason)
        row_of[name] = row
        entries[name] = entry
    return pd.DataFrame(list(entries.values()), columns=header, dtype=str), delimiter


def _malformed(path: Path, row: int, reason: object) -> ValueError:
    return ValueError(f"{path}, row {row}: {reason}")


def _cells_of_rows(path: Path, text: str, delimiter: str) -> dict[int, list[str]]:
    """Row number, from 1, -> its cells; rows without any text are left out."""
    rows, row = {}, 0
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for row, cells in enumerate(reader, start=1):
            cells = [cell.strip() for cell in cells]
            if any(cells):
                rows[row] = cells
    except csv.Error as error:
        raise _malformed(path, row + 1, error) from None
    return rows


def _check_header(path: Path, header: list[str]) -> None:
    missing = [name for name in REVIEW if name not in header]
    if missing:
        reason = f"no column {', '.join(missing)}: expected the columns {', '.join(REVIEW)}"
        raise _malformed(path, 1, f"{reason}, as UTF-8 text")
    if any(UNDECODABLE in name for name in header):
        raise _malformed(path, 1, NOT_UTF8)
    if len(set(header)) < len(header):
        raise _malformed(path, 1, f"a column twice: {', '.join(header)}, expected each once")


def _entry(
    path: Path, row: int, header: list[str], cells: list[str], delimiter: str
) -> dict[str, str]:
    """The cells of a row by column, with the mark in small letters and a valid id."""
    if len(cells) != len(header):
        reason = f"{len(cells)} cells, expected {len(header)} as in the header"
        hint = f"a text that contains {delimiter!r} has to be in quotes"
        raise _malformed(path, row, f"{reason}; {hint}")
    if any(UNDECODABLE in cell for cell in cells):
        raise _malformed(path, row, NOT_UTF8)
    entry = dict(zip(header, cells, strict=True))
    entry["mark"] = entry["mark"].lower()
    if entry["mark"] not in ("", *MARKS):
        reason = f"mark {entry['mark']!r}, expected {', '.join(MARKS)} or nothing"
        raise _malformed(path, row, reason)
    # a spreadsheet may have changed an id that looks like a number, such as 123456e789
    if not re.fullmatch("[0-9a-f]{10}", entry["id"]):
        entry["id"] = finding_id(entry["detector"], entry["what"], entry["where"])
    return entry
