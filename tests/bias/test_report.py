"""bias/report.py: the page needs no other files and shows data as text."""

import base64
import io
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from PIL import Image

from tinyemo.bias.report import findings_table, write_report

MARKUP = "<script>alert('$title & co')</script>"
REFERENCES = {  # attributes that may point to another file
    "src",
    "href",
    "srcset",
    "action",
    "data",
    "poster",
}


class Page(HTMLParser):
    """The tags of a page, its links and ids, and the text of its cells."""

    def __init__(self, page: str):
        super().__init__()
        self.tags, self.links, self.cells, self.ids = ["html"], [], [], set()
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.links += [value for name, value in attributes if name in REFERENCES]
        self.ids |= {value for name, value in attributes if name == "id"}
        if tag in ("td", "th"):
            self.cells.append("")

    def handle_data(self, data):
        if self.tags[-1] in ("td", "th"):
            self.cells[-1] += data.strip()


def test_page_needs_no_other_files_and_shows_markup_as_text(tmp_path):
    figure = Figure(figsize=(3, 2))
    figure.subplots().plot([1, 2])
    table = pd.DataFrame(
        {"what": [MARKUP, None], "effect": [0.123456, np.nan], "items": [118_000, 3]}
    )
    path = write_report(
        tmp_path / "out" / "report.html",
        f"Bias {MARKUP}",
        [
            (
                "What & where",
                f"First.\n\nSecond {MARKUP}",
                {"A table": table, 'A "figure"': figure},
            ),
            (
                "Images",
                "",
                {
                    "A picture": Image.new("RGB", (5, 4), "red"),
                    "empty": table[:0].set_index("what"),
                },
            ),
        ],
    )
    content = path.read_text("utf-8")
    page = Page(content)
    assert "script" not in page.tags and "link" not in page.tags and "url(" not in content
    assert page.tags.count("p") == 2 and page.tags.count("figure") == 4
    assert page.cells == [
        "what",
        "effect",
        "items",
        MARKUP,
        "0.123",
        "118000",
        "–",
        "–",
        "3",
        "what",
        "effect",
        "items",
    ]
    anchors = [link for link in page.links if link.startswith("#")]
    assert {link[1:] for link in anchors} == page.ids == {"s1", "s2"}
    images = [link for link in page.links if link not in anchors]
    assert len(images) == 2 and all(link.startswith("data:image/png;base64,") for link in images)
    assert Image.open(io.BytesIO(base64.b64decode(images[1].split(",")[1]))).getpixel((2, 2)) == (
        255,
        0,
        0,
    )


def test_unknown_exhibit_is_an_error_and_the_old_page_stays(tmp_path):
    path = write_report(tmp_path / "report.html", "old", [])
    with pytest.raises(ValueError, match="'a caption' is a list, expected a table"):
        write_report(path, "new", [("h", "", {"a caption": [1, 2]})])
    assert "<h1>old</h1>" in path.read_text() and list(tmp_path.iterdir()) == [path]


def test_findings_table_joins_effects_intervals_and_marks():
    findings = pd.DataFrame(
        {
            "id": ["a", "b"],
            "rank": [1, 2],
            "what": ["rain", "fog"],
            "where": "anger",
            "detector": ["data", "model"],
            "effect": [0.25, -0.1],
            "low": [0.2, -0.15],
            "high": [0.3, -0.05],
            "unit": "risk difference",
            "p": 0.01,
            "q": 0.02,
            "agree": ["data", "model"],
            "examples": "",
        },
        index=[5, 9],
    )
    review = pd.DataFrame(
        {"id": ["b", "x"], "mark": ["accept", "reject"], "comment": ["a clear bias", ""]}
    )
    table = findings_table(findings, review)
    effects = [cell.replace("\u00a0", " ") for cell in table["effect [95 % interval]"]]
    assert effects == ["+0.25 [+0.2, +0.3]", "-0.1 [-0.15, -0.05]"]
    assert table[["mark", "comment"]].to_numpy().tolist() == [["", ""], ["accept", "a clear bias"]]
