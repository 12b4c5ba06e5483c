"""tinyemo.bias.pairs: interactions against a table of cells, and injected combinations."""

import numpy as np
import pandas as pd
import pytest
from detector_rows import WORDS, row_of, training_scenes
from sklearn.linear_model import LogisticRegression

from emoscenes.injected_biases import pairs_to_swap
from emoscenes.probability_table import SIGNATURES
from tinyemo.bias.attributes import data_associations
from tinyemo.bias.pairs import MOST_PAIRS, pair_associations, pairs_to_test
from tinyemo.bias.values import attribute_values

CAUSES = tuple(SIGNATURES)


def two(n=4000, seed=0):
    """Two associated attributes with one column each, and a third one."""
    rng = np.random.default_rng(seed)
    a = rng.random(n) < 0.4
    b = rng.random(n) < np.where(a, 0.6, 0.3)
    c = rng.random(n) < 0.02
    shown = {"attr_a": a, "attr_b": b, "attr_c": c}
    columns = {name: np.where(x, "yes", "no") for name, x in shown.items()}
    return attribute_values(pd.DataFrame(columns)), a, b, rng


def test_pairs_are_of_two_attributes_with_enough_items_and_the_most_even_first():
    values, a, b, _ = two()
    assert pairs_to_test(values, min_items=1).tolist()[0] == [0, 1]
    assert len(pairs_to_test(values, min_items=1)) == 3
    rarest = min((a & b).sum(), (a & ~b).sum(), (~a & b).sum(), (~a & ~b).sum())
    assert pairs_to_test(values, min_items=rarest).tolist() == [[0, 1]]
    assert len(pairs_to_test(values, min_items=rarest + 1)) == 0
    declared = pairs_to_test(values, ["a", "b"], min_items=1).tolist()
    assert sorted(declared) == [[0, 2], [1, 2]]  # not the two declared ones
    same = attribute_values(pd.DataFrame({"attr_a": list("xyz") * 30}), 1)
    nothing = pairs_to_test(same, min_items=0)
    assert len(nothing) == len(pair_associations(np.arange(90) % 6, WORDS, same, nothing)) == 0


def test_effect_is_the_interaction_beyond_additive_log_odds():
    values, a, b, rng = two(40_000)
    values = values.only([0, 1])
    chance = 0.2 + 0.1 * a + 0.2 * b + 0.15 * (a & b)
    y = (rng.random(len(a)) < chance).astype(int)
    row = pair_associations(y, ["no", "yes"], values, pairs_to_test(values)).iloc[1]
    both = np.column_stack([a, b])
    additive = LogisticRegression(C=np.inf).fit(both, y).predict_proba(both)[:, 1]

    def interaction(score):
        cells = [[score[(a == i) & (b == j)].mean() for j in (0, 1)] for i in (0, 1)]
        return cells[1][1] - cells[1][0] - cells[0][1] + cells[0][0]

    assert row["what"] == "a: yes and b: yes" and row["items"] == (a & b).sum()
    assert row["effect"] == pytest.approx(interaction(y) - interaction(additive), abs=1e-3)
    assert row["found"] and row["low"] > 0


def injected(shown, label, strength, seed, y):
    rng = np.random.default_rng(seed)
    rows, partners = pairs_to_swap(shown, y == WORDS.index(label), strength, rng, shown)
    swapped = y.copy()
    swapped[rows], swapped[partners] = y[partners], y[rows]
    return swapped


def test_a_combination_and_an_exclusive_or_are_found_and_clean_sets_have_no_finding():
    for seed in range(2):
        y, values, _ = training_scenes(60 + seed, n=3000)
        pairs = pairs_to_test(values, CAUSES)
        assert 500 < len(pairs) <= MOST_PAIRS
        assert pair_associations(y, WORDS, values, pairs)["found"].sum() == 0
        night, painting = values.of("time: night"), values.of("style: painting")
        both = values.of("background: forest") & night
        table = pair_associations(injected(both, "fear", 0.4, seed, y), WORDS, values, pairs)
        assert row_of(table, "background: forest and time: night", "fear")["found"]
        equal = injected(painting == night, "joy", 0.3, seed, y)
        table = pair_associations(equal, WORDS, values, pairs)
        first = table.sort_values("p").iloc[0]
        assert (first["what"], first["where"]) == ("time: night and style: painting", "joy")
        assert first["effect"] == pytest.approx(0.6, abs=0.15)  # twice the strength
        # single values show a fraction of it
        alone = data_associations(equal, WORDS, values, legitimate=CAUSES)
        assert alone["effect"].abs().max() < 0.2


def test_too_many_pairs_are_refused():
    values, a, _, _ = two(200)
    with pytest.raises(ValueError, match="2001 pairs of values, expected at most 2000"):
        pair_associations(a.astype(int), ["no", "yes"], values, np.zeros((2001, 2), int))
