"""A form for a notebook in which a person marks findings and writes comments.

Takes the ranked findings and the review file. Every change is written to the file at once.
"""

import html
import io
from collections.abc import Callable
from pathlib import Path

import ipywidgets as widgets
import pandas as pd
from PIL import Image

from tinyemo.bias.findings import BETWEEN_EXAMPLES, MARKS, PAIR
from tinyemo.bias.review_file import read_review, write_mark

THUMBNAIL = 96  # pixels


def review_form(
    path: str | Path, findings: pd.DataFrame, pictures: Callable[[str], Image.Image] | None = None
) -> widgets.VBox:
    """One block per pair of what and where: findings, pictures, buttons for the mark, a comment.

    A mark belongs to the pair. It is written to all rows that the review file has of the pair. If
    these rows have different marks, no button is pressed, and their comments are shown below each
    other; nothing is written before the person changes something. The file has to contain the
    findings (call `review_file.update_review` first); `findings` may be some of them. `pictures`
    opens one entry of the column `examples`: `Image.open` for image paths, or another function for
    record ids.

    ValueError: a finding that the file does not contain.
    """
    review = read_review(path)
    unknown = sorted(set(findings["id"]) - set(review["id"]))
    if unknown:
        raise ValueError(
            f"{path} has no finding {', '.join(unknown)}: "
            "call update_review with all findings first"
        )
    blocks = []
    for pair, found in findings.groupby(PAIR, sort=False):
        is_pair = (review[PAIR] == list(pair)).all(axis=1)
        rows = review[review["id"].isin(found["id"]) | is_pair]
        evidence = widgets.HTML(_evidence(found, rows))
        shown = widgets.HBox(_pictures(found, pictures))
        controls = widgets.HBox(_controls(path, pair, rows))
        blocks.append(widgets.VBox([evidence, shown, controls]))
    return widgets.VBox(blocks)


def _controls(
    path: str | Path, pair: tuple[str, str], rows: pd.DataFrame
) -> tuple[widgets.ToggleButtons, widgets.Textarea]:
    """Buttons for the mark and a field for the comment; changes are written to the file."""
    marks = rows["mark"].unique()
    comments = [comment for comment in rows["comment"].unique() if comment]
    mark = widgets.ToggleButtons(
        options={"none": "", **{name: name for name in MARKS}},
        value=marks[0] if len(marks) == 1 else None,
        style={"button_width": "72px"},
    )
    comment = widgets.Textarea(
        value="\n".join(comments), placeholder="comment", rows=1, continuous_update=False
    )

    def mark_changed(change: dict) -> None:
        write_mark(path, *pair, mark=change["new"])

    def comment_changed(change: dict) -> None:
        write_mark(path, *pair, comment=change["new"])

    mark.observe(mark_changed, names="value")
    comment.observe(comment_changed, names="value")
    return mark, comment


def _pictures(
    found: pd.DataFrame, pictures: Callable[[str], Image.Image] | None
) -> list[widgets.Image]:
    """Thumbnails of the examples of one pair."""
    if pictures is None:
        return []
    names = str(found["examples"].iloc[0]).split(BETWEEN_EXAMPLES)
    return [_thumbnail(pictures(name)) for name in names if name and name != "nan"]


def _evidence(found: pd.DataFrame, rows: pd.DataFrame) -> str:
    """The findings of one pair as HTML, one line per detector.

    Rows of the pair in the review that are not among the findings follow.
    """
    lines = {}
    for one in found.to_dict("records"):
        effect = "{effect:+.3g} [{low:+.3g}, {high:+.3g}], q {q:.2g}".format(**one)
        lines[one["id"]] = f"{one['rank']}. {one['detector']}, {one['unit']}: {effect}"
    for row in rows[~rows["id"].isin(lines)].to_dict("records"):
        ending = ", not found now" if row["seen"] == "no" else ""
        lines[row["id"]] = f"also {row['detector']}{ending}"
    if rows["mark"].nunique() > 1:
        for name, mark in zip(rows["id"], rows["mark"], strict=True):
            lines[name] += f" (so far {mark or 'no mark'})"
    first = found.iloc[0]
    title = html.escape(f"{first['what']} → {first['where']}")
    text = "".join(f"<br>{html.escape(line)}" for line in lines.values())
    return f"<b>{title}</b>{text}"


def _thumbnail(picture: Image.Image) -> widgets.Image:
    """A small PNG of a picture."""
    small = picture.convert("RGB")
    small.thumbnail((THUMBNAIL, THUMBNAIL))
    file = io.BytesIO()
    small.save(file, "PNG")
    return widgets.Image(value=file.getvalue(), format="png", width=THUMBNAIL)
