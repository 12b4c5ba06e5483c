"""tinyemo.bias.values: what counts as an attribute value, and that names stay when data change."""

import numpy as np
import pandas as pd
import pytest

from tinyemo.bias.values import attribute_values


def names(values, min_items=1):
    return attribute_values(pd.DataFrame({"attr_a": pd.Series(values)}), min_items).names


def test_words_and_lists_become_values_and_missing_ones_do_not():
    records = pd.DataFrame(
        {
            "attr_sky": ["rain", "", None, "fog", "rain"],
            "attr_things": [["rose", "rose"], ["snake", None], [], ["rose"], np.nan],
        }
    )
    values = attribute_values(records, 1)
    assert values.names == ["sky: fog", "sky: rain", "things: rose", "things: snake"]
    assert values.counts.tolist() == [1, 2, 2, 1]
    assert values.present.toarray()[:, 2].tolist() == [1, 0, 0, 1, 0]
    assert values.of("sky: rain").tolist() == [True, False, False, False, True]
    assert values.rows(np.array([0, 3])).present.toarray().tolist() == [[0, 1, 1, 0], [1, 0, 1, 0]]
    with pytest.raises(ValueError, match="no attribute value 'sky: sun'"):
        values.of("sky: sun")


def test_numbers_become_thirds_and_two_tails():
    thirty = pd.DataFrame({"attr_n": np.arange(30) / 30})
    values = attribute_values(thirty, 1)
    counts = dict(zip(values.names, values.counts.tolist(), strict=True))
    tails = {"n: lowest tenth": 3, "n: highest tenth": 3}
    assert counts == {"n: low": 10, "n: middle": 10, "n: high": 10} | tails
    assert values.of("n: lowest tenth")[:3].all() and values.of("n: highest tenth")[-3:].all()
    assert attribute_values(thirty, 4).names == ["n: high", "n: low", "n: middle"]  # rare tails


def test_a_tail_of_equal_numbers_as_large_as_a_third_is_left_out():
    crowded = np.r_[np.arange(12) / 20, np.ones(8)]
    values = attribute_values(pd.DataFrame({"attr_n": crowded}), 1)
    assert values.names == ["n: low", "n: lowest tenth"]  # high is the complement of low
    assert not values.of("n: low")[-8:].any()
    missing = np.where(np.arange(60) % 2, np.nan, np.arange(60))  # tails of the known numbers
    values = attribute_values(pd.DataFrame({"attr_n": missing}), 1)
    assert values.of("n: highest tenth").nonzero()[0].tolist() == [54, 56, 58]


def test_two_values_that_exclude_each_other_are_listed_once():
    assert names(["no", "yes"] * 4) == ["a: yes"] == names(["yes", "no"] * 4)
    assert names([True, False, True]) == ["a: True"]
    assert names([["x"], ["y"], ["x"], ["y"]]) == ["a: y"]
    both_or_none = [["x", "y"], ["y"], ["x"], []]
    assert names(both_or_none) == ["a: x", "a: y"]
    # one item without an answer is no third value; three are, if three items make a value
    answers = ["no", "yes"] * 9
    assert names([*answers, ""], 3) == ["a: yes"]
    assert names([*answers, "", "", ""], 3) == ["a: no", "a: yes"]


def test_few_distinct_numbers_keep_their_names_when_one_is_missing():
    assert names([0, 1, 2, 0]) == names([0, 1, 2, None]) == ["a: 0", "a: 1", "a: 2"]
    assert names(pd.array(["x", pd.NA, "y"], dtype="string")) == ["a: x", "a: y"]


def test_rare_values_are_left_out_and_an_empty_result_is_an_error():
    assert names(["x"] * 5 + ["y"] * 5 + ["z"] * 4, min_items=5) == ["a: y"]
    assert names(["x"] * 5 + ["y"] * 5 + ["z"] * 4 + [""] * 5, min_items=5) == ["a: x", "a: y"]
    with pytest.raises(ValueError, match="no attribute to analyse"):
        names(["x"] * 4, min_items=1)
