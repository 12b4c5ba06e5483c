"""tinyemo.bias.attributes, against formulas written out, scipy's values and injected biases."""

import numpy as np
import pandas as pd
import pytest
from detector_rows import WORDS, row_of, training_scenes
from scipy.stats import poisson_binom, ttest_ind

from tinyemo.bias.attributes import data_associations, independence_weights
from tinyemo.bias.residual_tests import _poisson_binomial
from tinyemo.bias.values import AttributeValues, attribute_values


def test_effect_with_a_posterior_is_a_difference_of_mean_residuals():
    y, values, posterior = training_scenes(0)
    table = data_associations(y, WORDS, values, posterior)
    e = (y == 2) - posterior[:, 2]
    rain = values.of("weather: rain")
    one = row_of(table, "weather: rain", WORDS[2])
    assert one["effect"] == pytest.approx(e[rain].mean() - e[~rain].mean(), abs=1e-12)
    interval = ttest_ind(e[rain], e[~rain], equal_var=False).confidence_interval(0.95)
    assert (one["low"], one["high"]) == pytest.approx(
        tuple(interval), abs=0.1 * (interval.high - interval.low)
    )
    assert (one["items"], one["observed"]) == (rain.sum(), (y[rain] == 2).sum())
    assert one["expected"] == pytest.approx(posterior[rain, 2].sum())


def test_p_values_agree_with_simulated_labels():
    """Labels drawn from the posterior 8,000 times: how often is a sum as extreme as observed?"""
    rng = np.random.default_rng(1)
    n = 900
    posterior = rng.dirichlet([1, 3, 8], size=n)
    a = np.zeros((n, 3), np.float32)
    a[:60, 0], a[:, 1], a[:300, 2] = 1, rng.random(n) < 0.5, 1
    values = attribute_values(
        pd.DataFrame(a, columns=["attr_a", "attr_b", "attr_c"]).map(lambda v: ["", "x"][int(v)])
    )
    y = np.where(
        np.arange(n) < 40,
        rng.integers(3, size=n),
        (rng.random(n)[:, None] > posterior.cumsum(1)).sum(1),
    )
    table = data_associations(y, ["r", "s", "t"], values, posterior).set_index(["what", "where"])
    uniform = rng.random((8000, n), dtype=np.float32)
    first, second, _ = posterior.cumsum(axis=1).T
    draws = (uniform > first).astype(np.int8) + (uniform > second)
    for j, what in enumerate(values.names):
        for k, where in enumerate(["r", "s", "t"]):
            weight = a[:, j] - a[:, j].mean()
            sums = ((draws == k) - posterior[:, k]) @ weight
            seen = ((y == k) - posterior[:, k]) @ weight
            p = min(1, 2 * min((sums >= seen - 1e-9).mean(), (sums <= seen + 1e-9).mean()))
            assert table.loc[(what, where), "p"] == pytest.approx(p, rel=0.15, abs=0.015)


def test_small_cells_get_exact_p_values():
    chances = np.random.default_rng(2).random(23) * 0.3
    np.testing.assert_allclose(
        _poisson_binomial(chances, 9), poisson_binom.pmf(np.arange(10), chances), atol=1e-14
    )
    y, values, posterior = training_scenes(3)
    table = data_associations(y, WORDS, values, posterior)
    small = np.minimum(table["expected"], table["items"] - table["expected"]) < 5
    assert small.sum() > 20 and (table["exact"] == small).all()
    one = table[small & (table["observed"] > 0)].iloc[0]
    chances = posterior[values.of(one["what"]), WORDS.index(one["where"])]
    count = one["observed"]
    both = poisson_binom.cdf(count, chances), poisson_binom.sf(count - 1, chances)
    assert one["p"] == pytest.approx(min(1, 2 * min(both)))


def test_injected_biases_are_found_and_hardly_anything_without_them():
    unbiased = [
        data_associations(y, WORDS, values, posterior)
        for y, values, posterior in map(training_scenes, range(10, 30))
    ]
    with_a_finding = sum(table["found"].any() for table in unbiased)
    assert with_a_finding <= 4  # 20 sets at .05: P(more than 4) = .003
    p = np.concatenate([table["p"] for table in unbiased])
    assert 0.03 < (p < 0.05).mean() < 0.06 and (p < 0.001).mean() < 0.002
    for seed, bias in enumerate(
        [("weather", "rain", "anger"), ("background", "forest", "fear"), ("time", "night", "joy")]
    ):
        y, values, posterior = training_scenes(seed, [(*bias[:2], f"ekman:{bias[2]}", 0.30)])
        one = row_of(
            data_associations(y, WORDS, values, posterior), f"{bias[0]}: {bias[1]}", bias[2]
        )
        assert one["found"] and one["low"] > 0.03


