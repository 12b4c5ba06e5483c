"""Scores of claims against weighted pieces of evidence, calculated by hand."""

import numpy as np
import pytest

from tinyemo.evaluation.evidence_scores import F1_SCORES, SCORES, evidence_f1, evidence_scores

PIECES = (("ghost", 4.0), ("wide-eyed", 3.0), ("graveyard", 1.0), ("crouching", 0.5))


def claims(*names):
    return [frozenset(name.split("|")) for name in names]


@pytest.mark.parametrize(
    ("named", "precision", "recall", "strict", "complete"),
    [
        (["ghost"], 1, 1, 1, 4 / 8),
        # the second piece alone: part of the credit, where the strict definition gives none
        (["wide-eyed"], 1, 3 / 4, 0, 3 / 8),
        (["ghost", "wide-eyed"], 1, 1, 1, 7 / 8),
        (["ghost", "graveyard"], 1, 5 / 7, 1 / 2, 5 / 8),
        (["ghost", "snake"], 1 / 2, 4 / 7, 1 / 2, 4 / 8),
        # four claims: the three heaviest of them against the three heaviest pieces
        (["ghost", "wide-eyed", "graveyard", "crouching"], 1, 1, 1, 1),
        (["wide-eyed", "graveyard", "crouching", "snake"], 3 / 4, 4.5 / 8, 2 / 3, 4.5 / 8),
        (["snake"], 0, 0, 0, 0),
        # a word that fits two pieces names neither
        (["ghost|graveyard"], 1, 0, 0, 0),
    ],
)
def test_three_definitions_of_recall(named, precision, recall, strict, complete):
    scores = evidence_scores(claims(*named), PIECES)
    found = [scores[name] for name in SCORES if not name.endswith("f1")]
    assert found == pytest.approx([precision, recall, strict, complete])
    for name, one in zip(F1_SCORES, (recall, strict, complete), strict=True):
        expected = 2 * precision * one / (precision + one) if precision + one else 0
        assert scores[name] == pytest.approx(expected)
        assert evidence_f1(claims(*named), PIECES, name) == pytest.approx(expected)


def test_pieces_of_equal_weight_can_stand_for_each_other():
    pieces = (("rose", 2.0), ("smiling", 2.0))
    assert evidence_scores(claims("smiling"), pieces)["recall"] == 1
    assert evidence_scores(claims("smiling"), pieces)["strict_recall"] == 0


def test_nothing_to_name_and_nothing_named():
    assert np.isnan(list(evidence_scores(claims("ghost"), ()).values())).all()
    assert set(evidence_scores([], PIECES).values()) == {0.0}
    assert np.isnan(evidence_f1([], ())) and evidence_f1([], PIECES) == 0
