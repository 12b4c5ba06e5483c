"""Findings: what the detectors found as one ranked table, and what a person says to each.

Detectors propose, a person disposes. Takes the detectors' tables, gives the ranked one; owns the finding's id, which
is the same in every run and on other data, and the review file: a CSV that a person edits in a spreadsheet or in a
form in the notebook, that the next run reads, and from which no run ever takes a mark, a comment or a row.
"""

import csv
import fcntl
import hashlib
import html
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import ipywidgets as widgets
import numpy as np
import pandas as pd
from PIL import Image
from scipy.stats import binomtest

from tinyemo.bias.evidence import EVIDENCE
from tinyemo.evaluation.bootstrap import score_interval
from tinyemo.io import write_atomically

FINDING = (
    "id",
    "rank",
    "what",
    "where",
    "detector",
    "effect",
    "low",
    "high",
    "unit",
    "p",
    "q",
    "agree",
    "examples",
)
REVIEW = ("id", "what", "where", "detector", "mark", "comment", "seen")
PAIR = ["what", "where"]
MARKS = ("accept", "reject", "unsure")  # or nothing


def finding_id(detector: str, what: str, where: str) -> str:
    """Ten hexadecimal digits that name a finding in every run, whatever the data and its rank."""
    return hashlib.sha256(f"{detector}|{what}|{where}".encode()).hexdigest()[:10]


def rank(
    tables: Sequence[pd.DataFrame], examples: Mapping[tuple[str, str], Sequence[str]] | None = None
) -> pd.DataFrame:
    """The found rows of all detectors' tables, columns FINDING, the most credible first.

    That is: seen by more detectors, then of smaller q, then of larger |effect| (units differ, so this only breaks
    ties); what several detectors say of one what and where stands together, at the place of the surest and in the order
    of the `tables`. `agree` names these detectors, of which some share data or model: their number orders the table and
    is no independent confirmation. `examples` holds the record ids or image paths given for (what, where), between
    " | ". ValueError: a table without a column of EVIDENCE, a finding twice.
    """
    for table in tables:
        if missing := [name for name in EVIDENCE if name not in table]:
            raise ValueError(
                f"a detector's table has no column {', '.join(missing)}: expected {', '.join(EVIDENCE)}"
            )
    found = [table.loc[table["found"].astype(bool), list(EVIDENCE)] for table in tables]
    if not any(len(table) for table in found):
        return pd.DataFrame(columns=list(FINDING))
    every = pd.concat(
        [table.assign(place=i) for i, table in enumerate(found) if len(table)], ignore_index=True
    )
    every["id"] = list(map(finding_id, every["detector"], every["what"], every["where"]))
    every["examples"] = [
        " | ".join((examples or {}).get(key, ())) for key in map(tuple, every[PAIR].to_numpy())
    ]
    if (twice := every["id"].duplicated()).any():
        row = every[twice].iloc[0]
        raise ValueError(
            f"detector {row['detector']!r} found {row['what']!r} at {row['where']!r} twice: "
            "expected one row of each detector, what and where"
        )
    seen_by = every.groupby(PAIR)["detector"]
    every["agree"] = seen_by.transform(lambda detectors: ", ".join(sorted(detectors)))
    every = every.assign(
        fewer=-seen_by.transform("size"), smaller=-every["effect"].abs()
    ).sort_values(["fewer", "q", "smaller", "id"])
    first = every.groupby(PAIR, sort=False).ngroup()  # where a pair first comes up
    every = every.iloc[np.lexsort((every["place"], first))].reset_index(drop=True)
    return every.assign(rank=every.index + 1)[list(FINDING)]


def read_review(path: str | Path) -> pd.DataFrame:
    """The review file as text, columns REVIEW and those a person added; empty if there is no file.

    Reads what spreadsheets save: commas, semicolons or tabs, a byte order mark, any line end, marks in capitals.
    ValueError names file, row (as a spreadsheet counts) and reason; the file is never touched.
    """
    return _parse(Path(path))[0]


def update_review(path: str | Path, findings: pd.DataFrame) -> pd.DataFrame:
    """Add the findings that the review file does not hold yet, without a mark, and say in `seen` which are found now.

    All else stays: marks, comments, columns, rows no longer found, their order, the delimiter. Returns the new
    review. ValueError: a malformed file, which is left as it is.
    """
    with _alone(Path(path)):
        review, delimiter = _parse(Path(path))
        new = findings.loc[
            ~findings["id"].isin(review["id"]), ["id", "what", "where", "detector"]
        ].astype(str)
        review = (
            pd.concat([review, new], ignore_index=True).reindex(columns=review.columns).fillna("")
        )
        review["seen"] = np.where(review["id"].isin(findings["id"]), "yes", "no")
        _write(Path(path), review, delimiter)
    return review


