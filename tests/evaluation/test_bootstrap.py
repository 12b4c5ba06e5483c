"""evaluation/bootstrap.py against textbook intervals, exact tests and Holm's procedure."""

import numpy as np
import pandas as pd
import pytest
from prediction_tables import predictions_of
from scipy.stats import binom, norm

from tinyemo.evaluation import bootstrap as B


def test_mean_interval_agrees_with_the_normal_interval_of_a_proportion():
    values = (np.arange(1000) < 700).astype(float)
    low, high = B.mean_interval(values)
    half = 1.96 * np.sqrt(0.7 * 0.3 / 1000)
    assert low == pytest.approx(0.7 - half, abs=0.004)
    assert high == pytest.approx(0.7 + half, abs=0.004)


@pytest.mark.parametrize("ours, theirs", [(40, 20), (35, 25), (120, 70)])
def test_p_agrees_with_mcnemars_exact_test(ours, theirs):
    """Only our run is right on `ours` items, only the other on `theirs`; they agree on 500."""
    difference = np.concatenate([np.ones(ours), -np.ones(theirs), np.zeros(500)])
    n = ours + theirs
    # the exact test with the mid-p correction, because without it the test is conservative
    mid_p = 2 * (binom.sf(ours, n, 0.5) + 0.5 * binom.pmf(ours, n, 0.5))
    test = B.paired_test(difference)
    assert test["difference"] == pytest.approx((ours - theirs) / len(difference))
    assert test["p"] == pytest.approx(mid_p, abs=0.01 + 0.1 * mid_p)
    half = norm.ppf(0.975) * difference.std() / np.sqrt(len(difference))
    assert test["low"] == pytest.approx(test["difference"] - half, abs=0.1 * half)
    assert test["high"] == pytest.approx(test["difference"] + half, abs=0.1 * half)


def test_resampling_values_is_the_same_as_resampling_items():
    """The multinomial over distinct values against drawn item indices, with p by its definition."""
    rng = np.random.default_rng(1)
    difference = rng.integers(-3, 4, size=80) / 3 + 0.1
    means = difference[rng.integers(80, size=(40_000, 80))].mean(axis=1)
    test = B.paired_test(difference)
    assert (test["low"], test["high"]) == pytest.approx(
        np.quantile(means, [0.025, 0.975]), abs=0.01
    )
    p = (1 + (np.abs(means - difference.mean()) >= abs(difference.mean())).sum()) / 40_001
    assert test["p"] == pytest.approx(p, abs=0.015)


def test_p_is_1_without_a_difference_and_has_a_smallest_value():
    assert B.paired_test(np.zeros(50))["p"] == 1
    assert B.paired_test(np.array([1.0, -1.0] * 50))["p"] == 1
    clear = np.r_[np.ones(90), np.zeros(10)]
    assert B.paired_test(clear)["p"] == 1 / (B.TEST_RESAMPLES + 1)


def test_one_test_in_twenty_is_significant_when_the_runs_are_equal():
    rng = np.random.default_rng(2)
    p = [B.paired_test(rng.choice([-1, 0, 0, 1], size=300), seed=i)["p"] for i in range(400)]
    assert 0.03 < np.mean(np.array(p) < 0.05) < 0.075  # standard error .011


def test_holm_agrees_with_the_procedure_step_by_step():
    """.01 x 4 = .04; .02 x 3 = .06; .03 x 2 and .04 x 1 are not below the value before, .06."""
    np.testing.assert_allclose(B.holm([0.03, 0.01, 0.04, 0.02]), [0.06, 0.04, 0.06, 0.06])
    np.testing.assert_allclose(B.holm([0.5, 0.6]), [1, 1])
    rng = np.random.default_rng(3)
    for _ in range(50):
        p = rng.random(6) ** 4
        # the sequential procedure rejects until the first p above alpha / (m - k + 1)
        rejected = set()
        for k, i in enumerate(np.argsort(p)):
            if p[i] > 0.05 / (6 - k):
                break
            rejected.add(i)
        assert set(np.flatnonzero(B.holm(p) <= 0.05)) == rejected


@pytest.fixture
def two_datasets():
    """Predictions of three runs, and the accuracy of `strong` minus that of the two others."""
    rng = np.random.default_rng(4)
    weak, strong = rng.random(300) < 0.5, rng.random((2, 300)) < 0.7
    table = pd.concat(
        [
            predictions_of({"weak": weak, "strong": strong}, "a"),
            predictions_of({"strong": strong, "other": weak}, "b"),
            # only split "test" may count
            predictions_of({"weak": ~weak, "strong": strong}, "a", split="validation"),
        ]
    )
    return table, strong.mean() - weak.mean()


