"""bias/transfer.py: the matrix against its formulas, and datasets with and without a difference."""

import numpy as np
import pandas as pd
import pytest
import torch
from dataset_parts import WORDS, part_of

from tinyemo.bias import transfer


def nearest_mean(x, y, seed):
    means = torch.stack([x[y == k].mean(0) for k in range(len(WORDS))])
    return lambda features: torch.softmax(-(torch.cdist(features, means) ** 2), dim=1)


def matrix_of(seed, train=20, test=60, **changes):
    """Predictions and matrix of three datasets; `changes` apply to the third, c."""
    kinds = {"a": {}, "b": {}, "c": changes}
    parts = []
    for j, (split, n) in enumerate((("train", train), ("test", test))):
        by_dataset = {}
        for i, (name, kind) in enumerate(kinds.items()):
            by_dataset[name] = part_of(name, split, n, [seed, i, j], **kind)
        parts.append(by_dataset)
    predictions = transfer.train_and_test(*parts, WORDS, nearest_mean, seeds=4)
    return predictions, transfer.train_test_matrix(predictions)


def test_accuracies_drops_and_losses_follow_their_formulas():
    predictions, matrix = matrix_of(0, swapped=True)
    correct = predictions.assign(correct=predictions["pred"] == predictions["label"])
    cells = correct.groupby(["run", "dataset"])["correct"].mean()
    by_cell = matrix.set_index(["what", "where"])
    for a in "abc":
        for b in "abc":
            row = by_cell.loc[(a, b)]
            assert row["accuracy"] == pytest.approx(cells[a, b]) and row["items"] == 180
            assert row["effect"] == pytest.approx(cells[b, b] - cells[a, b])
            of_cell = correct[(correct["run"] == a) & (correct["dataset"] == b)]
            by_seed = of_cell.groupby("seed")["correct"].mean()
            assert row["accuracy_sd"] == pytest.approx(by_seed.std(ddof=1))
            assert row["accuracy_low"] < row["accuracy"] < row["accuracy_high"]
            assert np.isnan(row["p"]) == (a == b) and not (a == b and row["found"])
    elsewhere = by_cell.loc[("c", transfer.OTHERS)]
    mean_of_others = (cells["c", "a"] + cells["c", "b"]) / 2
    assert elsewhere["accuracy"] == pytest.approx(mean_of_others) and elsewhere["items"] == 360
    assert elsewhere["effect"] == pytest.approx(by_cell["effect"].loc["c"].loc[["a", "b"]].mean())
    losses = transfer.percent_drops(predictions).set_index("dataset")
    expected = 100 * (cells["c", "c"] - mean_of_others) / cells["c", "c"]
    assert losses.loc["c", "drop"] == pytest.approx(expected)
    assert losses.loc["c", "low"] < expected < losses.loc["c", "high"]


def test_different_labelling_costs_accuracy_on_the_other_datasets_only():
    _, matrix = matrix_of(1, swapped=True)  # anger and fear are swapped in c
    matrix = matrix[matrix["where"] != transfer.OTHERS]
    across = matrix[(matrix["what"] == "c") != (matrix["where"] == "c")]
    assert len(across) == 4 and across["found"].all() and (across["effect"] > 0.3).all()
    assert (matrix.drop(across.index)["effect"].abs() < 0.1).all()


def test_drops_between_datasets_of_one_kind_are_significant_as_often_as_chance(monkeypatch):
    monkeypatch.setattr(transfer, "RESAMPLES", 400)
    # The training parts are small. An interval that left out the choice of the training items would
    # make three in five of these drops significant.
    tables = [matrix_of(seed, train=8, test=200)[1] for seed in range(20)]
    p = pd.concat(tables)["p"].dropna()
    assert (p <= 0.05).mean() <= 0.07
    assert np.mean([table["found"].any() for table in tables]) <= 0.15


def test_one_seed_or_a_dataset_without_test_items_is_an_error():
    predictions, _ = matrix_of(0)
    with pytest.raises(ValueError, match="1 seed.*at least two seeds"):
        transfer.train_test_matrix(predictions[predictions["seed"] == 0])
    with pytest.raises(ValueError, match="every dataset both trained on and tested on"):
        transfer.train_test_matrix(predictions[predictions["dataset"] != "c"])
