"""bias/transfer.py against formulas written out, and in worlds in which datasets differ by what was planted, or not."""

import numpy as np
import pandas as pd
import pytest
import torch
from dataset_parts import WORDS, part_of

from tinyemo.bias import transfer


def nearest_mean(x, y, seed):
    means = torch.stack([x[y == k].mean(0) for k in range(len(WORDS))])
    return lambda at: torch.softmax(-(torch.cdist(at, means) ** 2), dim=1)


def matrix_of(seed, train=20, test=60, **changes):
    """The matrix of three datasets; `changes` of the last."""
    kinds = {"a": {}, "b": {}, "c": changes}
    parts = [
        {
            name: part_of(name, split, n, [seed, i, j], **kind)
            for i, (name, kind) in enumerate(kinds.items())
        }
        for j, (split, n) in enumerate((("train", train), ("test", test)))
    ]
    predictions = transfer.train_and_test(*parts, WORDS, nearest_mean, seeds=4)
    return predictions, transfer.train_test_matrix(predictions)


def test_accuracies_drops_and_losses_are_those_written_out():
    predictions, matrix = matrix_of(0, turned=True)
    right = predictions.assign(right=predictions["pred"] == predictions["label"])
    cells = right.groupby(["run", "dataset"])["right"].mean()
    by_cell = matrix.set_index(["what", "where"])
    for a in "abc":
        for b in "abc":
            row = by_cell.loc[(a, b)]
            assert row["accuracy"] == pytest.approx(cells[a, b]) and row["items"] == 180
            assert row["effect"] == pytest.approx(cells[b, b] - cells[a, b])
            seeds = (
                right[(right["run"] == a) & (right["dataset"] == b)].groupby("seed")["right"].mean()
            )
            assert row["accuracy_sd"] == pytest.approx(seeds.std(ddof=1))
            assert row["accuracy_low"] < row["accuracy"] < row["accuracy_high"]
            assert np.isnan(row["p"]) == (a == b) and not (a == b and row["found"])
    elsewhere = by_cell.loc[("c", transfer.OTHERS)]
    assert (
        elsewhere["accuracy"] == pytest.approx((cells["c", "a"] + cells["c", "b"]) / 2)
        and elsewhere["items"] == 360
    )
    assert elsewhere["effect"] == pytest.approx(by_cell["effect"].loc["c"].loc[["a", "b"]].mean())
    losses = transfer.percent_drops(predictions).set_index("dataset")
    expected = 100 * (cells["c", "c"] - (cells["c", "a"] + cells["c", "b"]) / 2) / cells["c", "c"]
    assert losses.loc["c", "drop"] == pytest.approx(expected)
    assert losses.loc["c", "low"] < expected < losses.loc["c", "high"]


def test_a_planted_difference_is_lost_elsewhere_and_only_there():
    _, matrix = matrix_of(1, turned=True)  # c calls fear what the others call anger
    matrix = matrix[matrix["where"] != transfer.OTHERS]
    across = matrix[(matrix["what"] == "c") != (matrix["where"] == "c")]
    assert len(across) == 4 and across["found"].all() and (across["effect"] > 0.3).all()
    assert (matrix.drop(across.index)["effect"].abs() < 0.1).all()


def test_datasets_of_one_kind_lose_nothing_beyond_chance(monkeypatch):
    monkeypatch.setattr(transfer, "RESAMPLES", 400)
    # small training parts: without the spread over them three in five of these drops would look significant
    tables = [matrix_of(seed, train=8, test=200)[1] for seed in range(20)]
    p = pd.concat(tables)["p"].dropna()
    assert (p <= 0.05).mean() <= 0.07
    assert np.mean([table["found"].any() for table in tables]) <= 0.15


def test_predictions_of_one_seed_or_of_an_untested_dataset_are_refused():
    predictions, _ = matrix_of(0)
    with pytest.raises(ValueError, match="1 seed.*at least two seeds"):
        transfer.train_test_matrix(predictions[predictions["seed"] == 0])
    with pytest.raises(ValueError, match="every dataset both trained on and tested on"):
        transfer.train_test_matrix(predictions[predictions["dataset"] != "c"])
