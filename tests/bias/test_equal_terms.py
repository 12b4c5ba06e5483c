"""bias/equal_terms.py: what two datasets have in common, and equally many items of it from both."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
import torch

from tinyemo.bias.equal_terms import common_labels, common_parts, equal_parts
from tinyemo.features.collection import Collection


def test_labels_meet_by_the_taxonomy_or_by_their_word():
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
    assert "joy" not in common_labels("ekman", "mikels")  # it falls under no single one
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
    """Features by id: what of a FeatureStore is asked here."""

    features: dict

    def rows(self, ids):
        return torch.tensor([self.features[name] for name in ids])


def a_collection():
    """One dataset with a training part under Ekman's labels, one with a test part alone under Mikels'."""

    def records(name, label_set, labels, splits):
        return pd.DataFrame(
            [
                {
                    "id": f"{name}/{split}/{label}{i}",
                    "dataset": name,
                    "split": split,
                    "label": label,
                    "label_set": label_set,
                    "group": "",
                    "p_joy": np.nan,
                }
                for split in splits
                for label in labels
                for i in range(6)
            ]
        )

    one = records(
        "one", "ekman", ("anger", "joy", "surprise", "disgust"), ("train", "validation", "test")
    )
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
    return Collection(
        both, {"one": Store(features), "two": Store(features)}, copy, {"three": "get it there"}, {}
    )


def test_parts_have_common_labels_no_shared_items_and_equally_many_of_each():
    words, parts = common_parts(a_collection(), ["one", "two"], "ekman", minimum=2)
    assert words == ("anger", "joy", "surprise")  # two has no disgust
    ids = {
        name: set(pd.concat([parts[s][name].records for s in ("train", "test")])["id"])
        for name in ("one", "two")
    }
    assert "one/train/joy0" not in ids["one"] and "two/test/awe0" not in ids["two"]
    assert len(ids["one"]) == 71 and len(ids["two"]) == 23
    assert parts["train"]["one"].records["id"].str.contains("validation").sum() == 24
    assert abs(len(parts["train"]["two"].y) - len(parts["test"]["two"].y)) <= 1
    equal = equal_parts(parts["train"], words)
    counts = [one.records["label"].value_counts().reindex(words).tolist() for one in equal.values()]
    assert counts[0] == counts[1] and min(counts[0]) >= 2
    for one in equal.values():
        assert [words[k] for k in one.y] == one.records["label"].tolist()
        assert not one.records["id"].duplicated().any()
    assert max(torch.bincount(equal_parts(parts["train"], words, most=2)["one"].y)) == 2


def test_what_cannot_be_compared_is_refused_in_a_sentence():
    collection = a_collection()
    with pytest.raises(ValueError, match="'three' is not in the collection: get it there"):
        common_parts(collection, ["one", "three"], "ekman", minimum=2)
    with pytest.raises(ValueError, match="of one, two hold .*'disgust': 0.*expected 50 items"):
        common_parts(collection, ["one", "two"], "ekman", minimum=50)
