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


def test_numbers_become_thirds_and_the_highest_third_is_high():
    ten = np.arange(9) / 10
    values = attribute_values(pd.DataFrame({"attr_n": ten}), 1)
    assert dict(zip(values.names, values.counts.tolist(), strict=True)) == {
        "n: high": 3,
        "n: low": 3,
        "n: middle": 3,
    }
    crowded = np.r_[np.arange(12) / 20, np.ones(8)]  # more than a third at the top
    values = attribute_values(pd.DataFrame({"attr_n": crowded}), 1)
    assert values.of("n: high")[-8:].all() and not values.of("n: high")[:6].any()


def test_few_distinct_numbers_keep_their_names_when_one_is_missing():
    assert names([0, 1, 1, 0]) == names([0, 1, 1, None]) == ["a: 0", "a: 1"]
    assert names(pd.array(["x", pd.NA, "y"], dtype="string")) == ["a: x", "a: y"]


def test_rare_values_are_left_out_and_an_empty_result_is_an_error():
    assert names(["x"] * 5 + ["y"] * 5 + ["z"], min_items=5) == ["a: x", "a: y"]
    with pytest.raises(ValueError, match="no attribute to analyse"):
        names(["x"] * 4, min_items=1)
