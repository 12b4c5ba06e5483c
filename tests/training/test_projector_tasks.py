"""Tasks of several datasets: each has its own label set, grounding templates and annotators."""

import pandas as pd
import pytest
import torch

from tinyemo.data.records import check_records
from tinyemo.emotions import LABEL_SETS, SYNONYMS, labels_of
from tinyemo.features.store import FeatureStore
from tinyemo.training.projector_tasks import tasks_of

ROWS = [  # dataset, label set, split, label, annotators' shares
    ("photos", "ekman", "train", "joy", {"joy": 0.75, "surprise": 0.25}),
    ("photos", "ekman", "validation", "fear", {"fear": 1.0}),
    ("paintings", "mikels", "train", "contentment", None),
    ("paintings", "mikels", "validation", "awe", None),
    ("web", "parrott", "train", "rage", {"rage": 0.5, "horror": 0.25, "lust": 0.25}),
    ("web", "parrott", "train", "lust", {"lust": 1.0}),
    ("web", "parrott", "validation", "zest", {"zest": 1.0}),
    ("web", "parrott", "test", "pride", {"pride": 1.0}),
]


@pytest.fixture
def collection(tmp_path):
    """One table of all datasets, with empty p_ columns for other label sets, and their stores."""
    records, stores = [], {}
    for i, (dataset, label_set, split, label, shares) in enumerate(ROWS):
        votes = (
            {}
            if shares is None
            else {f"p_{word}": shares.get(word, 0.0) for word in labels_of(label_set)}
        )
        records.append(
            {
                "id": f"{dataset}/{i}",
                "dataset": dataset,
                "split": split,
                "label": label,
                "label_set": label_set,
                **votes,
            }
        )
    records = check_records(pd.DataFrame(records))
    for dataset, own in records.groupby("dataset", sort=False):
        x = torch.tensor([[float(item.split("/")[1]), 0.0] for item in own["id"]])
        stores[dataset] = FeatureStore.write(tmp_path / dataset, own["id"], x)
    return records, stores


def anchors_of(dataset, words):
    """Anchors that identify the dataset and the word."""
    return torch.tensor([[float(len(dataset)), float(sum(map(ord, word)))] for word in words])


def test_each_dataset_becomes_a_task_of_its_own_label_set_and_grounding(collection):
    tasks = tasks_of(*collection, anchors_of, weights={"web": 0.5})
    assert [task.words for task in tasks["train"]] == [
        labels_of(name) for name in ("ekman", "mikels", "parrott")
    ]
    assert [task.words for task in tasks["validation"]] == [task.words for task in tasks["train"]]
    assert [task.weight for task in tasks["train"]] == [1.0, 1.0, 0.5]
    labels = [[task.words[y] for y in task.y] for task in tasks["train"]]
    assert labels == [["joy"], ["contentment"], ["rage", "lust"]]
    assert [task.x[:, 0].tolist() for task in tasks["train"]] == [[0.0], [2.0], [4.0, 5.0]]
    for dataset, task in zip(("photos", "paintings", "web"), tasks["train"], strict=True):
        assert torch.equal(task.anchors, anchors_of(dataset, task.words)) and task.synonyms is None


def test_soft_targets_are_label_distributions_where_there_are_any(collection):
    photos, paintings, web = tasks_of(*collection, anchors_of, soft=True)["train"]
    assert photos.y.tolist() == [[0, 0, 0, 0.75, 0, 0.25]]
    assert paintings.y.tolist() == [[0, 0, 0, 1, 0, 0, 0, 0]]
    assert web.y[0, labels_of("parrott").index("rage")] == 0.5


def test_taxonomy_repeats_parrotts_items_under_coarser_labels(collection):
    *_, web, ekman, mikels = tasks_of(
        *collection, anchors_of, soft=True, taxonomy=("ekman", "mikels")
    )["train"]
    assert [task.words for task in (web, ekman, mikels)] == [
        labels_of(n) for n in ("parrott", "ekman", "mikels")
    ]
    assert ekman.x[:, 0].tolist() == mikels.x[:, 0].tolist() == [4.0]  # lust has no place in either
    assert torch.allclose(ekman.y, torch.tensor([[2 / 3, 0, 1 / 3, 0, 0, 0]]))
    of_two = tasks_of(*collection, anchors_of, taxonomy=["mikels"])["validation"]
    assert [len(task.words) for task in of_two] == [6, 8, 25, 8]


def test_parrotts_words_get_synonyms_in_the_datasets_template(collection):
    photos, paintings, web = tasks_of(*collection, anchors_of, synonyms=True)["train"]
    assert photos.synonyms is None and paintings.synonyms is None
    assert web.synonyms.shape == (25, 3, 2)
    assert torch.equal(web.synonyms[4], anchors_of("web", SYNONYMS[labels_of("parrott")[4]]))


def test_synonyms_are_unique_and_no_labels():
    words = [word for three in SYNONYMS.values() for word in three]
    assert set(SYNONYMS) == set(labels_of("parrott")) and all(
        len(three) == 3 for three in SYNONYMS.values()
    )
    assert len(set(words)) == 75 and all(word.isalpha() and word.islower() for word in words)
    assert not set(words) & {label for labels in LABEL_SETS.values() for label in labels}


def test_records_that_cannot_be_a_task_are_refused(collection):
    records, stores = collection
    train_only = records[(records["split"] == "train") | (records["dataset"] != "web")]
    mixed = records.assign(
        label_set=records["label_set"].where(records["split"] != "test", "ekman")
    )
    for table, message in (
        (
            records[records["dataset"] != "web"],
            r"dataset 'web': expected records of one label set, got \[\]",
        ),
        (mixed, r"dataset 'web': expected records of one label set, got \['parrott', 'ekman'\]"),
        (train_only, "dataset 'web': no items in split 'validation'"),
    ):
        with pytest.raises(ValueError, match=message):
            tasks_of(table, stores, anchors_of)
