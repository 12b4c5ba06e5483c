"""Findings ranked by hand, the review file as spreadsheets save it, and the form."""

import hashlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from tinyemo.bias import findings as F
from tinyemo.bias import review_file as R
from tinyemo.bias.review_form import review_form
from tinyemo.io import write_atomically


def detected(detector: str, *rows: tuple[str, str, float, float]) -> pd.DataFrame:
    """A detector's table of (what, where, effect, q); rows with q above .05 are not found."""
    return pd.DataFrame(
        [
            {
                "detector": detector,
                "what": what,
                "where": where,
                "effect": effect,
                "low": effect - 0.1,
                "high": effect + 0.1,
                "unit": "u",
                "p": q / 2,
                "q": q,
                "found": q <= 0.05,
                "cells": 7,
            }
            for what, where, effect, q in rows
        ]
    )


DATA = detected(
    "data", ("rain", "anger", 0.2, 0.01), ("fog", "fear", 0.1, 0.02), ("sun", "joy", 0.3, 0.3)
)
MODEL = detected(
    "model", ("dog", "joy", -0.3, 0.001), ("rain", "anger", 0.1, 0.04), ("cat", "joy", 0.2, 0.001)
)
WORDS = detected("words", ("sea", "joy", 0.3, 0.5), ("fog", "fear", 0.4, 1e-9))
NONE = WORDS[:1]


@pytest.fixture
def findings() -> pd.DataFrame:
    return F.rank([DATA, MODEL, NONE], {("rain", "anger"): ["scenes/1", "scenes/2"]})


@pytest.fixture
def path(tmp_path, findings):
    """A review in which a person has marked three findings and added a column."""
    path = tmp_path / "review.csv"
    review = R.update_review(path, findings).assign(reviewer="Ana")
    review["mark"] = ["accept", "reject", "", "unsure", ""]
    review["comment"] = ['the "rain", again;\ntwo lines', "naïve", "", "", ""]
    review.to_csv(path, index=False)
    return path


def test_rank_is_by_number_of_detectors_then_q_then_size(findings):
    assert list(findings.columns) == list(F.FINDING)
    assert findings[["rank", "what", "detector"]].to_numpy().tolist() == [
        [1, "rain", "data"],
        [2, "rain", "model"],
        [3, "dog", "model"],
        [4, "cat", "model"],
        [5, "fog", "data"],
    ]
    assert list(findings["agree"]) == ["data, model", "data, model", "model", "model", "data"]
    assert list(findings["examples"][:3]) == ["scenes/1 | scenes/2", "scenes/1 | scenes/2", ""]
    assert findings.loc[2, "id"] == hashlib.sha256(b"model|dog|joy").hexdigest()[:10]
    assert list(F.rank([DATA, MODEL, WORDS])["what"]) == [
        "fog",
        "fog",
        "rain",
        "rain",
        "dog",
        "cat",
    ]  # pairs together
    first = F.rank([MODEL, DATA])  # the order of the tables decides within a pair
    assert list(first["detector"][:2]) == ["model", "data"] and list(first["what"]) == list(
        findings["what"]
    )
    again = F.rank([MODEL[::-1].assign(effect=0.7), DATA]).set_index(["detector", "what"])["id"]
    assert again.to_dict() == findings.set_index(["detector", "what"])["id"].to_dict()


def test_nothing_found_is_an_empty_table(tmp_path):
    for tables in ([], [NONE]):
        empty = F.rank(tables)
        assert list(empty.columns) == list(F.FINDING) and empty.empty
        review = R.update_review(tmp_path / "review.csv", empty)
        assert review.empty and F.agreement(empty, review).empty and F.accepted(empty, review).empty


def test_a_table_without_a_column_and_a_finding_twice_are_refused():
    with pytest.raises(ValueError, match="no column unit, q: expected detector"):
        F.rank([DATA.drop(columns=["unit", "q"])])
    with pytest.raises(ValueError, match="'data' found 'rain' at 'anger' twice"):
        F.rank([DATA, MODEL, DATA[:1]])


