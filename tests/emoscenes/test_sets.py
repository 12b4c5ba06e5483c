"""The eight datasets: each changes one thing, labels follow the true posterior, copies leak."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from emoscenes.scenes import (
    ATTRIBUTES,
    bayes_accuracy,
    probabilities,
    sample_decorrelated,
    sample_scenes,
)
from emoscenes.sets import SCENE_SETS, draw_scene_sets
from tinyemo.data.records import check_records
from tinyemo.emotions import FROM_PARROTT, labels_of


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sets")
    return check_records(draw_scene_sets(list(SCENE_SETS), 24, 60, 0, folder, size=32, leaked=0.2))


def test_three_sets_are_for_training_and_five_only_for_testing(records):
    parts = records.groupby("dataset", sort=False)["split"].unique().map(set)
    trained = {name for name, splits in parts.items() if "train" in splits}
    assert trained == {"scenes-ekman", "scenes-mikels", "scenes-parrott"} and len(parts) == 8
    assert all(splits in ({"test"}, {"train", "validation", "test"}) for splits in parts)
    for name, table in records.groupby("dataset"):
        assert set(table["label_set"]) == {SCENE_SETS[name].label_set}
        voted = (
            table[[f"p_{label}" for label in labels_of(SCENE_SETS[name].label_set)]]
            .notna()
            .all(axis=None)
        )
        assert voted == (SCENE_SETS[name].votes > 1)


def test_each_set_changes_the_style_or_colours_as_described(records):
    styles = records.groupby("dataset")["attr_style"].unique().map(set)
    assert styles["scenes-style"] == {"painting"} and styles["scenes-abstract"] == {"abstract"}
    assert all(
        styles[name] == {"photo"}
        for name in SCENE_SETS
        if name not in ("scenes-style", "scenes-abstract")
    )
    colour = {
        name: np.mean([np.ptp(np.asarray(Image.open(p), float), axis=2).mean() for p in paths])
        for name, paths in records[records["split"] == "test"].groupby("dataset")["image"]
    }
    assert colour["scenes-rendering"] < 0.75 * colour["scenes-split"]


def test_leaked_copies_show_smaller_test_pictures_of_another_set(records):
    copies = records[records["id"].str.contains("/copy-")]
    test = records[(records["dataset"] == "scenes-split") & (records["split"] == "test")]
    assert len(copies) == round(0.2 * len(test))
    assert set(copies["split"]) == {"train"} and set(copies["dataset"]) == {"scenes-parrott"}
    assert {path.replace("-copy.jpg", ".png") for path in copies["image"]} <= set(test["image"])
    for path in copies["image"]:
        with Image.open(path) as copy, Image.open(path.replace("-copy.jpg", ".png")) as original:
            assert copy.format == "JPEG" and copy.size == (27, 27)
            apart = np.asarray(copy.resize(original.size), float) - np.asarray(original, float)
            assert np.abs(apart).mean() < 25


def test_decorrelated_scenes_keep_frequencies_and_the_true_posterior():
    usual, _ = sample_scenes(20_000, 3)
    scenes, labels = sample_decorrelated(20_000, 3)

    def table(members, a, b):
        return pd.crosstab(
            [getattr(s, a) for s in members], [getattr(s, b) for s in members], normalize=True
        )

    for name in ATTRIBUTES:
        assert sorted(getattr(s, name) for s in scenes) == sorted(getattr(s, name) for s in usual)
    for a, b in (("background", "object"), ("background", "style"), ("expression", "object")):
        joint = table(scenes, a, b)
        apart = joint - np.outer(joint.sum(axis=1), joint.sum(axis=0))
        assert np.abs(apart).to_numpy().max() < 0.005  # independent
        there = table(usual, a, b)
        dependence = there - np.outer(there.sum(axis=1), there.sum(axis=0))
        assert np.abs(dependence).to_numpy().max() > 0.015  # not so before
    p = probabilities(scenes)
    onehot = labels[:, None] == np.array(labels_of("parrott"))
    assert np.abs(p.mean(axis=0) - onehot.mean(axis=0)).max() < 0.01


@pytest.mark.parametrize("label_set", ["ekman", "mikels", "parrott"])
def test_true_posterior_reaches_the_best_possible_accuracy_of_decorrelated_scenes(label_set):
    scenes, labels = sample_decorrelated(20_000, 5)
    truth = np.array([FROM_PARROTT[label_set].get(label, "") for label in labels])
    best = np.array(labels_of(label_set))[probabilities(scenes, label_set).argmax(axis=1)]
    right = (best == truth)[truth != ""]
    assert abs(right.mean() - bayes_accuracy(label_set, decorrelated=True)) < 4 * 0.5 / np.sqrt(
        len(right)
    )


def test_unknown_dataset_is_named_in_the_error(tmp_path):
    with pytest.raises(
        ValueError, match="unknown dataset of EmoScenes 'scenes-x': expected one of scenes-ekman"
    ):
        draw_scene_sets(["scenes-x"], 10, 10, 0, tmp_path)
