"""Answers as files and as text: a JSON line, a table, a CSV, a page with all pictures.

Takes Answers (predictor.py); gives texts, and files that are written completely or not at all. All
that comes from names, labels and models is escaped in the page.
"""

import base64
import io
import json
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from jinja2 import Environment
from tabulate import tabulate

from tinyemo.data.left_out import printable
from tinyemo.io import read_image, write_atomically
from tinyemo.predict.predictor import Answer

TEMPLATE = Path(__file__).with_name("contact_sheet.html")
THUMBNAIL = 320  # pixels of the longer side
BARS = 6  # labels per picture, the likeliest first
TEXT_WIDTH = 60  # characters of the last column of the table


def json_line(answer: Answer) -> str:
    """One JSON object without line breaks.

    With the keys image, label_set, label, probabilities and explanation (null where there is none),
    and note where there is something to note. Of a picture that cannot be read: image and error.
    """
    if answer.error:
        return json.dumps({"image": answer.image, "error": answer.error})
    content = {
        "image": answer.image,
        "label_set": answer.label_set,
        "label": answer.label,
        "probabilities": {name: round(p, 6) for name, p in answer.probabilities.items()},
        "explanation": answer.explanation,
    }
    if answer.note:
        content["note"] = answer.note
    return json.dumps(content)


def text_table(answers: Sequence[Answer]) -> str:
    """A table for a terminal: picture, label with probability, the second label, explanation.

    A note that many pictures share is written once, below the table.
    """
    rows, notes = [], {}
    for answer in answers:
        ranked = [f"{label} {share:.2f}" for label, share in _ranked(answer)]
        best, second = (*ranked, "", "")[:2]
        rows.append((printable(answer.image), best, second, answer.explanation or answer.error))
        if answer.note:
            notes.setdefault(answer.note, []).append(answer.image)
    headers = ("picture", "label", "second", "explanation")
    columns = 4 if any(row[3] for row in rows) else 3
    table = tabulate(
        [row[:columns] for row in rows],
        headers[:columns],
        maxcolwidths=[40, None, None, TEXT_WIDTH][:columns],
        disable_numparse=True,
    )
    lines = [f"{len(images)} of {len(answers)} pictures: {note}" for note, images in notes.items()]
    return "\n".join([table, *lines])


def write_csv(answers: Sequence[Answer], path: str | Path) -> Path:
    """One row per picture: image, label_set, label, p_<label>, explanation, note, error."""
    rows = []
    for answer in answers:
        row = {
            "image": printable(answer.image),
            "label_set": answer.label_set,
            "label": answer.label,
        }
        row |= {f"p_{label}": share for label, share in answer.probabilities.items()}
        rows.append(row)
    table = pd.DataFrame(rows)
    for column in ("explanation", "note", "error"):
        table[column] = [getattr(answer, column) for answer in answers]
    return write_atomically(path, lambda file: table.to_csv(file, index=False, float_format="%.6f"))


def write_page(answers: Sequence[Answer], path: str | Path, model: str, title: str) -> Path:
    """A page that needs no other file: every picture with its bars and its explanation."""
    shown = []
    for answer in answers:
        fields = ("label", "explanation", "note", "error")
        item = {name: getattr(answer, name) for name in fields}
        item["image"] = printable(answer.image)
        item["name"] = Path(item["image"]).name
        item["bars"] = _ranked(answer)[:BARS]
        is_picture = not answer.error and Path(answer.image).is_file()  # or the id of a turn
        item["thumbnail"] = _thumbnail(answer.image) if is_picture else ""
        shown.append(item)
    template = Environment(autoescape=True).from_string(TEMPLATE.read_text(encoding="utf-8"))
    label_set = answers[0].label_set if answers else ""
    page = template.render(title=title, answers=shown, model=model, label_set=label_set)
    return write_atomically(path, lambda file: file.write_text(page, encoding="utf-8"))


def _ranked(answer: Answer) -> list[tuple[str, float]]:
    """The labels with their probabilities, the likeliest first."""
    return sorted(answer.probabilities.items(), key=lambda item: -item[1])


def _thumbnail(image: str) -> str:
    """A small copy as a data URL."""
    picture = read_image(image, smallest=THUMBNAIL)
    picture.thumbnail((THUMBNAIL, THUMBNAIL))
    buffer = io.BytesIO()
    picture.save(buffer, "WEBP", quality=85)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()
