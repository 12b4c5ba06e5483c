"""evaluation/comparison.py: the verdict beside every number, and the accuracy on clean items."""

import numpy as np
import pandas as pd
import pytest

from tinyemo.data.audit import contaminated_ids, verdicts
from tinyemo.emotions import labels_of
from tinyemo.evaluation.classification import predictions_table, summary
from tinyemo.evaluation.comparison import audited_scores

EKMAN = labels_of("ekman")


@pytest.fixture
def records():
    test = pd.DataFrame(
        {
            "id": [f"d/{i}" for i in range(40)],
            "dataset": "d",
            "split": "test",
            "label_set": "ekman",
            "label": [EKMAN[i % 6] for i in range(40)],
        }
    )
    return pd.concat(
        [test, test.assign(id="train/" + test["id"], split="train")], ignore_index=True
    )


def predictions(records, run, right):
    """One seed's predictions of the 40 test items, correct where `right` is True."""
    test = records[records["split"] == "test"]
    truth = np.array([EKMAN.index(label) for label in test["label"]])
    p = np.full((len(test), 6), 0.05)
    p[np.arange(len(test)), np.where(right, truth, (truth + 1) % 6)] = 0.75
    return predictions_table(test, p, EKMAN, run, 0)


def audited(records, leaked, trained_on, right):
    """`audited_scores` of a projector and a probe with the opposite errors, and their predictions.

    The test items with the ids `leaked` are in the training part too.
    """
    pairs = pd.DataFrame(
        {
            "kind": "files",
            "dataset_a": "d",
            "split_a": "train",
            "dataset_b": "d",
            "split_b": "test",
            "id_a": [f"train/{name}" for name in leaked],
            "id_b": leaked,
            "similarity": 1.0,
        }
    )
    table = pd.concat(
        [predictions(records, "projector", right), predictions(records, "probe_svm", ~right)]
    )
    verdict = verdicts(records, pairs, trained_on, EKMAN[:4], {})
    contaminated = contaminated_ids(records, pairs, trained_on)
    return *audited_scores(table, verdict, contaminated, trained_on), table


def test_clean_scores_leave_out_the_leaked_items(records):
    right = np.arange(40) < 30  # the projector is right on all leaked items, 0 to 9
    table, metrics, predicted = audited(records, [f"d/{i}" for i in range(10)], ["d"], right)
    assert metrics["test/accuracy"] == 0.75 and metrics["test/contaminated"] == 0.25
    assert metrics["test/clean_accuracy"] == pytest.approx(20 / 30)
    assert metrics["test/probe_svm_clean_accuracy"] == pytest.approx(10 / 30)
    assert metrics["test/clean_low"] < 20 / 30 < metrics["test/clean_high"]
    expected = summary(predicted[predicted["run"] == "projector"], EKMAN)
    assert {f"test/{key}": value for key, value in expected.items()}.items() <= metrics.items()
    row = table.set_index("model").loc["projector"]
    assert (row["verdict"], row["words trained"]) == ("contaminated", "4/6")
    # 30 against 10 of 40 items is significant, 20 against 10 of the clean 30 is not (z = 1.94)
    assert not row["best"]


def test_unknown_training_data_gives_no_clean_numbers(records):
    table, metrics, _ = audited(records, [], ["somewhere else"], np.arange(40) < 30)
    assert set(table["verdict"]) == {"unknown"} and table["clean accuracy"].isna().all()
    assert metrics["test/clean_accuracy"] is None and metrics["test/contaminated"] is None
    assert metrics["test/accuracy"] == 0.75