def test_marks_comments_columns_and_rows_survive_a_run_with_other_findings(path):
    before = R.read_review(path)
    other = F.rank([detected("model", ("tree", "fear", 0.2, 0.01), ("cat", "joy", 0.9, 0.03))])
    for _ in range(2):
        after = R.update_review(path, other)
        pd.testing.assert_frame_equal(after, R.read_review(path))
        kept = [name for name in before if name != "seen"]
        pd.testing.assert_frame_equal(after.loc[:4, kept], before[kept])
        assert after.loc[0, "comment"] == 'the "rain", again;\ntwo lines'
        assert list(after["what"]) == ["rain", "rain", "dog", "cat", "fog", "tree"]
        assert list(after["seen"]) == ["no", "no", "no", "yes", "no", "yes"]
        assert after.loc[5, ["mark", "reviewer"]].tolist() == ["", ""]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_files_saved_by_spreadsheets_are_read_and_keep_their_delimiter(
    path, findings, delimiter, end, encoding
):
    before = R.read_review(path)
    saved = before.assign(mark=before["mark"].str.capitalize())
    saved.to_csv(path, index=False, sep=delimiter, lineterminator=end, encoding=encoding, quoting=1)
    with open(path, "ab") as file:
        file.write((delimiter * (saved.shape[1] - 1) + end).encode())  # an empty row at the end
    pd.testing.assert_frame_equal(R.update_review(path, findings), before)
    assert path.read_text("utf-8-sig").startswith(f"id{delimiter}what{delimiter}")


def test_an_id_that_a_spreadsheet_changed_to_a_number_is_computed_again(path):
    before = R.read_review(path)
    R.read_review(path).assign(id=["1.2E+07", "INF", *before["id"][2:]]).to_csv(path, index=False)
    pd.testing.assert_frame_equal(R.read_review(path), before)


HEADER = "id,what,where,detector,mark,comment,seen\n"
ROW = "00000000a1,rain,anger,data,accept,,yes\n"


@pytest.mark.parametrize(
    "content, row, reason",
    [
        (b"", 1, "no column id, what, where, detector, mark, comment, seen"),
        (b"id,what,where,detector,comment,seen\n", 1, "no column mark: expected the columns id"),
        (HEADER.encode("utf-16"), 1, "as UTF-8 text"),
        (HEADER.replace("seen", "seen,mark").encode(), 1, "a column twice"),
        (
            (HEADER + ROW + "\n" + "00000000a2,fog,fear,data,yes,,yes").encode(),
            4,
            "mark 'yes', expected accept",
        ),
        ((HEADER + ROW + ROW.replace(",yes", ", oh,no,yes")).encode(), 3, "9 cells, expected 7"),
        ((HEADER + ROW + "00000000a2,fog,fear").encode(), 3, "3 cells, expected 7"),
        ((HEADER + ROW + ROW).encode(), 3, "finding 00000000a1 is already in row 2"),
        (
            (HEADER + ROW.replace(",,", ',"two\nlines",') + ROW.replace(",,", ',"open,')).encode(),
            3,
            "unexpected end",
        ),
        ((HEADER + ROW.replace("rain", "naïve")).encode("cp1252"), 2, "not UTF-8"),
    ],
)
def test_a_malformed_file_is_refused_by_row_and_reason_and_not_changed(
    tmp_path, findings, content, row, reason
):
    path = tmp_path / "review.csv"
    path.write_bytes(content)
    for call in (
        lambda: R.read_review(path),
        lambda: R.update_review(path, findings),
        lambda: R.write_mark(path, "a", "joy", "reject", ""),
    ):
        with pytest.raises(ValueError, match=rf"review\.csv, row {row}: .*{reason}"):
            call()
    assert path.read_bytes() == content and set(tmp_path.iterdir()) <= {
        path,
        tmp_path / ".review.csv.lock",
    }


def test_agreement_by_detector_with_wilsons_interval(path, findings):
    table = F.agreement(findings, R.read_review(path)).set_index("detector")
    assert table.loc["data", ["accept", "reject", "unsure", "unmarked"]].tolist() == [1, 0, 0, 1]
    assert table.loc["all", ["accept", "reject", "unsure", "unmarked"]].tolist() == [1, 1, 1, 2]
    z, n, p = 1.959964, 2, 0.5
    half = z / (1 + z**2 / n) * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    middle = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    assert table.loc["all", ["share", "low", "high"]].tolist() == pytest.approx(
        [p, middle - half, middle + half]
    )
    assert np.isnan(F.agreement(findings, R.read_review(path)[:0])["share"]).all()


def test_accepted_findings_come_with_their_comment(path, findings):
    assert F.accepted(findings, R.read_review(path))[
        ["what", "detector", "comment"]
    ].to_numpy().tolist() == [["rain", "data", 'the "rain", again;\ntwo lines']]
    assert F.accepted(
        findings[1:], R.read_review(path)
    ).empty  # accepted, but not found in this run


COMMENT = 'by another;\r"person",\tso\r\nthere\nand \u2028 é'


