"""bias/transfer.py against formulas written out, and in worlds in which datasets differ by what was planted, or not."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import norm

from tinyemo.bias import transfer
from tinyemo.features.collection import Collection
from tinyemo.features.tensors import Part

WORDS = ("anger", "fear", "joy")


def part_of(name, split, n, seed, shift=0.0, turned=False, width=8):
    """n items a word: a word is a direction, a shift moves the whole dataset; `turned`: two words change places."""
    rng = np.random.default_rng(seed)
    y = np.repeat(np.arange(len(WORDS)), n)
    x = rng.normal(size=(len(y), width)) + 1.5 * np.eye(width)[[1, 0, 2] if turned else [0, 1, 2]][y]
    x[:, -1] += shift
    records = pd.DataFrame({"id": [f"{name}/{split}/{i}" for i in range(len(y))], "dataset": name, "split": split,
                            "label": np.array(WORDS)[y], "label_set": "ekman"})
    return Part(records, torch.tensor(x, dtype=torch.float32), torch.tensor(y), torch.eye(len(WORDS))[y])


def nearest_mean(x, y, seed):
    means = torch.stack([x[y == k].mean(0) for k in range(len(WORDS))])
    return lambda at: torch.softmax(-torch.cdist(at, means) ** 2, dim=1)


def matrix_of(seed, train=20, test=60, **changes):
    """The matrix of three datasets; `changes` of the last."""
    kinds = {"a": {}, "b": {}, "c": changes}
    parts = [{name: part_of(name, split, n, [seed, i, j], **kind) for i, (name, kind) in enumerate(kinds.items())}
             for j, (split, n) in enumerate((("train", train), ("test", test)))]
    predictions = transfer.train_and_test(*parts, WORDS, nearest_mean, seeds=4)
    return predictions, transfer.train_test_matrix(predictions)


def test_labels_meet_by_the_taxonomy_or_by_their_word():
    assert transfer.common_labels("mikels", "ekman") == {
        "amusement": "joy", "contentment": "joy", "excitement": "joy", "awe": "surprise", "anger": "anger",
        "disgust": "disgust", "fear": "fear", "sadness": "sadness"}
    assert "joy" not in transfer.common_labels("ekman", "mikels")  # it falls under no single one
    assert set(transfer.common_labels("unbiasedemo", "ekman")) == {"anger", "fear", "joy", "sadness", "surprise"}
    assert set(transfer.common_labels("parrott", "ekman")) & {"confusion", "lust"} == set()


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
            seeds = right[(right["run"] == a) & (right["dataset"] == b)].groupby("seed")["right"].mean()
            assert row["accuracy_sd"] == pytest.approx(seeds.std(ddof=1))
            assert row["accuracy_low"] < row["accuracy"] < row["accuracy_high"]
            assert np.isnan(row["p"]) == (a == b) and not (a == b and row["found"])
    elsewhere = by_cell.loc[("c", transfer.OTHERS)]
    assert elsewhere["accuracy"] == pytest.approx((cells["c", "a"] + cells["c", "b"]) / 2) and elsewhere["items"] == 360
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


def test_a_dataset_is_named_as_well_as_can_be_and_not_where_there_is_no_difference():
    shift = 2.0
    parts = {name: part_of(name, "test", 200, [7, i], shift=moved) for i, (name, moved) in
             enumerate({"a": 0.0, "b": 0.0, "c": shift}.items())}
    table, named = transfer.name_that_dataset(parts, WORDS, permutations=99)
    pairs = table.set_index(["what", "where"])
    best = norm.cdf(shift / 2)  # of two normal distributions so far apart
    for pair in ("a / c", "b / c"):
        assert best - 0.06 < pairs.loc[(pair, "all emotions"), "accuracy"] < best + 0.03
        assert pairs.loc[(pair, "all emotions"), "found"]
    assert pairs.loc[("a / b", "all emotions"), "accuracy"] < 0.55
    assert set(table.loc[table["what"] == "all datasets", "where"]) == {"all emotions", *WORDS}
    assert pairs.loc[("all datasets", "joy"), ["chance", "items"]].tolist() == [1 / 3, 600]
    hits = (named["dataset"] == named["named"]).mean()
    assert pairs.loc[("all datasets", "all emotions"), "accuracy"] == pytest.approx(hits)
    assert table["effect"].equals(table["accuracy"] - table["chance"]) and (table["low"] <= table["effect"]).all()


def test_names_that_mean_nothing_are_given_at_chance():
    p = []
    for seed in range(25):
        parts = {name: part_of(name, "test", 10, [seed, i]) for i, name in enumerate("ab")}
        p.append(transfer.name_that_dataset(parts, WORDS, permutations=39)[0].query("what == 'a / b'")["p"].item())
    assert np.mean(np.array(p) <= 0.1) <= 0.2 and 0.35 < np.mean(p) < 0.65


@dataclass
class Store:
    """Features by id: what of a FeatureStore is asked here."""

    features: dict

    def rows(self, ids):
        return torch.tensor([self.features[name] for name in ids])


def a_collection():
    """One dataset with a training part under Ekman's labels, one with a test part alone under Mikels'."""
    def records(name, label_set, labels, splits):
        return pd.DataFrame([{"id": f"{name}/{split}/{label}{i}", "dataset": name, "split": split, "label": label,
                              "label_set": label_set, "group": "", "p_joy": np.nan}
                             for split in splits for label in labels for i in range(6)])

    one = records("one", "ekman", ("anger", "joy", "surprise", "disgust"), ("train", "validation", "test"))
    two = records("two", "mikels", ("anger", "amusement", "excitement", "awe"), ("test",))
    both = pd.concat([one, two], ignore_index=True)
    copy = pd.DataFrame({"id_a": ["one/train/joy0"], "id_b": ["two/test/awe0"], "dataset_a": ["one"],
                         "dataset_b": ["two"]})
    features = {name: [float(i), 1.0] for i, name in enumerate(both["id"])}
    return Collection(both, {"one": Store(features), "two": Store(features)}, copy, {"three": "get it there"}, {})


def test_parts_have_common_labels_no_shared_items_and_equally_many_of_each():
    words, parts = transfer.common_parts(a_collection(), ["one", "two"], "ekman", least=2)
    assert words == ("anger", "joy", "surprise")  # two has no disgust
    ids = {name: set(pd.concat([parts[s][name].records for s in ("train", "test")])["id"]) for name in ("one", "two")}
    assert "one/train/joy0" not in ids["one"] and "two/test/awe0" not in ids["two"]
    assert len(ids["one"]) == 71 and len(ids["two"]) == 23
    assert parts["train"]["one"].records["id"].str.contains("validation").sum() == 24
    assert abs(len(parts["train"]["two"].y) - len(parts["test"]["two"].y)) <= 1
    equal = transfer.equal_parts(parts["train"], words)
    counts = [one.records["label"].value_counts().reindex(words).tolist() for one in equal.values()]
    assert counts[0] == counts[1] and min(counts[0]) >= 2
    for one in equal.values():
        assert [words[k] for k in one.y] == one.records["label"].tolist()
        assert not one.records["id"].duplicated().any()
    assert max(torch.bincount(transfer.equal_parts(parts["train"], words, most=2)["one"].y)) == 2


def test_what_cannot_be_compared_is_refused_in_a_sentence():
    collection = a_collection()
    with pytest.raises(ValueError, match="'three' is not in the collection: get it there"):
        transfer.common_parts(collection, ["one", "three"], "ekman", least=2)
    with pytest.raises(ValueError, match="of one, two hold .*'disgust': 0.*expected 50 items"):
        transfer.common_parts(collection, ["one", "two"], "ekman", least=50)
    predictions, _ = matrix_of(0)
    with pytest.raises(ValueError, match="1 seed.*at least two seeds"):
        transfer.train_test_matrix(predictions[predictions["seed"] == 0])
    with pytest.raises(ValueError, match="every dataset in both places"):
        transfer.train_test_matrix(predictions[predictions["dataset"] != "c"])
