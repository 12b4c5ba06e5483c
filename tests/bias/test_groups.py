"""tinyemo.bias.groups, against formulas written out and fairlearn's values."""

import numpy as np
import pandas as pd
import pytest
from detector_rows import WORDS, row_of, training_scenes
from fairlearn.metrics import MetricFrame, equalized_odds_difference
from scipy.stats import chi2, hypergeom
from sklearn.metrics import accuracy_score

from tinyemo.bias.attributes import data_associations
from tinyemo.bias.groups import group_metrics, naive_associations
from tinyemo.bias.values import AttributeValues, attribute_values


def predictions(seed: int) -> tuple[np.ndarray, np.ndarray, AttributeValues]:
    """Three labels; items with the value and label 0 are predicted correctly less often."""
    rng = np.random.default_rng(seed)
    y, a = rng.integers(3, size=600), rng.random(600) < 0.3
    share_correct = np.where(a & (y == 0), 0.4, 0.8)
    correct = rng.random(600) < share_correct
    pred = np.where(correct, y, rng.integers(3, size=600))
    return y, pred, attribute_values(pd.DataFrame({"attr_a": np.where(a, "yes", "no")}))


def test_group_metrics_agree_with_fairlearn():
    y, pred, values = predictions(0)
    one = group_metrics(y, pred, ["r", "s", "t"], values).set_index("what").loc["a: yes"]
    a = values.of("a: yes")
    metrics = {"metrics": accuracy_score, "y_true": y, "y_pred": pred}
    by = MetricFrame(**metrics, sensitive_features=a).by_group
    assert (one["accuracy"], one["gap"]) == pytest.approx((by[True], by[True] - by[False]))
    groups = MetricFrame(**metrics, sensitive_features=np.column_stack([y, a]))
    assert one["worst_group"] == pytest.approx(groups.group_min())
    odds = [equalized_odds_difference(y == k, pred == k, sensitive_features=a) for k in range(3)]
    assert one["equalised_odds"] == pytest.approx(max(odds))


def test_intervals_of_group_metrics_agree_with_a_bootstrap_of_items():
    y, pred, values = predictions(0)
    one = group_metrics(y, pred, ["r", "s", "t"], values).set_index("what").loc["a: yes"]
    a = values.of("a: yes")
    rng, gaps = np.random.default_rng(1), []
    for _ in range(2000):
        rows = rng.integers(600, size=600)
        right, shown = (y == pred)[rows], a[rows]
        gaps.append(right[shown].mean() - right[~shown].mean())
    limits = np.quantile(gaps, [0.025, 0.975])
    assert (one["gap_low"], one["gap_high"]) == pytest.approx(limits, abs=0.012)


def test_rates_over_few_items_are_left_out():
    y, pred = np.repeat([0, 1], [95, 5]), np.zeros(100, int)
    values = attribute_values(pd.DataFrame({"attr_a": np.tile(["yes", "no"], 50)}))
    metrics = group_metrics(y, pred, ["r", "s"], values)
    assert (metrics["worst_group"] == 1).all()  # the five items of label 1, all wrong, do not count
    assert (metrics["equalised_odds"] == 0).all()
    # 47 or 48 of so many items are right: the true share may be lower
    assert (metrics["worst_group_low"] < 0.95).all() and (metrics["worst_group_high"] == 1).all()
    assert (metrics["equalised_odds_low"] == 0).all()
    assert (metrics["equalised_odds_high"] > 0.05).all()


def test_naive_detector_is_the_mantel_haenszel_test():
    y, pred, values = predictions(2)
    one = row_of(naive_associations(y, pred, ["r", "s", "t"], values), "a: yes", "s")
    shown, named = values.of("a: yes"), pred == 1
    above = below = p = q = pq = excess = variance = 0
    for label in range(3):
        here = y == label
        n = here.sum()
        d = (here & ~shown & ~named).sum()
        c = (here & ~shown & named).sum()
        b = (here & shown & ~named).sum()
        e = (here & shown & named).sum()
        r, s = e * d / n, b * c / n
        above, below = above + r, below + s
        p, q = p + (e + d) / n * r, q + (b + c) / n * s
        pq = pq + (e + d) / n * s + (b + c) / n * r
        null = hypergeom(n, e + c, e + b)
        excess, variance = excess + e - null.mean(), variance + null.var()
    assert one["effect"] == pytest.approx(np.log(above / below))
    half = 1.959964 * np.sqrt(p / (2 * above**2) + pq / (2 * above * below) + q / (2 * below**2))
    assert (one["low"], one["high"]) == pytest.approx((one["effect"] - half, one["effect"] + half))
    assert one["p"] == pytest.approx(chi2.sf(excess**2 / variance, 1))


def test_naive_detector_finds_associations_in_the_best_unbiased_classifier():
    """The classifier takes the label of the highest true posterior: there is nothing to find."""
    y, values, posterior = training_scenes(5)
    best = posterior.argmax(axis=1)
    assert naive_associations(y, best, WORDS, values)["found"].sum() > 20
    assert not data_associations(y, WORDS, values, posterior)["found"].any()
