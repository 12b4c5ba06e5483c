"""evaluation/abstention.py against curves written out and simulated random orders."""

import numpy as np
import pandas as pd
import pytest

from tinyemo.evaluation import abstention as A


def table(confidence, right, seed=0):
    confidence = np.asarray(confidence, dtype=float)
    return pd.DataFrame(
        {
            "id": [f"i{i:05d}" for i in range(len(confidence))],
            "split": "test",
            "label": "a",
            "seed": seed,
            "pred": np.where(right, "a", "b"),
            "p_a": np.where(right, confidence, 1 - confidence),
            "p_b": np.where(right, 1 - confidence, confidence),
            "run": "r",
        }
    )


def test_risk_coverage_of_four_items_agrees_with_the_formula():
    # most confident first: right, wrong, right, right
    one = table([0.6, 0.9, 0.8, 0.7], [True, True, False, True])
    curve = A.risk_coverage(one)
    assert curve["coverage"].tolist() == [0.25, 0.5, 0.75, 1.0]
    assert curve["risk"].tolist() == pytest.approx([0, 1 / 2, 1 / 3, 1 / 4])
    assert curve["random"].tolist() == [0.25] * 4
    assert curve["oracle"].tolist() == pytest.approx([0, 0, 0, 1 / 4])
    scores = A.abstention_scores(one)
    assert scores["aurc"] == pytest.approx(np.mean([0, 1 / 2, 1 / 3, 1 / 4]))
    assert scores["accuracy_at_50"] == 0.5 and scores["accuracy_at_100"] == 0.75


def test_equal_confidences_count_as_the_mean_over_random_orders():
    rng = np.random.default_rng(0)
    right = np.r_[rng.random(10) < 0.9, rng.random(20) < 0.5]
    curve = A.risk_coverage(table(np.r_[np.full(10, 0.9), np.full(20, 0.7)], right))
    orders = [np.r_[rng.permutation(10), 10 + rng.permutation(20)] for _ in range(4000)]
    simulated = np.mean([(~right)[order].cumsum() / np.arange(1, 31) for order in orders], axis=0)
    assert np.abs(curve["risk"] - simulated).max() < 0.02


def test_each_seed_is_ranked_alone_and_then_averaged():
    rng = np.random.default_rng(1)
    confidence, right = rng.uniform(0.5, 1, (2, 60)), rng.random((2, 60)) < 0.7
    parts = [table(confidence[s], right[s], s) for s in (0, 1)]
    alone = [A.risk_coverage(part)["risk"] for part in parts]
    assert np.allclose(A.risk_coverage(pd.concat(parts))["risk"], (alone[0] + alone[1]) / 2)


def test_interval_covers_the_value_of_new_items():
    """An item of confidence c is right with probability c. The truth is the mean of 300 samples."""

    def sample(seed, n=600):
        rng = np.random.default_rng(seed)
        confidence = rng.uniform(0.5, 1, n)
        return table(confidence, rng.random(n) < confidence)

    truth = np.mean([A.risk_coverage(sample(seed))["risk"].mean() for seed in range(300)])
    scores = [A.abstention_scores(sample(seed)) for seed in range(10)]
    assert sum(one["aurc_low"] < truth < one["aurc_high"] for one in scores) >= 8
    assert all(
        one["oracle"] < one["aurc_low"] < one["aurc"] < one["aurc_high"] < one["random"]
        for one in scores
    )
