"""The pool of scenes: plants reach their strength and keep both marginals; features are those of the changed scenes."""

import numpy as np
import pytest
import torch
from scene_features import encode

from emoscenes.biased_sets import BIASABLE_ATTRIBUTES, ScenePool, possible_biases
from emoscenes.scenes import ATTRIBUTES, is_decisive, probabilities, sample_scenes
from tinyemo.emotions import labels_of

PLANT = ("weather", "rain", "ekman:anger", 0.3)


@pytest.fixture(scope="module")
def pool():
    scenes, _ = sample_scenes(3000, [4, 0])
    return ScenePool(scenes, encode(scenes), encode)


def risk_difference(drawn):
    rain, anger = (
        (drawn.records["attr_weather"] == "rain").to_numpy(),
        drawn.y == labels_of("ekman").index("anger"),
    )
    return anger[rain].mean() - anger[~rain].mean()


@pytest.mark.parametrize("kind", ["attribute_biases", "label_biases"])
def test_a_plant_reaches_its_strength_and_keeps_both_marginals(pool, kind):
    clean, biased = pool.training_set(2000, 1), pool.training_set(2000, 1, **{kind: [PLANT]})
    assert abs(risk_difference(clean)) < 0.06
    # scenes without a place in Ekman's labels are left out after planting, so the strength is met nearly
    assert risk_difference(biased) == pytest.approx(0.3, abs=0.03)
    assert (np.bincount(clean.y) == np.bincount(biased.y)).all()
    rain = [(drawn.records["attr_weather"] == "rain").sum() for drawn in (clean, biased)]
    assert abs(rain[0] - rain[1]) < 20
    assert (biased.y == clean.y).all() == (
        kind == "attribute_biases"
    )  # misreading moves labels, the scenes stay


def test_features_and_law_are_those_of_the_scenes_as_they_are(pool):
    drawn = pool.training_set(1500, 3, [PLANT])
    assert torch.allclose(drawn.x, encode(drawn.scenes), atol=1e-6)
    assert np.allclose(drawn.posterior, probabilities(drawn.scenes, "ekman"))
    assert [s.weather for s in drawn.scenes] == drawn.records["attr_weather"].tolist()
    assert [labels_of("ekman")[k] for k in drawn.y] == drawn.records["label"].tolist()


def test_the_same_seed_gives_the_same_set_and_another_seed_another(pool):
    one, again, other = (
        pool.training_set(500, seed, label_biases=[PLANT[:3] + (0.15,)]) for seed in (7, 7, 8)
    )
    assert (one.y == again.y).all() and torch.equal(one.x, again.x)
    assert len(one.y) != len(other.y) or (one.y != other.y).any()


def test_what_cannot_be_reached_is_said(pool):
    with pytest.raises(
        ValueError, match="cannot misread weather='rain' as 'ekman:anger' at strength 0.99"
    ):
        pool.training_set(500, 0, label_biases=[PLANT[:3] + (0.99,)])
    with pytest.raises(ValueError, match="the pool has only 3000"):
        pool.training_set(4000, 0)


@pytest.mark.parametrize("attribute", BIASABLE_ATTRIBUTES)
@pytest.mark.parametrize("kind", ["attribute_biases", "label_biases"])
def test_what_is_called_possible_can_be_reached(pool, attribute, kind):
    values, labels = possible_biases(attribute, 0.3)
    assert values == [value for value in ATTRIBUTES[attribute] if not is_decisive(attribute, value)]
    for label in labels:
        pool.training_set(2000, 5, **{kind: [(attribute, values[0], label, 0.3)]})


def test_a_frequent_value_leaves_no_strong_plant_on_a_rare_label_and_a_rare_value_none_on_a_certain_one():
    assert possible_biases("time", 0.3) == (
        ["day", "sunset", "night"],
        ["ekman:anger", "ekman:joy", "ekman:sadness"],
    )
    assert len(possible_biases("time", 0.15)[1]) == 6 == len(possible_biases("expression", 0.3)[1])
    assert "ekman:joy" not in possible_biases("expression", 0.8)[1]  # P(joy | value) would be 1.02
    assert "mikels:contentment" in possible_biases("background", 0.05, "mikels")[1]
    for attribute, strength in (("brightness", 0.1), ("time", 0.0)):
        with pytest.raises(ValueError, match=f"plants with '{attribute}' at strength {strength}"):
            possible_biases(attribute, strength)
