"""The report: a page that can be mailed, printed and read in ten years.

Takes headings, texts, tables and figures; writes one HTML file that needs no script, no network and no other file
(figures lie in it as PNG). Everything that comes from data is escaped: an attribute value or a comment is text.
"""

import base64
import io
from collections.abc import Mapping, Sequence
from html import escape
from numbers import Real
from pathlib import Path
from string import Template

import pandas as pd
from matplotlib.figure import Figure
from pandas.api.types import is_numeric_dtype
from PIL import Image

from tinyemo.io import write_atomically

TEMPLATE = Path(__file__).with_name("report.html")
KEY = """What: an attribute value or a word. Where: the label. Effects of different detectors have different units. \
q: the false discovery rate at which it is found. Seen by more detectors first, then by q. They share \
data and model: their number is no independent confirmation."""
LIMITS = """No finding says that anything is unfair. It says that two things go together more than a stated null \
hypothesis allows; whether one is a reason for the other, and whether it is unfair, a person has to say.

Attributes: the detectors change no picture. A value that keeps company with the true cause may stand for it, and what \
no attribute names stays unseen.

Words near a group of images raise questions; alone they show nothing about a model's answers. A projector puts images \
between words that it was never taught: a word that was not found is noise, however well it fits. A word read in \
CLIP's space says what such images show, not what the model goes by.

Word associations are those of texts. That a model's answers about people follow them was not tested.

What was not found may still be there: small effects, rare values and small collections hide it."""
NUMBER = ' class="number"'
Exhibits = Mapping[str, pd.DataFrame | Figure | Image.Image]  # by caption
Section = tuple[str, str, Exhibits]  # heading; text, paragraphs apart by an empty line


def write_report(path: str | Path, title: str, sections: Sequence[Section]) -> Path:
    """Write sections as one self-contained page; the caption of a figure is also what a screen reader says of it.

    ValueError names a caption under which there is neither a table nor a figure.
    """
    body, contents = [], []
    for number, (heading, text, exhibits) in enumerate(sections, start=1):
        contents.append(f'<a href="#s{number}">{escape(heading)}</a>')
        body.append(f'<h2 id="s{number}">{escape(heading)}</h2>')
        body += [
            f"<p>{escape(paragraph)}</p>" for paragraph in text.split("\n\n") if paragraph.strip()
        ]
        body += [
            f"<figure>\n<figcaption>{escape(caption)}</figcaption>\n{_exhibit(caption, exhibit)}\n</figure>"
            for caption, exhibit in exhibits.items()
        ]
    page = Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        title=escape(title), contents="\n".join(contents), body="\n".join(body)
    )
    return write_atomically(path, lambda file: file.write_text(page, encoding="utf-8"))


def findings_table(findings: pd.DataFrame, review: pd.DataFrame) -> pd.DataFrame:
    """The ranked table as a reader wants it: effect and interval in one cell, the person's mark and comment."""
    rows = findings.merge(review[["id", "mark", "comment"]], how="left", on="id").fillna(
        {"mark": "", "comment": ""}
    )
    numbers = rows[["effect", "low", "high"]].to_numpy(dtype=float)
    effect = ["{:+.3g}\u00a0[{:+.3g},\u00a0{:+.3g}]".format(*row) for row in numbers]  # on one line
    return pd.DataFrame(
        {
            **rows[["rank", "what", "where", "detector"]],
            "effect [95 % interval]": effect,
            **rows[["unit", "q"]],
            "found by": rows["agree"],
            **rows[["mark", "comment"]],
        }
    )


def _exhibit(caption: str, exhibit: pd.DataFrame | Figure | Image.Image) -> str:
    if isinstance(exhibit, pd.DataFrame):
        return _table(exhibit)
    file = io.BytesIO()
    if isinstance(exhibit, Figure):
        exhibit.savefig(file, format="png", bbox_inches="tight")
    elif isinstance(exhibit, Image.Image):
        exhibit.save(file, "PNG")
    else:
        raise ValueError(
            f"{caption!r} is a {type(exhibit).__name__}, expected a table, a figure or an image"
        )
    return f'<img alt="{escape(caption)}" src="data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}">'


def _table(table: pd.DataFrame) -> str:
    """Three significant digits, numbers to the right; an index stands there only if it has a name."""
    table = table.reset_index() if table.index.name is not None else table
    head = "".join(
        f"<th{NUMBER * is_numeric_dtype(table[name])}>{escape(str(name))}</th>" for name in table
    )
    rows = (
        "".join(map(_cell, row)) for row in table.astype(object).itertuples(index=False, name=None)
    )
    return (
        f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n"
        + "\n".join(f"<tr>{row}</tr>" for row in rows)
        + "\n</tbody>\n</table>"
    )


def _cell(value: object) -> str:
    if isinstance(value, Real) and not isinstance(value, bool):
        return f"<td{NUMBER}>{'–' if pd.isna(value) else format(value, '.3g' if value % 1 else '.0f')}</td>"
    return f"<td>{'–' if value is None else escape(str(value))}</td>"
