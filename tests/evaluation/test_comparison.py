"""evaluation/comparison.py: comparison with the best probe, statuses, accuracy on clean items."""

import numpy as np
import pandas as pd
import pytest

from tinyemo.data.audit import contaminated_ids, statuses
from tinyemo.data.records import check_records
from tinyemo.emotions import labels_of
from tinyemo.evaluation.classification import predictions_table, summary
from tinyemo.evaluation.comparison import audited_scores, compare

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
    train = test.assign(id="train/" + test["id"], split="train")
    return check_records(pd.concat([test, train], ignore_index=True))


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
    status = statuses(records, pairs, trained_on, EKMAN[:4], {})
    contaminated = contaminated_ids(records, pairs, trained_on)
    return *audited_scores(table, status, contaminated, trained_on), table


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
    assert (row["status"], row["words trained"]) == ("contaminated", "4/6")
    # 30 against 10 of 40 items is significant, 20 against 10 of the clean 30 is not (z = 1.94)
    assert not row["best"]


def test_unknown_training_data_gives_no_clean_numbers(records):
    table, metrics, _ = audited(records, [], ["somewhere else"], np.arange(40) < 30)
    assert set(table["status"]) == {"unknown"} and table["clean accuracy"].isna().all()
    assert metrics["test/clean_accuracy"] is None and metrics["test/contaminated"] is None
    assert metrics["test/accuracy"] == 0.75


def test_projector_is_compared_with_the_best_probe_of_cross_validation():
    records = pd.DataFrame(
        {
            "id": [f"d/{i}" for i in range(60)],
            "dataset": "d",
            "split": "test",
            "label": [EKMAN[i % 6] for i in range(60)],
            "label_set": "ekman",
        }
    )

    def with_errors(wrong, run, seed=0):
        right = np.arange(60) % 6
        p = np.eye(6)[np.where(np.arange(60) < wrong, (right + 1) % 6, right)]
        return predictions_table(records, p, EKMAN, run, seed)

    tables = pd.concat(
        [
            with_errors(6, "projector"),
            with_errors(12, "projector", 1),
            with_errors(30, "probe_logreg"),
            with_errors(3, "probe_svm"),
        ]
    ).assign(targets="distributions")
    cv = {"probe_logreg": 0.8, "probe_svm": 0.7}
    rows, metrics = compare(tables, "ekman", cv, limit=0.95)
    assert metrics["test/accuracy"] == pytest.approx(0.85)
    # compared with logreg, although svm is better on the test part
    assert metrics["test/minus_best_probe"] == pytest.approx(0.85 - 0.5)
    assert metrics["test/fraction_of_bayes"] == pytest.approx(0.85 / 0.95)
    assert metrics["test/probe_svm"] == pytest.approx(0.95) and metrics["cv/probe_logreg"] == 0.8
    assert list(rows["model"]) == ["projector", "probe logreg", "probe svm"]

    # with one label there is another pair; the better probe in cross-validation is no rival
    # of a projector that has seen other labels
    one = [with_errors(18, "projector_one_label"), with_errors(24, "probe_svm_one_label")]
    both = pd.concat([tables, pd.concat(one).assign(targets="one label")])
    rows, metrics = compare(both, "ekman", cv | {"probe_svm_one_label": 0.9})
    assert metrics["test/minus_best_probe"] == pytest.approx(0.85 - 0.5)
    assert metrics["test/projector_one_label_minus_best_probe"] == pytest.approx(0.1)
    assert list(rows.dropna(subset="minus best probe")["trained on"]) == [
        "distributions",
        "one label",
    ]
    with pytest.raises(ValueError, match="'projector_one_label'.*no probe was trained on the same"):
        compare(both, "ekman", cv)


def test_best_is_given_only_among_models_with_the_same_labels_in_training(records):
    columns = ["kind", "dataset_a", "split_a", "dataset_b", "split_b", "id_a", "id_b", "similarity"]
    status = statuses(records, pd.DataFrame(columns=columns), ["d"], EKMAN, {})
    right = np.arange(40)
    runs = {"projector": right < 39, "probe_svm": right < 15, "projector_one_label": right < 38}
    tables = [predictions(records, run, one) for run, one in runs.items()]
    plain = pd.concat(tables)
    table, _ = audited_scores(plain, status, [], ["d"])
    assert not table["best"].any()  # 39 against 38 items
    targets = plain["run"].map(lambda run: "one label" if "one" in run else "distributions")
    table, _ = audited_scores(plain.assign(targets=targets), status, [], ["d"])
    assert table.set_index("model")["best"].to_dict() == {
        "projector": True,
        "probe svm": False,
        "projector one label": False,  # alone with its labels
    }
