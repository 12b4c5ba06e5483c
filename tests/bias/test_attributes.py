"""bias/attributes.py against formulas written out, scipy's and fairlearn's own figures, and planted associations."""

import numpy as np
import pandas as pd
import pytest
from fairlearn.metrics import MetricFrame, equalized_odds_difference
from scipy.stats import chi2, hypergeom, poisson_binom, ttest_ind
from sklearn.metrics import accuracy_score

from emoscenes.scenes import make_records, true_posterior
from tinyemo.bias import attributes as A
from tinyemo.bias.values import AttributeValues, attribute_values
from tinyemo.data.records import relabel
from tinyemo.emotions import labels_of

WORDS = labels_of("ekman")


def scenes(seed: int, biases=(), n: int = 2000) -> tuple[np.ndarray, AttributeValues, np.ndarray]:
    """Labels, attribute values and the true law of a training set."""
    records, _ = make_records(n, 1, 1, seed, biases=biases)
    records = relabel(records[records["split"] == "train"], "ekman").reset_index(drop=True)
    y = np.array([WORDS.index(label) for label in records["label"]])
    return y, attribute_values(records), true_posterior(records, "ekman")


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
    assert (one["low"], one["high"]) == pytest.approx(
        tuple(interval), abs=0.1 * (interval.high - interval.low)
    )
    assert (one["items"], one["observed"]) == (rain.sum(), (y[rain] == 2).sum())
    assert one["expected"] == pytest.approx(law[rain, 2].sum())


def test_p_values_are_the_laws_own_tails():
    """Labels drawn anew from the law 8,000 times: how often a sum lies as far out as the observed one."""
    rng = np.random.default_rng(1)
    n = 900
    law = rng.dirichlet([1, 3, 8], size=n)
    a = np.zeros((n, 3), np.float32)
    a[:60, 0], a[:, 1], a[:300, 2] = 1, rng.random(n) < 0.5, 1
    values = attribute_values(
        pd.DataFrame(a, columns=["attr_a", "attr_b", "attr_c"]).map(lambda v: ["", "x"][int(v)])
    )
    y = np.where(
        np.arange(n) < 40, rng.integers(3, size=n), (rng.random(n)[:, None] > law.cumsum(1)).sum(1)
    )
    table = A.data_gaps(y, ["r", "s", "t"], values, law).set_index(["what", "where"])
    uniform, (first, second, _) = rng.random((8000, n), dtype=np.float32), law.cumsum(axis=1).T
    draws = (uniform > first).astype(np.int8) + (uniform > second)
    for j, what in enumerate(values.names):
        for k, where in enumerate(["r", "s", "t"]):
            weight = a[:, j] - a[:, j].mean()
            sums, seen = ((draws == k) - law[:, k]) @ weight, ((y == k) - law[:, k]) @ weight
            p = min(1, 2 * min((sums >= seen - 1e-9).mean(), (sums <= seen + 1e-9).mean()))
            assert table.loc[(what, where), "p"] == pytest.approx(p, rel=0.15, abs=0.015)


def test_small_cells_are_enumerated():
    chances = np.random.default_rng(2).random(23) * 0.3
    np.testing.assert_allclose(
        A._poisson_binomial(chances, 9), poisson_binom.pmf(np.arange(10), chances), atol=1e-14
    )
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
    quiet = [A.data_gaps(y, WORDS, values, law) for y, values, law in map(scenes, range(10, 30))]
    assert (
        sum(table["found"].any() for table in quiet) <= 4
    )  # 20 sets at .05: P(more than 4) = .003
    p = np.concatenate([table["p"] for table in quiet])
    assert 0.03 < (p < 0.05).mean() < 0.06 and (p < 0.001).mean() < 0.002
    for seed, plant in enumerate(
        [("weather", "rain", "anger"), ("background", "forest", "fear"), ("time", "night", "joy")]
    ):
        y, values, law = scenes(seed, [(*plant[:2], f"ekman:{plant[2]}", 0.30)])
        one = row(A.data_gaps(y, WORDS, values, law), f"{plant[0]}: {plant[1]}", plant[2])
        assert one["found"] and one["low"] > 0.03


