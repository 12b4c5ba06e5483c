"""bias/equal_terms.py: common labels of datasets, and equally many items of each."""

from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd
import pytest
import torch

from tinyemo.bias.equal_terms import common_labels, common_parts, equal_parts
from tinyemo.features.collection import Collection


def test_labels_are_mapped_by_the_taxonomy_or_by_equal_words():
    assert common_labels("mikels", "ekman") == {
        "amusement": "joy",
        "contentment": "joy",
        "excitement": "joy",
        "awe": "surprise",
        "anger": "anger",
        "disgust": "disgust",
        "fear": "fear",
        "sadness": "sadness",
    }
    assert "joy" not in common_labels("ekman", "mikels")  # no single label of Mikels contains it
    assert set(common_labels("unbiasedemo", "ekman")) == {
        "anger",
        "fear",
        "joy",
        "sadness",
        "surprise",
    }
    assert set(common_labels("parrott", "ekman")) & {"confusion", "lust"} == set()


@dataclass
class Store:
    """Features by id: the part of a FeatureStore that `common_parts` uses."""

    features: dict

    def rows(self, ids):
        return torch.tensor([self.features[name] for name in ids])


def records(name, label_set, labels, splits):
    """Six records per label and split."""
    rows = []
    for split, label, i in product(splits, labels, range(6)):
        row = {"id": f"{name}/{split}/{label}{i}", "dataset": name, "split": split}
        row |= {"label": label, "label_set": label_set, "group": "", "p_joy": np.nan}
        rows.append(row)
    return pd.DataFrame(rows)


def a_collection():
    """Dataset one has all parts and Ekman's labels, dataset two only a test part and Mikels'."""
    labels = "anger", "joy", "surprise", "disgust"
    one = records("one", "ekman", labels, ("train", "validation", "test"))
    two = records("two", "mikels", ("anger", "amusement", "excitement", "awe"), ("test",))
    both = pd.concat([one, two], ignore_index=True)
    copy = pd.DataFrame(
        {
            "id_a": ["one/train/joy0"],
            "id_b": ["two/test/awe0"],
            "dataset_a": ["one"],
            "dataset_b": ["two"],
        }
    )
    features = {name: [float(i), 1.0] for i, name in enumerate(both["id"])}
    stores = {"one": Store(features), "two": Store(features)}
    return Collection(both, stores, copy, {"three": "get it there"}, {})


def test_parts_have_common_labels_no_shared_items_and_equal_counts():
    words, parts = common_parts(a_collection(), ["one", "two"], "ekman", minimum=2)
    assert words == ("anger", "joy", "surprise")  # two has no disgust
    ids = {}
    for name in ("one", "two"):
        ids[name] = {*parts["train"][name].records["id"], *parts["test"][name].records["id"]}
    assert "one/train/joy0" not in ids["one"] and "two/test/awe0" not in ids["two"]
    assert len(ids["one"]) == 71 and len(ids["two"]) == 23
    assert parts["train"]["one"].records["id"].str.contains("validation").sum() == 24
    assert abs(len(parts["train"]["two"].y) - len(parts["test"]["two"].y)) <= 1
    equal = equal_parts(parts["train"], words)
    counts = []
    for part in equal.values():
        counts.append(part.records["label"].value_counts().reindex(words).tolist())
    assert counts[0] == counts[1] and min(counts[0]) >= 2
    for part in equal.values():
        assert [words[k] for k in part.y] == part.records["label"].tolist()
        assert not part.records["id"].duplicated().any()
    assert max(torch.bincount(equal_parts(parts["train"], words, most=2)["one"].y)) == 2


def test_an_absent_dataset_or_too_few_items_is_an_error_that_names_them():
    collection = a_collection()
    with pytest.raises(ValueError, match="'three' is not in the collection: get it there"):
        common_parts(collection, ["one", "three"], "ekman", minimum=2)
    with pytest.raises(ValueError, match="of one, two hold .*'disgust': 0.*expected 50 items"):
        common_parts(collection, ["one", "two"], "ekman", minimum=50)
