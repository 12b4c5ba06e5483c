"""evaluation/classification.py against formulas written out."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from tinyemo.evaluation import classification as C
from tinyemo.evaluation.bootstrap import item_correctness

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
    columns = "id dataset split label label_set pred p_a p_b p_c run seed"
    assert list(one.columns) == columns.split()
    with pytest.raises(ValueError, match=r"shape \(3, 2\), expected \(3, 3\)"):
        C.predictions_table(one, np.ones((3, 2)), LABELS, "r", 0)


def test_accuracy_has_a_spread_over_seeds_and_an_interval_over_items():
    both = pd.concat([table(list("aabb"), list("aabb"), 0), table(list("aabb"), list("aaaa"), 1)])
    metrics = C.accuracy_metrics(both)
    assert metrics["accuracy"] == 0.75
    assert metrics["accuracy_sd"] == pytest.approx(np.std([1.0, 0.5], ddof=1))
    assert list(item_correctness(both)) == [1, 1, 0.5, 0.5]
    wilson = binomtest(3, 4).proportion_ci(method="wilson")
    assert (metrics["accuracy_low"], metrics["accuracy_high"]) == pytest.approx(wilson)


def test_scores_per_class_agree_with_their_formulas():
    one = table(list("aaabbc"), list("aabbca"))
    scores = C.class_metrics(one, LABELS)
    assert scores.loc["a", "recall"] == pytest.approx(2 / 3)
    limits = binomtest(2, 3).proportion_ci(method="wilson")
    assert tuple(scores.loc["a", ["recall_low", "recall_high"]]) == pytest.approx(limits)
    assert scores.loc["a", "precision"] == pytest.approx(2 / 3)
    assert scores.loc["b", "f1"] == pytest.approx(2 * 1 / (2 + 2))
    assert scores.loc["c", "recall"] == 0
    assert C.macro_f1(one, LABELS) == pytest.approx(scores["f1"].mean())
    assert C.confusion(one, LABELS).loc["c", "a"] == 1
    assert C.majority_accuracy(one) == 0.5


def test_fraction_of_bayes_with_and_without_the_majority_class():
    plain, adjusted = C.fraction_of_bayes(0.72, 0.8, 0.3)
    assert plain == pytest.approx(0.9)
    assert adjusted == pytest.approx(0.42 / 0.5)
