"""evaluation/significance.py against exact tests, index resampling, and Holm's procedure step by step."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom, norm

from tinyemo.evaluation import significance as S


def predictions(
    right: dict[str, np.ndarray], dataset: str = "d", split: str = "test"
) -> pd.DataFrame:
    """Predictions of runs that get right where `right[run]`, (items,) or (seeds, items) bool, says so."""
    return pd.concat(
        [
            pd.DataFrame(
                {
                    "id": [f"{dataset}/{i:05}" for i in range(len(one))],
                    "dataset": dataset,
                    "split": split,
                    "label": "joy",
                    "label_set": "ekman",
                    "pred": np.where(one, "joy", "fear"),
                    "run": run,
                    "seed": seed,
                }
            )
            for run, seeds in right.items()
            for seed, one in enumerate(np.atleast_2d(seeds))
        ],
        ignore_index=True,
    )


@pytest.mark.parametrize("ours, theirs", [(40, 20), (35, 25), (120, 70)])
def test_p_agrees_with_mcnemars_exact_test(ours, theirs):
    """`ours` items only we get right, `theirs` only they; 500 on which both agree."""
    difference = np.concatenate([np.ones(ours), -np.ones(theirs), np.zeros(500)])
    n = ours + theirs
    mid_p = 2 * (
        binom.sf(ours, n, 0.5) + 0.5 * binom.pmf(ours, n, 0.5)
    )  # the exact test, less its conservatism
    test = S.paired_test(difference)
    assert test["difference"] == pytest.approx((ours - theirs) / len(difference))
    assert test["p"] == pytest.approx(mid_p, abs=0.01 + 0.1 * mid_p)
    half = norm.ppf(0.975) * difference.std() / np.sqrt(len(difference))
    assert test["low"] == pytest.approx(test["difference"] - half, abs=0.1 * half)
    assert test["high"] == pytest.approx(test["difference"] + half, abs=0.1 * half)


def test_resampling_values_is_resampling_items():
    """The multinomial over distinct values against drawing item indices, with the p-value's definition."""
    rng = np.random.default_rng(1)
    difference = rng.integers(-3, 4, size=80) / 3 + 0.1
    means = difference[rng.integers(80, size=(40_000, 80))].mean(axis=1)
    test = S.paired_test(difference)
    assert (test["low"], test["high"]) == pytest.approx(
        np.quantile(means, [0.025, 0.975]), abs=0.01
    )
    p = (1 + (np.abs(means - difference.mean()) >= abs(difference.mean())).sum()) / 40_001
    assert test["p"] == pytest.approx(p, abs=0.015)


def test_no_difference_and_the_smallest_p():
    assert S.paired_test(np.zeros(50))["p"] == 1
    assert S.paired_test(np.array([1.0, -1.0] * 50))["p"] == 1
    assert S.paired_test(np.r_[np.ones(90), np.zeros(10)])["p"] == 1 / (S.RESAMPLES + 1)


def test_under_the_null_one_in_twenty_is_significant():
    rng = np.random.default_rng(2)
    p = [S.paired_test(rng.choice([-1, 0, 0, 1], size=300), seed=i)["p"] for i in range(400)]
    assert 0.03 < np.mean(np.array(p) < 0.05) < 0.075  # standard error .011


def test_holm_step_by_step():
    """.01 x 4; .03 x 2 and .04 x 1 below, so they take the running maximum .06; .02 x 3 = .06."""
    np.testing.assert_allclose(S.holm([0.03, 0.01, 0.04, 0.02]), [0.06, 0.04, 0.06, 0.06])
    np.testing.assert_allclose(S.holm([0.5, 0.6]), [1, 1])
    rng = np.random.default_rng(3)
    for _ in range(
        50
    ):  # rejections of the sequential procedure: stop at the first p above alpha / (m - k + 1)
        p = rng.random(6) ** 4
        rejected = set()
        for k, i in enumerate(np.argsort(p)):
            if p[i] > 0.05 / (6 - k):
                break
            rejected.add(i)
        assert set(np.flatnonzero(S.holm(p) <= 0.05)) == rejected


def test_compare_runs_over_datasets():
    rng = np.random.default_rng(4)
    weak, strong = rng.random(300) < 0.5, rng.random((2, 300)) < 0.7
    table = pd.concat(
        [
            predictions({"weak": weak, "strong": strong}, "a"),
            predictions({"strong": strong, "other": weak}, "b"),
            predictions(
                {"weak": ~weak, "strong": strong}, "a", split="validation"
            ),  # is not looked at
        ]
    )
    found = S.compare_runs(table, [("strong", "weak"), ("strong", "other")])
    assert list(zip(found["dataset"], found["other"], found["items"], strict=True)) == [
        ("a", "weak", 300),
        ("b", "other", 300),
    ]
    np.testing.assert_allclose(found["difference"], strong.mean() - weak.mean())
    assert (
        (found["low"] > 0).all()
        and (found["p_holm"] < 0.05).all()
        and (found["p_holm"] >= 2 * found["p"]).all()
    )
    with pytest.raises(
        ValueError, match=r"\('weak', 'other'\).*expected two runs with test items of one dataset"
    ):
        S.compare_runs(table, [("strong", "weak"), ("weak", "other")])
    gone = table[~((table["run"] == "weak") & (table["id"] == "a/00007"))]
    with pytest.raises(
        ValueError,
        match="'weak' and 'strong' were not asked the same items: 0 only in the first, 1",
    ):
        S.compare_runs(gone, [("strong", "weak")])


def test_best_must_beat_every_other_run():
    rng = np.random.default_rng(5)
    leader = rng.random(400) < 0.8
    near = leader & ~(np.arange(400) == 3)  # one item worse: no difference worth the name
    items = pd.DataFrame(
        {"a": leader, "b": rng.random(400) < 0.6, "c": rng.random(400) < 0.5}
    ).astype(float)
    assert S.significantly_best(items) == "a"
    assert S.significantly_best(items.assign(near=near.astype(float))) is None
    assert S.significantly_best(items[["a"]]) is None


def test_best_pays_for_every_comparison_of_the_column():
    """The leader's p is about .02: enough against one rival, not where six comparisons are made."""
    difference = np.r_[np.ones(30), -np.ones(14), np.zeros(156)]
    base = np.r_[np.zeros(30), np.ones(14), np.ones(156)]
    items = pd.DataFrame({"a": base + difference, "b": base})
    assert 0.05 / 4 < S.paired_test(difference)["p"] < 0.05
    assert S.significantly_best(items) == "a"
    assert (
        S.significantly_best(items.assign(c=0.0, d=0.0)) == "a"
    )  # what is far from c and d uses up no alpha
    assert S.significantly_best(items.assign(c=base[::-1].copy(), d=np.roll(base, 9))) is None