def write_mark(
    path: str | Path, what: str, where: str, mark: str | None = None, comment: str | None = None
) -> None:
    """Give all that the review file holds of a pair one mark or comment; it is read anew, for others may be at work.

    ValueError, and nothing is written: another mark than MARKS or "", a comment that could not be read again, a pair of
    which the file has no row.
    """
    if mark not in (None, "", *MARKS):
        raise ValueError(f"mark {mark!r}, expected {', '.join(MARKS)} or nothing")
    with _alone(Path(path)):
        review, delimiter = _parse(Path(path))
        if not (of_pair := (review["what"] == what) & (review["where"] == where)).any():
            raise ValueError(
                f"{path} has no finding {what!r} at {where!r}: its rows were taken out"
            )
        for name, value in (("mark", mark), ("comment", comment)):
            if value is not None:
                review.loc[of_pair, name] = value
        _write(Path(path), review, delimiter)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """One reader and writer at a time: two who write what each has read would lose the other's marks."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path.with_name(f".{path.name}.lock"), "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _write(path: Path, review: pd.DataFrame, delimiter: str) -> None:
    # A byte order mark, or a spreadsheet takes UTF-8 for another encoding and spoils the comments; line ends of
    # RFC 4180, so that each of both letters is quoted in a comment.
    def write(file: Path) -> None:
        review.to_csv(file, index=False, sep=delimiter, encoding="utf-8-sig", lineterminator="\r\n")
        _parse(file)  # what could not be read again takes nobody's place

    write_atomically(path, write)


def _parse(path: Path) -> tuple[pd.DataFrame, str]:
    """The review and the file's delimiter."""
    if not path.exists():
        return pd.DataFrame(columns=list(REVIEW), dtype=str), ","

    def refuse(row: int, reason: object) -> None:
        raise ValueError(f"{path}, row {row}: {reason}") from None

    text = path.read_bytes().decode("utf-8-sig", errors="replace")
    delimiter = max(",;\t", key="".join(text.splitlines()[:1]).count)
    row, rows = 0, {}
    try:
        for row, cells in enumerate(
            csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True), 1
        ):
            if any(cells := [cell.strip() for cell in cells]):
                rows[row] = cells
    except csv.Error as error:
        refuse(row + 1, error)
    header = rows.pop(1, [])
    if missing := [name for name in REVIEW if name not in header]:
        refuse(
            1,
            f"no column {', '.join(missing)}: expected the columns {', '.join(REVIEW)}, as UTF-8 text",
        )
    if any("\ufffd" in name for name in header):
        refuse(1, "a letter is not UTF-8: save the file as CSV in UTF-8")
    if len(set(header)) < len(header):
        refuse(1, f"a column twice: {', '.join(header)}")
    known = {}
    for row, cells in rows.items():
        if len(cells) != len(header):
            refuse(
                row,
                f"{len(cells)} cells, expected {len(header)} as in the header; "
                f"a text with {delimiter!r} in it stands in quotes",
            )
        if any("\ufffd" in cell for cell in cells):
            refuse(row, "a letter is not UTF-8: save the file as CSV in UTF-8")
        entry = dict(zip(header, cells, strict=True))
        entry["mark"] = entry["mark"].lower()
        if entry["mark"] not in ("", *MARKS):
            refuse(row, f"mark {entry['mark']!r}, expected {', '.join(MARKS)} or nothing")
        if not re.fullmatch(
            "[0-9a-f]{10}", entry["id"]
        ):  # a spreadsheet takes 0123456789 and 123456e789 for numbers
            entry["id"] = finding_id(entry["detector"], entry["what"], entry["where"])
        if entry["id"] in known:
            refuse(row, f"finding {entry['id']} stands in row {known[entry['id']]} already")
        known[entry["id"]] = row
        rows[row] = entry
    return pd.DataFrame(list(rows.values()), columns=header, dtype=str), delimiter


def agreement(findings: pd.DataFrame, review: pd.DataFrame) -> pd.DataFrame:
    """What the person said to each detector's findings: a row a detector, and one for all of them.

    Columns: detector, accept, reject, unsure, unmarked (counts); share = accept / (accept + reject) with its 95 %
    Wilson interval (Wilson 1927) low, high; NaN where nothing was decided.
    """
    marks = findings[["id", "detector"]].merge(
        review[["id", "mark"]].replace("", np.nan), how="left", on="id"
    )
    counts = pd.crosstab(
        marks["detector"],
        marks["mark"].fillna("unmarked"),
        margins=len(marks) > 0,
        margins_name="all",
    ).reindex(columns=[*MARKS, "unmarked"], fill_value=0)
    decided = counts["accept"] + counts["reject"]
    wilson = [
        binomtest(k, n).proportion_ci(method="wilson") if n else (np.nan, np.nan)
        for k, n in zip(counts["accept"], decided, strict=True)
    ]
    intervals = pd.DataFrame(wilson, columns=["low", "high"], index=counts.index, dtype=float)
    return (
        counts.assign(share=counts["accept"] / decided, **intervals)
        .rename_axis(columns=None)
        .reset_index()
    )


