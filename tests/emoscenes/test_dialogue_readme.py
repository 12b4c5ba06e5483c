"""The section on dialogues of the dataset's README: its numbers are those of the model."""

import re

import pytest

from emoscenes.dialogue_model import MODEL
from emoscenes.dialogue_optimum import LABEL_SETS, SUBSETS, additive_uar, best_uar
from tinyemo.paths import ROOT

README = (ROOT / "emoscenes" / "README.md").read_text(encoding="utf-8")


def cells(first):
    """The cells after the first one, in the table row that begins with `first`."""
    (row,) = re.findall(rf"^\| {re.escape(first)} +\|(.*)\|$", README, re.MULTILINE)
    return [cell.strip() for cell in row.split("|")]


@pytest.mark.parametrize("streams", SUBSETS, ids="+".join)
def test_best_uars_are_those_that_are_stored(streams):
    expected = []
    for label_set in LABEL_SETS:
        expected += [best_uar(label_set, streams, context) for context in (False, True)]
    found = cells(" + ".join(streams)) if len(streams) > 1 else best_row(streams[0])
    assert [float(cell) for cell in found] == pytest.approx(expected, abs=6e-4)


def best_row(stream):
    """As `cells`, of the table of single streams: its cells are all numbers."""
    rows = re.findall(rf"^\| {stream} +\|((?: *\.\d+ \|)+)$", README, re.MULTILINE)
    (row,) = rows
    return row.strip("|").split("|")


def test_additive_uars_are_those_that_are_stored():
    found = [float(cell) for cell in cells("all four, additive model")[::2]]
    assert found == pytest.approx([additive_uar(label_set) for label_set in LABEL_SETS], abs=6e-4)


def test_probabilities_of_the_table_are_those_of_the_model():
    emotion = cells("emotion")[-1]
    assert f".{MODEL.inertia * 100:.0f} the speaker" in emotion
    assert f".{MODEL.response * 100:.0f} one of the group" in emotion
    for code, share in zip(MODEL.codes, MODEL.prior, strict=True):
        named = re.search(rf"{code} (\.\d+)", emotion)
        assert float(named[1]) == pytest.approx(share)
    for name, table in (("irony", MODEL.irony), ("overflow", MODEL.overflow)):
        shares = [float(value) for value in re.findall(r"\.\d+", cells(name)[-1])]
        assert shares == pytest.approx(table.max(axis=1).tolist())
    assert MODEL.votes.diagonal().min() == pytest.approx(float(cells("vote")[-1].split()[0]))
