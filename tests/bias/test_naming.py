"""bias/naming.py: datasets with a known difference are named, equal ones are not."""

import numpy as np
import pytest
from dataset_parts import WORDS, part_of
from scipy.stats import norm

from tinyemo.bias.naming import name_that_dataset


def test_shifted_dataset_is_named_near_the_best_accuracy_and_equal_ones_at_chance():
    shift = 2.0
    parts = {}
    for i, (name, own_shift) in enumerate({"a": 0.0, "b": 0.0, "c": shift}.items()):
        parts[name] = part_of(name, "test", 200, [7, i], shift=own_shift)
    table, named = name_that_dataset(parts, WORDS, permutations=99)
    pairs = table.set_index(["what", "where"])
    best = norm.cdf(shift / 2)  # accuracy for two normal distributions at this distance
    for pair in ("a / c", "b / c"):
        assert best - 0.06 < pairs.loc[(pair, "all emotions"), "accuracy"] < best + 0.03
        assert pairs.loc[(pair, "all emotions"), "found"]
    assert pairs.loc[("a / b", "all emotions"), "accuracy"] < 0.55
    assert set(table.loc[table["what"] == "all datasets", "where"]) == {"all emotions", *WORDS}
    assert pairs.loc[("all datasets", "joy"), ["chance", "items"]].tolist() == [1 / 3, 600]
    hits = (named["dataset"] == named["named"]).mean()
    assert pairs.loc[("all datasets", "all emotions"), "accuracy"] == pytest.approx(hits)
    assert table["effect"].equals(table["accuracy"] - table["chance"])
    assert (table["low"] <= table["effect"]).all()


def test_p_is_uniform_for_two_datasets_of_one_kind():
    p = []
    for seed in range(25):
        parts = {name: part_of(name, "test", 10, [seed, i]) for i, name in enumerate("ab")}
        table, _ = name_that_dataset(parts, WORDS, permutations=39)
        p.append(table.query("what == 'a / b'")["p"].item())
    assert np.mean(np.array(p) <= 0.1) <= 0.2 and 0.35 < np.mean(p) < 0.65