def without_a_law(n: int, strength: float, seed: int) -> tuple[np.ndarray, AttributeValues]:
    """Three labels caused by b alone; c goes with b; a goes with b and, by `strength`, with label 1 beyond it."""
    rng = np.random.default_rng(seed)
    b = rng.integers(4, size=n)
    c = np.where(rng.random(n) < 0.6, b, rng.integers(4, size=n))
    y = np.where(rng.random(n) < 0.5, np.minimum(b, 2), rng.integers(3, size=n))
    a = rng.random(n) < np.array([0.1, 0.2, 0.4, 0.2])[b] + strength * (y == 1)
    frame = pd.DataFrame(
        {"attr_a": np.where(a, "yes", ""), "attr_b": b.astype(str), "attr_c": c.astype(str)}
    )
    return y, attribute_values(frame)


def test_without_a_law_the_other_attributes_explain():
    """a and c go with labels only through b: quiet given b, found when nothing may explain."""
    p = []
    for seed in range(20):
        y, values = without_a_law(1000, 0.0, seed)
        table = A.data_gaps(y, ["r", "s", "t"], values)
        p += table[table["what"].str.match("[ac]:")]["p"].tolist()
    assert 0.025 < (np.array(p) < 0.05).mean() < 0.085  # 300 of them: standard error .013
    marginal = A.data_gaps(y, ["r", "s", "t"], values, rest=())
    assert row(marginal, "c: 2", "t")["found"]
    y, values = without_a_law(20_000, 0.2, 0)
    one = row(A.data_gaps(y, ["r", "s", "t"], values), "a: yes", "s")
    a, b = values.of("a: yes"), np.stack([values.of(f"b: {i}") for i in range(4)])
    strata = [
        ((y[a & one_b] == 1).mean() - (y[~a & one_b] == 1).mean(), a[one_b].var() * one_b.sum())
        for one_b in b
    ]
    difference, weight = np.array(strata).T  # least squares weighs strata by the variance of a
    assert one["effect"] == pytest.approx(difference @ weight / weight.sum(), abs=0.005)
    assert one["low"] < difference @ weight / weight.sum() < one["high"]


def test_what_another_attribute_says_word_for_word_cannot_be_told():
    y, values = without_a_law(500, 0.3, 1)
    double = AttributeValues(
        (*values.attributes, "copy"),
        (*values.values, "yes"),
        values.present[:, [*range(len(values.values)), values.names.index("a: yes")]].tocsc(),
    )
    table = A.data_gaps(y, ["r", "s", "t"], double)
    for what in ("a: yes", "copy: yes"):
        one = row(table, what, "s")
        assert (one["effect"], one["p"], one["found"]) == (0, 1, False)


def test_independence_weights_undo_the_association_and_keep_what_is_frequent():
    y, values, _ = scenes(4, [("weather", "rain", "ekman:anger", 0.30)], 4000)
    rain, anger = values.of("weather: rain"), y == WORDS.index("anger")
    assert anger[rain].mean() - anger[~rain].mean() > 0.25
    w = A.independence_weights(y, values, "weather")
    assert w.mean() == pytest.approx(1)
    forest = values.of("background: forest")
    for column in (rain, anger, forest, forest & rain):
        assert (w * column).mean() == pytest.approx(column.mean(), abs=0.012)
    drawn = np.random.default_rng(0).choice(len(y), size=4 * len(y), p=w / w.sum())
    before, after = (
        row(A.data_gaps(y[rows], WORDS, values.rows(rows)), "weather: rain", "anger")
        for rows in (np.arange(len(y)), drawn)
    )
    # beyond what the others explain: not the whole .30, for rain now also keeps company with scowling faces
    assert before["found"] and before["effect"] > 0.09 and abs(after["effect"]) < 0.02
    with pytest.raises(ValueError, match="no attribute 'rain'"):
        A.independence_weights(y, values, "rain")


def predicted(seed: int) -> tuple[np.ndarray, np.ndarray, AttributeValues]:
    """Three labels, predicted right less often where a is shown and the label is 0."""
    rng = np.random.default_rng(seed)
    y, a = rng.integers(3, size=600), rng.random(600) < 0.3
    pred = np.where(
        rng.random(600) < np.where(a & (y == 0), 0.4, 0.8), y, rng.integers(3, size=600)
    )
    return y, pred, attribute_values(pd.DataFrame({"attr_a": np.where(a, "yes", "no")}))


