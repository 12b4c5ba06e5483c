"""Label sets: reading generated texts, and scores by hand."""

import numpy as np
import pytest

from tinyemo.evaluation.multi_label import (
    best_threshold,
    generated_table,
    indicators,
    label_set_table,
    parse_labels,
    set_scores,
    sets_above,
    voted_labels,
)

LABELS = ("anger", "happiness", "neutral", "sadness")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("anger", {"anger"}),
        (" Anger.\n", {"anger"}),
        ("sadness, anger", {"anger", "sadness"}),
        ("sadness and anger", {"anger", "sadness"}),
        ("neutral, sadness, and anger", {"neutral", "sadness", "anger"}),
        ("anger, anger", {"anger"}),
        ("not anger", None),
        ("angry", None),
        ("the emotion is anger", None),
        ("anger, rage", None),
        ("", None),
        (".", None),
    ],
)
def test_only_labels_are_read_from_an_answer(text, expected):
    found = parse_labels(text, LABELS)
    assert found == (None if expected is None else frozenset(expected))


def test_unreadable_answers_are_counted_and_wrong():
    texts = ["anger", "sadness", "no idea", "anger, sadness"]
    found = generated_table(texts, ["anger", "anger", "neutral", "anger"], LABELS)
    assert found == {"parse_failures": 0.5, "accuracy": 0.25, "accuracy_parsed": 0.5}
    assert np.isnan(generated_table(["?"], ["anger"], LABELS)["accuracy_parsed"])


def test_scores_of_sets_by_hand():
    true = [{"anger"}, {"anger", "sadness"}, {"neutral"}]
    predicted = [{"anger"}, {"sadness"}, {"sadness", "neutral"}]
    found = set_scores(true, predicted, LABELS)
    assert found["jaccard"] == pytest.approx((1 + 1 / 2 + 1 / 2) / 3)
    # three of four true pairs are found, and one predicted pair is false
    assert found["micro_f1"] == pytest.approx(2 * 3 / (4 + 4))
    of_anger, of_neutral, of_sadness = 2 / 3, 1.0, 2 / 3
    assert found["macro_f1"] == pytest.approx((of_anger + of_neutral + of_sadness) / 3)
    assert found["exact"] == pytest.approx(1 / 3)
    table = label_set_table({"model": predicted}, true, LABELS)
    assert table.loc[0, "mean size"] == pytest.approx(4 / 3)


def test_voted_labels_are_those_with_a_vote():
    shares = [[0.5, 0, 0, 0.5], [0, 0, 1, 0]]
    assert voted_labels(shares, LABELS) == [{"anger", "sadness"}, {"neutral"}]


def test_unknown_labels_are_refused():
    with pytest.raises(ValueError, match="label set 1: found 'rage', expected some of anger"):
        indicators([{"anger"}, {"rage"}], LABELS)


def test_threshold_is_the_best_of_the_grid_and_no_set_is_empty():
    probabilities = np.array([[0.9, 0.32, 0.1], [0.31, 0.8, 0.1], [0.27, 0.28, 0.2]])
    true = np.array([[1, 1, 0], [1, 1, 0], [0, 1, 0]])
    threshold = best_threshold(probabilities, true)
    assert threshold == pytest.approx(0.30)  # .25 adds a wrong label to the last row
    np.testing.assert_array_equal(sets_above(probabilities, threshold), true)
    np.testing.assert_array_equal(sets_above(probabilities, 0.99).sum(axis=1), [1, 1, 1])