def three_attributes(n: int, strength: float, seed: int) -> tuple[np.ndarray, AttributeValues]:
    """Labels depend on b alone; c depends on b; a depends on b and, by `strength`, on label 1."""
    rng = np.random.default_rng(seed)
    b = rng.integers(4, size=n)
    c = np.where(rng.random(n) < 0.6, b, rng.integers(4, size=n))
    y = np.where(rng.random(n) < 0.5, np.minimum(b, 2), rng.integers(3, size=n))
    a = rng.random(n) < np.array([0.1, 0.2, 0.4, 0.2])[b] + strength * (y == 1)
    frame = pd.DataFrame(
        {"attr_a": np.where(a, "yes", ""), "attr_b": b.astype(str), "attr_c": c.astype(str)}
    )
    return y, attribute_values(frame)


def test_without_a_posterior_the_other_attributes_explain():
    """a and c are associated with labels only through b: found only if nothing may explain."""
    p = []
    for seed in range(20):
        y, values = three_attributes(1000, 0.0, seed)
        table = data_associations(y, ["r", "s", "t"], values)
        p += table[table["what"].str.match("[ac]:")]["p"].tolist()
    assert 0.025 < (np.array(p) < 0.05).mean() < 0.085  # 300 of them: standard error .013
    marginal = data_associations(y, ["r", "s", "t"], values, legitimate=())
    assert row_of(marginal, "c: 2", "t")["found"]
    y, values = three_attributes(20_000, 0.2, 0)
    one = row_of(data_associations(y, ["r", "s", "t"], values), "a: yes", "s")
    a, b = values.of("a: yes"), np.stack([values.of(f"b: {i}") for i in range(4)])
    strata = [
        ((y[a & one_b] == 1).mean() - (y[~a & one_b] == 1).mean(), a[one_b].var() * one_b.sum())
        for one_b in b
    ]
    difference, weight = np.array(strata).T  # least squares weighs strata by the variance of a
    assert one["effect"] == pytest.approx(difference @ weight / weight.sum(), abs=0.005)
    assert one["low"] < difference @ weight / weight.sum() < one["high"]


def test_a_value_that_another_attribute_determines_has_no_effect():
    y, values = three_attributes(500, 0.3, 1)
    double = AttributeValues(
        (*values.attributes, "copy"),
        (*values.values, "yes"),
        values.present[:, [*range(len(values.values)), values.names.index("a: yes")]].tocsc(),
    )
    table = data_associations(y, ["r", "s", "t"], double)
    for what in ("a: yes", "copy: yes"):
        one = row_of(table, what, "s")
        assert (one["effect"], one["p"], one["found"]) == (0, 1, False)


def test_independence_weights_remove_the_association_and_keep_frequencies():
    y, values, _ = training_scenes(4, [("weather", "rain", "ekman:anger", 0.30)], 4000)
    rain, anger = values.of("weather: rain"), y == WORDS.index("anger")
    assert anger[rain].mean() - anger[~rain].mean() > 0.25
    w = independence_weights(y, values, "weather")
    assert w.mean() == pytest.approx(1)
    forest = values.of("background: forest")
    for column in (rain, anger, forest, forest & rain):
        assert (w * column).mean() == pytest.approx(column.mean(), abs=0.012)
    drawn = np.random.default_rng(0).choice(len(y), size=4 * len(y), p=w / w.sum())
    before, after = (
        row_of(data_associations(y[rows], WORDS, values.rows(rows)), "weather: rain", "anger")
        for rows in (np.arange(len(y)), drawn)
    )
    # less than .30: rain now also occurs with scowling faces, which explain a part
    assert before["found"] and before["effect"] > 0.09 and abs(after["effect"]) < 0.02
    with pytest.raises(ValueError, match="no attribute 'rain'"):
        independence_weights(y, values, "rain")


@pytest.mark.parametrize(
    "change, reason",
    [
        (lambda y, posterior: (y[:-1], posterior), "labels: expected .* numbers from 0 to 5"),
        (lambda y, posterior: (np.where(y == 0, 6, y), posterior), "labels: .* to 6"),
        (lambda y, posterior: (y, posterior * 2), "posterior: expected .* that sum to 1"),
        (lambda y, posterior: (y, posterior[:, :3]), "posterior: expected .* rows of 6"),
    ],
)
def test_inputs_that_do_not_fit_are_named(change, reason):
    y, values, posterior = training_scenes(6, n=300)
    with pytest.raises(ValueError, match=reason):
        y, posterior = change(y, posterior)
        data_associations(y, WORDS, values, posterior)


def test_p_values_stay_above_zero_for_counts_far_above_the_expected_ones():
    for seed in (3, 9, 15, 16):  # for these, rounding takes a sum of probabilities above 1
        chances = np.random.default_rng(seed).random(60) * 0.1
        posterior = np.column_stack([1 - chances, chances])
        posterior = np.concatenate([posterior, np.full((60, 2), 0.5)])
        y = np.r_[np.ones(40, int), np.zeros(80, int)]
        values = attribute_values(pd.DataFrame({"attr_a": np.repeat(["x", "y"], 60)}))
        table = data_associations(y, ["a", "b"], values, posterior)
        assert table["p"].between(0, 1).all() and table["q"].between(0, 1).all()
