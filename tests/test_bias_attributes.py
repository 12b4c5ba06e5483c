"""bias/attributes.py against formulas written out, scipy's and fairlearn's own figures, and planted associations."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import poisson_binom, ttest_ind

from tinyemo.bias import attributes as A
from tinyemo.bias.values import AttributeValues, attribute_values
from tinyemo.data.records import relabel
from tinyemo.emotions import labels_of
from tinyemo.worlds.scenes import law_of, make_records

WORDS = labels_of("ekman")


def scenes(seed: int, plant=None, n: int = 2000) -> tuple[np.ndarray, AttributeValues, np.ndarray]:
    """Labels, attribute values and the true law of a training set."""
    records, _ = make_records(n, 1, 1, seed, plant=plant)
    records = relabel(records[records["split"] == "train"], "ekman").reset_index(drop=True)
    y = np.array([WORDS.index(label) for label in records["label"]])
    return y, attribute_values(records), law_of(records, "ekman")


def row(table: pd.DataFrame, what: str, where: str) -> pd.Series:
    found = table[(table["what"] == what) & (table["where"] == where)]
    assert len(found) == 1
    return found.iloc[0]


def test_under_a_law_the_effect_is_a_difference_of_mean_residuals():
    y, values, law = scenes(0)
    table = A.data_gaps(y, WORDS, values, law)
    e = (y == 2) - law[:, 2]
    rain = values.of("weather: rain")
    one = row(table, "weather: rain", WORDS[2])
    assert one["effect"] == pytest.approx(e[rain].mean() - e[~rain].mean(), abs=1e-12)
    interval = ttest_ind(e[rain], e[~rain], equal_var=False).confidence_interval(0.95)
    assert (one["low"], one["high"]) == pytest.approx(tuple(interval), abs=0.1 * (interval.high - interval.low))
    assert (one["items"], one["observed"]) == (rain.sum(), (y[rain] == 2).sum())
    assert one["expected"] == pytest.approx(law[rain, 2].sum())


def test_p_values_are_the_laws_own_tails():
    """Labels drawn anew from the law 20,000 times: how often a sum lies as far out as the observed one."""
    rng = np.random.default_rng(1)
    n = 900
    law = rng.dirichlet([1, 3, 8], size=n)
    a = np.zeros((n, 3), np.float32)
    a[:60, 0], a[:, 1], a[:300, 2] = 1, rng.random(n) < 0.5, 1
    values = attribute_values(pd.DataFrame(a, columns=["attr_a", "attr_b", "attr_c"]).map(lambda v: ["", "x"][int(v)]))
    y = np.where(np.arange(n) < 40, rng.integers(3, size=n), (rng.random(n)[:, None] > law.cumsum(1)).sum(1))
    table = A.data_gaps(y, ["r", "s", "t"], values, law).set_index(["what", "where"])
    draws = (rng.random((20_000, n, 1)) > law.cumsum(axis=1)[None, :, :2]).sum(axis=2)
    for j, what in enumerate(values.names):
        for k, where in enumerate(["r", "s", "t"]):
            weight = a[:, j] - a[:, j].mean()
            sums, seen = ((draws == k) - law[:, k]) @ weight, ((y == k) - law[:, k]) @ weight
            p = min(1, 2 * min((sums >= seen - 1e-9).mean(), (sums <= seen + 1e-9).mean()))
            assert table.loc[(what, where), "p"] == pytest.approx(p, rel=0.15, abs=0.015)


def test_small_cells_are_enumerated():
    chances = np.random.default_rng(2).random(23) * 0.3
    np.testing.assert_allclose(A._poisson_binomial(chances, 9), poisson_binom.pmf(np.arange(10), chances), atol=1e-14)
    y, values, law = scenes(3)
    table = A.data_gaps(y, WORDS, values, law)
    small = np.minimum(table["expected"], table["items"] - table["expected"]) < 5
    assert small.sum() > 20 and (table["exact"] == small).all()
    one = table[small & (table["observed"] > 0)].iloc[0]
    chances = law[values.of(one["what"]), WORDS.index(one["where"])]
    count = one["observed"]
    both = poisson_binom.cdf(count, chances), poisson_binom.sf(count - 1, chances)
    assert one["p"] == pytest.approx(min(1, 2 * min(both)))


def test_quiet_where_nothing_is_planted_and_loud_where_something_is():
    quiet = [A.data_gaps(y, WORDS, values, law) for y, values, law in map(scenes, range(10, 40))]
    assert sum(table["found"].any() for table in quiet) <= 5  # 30 sets at .05: P(more than 5) = .003
    p = np.concatenate([table["p"] for table in quiet])
    assert 0.03 < (p < 0.05).mean() < 0.06 and (p < 0.001).mean() < 0.002
    for seed, plant in enumerate([("weather", "rain", "anger"), ("background", "forest", "fear"),
                                  ("time", "night", "joy")]):
        y, values, law = scenes(seed, [(*plant[:2], f"ekman:{plant[2]}", 0.30)])
        one = row(A.data_gaps(y, WORDS, values, law), f"{plant[0]}: {plant[1]}", plant[2])
        assert one["found"] and one["low"] > 0.03