def test_compare_runs_tests_each_pair_on_each_dataset_that_has_both(two_datasets):
    table, difference = two_datasets
    found = B.compare_runs(table, [("strong", "weak"), ("strong", "other")])
    rows = list(zip(found["dataset"], found["other"], found["items"], strict=True))
    assert rows == [("a", "weak", 300), ("b", "other", 300)]
    np.testing.assert_allclose(found["difference"], difference)
    assert (found["low"] > 0).all()
    assert (found["p_holm"] < 0.05).all()
    assert (found["p_holm"] >= 2 * found["p"]).all()


def test_compare_runs_refuses_runs_without_common_items(two_datasets):
    table, _ = two_datasets
    message = r"\('weak', 'other'\).*expected two runs with test items of one dataset"
    with pytest.raises(ValueError, match=message):
        B.compare_runs(table, [("strong", "weak"), ("weak", "other")])
    gone = table[~((table["run"] == "weak") & (table["id"] == "a/00007"))]
    message = "'weak' and 'strong' have predictions for different items: 0 only in the first, 1"
    with pytest.raises(ValueError, match=message):
        B.compare_runs(gone, [("strong", "weak")])


def test_paired_difference_has_a_narrower_interval_than_unpaired_accuracies():
    rng = np.random.default_rng(0)
    base = rng.random(400) < 0.6
    ours = base.copy()
    ours[np.flatnonzero(~base)[:30]] = True
    items = B.correctness_by_run(predictions_of({"ours": ours, "base": base}))
    test = B.compare_two(items, "ours", "base")
    assert test["difference"] == pytest.approx(30 / 400)
    # an unpaired interval would be about +-0.07 wide
    assert test["low"] > 0.04 and test["high"] < 0.11


def best_of(runs):
    return B.significantly_best(B.correctness_by_run(predictions_of(runs)))


def test_few_trainings_widen_the_interval_of_a_difference():
    """Two settings of the same true accuracy; their five trainings differ more than items do.

    500 items give each difference a standard error of .031, the trainings one of .051. So in many
    draws one setting is better by the luck of its trainings alone.
    """
    rng = np.random.default_rng(8)
    significant = np.zeros(2)
    for _ in range(30):
        of_training = 0.6 + 0.08 * rng.standard_normal((2, 5, 1))
        right = rng.random((2, 5, 500)) < of_training  # two runs
        difference = right[0].mean(axis=0) - right[1].mean(axis=0)
        trainings = right.mean(axis=2)
        tests = B.paired_test(difference), B.paired_test(difference, trainings=trainings)
        significant += [test["p"] < 0.05 for test in tests]
    assert significant[0] > 10
    assert significant[1] <= 5  # 1.5 expected, a few more with only five trainings
    error = np.hypot(*trainings.std(axis=1, ddof=1)) / 5**0.5
    alone, both = [test["high"] - test["low"] for test in tests]
    assert both == pytest.approx(np.hypot(alone, 3.92 * error), rel=0.1)


def test_one_training_is_compared_by_its_items_alone():
    rng = np.random.default_rng(9)
    items = B.correctness_by_run(predictions_of({"a": rng.random(90) < 0.8, "b": np.ones(90)}))
    assert B.compare_two(items, "a", "b") == B.paired_test(items["a"][0] - items["b"][0])


def test_moved_interval_contains_a_lowest_score_that_resamples_make_lower():
    rng = np.random.default_rng(10)
    values = rng.random((8, 100)) < 0.8
    lowest = values.mean(axis=1).min()
    drawn = rng.binomial(100, values.mean(axis=1), size=(2000, 8)) / 100
    low, high = B.centred_interval(lowest, drawn.min(axis=1))
    assert low < lowest < high
    assert high - low == pytest.approx(np.diff(B.percentile_interval(drawn.min(axis=1)))[0])


def test_best_run_must_beat_every_other_run():
    rng = np.random.default_rng(5)
    leader = rng.random(400) < 0.8
    near = leader & ~(np.arange(400) == 3)  # one item worse: no significant difference
    runs = {"a": leader, "b": rng.random(400) < 0.6, "c": rng.random(400) < 0.5}
    assert best_of(runs) == "a"
    assert best_of(runs | {"near": near}) is None
    assert best_of({"a": leader}) is None


def test_best_run_is_corrected_for_all_comparisons():
    """The leader's p is about .02: significant against one run, not when six pairs are compared."""
    difference = np.r_[np.ones(30), -np.ones(14), np.zeros(156)]
    base = np.r_[np.zeros(30), np.ones(14), np.ones(156)]
    runs = {"a": base + difference, "b": base}
    assert 0.05 / 4 < B.paired_test(difference)["p"] < 0.05
    assert best_of(runs) == "a"
    # c and d are far from a and b: these small p-values come first and do not change the others
    assert best_of(runs | {"c": 0 * base, "d": 0 * base}) == "a"
    assert best_of(runs | {"c": base[::-1], "d": np.roll(base, 9)}) is None
