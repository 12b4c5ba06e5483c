"""Scores over folds: against scikit-learn, against a bootstrap written out, and files."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, f1_score, precision_score, recall_score

from tinyemo.evaluation.bootstrap import RESAMPLES
from tinyemo.evaluation.confusion_scores import SCORES
from tinyemo.evaluation.cross_validation import (
    difference_table,
    pooled_confusion,
    recalls,
    score_table,
    scores_by_fold,
    write_fold_file,
)

LABELS = ("anger", "joy", "sadness", "surprise")


def predictions(n=300, seeds=2, skill=0.6, seed=0, labels=LABELS[:3]) -> pd.DataFrame:
    """Random predictions of items in dialogues of ten; the last label of LABELS never occurs."""
    rng = np.random.default_rng(seed)
    truth = rng.choice(labels, size=n, p=[0.6, 0.3, 0.1])
    tables = []
    for s in range(seeds):
        guess = rng.choice(LABELS, size=n)
        pred = np.where(rng.random(n) < skill, truth, guess)
        columns = {"id": [f"x/{i}" for i in range(n)], "label": truth, "pred": pred, "seed": s}
        columns["dialogue"] = [f"d{i // 10:03d}" for i in range(n)]
        columns["fold"] = [f"Ses{1 + i * 5 // n}" for i in range(n)]
        tables.append(pd.DataFrame(columns))
    return pd.concat(tables, ignore_index=True)


def test_scores_are_those_of_scikit_learn():
    table = predictions(seeds=1)
    found = score_table(table, LABELS).set_index("score")["value"]
    true, pred = table["label"], table["pred"]
    occurring = {"labels": LABELS[:3], "zero_division": 0}
    assert found["accuracy"] == pytest.approx(accuracy_score(true, pred))
    assert found["uar"] == pytest.approx(recall_score(true, pred, average="macro", **occurring))
    assert found["macro_f1"] == pytest.approx(f1_score(true, pred, average="macro", **occurring))
    weighted = f1_score(true, pred, average="weighted", **occurring)
    assert found["weighted_f1"] == pytest.approx(weighted)


def test_values_are_means_over_seeds_and_sd_is_over_seeds():
    table = predictions(seeds=3)
    found = score_table(table, LABELS).set_index("score").loc["accuracy"]
    by_seed = (table["pred"] == table["label"]).groupby(table["seed"]).mean()
    assert found["value"] == pytest.approx(by_seed.mean())
    assert found["sd"] == pytest.approx(by_seed.std(ddof=1))


def test_intervals_resample_whole_dialogues():
    """Identical items within a dialogue: the interval is that of 30 items, not of 300."""
    table = predictions(seeds=1)
    first = table.groupby("dialogue")["id"].transform("first")
    copied = table.set_index("id").loc[first, ["label", "pred"]].to_numpy()
    table[["label", "pred"]] = copied
    found = score_table(table, LABELS).set_index("score").loc["accuracy"]
    right = (table["pred"] == table["label"]).groupby(table["dialogue"]).mean().to_numpy()
    rng = np.random.default_rng(1)
    means = right[rng.integers(30, size=(RESAMPLES, 30))].mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    assert found["low"] == pytest.approx(low, abs=0.03)
    assert found["high"] == pytest.approx(high, abs=0.03)
    assert found["high"] - found["low"] > 0.2


def test_paired_differences_have_shorter_intervals_than_unpaired_ones():
    good, bad = predictions(skill=0.8), predictions(skill=0.8)
    flipped = bad.index % 20 == 0
    bad.loc[flipped, "pred"] = "surprise"
    table = difference_table(good, bad, LABELS).set_index("score").loc["accuracy"]
    expected = (good["pred"] == good["label"]).mean() - (bad["pred"] == bad["label"]).mean()
    assert table["difference"] == pytest.approx(expected) and table["low"] > 0
    alone = score_table(good, LABELS).set_index("score").loc["accuracy"]
    assert table["high"] - table["low"] < alone["high"] - alone["low"]
    with pytest.raises(ValueError, match="1 items only in the first run, 0 only in the second"):
        difference_table(good, bad[bad["id"] != "x/7"], LABELS)


def test_folds_are_scored_alone_and_absent_labels_are_named():
    table = predictions(seeds=1)
    table = table[~((table["fold"] == "Ses2") & (table["label"] == "sadness"))]
    found = scores_by_fold(table, LABELS).set_index("fold")
    second = table[table["fold"] == "Ses2"]
    expected = recall_score(
        second["label"], second["pred"], labels=LABELS[:2], average="macro", zero_division=0
    )
    assert found.loc["Ses2", "uar"] == pytest.approx(expected)
    assert found.loc["Ses2", "absent"] == "sadness, surprise"
    uars = found.loc[[f"Ses{k}" for k in range(1, 6)], "uar"]
    assert found.loc["mean", "uar"] == pytest.approx(uars.mean())
    assert found.loc["sd", "uar"] == pytest.approx(uars.std(ddof=1))


def test_confusion_and_recalls_of_labels():
    table = predictions(seeds=1)
    counts = pooled_confusion(table, LABELS)
    assert counts.to_numpy().sum() == 300
    both = (table["label"] == "joy") & (table["pred"] == "anger")
    assert counts.loc["joy", "anger"] == both.sum()
    found = recalls(table, LABELS).set_index("label")
    expected = recall_score(table["label"], table["pred"], labels=["joy"], average="macro")
    assert found.loc["joy", "recall"] == pytest.approx(expected)
    assert found.loc["joy", "low"] < expected < found.loc["joy", "high"]
    assert found.loc["surprise", "items"] == 0 and np.isnan(found.loc["surprise", "recall"])


def test_fold_file_has_the_lines_of_emotion_llama(tmp_path):
    table = predictions(seeds=1)
    path = write_fold_file(table, LABELS, tmp_path / "eval_results_cross1.txt")
    lines = dict(line.split(": ") for line in path.read_text().splitlines())
    names = ["Accuracy", "Precision", "Recall", "Macro F1 Score", "F1 Score"]
    assert list(lines) == names
    precision = precision_score(
        table["label"], table["pred"], labels=LABELS[:3], average="macro", zero_division=0
    )
    assert float(lines["Precision"]) == pytest.approx(precision, abs=5e-5)


def test_unknown_labels_are_named():
    table = predictions()
    table.loc[3, "pred"] = "happy"
    with pytest.raises(ValueError, match="column 'pred': found 'happy', expected one of anger"):
        score_table(table, LABELS)
    assert set(SCORES) == {"accuracy", "uar", "weighted_f1", "macro_f1"}