def test_group_metrics_are_fairlearns():
    y, pred, values = predicted(0)
    one = A.group_metrics(y, pred, ["r", "s", "t"], values).set_index("what").loc["a: yes"]
    a = values.of("a: yes")
    by = MetricFrame(metrics=accuracy_score, y_true=y, y_pred=pred, sensitive_features=a).by_group
    assert (one["accuracy"], one["gap"]) == pytest.approx((by[True], by[True] - by[False]))
    groups = MetricFrame(
        metrics=accuracy_score, y_true=y, y_pred=pred, sensitive_features=np.column_stack([y, a])
    )
    assert one["worst_group"] == pytest.approx(groups.group_min())
    odds = max(equalized_odds_difference(y == k, pred == k, sensitive_features=a) for k in range(3))
    assert one["equalised_odds"] == pytest.approx(odds)
    rng, gaps = np.random.default_rng(1), []
    for _ in range(2000):
        rows = rng.integers(600, size=600)
        right = (y == pred)[rows]
        gaps.append(right[a[rows]].mean() - right[~a[rows]].mean())
    assert (one["gap_low"], one["gap_high"]) == pytest.approx(
        np.quantile(gaps, [0.025, 0.975]), abs=0.012
    )


def test_rates_of_few_items_are_not_asked_for():
    y, pred = np.repeat([0, 1], [95, 5]), np.zeros(100, int)
    values = attribute_values(pd.DataFrame({"attr_a": np.tile(["yes", "no"], 50)}))
    metrics = A.group_metrics(y, pred, ["r", "s"], values)
    assert (metrics["worst_group"] == 1).all()  # the five, all wrong, are no group
    assert (metrics["equalised_odds"] == 0).all()


def test_the_naive_test_is_mantel_haenszel():
    y, pred, values = predicted(2)
    one = row(A.naive_gaps(y, pred, ["r", "s", "t"], values), "a: yes", "s")
    a, above, below, p, q, pq, excess, variance = values.of("a: yes"), 0, 0, 0, 0, 0, 0, 0
    for label in range(3):
        here = y == label
        (d, c), (b, e) = [
            [(here & (a == with_a) & ((pred == 1) == says)).sum() for says in (False, True)]
            for with_a in (False, True)
        ]
        n, (r, s) = here.sum(), (e * d / here.sum(), b * c / here.sum())
        above, below = above + r, below + s
        p, q, pq = p + (e + d) / n * r, q + (b + c) / n * s, pq + (e + d) / n * s + (b + c) / n * r
        law = hypergeom(n, e + c, e + b)
        excess, variance = excess + e - law.mean(), variance + law.var()
    assert one["effect"] == pytest.approx(np.log(above / below))
    half = 1.959964 * np.sqrt(p / (2 * above**2) + pq / (2 * above * below) + q / (2 * below**2))
    assert (one["low"], one["high"]) == pytest.approx((one["effect"] - half, one["effect"] + half))
    assert one["p"] == pytest.approx(chi2.sf(excess**2 / variance, 1))


def test_the_naive_test_cries_wolf():
    """The best classifier of the true law, trained on nothing: there is nothing to find, and it finds."""
    y, values, law = scenes(5)
    assert A.naive_gaps(y, law.argmax(axis=1), WORDS, values)["found"].sum() > 20
    assert not A.data_gaps(y, WORDS, values, law)["found"].any()


@pytest.mark.parametrize(
    "change, reason",
    [
        (lambda y, law: (y[:-1], law), "labels: expected .* numbers from 0 to 5"),
        (lambda y, law: (np.where(y == 0, 6, y), law), "labels: .* to 6"),
        (lambda y, law: (y, law * 2), "law: expected .* that sum to 1"),
        (lambda y, law: (y, law[:, :3]), "law: expected .* rows of 6"),
    ],
)
def test_what_does_not_fit_is_named(change, reason):
    y, values, law = scenes(6, n=300)
    with pytest.raises(ValueError, match=reason):
        y, law = change(y, law)
        A.data_gaps(y, WORDS, values, law)


def test_p_values_stay_above_zero_where_many_more_labels_stand_than_the_law_lets_expect():
    for seed in (
        3,
        9,
        15,
        16,
    ):  # chances of which rounding takes the sum of the first forty terms above one
        chances = np.random.default_rng(seed).random(60) * 0.1
        law = np.column_stack([1 - chances, chances])
        law, y = (
            np.concatenate([law, np.full((60, 2), 0.5)]),
            np.r_[np.ones(40, int), np.zeros(80, int)],
        )
        values = attribute_values(pd.DataFrame({"attr_a": np.repeat(["x", "y"], 60)}))
        table = A.data_gaps(y, ["a", "b"], values, law)
        assert table["p"].between(0, 1).all() and table["q"].between(0, 1).all()
