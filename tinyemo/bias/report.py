"""The bias report: one HTML page that can be mailed and printed.

Takes headings, texts, tables and figures. Writes one HTML file that needs no script, no network and
no other file (figures are contained in it as PNG). Everything that comes from data is escaped, so
an attribute value or a comment is shown as text.
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
KEY = """What: an attribute value or a word. Where: the label. Effects of different detectors have \
different units. q: the false discovery rate at which it is found. The table is ordered by the \
number of detectors, then by q. Detectors share data and model, so their number is not independent \
evidence."""
LIMITS = """No finding shows that anything is unfair. A finding shows that two things go together \
more often than a stated null hypothesis allows. A person has to decide whether one is a reason \
for the other, and whether it is unfair.

Attributes: the detectors change no picture. A value that often occurs with the true cause may be \
found instead of it, and what no attribute describes cannot be found. Attributes that were \
declared legitimate are not tested. Pairs of values are tested in the labels only, and \
combinations of three values or more not at all. Partly random labels are found only if they are \
more frequent with a value.

Words near a group of images raise questions. Alone they show nothing about a model's predictions. \
A projector places images between words that it was not trained on, so a word that was not found \
is noise, even if it seems to fit. A word in CLIP's space describes what the images show, not what \
the model uses.

Word associations are those of texts. This page does not test whether a model's predictions about \
people follow them.

Something that was not found may still exist: small effects, rare values and small collections \
hide it."""
NUMBER = ' class="number"'
MISSING = "–"
Exhibits = Mapping[str, pd.DataFrame | Figure | Image.Image]  # caption -> table or picture
Section = tuple[str, str, Exhibits]  # heading, text (paragraphs separated by empty lines), exhibits


def write_report(path: str | Path, title: str, sections: Sequence[Section]) -> Path:
    """Write sections as one page that needs no other file; gives the path.

    The caption of a picture is also its alternative text for screen readers.

    ValueError: an exhibit is neither a table nor a figure nor an image; the message names its
    caption.
    """
    contents, body = [], []
    for number, (heading, text, exhibits) in enumerate(sections, start=1):
        contents.append(f'<a href="#s{number}">{escape(heading)}</a>')
        body.append(f'<h2 id="s{number}">{escape(heading)}</h2>')
        for paragraph in text.split("\n\n"):
            if paragraph.strip():
                body.append(f"<p>{escape(paragraph)}</p>")
        for caption, exhibit in exhibits.items():
            head = f"<figcaption>{escape(caption)}</figcaption>"
            body.append(f"<figure>\n{head}\n{_exhibit(caption, exhibit)}\n</figure>")
    template = Template(TEMPLATE.read_text(encoding="utf-8"))
    page = template.substitute(
        title=escape(title), contents="\n".join(contents), body="\n".join(body)
    )
    return write_atomically(path, lambda file: file.write_text(page, encoding="utf-8"))


def findings_table(findings: pd.DataFrame, review: pd.DataFrame) -> pd.DataFrame:
    """The ranked findings for a reader: effect and interval in one cell, marks of the review."""
    rows = findings.merge(review[["id", "mark", "comment"]], how="left", on="id")
    rows = rows.fillna({"mark": "", "comment": ""})
    effects = []
    for effect, low, high in rows[["effect", "low", "high"]].to_numpy(dtype=float):
        # no-break spaces keep effect and interval on one line
        effects.append(f"{effect:+.3g}\u00a0[{low:+.3g},\u00a0{high:+.3g}]")
    table = rows[["rank", "what", "where", "detector"]].copy()
    table["effect [95 % interval]"] = effects
    table[["unit", "q"]] = rows[["unit", "q"]]
    table["found by"] = rows["agree"]
    table[["mark", "comment"]] = rows[["mark", "comment"]]
    return table


def _exhibit(caption: str, exhibit: pd.DataFrame | Figure | Image.Image) -> str:
    """A table as HTML, or a picture as an <img> element that contains the PNG."""
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
    png = base64.b64encode(file.getvalue()).decode()
    return f'<img alt="{escape(caption)}" src="data:image/png;base64,{png}">'


def _table(table: pd.DataFrame) -> str:
    """A table as HTML. Numbers have three significant digits; an unnamed index is not shown."""
    if table.index.name is not None:
        table = table.reset_index()
    head = ""
    for name in table:
        attribute = NUMBER if is_numeric_dtype(table[name]) else ""
        head += f"<th{attribute}>{escape(str(name))}</th>"
    lines = []
    for row in table.astype(object).itertuples(index=False, name=None):
        cells = "".join(_cell(value) for value in row)
        lines.append(f"<tr>{cells}</tr>")
    rows = "\n".join(lines)
    return f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table>"


def _cell(value: object) -> str:
    """One table cell as HTML."""
    if isinstance(value, Real) and not isinstance(value, bool):
        if pd.isna(value):
            text = MISSING
        else:
            text = format(value, ".3g" if value % 1 else ".0f")
        return f"<td{NUMBER}>{text}</td>"
    text = MISSING if value is None else escape(str(value))
    return f"<td>{text}</td>"