def test_the_form_writes_each_change_and_keeps_changes_made_elsewhere(path, findings):
    form = review_form(path, findings, lambda name: Image.new("L", (300, 200), int(name[-1])))
    assert [len(block.children[1].children) for block in form.children] == [2, 0, 0, 0]
    assert bytes(form.children[0].children[1].children[0].value).startswith(b"\x89PNG")
    mark, _ = form.children[2].children[2].children
    assert mark.value == "unsure"
    mark.value = "reject"
    assert list(R.read_review(path)["mark"]) == ["accept", "reject", "", "reject", ""]
    R.write_mark(path, *findings.loc[4, F.PAIR], "accept", COMMENT)
    R.write_mark(
        path, *findings.loc[3, F.PAIR], comment="one\rtwo"
    )  # an unquoted line end to Python's csv
    R.write_mark(path, *findings.loc[2, F.PAIR], "unsure")  # elsewhere, while the form shows none
    form.children[1].children[2].children[1].value = 'well, "so"'
    review = R.read_review(path)
    assert list(review["mark"]) == ["accept", "reject", "unsure", "reject", "accept"]
    assert list(review["comment"][2:]) == ['well, "so"', "one\rtwo", COMMENT]
    review_form(path, findings[:1])
    assert (
        list(R.read_review(path)["seen"]) == ["yes"] * 5
    )  # a form of some findings leaves `seen` of the others
    with pytest.raises(ValueError, match="has no finding .*: call update_review"):
        review_form(path, F.rank([WORDS]))
    before = path.read_bytes()
    with pytest.raises(ValueError, match="has no finding 'rain' at 'joy'"):
        R.write_mark(path, "rain", "joy", "accept", "")
    with pytest.raises(ValueError, match="mark 'yes', expected accept"):
        R.write_mark(path, "rain", "anger", "yes", "")
    for unreadable in ("caf\ufffd", "x" * 140_000):
        with pytest.raises(ValueError, match="not UTF-8|field limit"):
            R.write_mark(path, "rain", "anger", comment=unreadable)
    assert path.read_bytes() == before


def test_marks_written_at_the_same_time_are_all_kept(tmp_path):
    path = tmp_path / "review.csv"
    R.update_review(
        path, F.rank([detected("data", *((f"{i}", "joy", 0.2, 0.01) for i in range(20)))])
    )
    with ThreadPoolExecutor(4) as people:
        list(people.map(lambda i: R.write_mark(path, f"{i}", "joy", "reject"), range(20)))
    assert (R.read_review(path)["mark"] == "reject").all()


def test_a_pair_is_marked_once_for_all_its_detectors(path, findings, monkeypatch):
    written = []
    monkeypatch.setattr(
        R, "write_atomically", lambda *call: (written.append(1), write_atomically(*call))
    )
    text, _, controls = review_form(path, findings).children[0].children
    mark, comment = controls.children
    assert text.value.split("<br>") == [
        "<b>rain → anger</b>",
        "1. data, u: +0.2 [+0.1, +0.3], q 0.01 (so far accept)",
        "2. model, u: +0.1 [+0, +0.2], q 0.04 (so far reject)",
    ]
    assert (
        mark.value is None
        and comment.value == 'the "rain", again;\ntwo lines\nnaïve'
        and not written
    )
    mark.value = "unsure"
    assert len(written) == 1 and list(R.read_review(path)["mark"]) == [
        "unsure",
        "unsure",
        "",
        "unsure",
        "",
    ]
    assert list(R.read_review(path)["comment"][:2]) == ['the "rain", again;\ntwo lines', "naïve"]
    comment.value = "one for both"
    assert len(written) == 2 and list(R.read_review(path)["comment"][:3]) == [
        "one for both",
        "one for both",
        "",
    ]
    again = review_form(path, findings).children[0].children
    assert [control.value for control in again[2].children] == ["unsure", "one for both"]
    assert "so far" not in again[0].value
    again[2].children[0].value = ""  # taken back
    assert list(R.read_review(path)["mark"]) == ["", "", "", "unsure", ""] and len(written) == 3


def test_a_form_of_some_findings_marks_the_whole_pair_and_shows_the_other_rows(path, findings):
    lately = F.rank([DATA, detected("<i>", ("rain", "anger", 0.1, 0.04))])
    R.update_review(path, lately)
    text, _, controls = review_form(path, lately[:1]).children[0].children
    assert text.value.split("<br>")[1:] == [
        "1. data, u: +0.2 [+0.1, +0.3], q 0.01 (so far accept)",
        "also model, not found now (so far reject)",
        "also &lt;i&gt; (so far no mark)",
    ]
    controls.children[0].value = "reject"
    review = R.read_review(path)
    assert list(review.loc[review["what"] == "rain", "mark"]) == ["reject"] * 3
    assert list(review.loc[review["what"] != "rain", "mark"]) == ["", "unsure", ""]
