"""evaluation/proportions.py against scipy, published examples, and simulated coverage."""

import numpy as np
import pytest
from scipy.stats import binomtest

from tinyemo.evaluation import proportions as P
from tinyemo.evaluation.bootstrap import mean_interval


@pytest.mark.parametrize("hits, items", [(0, 6), (6, 6), (1, 6), (37, 50), (299, 300), (1, 1)])
def test_wilson_agrees_with_scipy(hits, items):
    expected = binomtest(hits, items).proportion_ci(method="wilson")
    assert P.wilson(hits / items, items) == pytest.approx((expected.low, expected.high))
    values = np.arange(items) < hits
    assert P.share_interval(values) == pytest.approx((expected.low, expected.high))
    assert mean_interval(values) == pytest.approx((expected.low, expected.high))


def test_no_items_leave_everything_possible():
    assert P.wilson(0.0, 0) == (0, 1)


# Newcombe 1998, Statistics in Medicine 17, table II, method 10
@pytest.mark.parametrize(
    "hits, items, other_hits, other_items, low, high",
    [
        (56, 70, 48, 80, 0.0524, 0.3339),
        (9, 10, 3, 10, 0.1705, 0.8090),
        (6, 7, 2, 7, 0.0582, 0.8062),
        (10, 10, 0, 20, 0.6791, 1.0),
        (0, 20, 0, 10, -0.2775, 0.1611),
    ],
)
def test_difference_agrees_with_newcombes_table(hits, items, other_hits, other_items, low, high):
    found = P.difference_interval(hits / items, items, other_hits / other_items, other_items)
    assert found == pytest.approx((low, high), abs=6e-5)


def test_whole_dialogues_count_as_fewer_items():
    """100 dialogues of 5 utterances that are all right or all wrong: as 100 items, not 500."""
    right = np.repeat(np.arange(100) < 70, 5)
    rng = np.random.default_rng(0)
    resampled = rng.binomial(100, 0.7, size=20_000) / 100
    found = P.resampled_share_interval(right.mean(), resampled, len(right))
    assert found == pytest.approx(P.wilson(0.7, 100), abs=0.002)
    # resamples that vary less than single items do not make the interval shorter
    assert P.resampled_share_interval(0.7, resampled, 50) == P.wilson(0.7, 50)
    # all right, in every resample: the items still leave some doubt
    assert P.resampled_share_interval(1.0, np.ones(20), 6) == pytest.approx(P.wilson(1, 6))


@pytest.mark.parametrize("true_gap", [0.0, 0.3])
def test_largest_gap_and_lowest_share_are_inside_their_intervals(true_gap):
    """Six groups of 40 with a value, 60 without; the observed and the true value are covered."""
    rng = np.random.default_rng(1)
    items, other_items = np.full(6, 40), np.full(6, 60)
    p, other = np.full(6, 0.8), np.full(6, 0.8)
    p[0] -= true_gap
    covered = np.zeros(2)
    for _ in range(400):
        shares, others = rng.binomial(items, p) / items, rng.binomial(other_items, other) / 60
        low, high = P.largest_difference_interval(shares, items, others, other_items)
        assert low <= np.abs(shares - others).max() <= high
        lowest_low, lowest_high = P.lowest_share_interval(shares, items)
        assert lowest_low <= shares.min() <= lowest_high
        covered += (low <= true_gap <= high, lowest_low <= p.min() <= lowest_high)
    assert (covered / 400 > 0.95).all()