def reviewers_agreement(review: pd.DataFrame, other: pd.DataFrame) -> dict[str, float]:
    """Cohen's kappa (1960) of two persons' reviews over the findings that both marked, with a bootstrap interval.

    Keys: findings, share (marked alike), kappa, low, high. ValueError: no finding that both marked. Two persons who
    give all findings one and the same mark agree (kappa 1, though the formula is 0 / 0 there).
    """
    both = review.merge(other, on="id")
    both = both[both["mark_x"].isin(MARKS) & both["mark_y"].isin(MARKS)]
    if both.empty:
        raise ValueError("two reviews without a finding that both marked: expected at least one")
    x, y = (pd.Categorical(both[side], categories=MARKS).codes for side in ("mark_x", "mark_y"))

    def kappa(rows: np.ndarray) -> float:
        seen = (x[rows] == y[rows]).mean()
        chance = (
            np.bincount(x[rows], minlength=3) @ np.bincount(y[rows], minlength=3) / len(rows) ** 2
        )
        return float((seen - chance) / (1 - chance)) if seen < 1 else 1.0

    scores = {"share": float((x == y).mean()), "kappa": kappa(np.arange(len(both)))}
    return {
        "findings": len(both),
        **scores,
        **dict(zip(("low", "high"), score_interval(kappa, len(both)), strict=True)),
    }


def accepted(findings: pd.DataFrame, review: pd.DataFrame) -> pd.DataFrame:
    """The findings that a person accepted, in their order, with the comment."""
    return findings.merge(review.loc[review["mark"] == "accept", ["id", "comment"]], on="id")


def review_form(
    path: str | Path, findings: pd.DataFrame, pictures: Callable[[str], Image.Image] | None = None
) -> widgets.VBox:
    """A form for a notebook: a block a pair of what and where, with its detectors, buttons for the mark and a comment.

    A mark is said of the pair. It is written at once, to all rows that the review file holds of the pair; it must hold
    the findings (`update_review`), and `findings` may be some of them. Where the rows have different marks no button is
    down, and their comments stand below each other; nothing is written before the person changes something. `pictures`
    opens one entry of `examples`: `Image.open` for image paths, a function of the caller's for record ids. ValueError:
    a finding that the file does not hold.
    """
    review, blocks = read_review(path), []
    if strange := sorted(set(findings["id"]) - set(review["id"])):
        raise ValueError(
            f"{path} has no finding {', '.join(strange)}: call update_review with all findings first"
        )
    for pair, found in findings.groupby(PAIR, sort=False):
        rows = review[review["id"].isin(found["id"]) | (review[PAIR] == list(pair)).all(axis=1)]
        marks, comments = rows["mark"].unique(), rows["comment"].unique()
        mark = widgets.ToggleButtons(
            options={"none": "", **{name: name for name in MARKS}},
            value=marks[0] if len(marks) == 1 else None,
            style={"button_width": "72px"},
        )
        comment = widgets.Textarea(
            value="\n".join(filter(None, comments)),
            placeholder="comment",
            rows=1,
            continuous_update=False,
        )
        for name, control in (("mark", mark), ("comment", comment)):
            control.observe(
                lambda change, name=name, pair=pair: write_mark(
                    path, *pair, **{name: change["new"]}
                ),
                names="value",
            )
        names = str(found["examples"].iloc[0]).split(" | ") if pictures else []
        shown = [_thumbnail(pictures(name)) for name in names if name and name != "nan"]
        blocks.append(
            widgets.VBox(
                [
                    widgets.HTML(_evidence(found, rows)),
                    widgets.HBox(shown),
                    widgets.HBox([mark, comment]),
                ]
            )
        )
    return widgets.VBox(blocks)


def _evidence(found: pd.DataFrame, rows: pd.DataFrame) -> str:
    """A pair's findings as HTML, a line a detector, then those of its rows in the review that are not among them."""
    lines = {
        one[
            "id"
        ]: "{rank}. {detector}, {unit}: {effect:+.3g} [{low:+.3g}, {high:+.3g}], q {q:.2g}".format(
            **one
        )
        for one in found.to_dict("records")
    }
    for row in rows[~rows["id"].isin(lines)].to_dict("records"):
        lines[row["id"]] = f"also {row['detector']}{', not found now' * (row['seen'] == 'no')}"
    if rows["mark"].nunique() > 1:
        marks = dict(zip(rows["id"], rows["mark"], strict=True))
        lines = {
            name: f"{line} (so far {marks[name] or 'no mark'})" for name, line in lines.items()
        }
    title = "{what} → {where}".format(**found.iloc[0])
    return f"<b>{html.escape(title)}</b>" + "".join(
        f"<br>{html.escape(line)}" for line in lines.values()
    )


def _thumbnail(picture: Image.Image) -> widgets.Image:
    small, file = picture.convert("RGB"), io.BytesIO()
    small.thumbnail((96, 96))
    small.save(file, "PNG")
    return widgets.Image(value=file.getvalue(), format="png", width=96)
