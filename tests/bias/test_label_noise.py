"""tinyemo.bias.label_noise: random labels where it rains, and sets without them."""

import numpy as np
import pandas as pd
import pytest
import torch
from detector_rows import row_of
from scene_features import encode
from scipy.stats import ttest_ind

from emoscenes.biased_sets import ScenePool
from emoscenes.probability_table import SIGNATURES
from emoscenes.scenes import sample_scenes
from tinyemo.bias.attributes import data_associations
from tinyemo.bias.label_noise import ANY_LABEL, MARGIN, cross_fitted, label_noise
from tinyemo.bias.values import attribute_values
from tinyemo.emotions import labels_of

WORDS = labels_of("ekman")
ANCHORS = torch.randn(6, 16, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def pool():
    scenes, _ = sample_scenes(5000, [9, 0])
    return ScenePool(scenes, encode(scenes), encode)


def noisy(y, shown, rng):
    """Labels, half of which are random among the items of `shown`."""
    y, rows = y.copy(), np.flatnonzero(shown)
    random = rng.choice(rows, len(rows) // 2, replace=False)
    y[random] = rng.choice(y, len(random))
    return y


@pytest.mark.parametrize("what", ["weather: rain", "time: night"])
def test_random_labels_are_found_where_they_are(pool, what):
    for seed in range(3):
        drawn = pool.training_set(2500, seed)
        values = attribute_values(drawn.records)
        y = noisy(drawn.y, values.of(what), np.random.default_rng(seed))
        table = label_noise(y, cross_fitted(drawn.x, y, ANCHORS), values)
        assert table.loc[table["found"], "what"].tolist() == [what]
        one = row_of(table, what, ANY_LABEL)
        assert one["effect"] < -0.2 and one["accuracy"] < one["expected"] - 0.15
        frequencies = data_associations(y, WORDS, values, legitimate=tuple(SIGNATURES))
        assert frequencies["effect"][frequencies["what"] == what].abs().max() < 0.1


def test_sets_without_noise_have_at_most_one_finding_in_twenty(pool):
    found = []
    for seed in range(20):
        drawn = pool.training_set(2500, 100 + seed)
        p = cross_fitted(drawn.x, drawn.y, ANCHORS)
        found.append(label_noise(drawn.y, p, attribute_values(drawn.records))["found"].any())
    assert sum(found) <= 1


def test_no_item_is_predicted_by_a_model_that_was_trained_on_it():
    """Labels are random: a model can only be right about an item that it has seen."""
    rng = np.random.default_rng(0)
    x, y = torch.from_numpy(rng.normal(size=(300, 60))).float(), rng.integers(6, size=300)
    accuracy = (cross_fitted(x, y, ANCHORS).argmax(axis=1) == y).mean()
    assert accuracy < 0.25


def test_effect_interval_and_p_agree_with_welch():
    rng = np.random.default_rng(1)
    p = rng.dirichlet(np.ones(6), size=800)
    shown = rng.random(800) < 0.4
    y = np.where(rng.random(800) < np.where(shown, 0.3, 0.6), p.argmax(axis=1), 0)
    values = attribute_values(pd.DataFrame({"attr_a": np.where(shown, "yes", "no")}))
    one = label_noise(y, p, values).iloc[0]
    surplus = (p.argmax(axis=1) == y) - p.max(axis=1)
    welch = ttest_ind(surplus[shown], surplus[~shown], equal_var=False)
    interval = welch.confidence_interval(0.95)
    assert (one["low"], one["high"]) == pytest.approx(tuple(interval), abs=2e-3)
    beyond = ttest_ind(surplus[shown] + MARGIN, surplus[~shown], equal_var=False)
    assert one["effect"] < -MARGIN and one["p"] == pytest.approx(beyond.pvalue / 2, rel=0.3)
    easier = label_noise(
        y, p, attribute_values(pd.DataFrame({"attr_a": np.where(shown, "a", "b")}))
    )
    assert easier["effect"].iloc[0] == pytest.approx(-one["effect"]) and easier["p"].iloc[0] > 0.99
