"""evaluation/classification.py against formulas written out and textbook intervals."""

import numpy as np
import pandas as pd
import pytest

from tinyemo.evaluation import classification as C

LABELS = ("a", "b", "c")


def table(labels, preds, seed=0, confidence=0.8):
    records = pd.DataFrame(
        {
            "id": [f"d/{i}" for i in range(len(labels))],
            "dataset": "d",
            "split": "test",
            "label": labels,
            "label_set": "abc",
        }
    )
    p = np.full((len(labels), 3), (1 - confidence) / 2)
    p[np.arange(len(labels)), [LABELS.index(x) for x in preds]] = confidence
    return C.predictions_table(records, p, LABELS, run="r", seed=seed)


def test_predictions_table_names_the_most_probable_label():
    one = table(list("abc"), list("acc"))
    assert list(one["pred"]) == list("acc")
    assert list(one.columns) == [
        "id",
        "dataset",
        "split",
        "label",
        "label_set",
        "pred",
        "p_a",
        "p_b",
        "p_c",
        "run",
        "seed",
    ]
    with pytest.raises(ValueError, match=r"shape \(3, 2\), expected \(3, 3\)"):
        C.predictions_table(one, np.ones((3, 2)), LABELS, "r", 0)


def test_bootstrap_agrees_with_the_normal_interval_of_a_proportion():
    values = (np.arange(1000) < 700).astype(float)
    low, high = C.bootstrap(values)
    half = 1.96 * np.sqrt(0.7 * 0.3 / 1000)
    assert low == pytest.approx(0.7 - half, abs=0.004)
    assert high == pytest.approx(0.7 + half, abs=0.004)


def test_accuracy_over_seeds_and_items():
    both = pd.concat([table(list("aabb"), list("aabb"), 0), table(list("aabb"), list("aaaa"), 1)])
    metrics = C.accuracy_metrics(both)
    assert metrics["accuracy"] == 0.75
    assert metrics["accuracy_sd"] == pytest.approx(np.std([1.0, 0.5], ddof=1))
    assert list(C.item_correctness(both)) == [1, 1, 0.5, 0.5]
    assert 0.5 <= metrics["accuracy_low"] < 0.75 < metrics["accuracy_high"] <= 1


def test_paired_difference_is_narrower_than_the_unpaired_one():
    rng = np.random.default_rng(0)
    labels = list(rng.choice(LABELS, 400))
    base = [x if rng.random() < 0.6 else "a" for x in labels]
    ours = list(base)
    wrong = [i for i in range(400) if base[i] != labels[i]][:30]
    for i in wrong:
        ours[i] = labels[i]
    mean, low, high = C.paired_difference(table(labels, ours), table(labels, base))
    assert mean == pytest.approx(30 / 400)
    assert low > 0.04 and high < 0.11  # an unpaired interval would be about +-0.07 wide
    with pytest.raises(ValueError, match="same items: 1 only in the first"):
        C.paired_difference(table(labels, ours), table(labels[:-1], base[:-1]))


def test_per_class_scores_written_out():
    one = table(list("aaabbc"), list("aabbca"))
    scores = C.class_metrics(one, LABELS)
    assert scores.loc["a", "recall"] == pytest.approx(2 / 3)
    assert scores.loc["a", "precision"] == pytest.approx(2 / 3)
    assert scores.loc["b", "f1"] == pytest.approx(2 * 1 / (2 + 2))
    assert scores.loc["c", "recall"] == 0
    assert C.macro_f1(one, LABELS) == pytest.approx(scores["f1"].mean())
    assert C.confusion(one, LABELS).loc["c", "a"] == 1
    assert C.majority_accuracy(one) == 0.5


def test_fraction_of_bayes():
    plain, adjusted = C.fraction_of_bayes(0.72, 0.8, 0.3)
    assert plain == pytest.approx(0.9)
    assert adjusted == pytest.approx(0.42 / 0.5)
