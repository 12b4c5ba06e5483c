"""Biased training sets: strength and marginals of the biases, features of the changed scenes."""

import numpy as np
import pytest
import torch
from scene_features import encode

from emoscenes.biased_sets import ScenePool
from emoscenes.injected_biases import BIASABLE_ATTRIBUTES, possible_biases
from emoscenes.scenes import ATTRIBUTES, is_decisive, probabilities, sample_scenes
from tinyemo.emotions import labels_of

BIAS = ("weather", "rain", "ekman:anger", 0.3)


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
def test_bias_reaches_its_strength_and_keeps_both_marginals(pool, kind):
    clean, biased = pool.training_set(2000, 1), pool.training_set(2000, 1, **{kind: [BIAS]})
    assert abs(risk_difference(clean)) < 0.06
    # Scenes without an Ekman label are left out after swapping, so the strength is met nearly.
    assert risk_difference(biased) == pytest.approx(0.3, abs=0.03)
    assert (np.bincount(clean.y) == np.bincount(biased.y)).all()
    rain = [(drawn.records["attr_weather"] == "rain").sum() for drawn in (clean, biased)]
    assert abs(rain[0] - rain[1]) < 20
    labels_stay = (biased.y == clean.y).all()
    assert labels_stay == (kind == "attribute_biases")


def test_features_and_posterior_are_those_of_the_changed_scenes(pool):
    drawn = pool.training_set(1500, 3, [BIAS])
    assert torch.allclose(drawn.x, encode(drawn.scenes), atol=1e-6)
    assert np.allclose(drawn.posterior, probabilities(drawn.scenes, "ekman"))
    assert [s.weather for s in drawn.scenes] == drawn.records["attr_weather"].tolist()
    assert [labels_of("ekman")[k] for k in drawn.y] == drawn.records["label"].tolist()


def test_seed_determines_the_set(pool):
    one, again, other = (
        pool.training_set(500, seed, label_biases=[BIAS[:3] + (0.15,)]) for seed in (7, 7, 8)
    )
    assert (one.y == again.y).all() and torch.equal(one.x, again.x)
    assert len(one.y) != len(other.y) or (one.y != other.y).any()


def test_strength_or_size_that_cannot_be_reached_is_refused(pool):
    refused = "cannot inject .*'weather', 'rain', 'ekman:anger', 0.99.* can be swapped, expected at"
    with pytest.raises(ValueError, match=refused):
        pool.training_set(500, 0, label_biases=[BIAS[:3] + (0.99,)])
    with pytest.raises(ValueError, match="the pool has only 3000"):
        pool.training_set(4000, 0)


@pytest.mark.parametrize("attribute", BIASABLE_ATTRIBUTES)
@pytest.mark.parametrize("kind", ["attribute_biases", "label_biases"])
def test_every_possible_bias_can_be_reached(pool, attribute, kind):
    values, labels = possible_biases(attribute, 0.3)
    assert values == [value for value in ATTRIBUTES[attribute] if not is_decisive(attribute, value)]
    for label in labels:
        pool.training_set(2000, 5, **{kind: [(attribute, values[0], label, 0.3)]})
