"""bias/naming.py in worlds in which datasets differ by what was planted, or not."""

import numpy as np
import pytest
from dataset_parts import WORDS, part_of
from scipy.stats import norm

from tinyemo.bias.naming import name_that_dataset


def test_a_dataset_is_named_as_well_as_can_be_and_not_where_there_is_no_difference():
    shift = 2.0
    parts = {
        name: part_of(name, "test", 200, [7, i], shift=moved)
        for i, (name, moved) in enumerate({"a": 0.0, "b": 0.0, "c": shift}.items())
    }
    table, named = name_that_dataset(parts, WORDS, permutations=99)
    pairs = table.set_index(["what", "where"])
    best = norm.cdf(shift / 2)  # of two normal distributions so far apart
    for pair in ("a / c", "b / c"):
        assert best - 0.06 < pairs.loc[(pair, "all emotions"), "accuracy"] < best + 0.03
        assert pairs.loc[(pair, "all emotions"), "found"]
    assert pairs.loc[("a / b", "all emotions"), "accuracy"] < 0.55
    assert set(table.loc[table["what"] == "all datasets", "where"]) == {"all emotions", *WORDS}
    assert pairs.loc[("all datasets", "joy"), ["chance", "items"]].tolist() == [1 / 3, 600]
    hits = (named["dataset"] == named["named"]).mean()
    assert pairs.loc[("all datasets", "all emotions"), "accuracy"] == pytest.approx(hits)
    assert (
        table["effect"].equals(table["accuracy"] - table["chance"])
        and (table["low"] <= table["effect"]).all()
    )


def test_names_that_mean_nothing_are_given_at_chance():
    p = []
    for seed in range(25):
        parts = {name: part_of(name, "test", 10, [seed, i]) for i, name in enumerate("ab")}
        p.append(
            name_that_dataset(parts, WORDS, permutations=39)[0].query("what == 'a / b'")["p"].item()
        )
    assert np.mean(np.array(p) <= 0.1) <= 0.2 and 0.35 < np.mean(p) < 0.65
