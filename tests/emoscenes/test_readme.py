"""The dataset's README: its examples run and its numbers are those of the code."""

import re

import pytest

from emoscenes.probability_table import ATTRIBUTES, DECISIVE_SHARE, ODDS, SIGNATURES
from emoscenes.scenes import bayes_accuracy
from emoscenes.sets import SCENE_SETS
from tinyemo.paths import ROOT

README = (ROOT / "emoscenes" / "README.md").read_text(encoding="utf-8")


def cells(first: str) -> list[str]:
    """The cells of the table row that begins with `first`."""
    (row,) = re.findall(rf"^\| {re.escape(first)} .*\|$", README, re.MULTILINE)
    return [cell.strip() for cell in row.strip("|").split("|")]


def test_examples_run(capsys):
    variables = {}
    for block in re.findall(r"```python\n(.*?)```", README, re.DOTALL):
        exec(block, variables)
    assert variables["p"].shape == (1000, 6)
    assert capsys.readouterr().out.startswith("0.3\n")


@pytest.mark.parametrize("attribute", list(ATTRIBUTES))
def test_table_of_the_model_is_that_of_the_code(attribute):
    _, count, _, decisive, odds, share, inert = cells(attribute)
    values, signatures = ATTRIBUTES[attribute], SIGNATURES.get(attribute, {})
    assert int(count) == len(values)
    if signatures:
        assert decisive == ", ".join(signatures)
        assert inert == ", ".join(value for value in values if value not in signatures)
        assert (float(odds), float(share)) == (ODDS[attribute], DECISIVE_SHARE[attribute])
    else:
        assert (decisive, inert) == ("none", "all")


@pytest.mark.parametrize("label_set", ["ekman", "mikels", "parrott"])
def test_best_accuracies_are_those_of_the_code(label_set):
    _, _, best, decorrelated = cells(label_set.capitalize())
    assert float(best) == round(bayes_accuracy(label_set), 3)
    assert float(decorrelated) == round(bayes_accuracy(label_set, decorrelated=True), 3)


@pytest.mark.parametrize("name", list(SCENE_SETS))
def test_table_of_the_datasets_is_that_of_the_code(name):
    _, label_set, items, votes, _ = cells(name)
    one = SCENE_SETS[name]
    shares = {0: "none", 1: "n"}
    assert items == shares.get(one.share, f"{one.share} n")
    assert (label_set.lower(), int(votes)) == (one.label_set, one.votes)
