"""Counterfactual effects: by their definition, and for a model equal to the true posterior."""

from dataclasses import replace

import numpy as np
import torch
from scene_features import encode

from emoscenes.counterfactuals import Counterfactuals
from emoscenes.scenes import ATTRIBUTES, probabilities, sample_scenes
from tinyemo.emotions import labels_of

SCENES, _ = sample_scenes(40, [9, 0])


def test_effect_is_the_mean_difference_between_scenes_with_and_without_the_value():
    weights = torch.randn(64, 6, generator=torch.Generator().manual_seed(0))

    def predict(x):
        return torch.softmax(x @ weights, dim=1)

    redrawn = Counterfactuals.draw(SCENES, encode)

    def mean_with(time):
        return predict(encode([replace(s, time=time) for s in SCENES])).mean(dim=0)

    without, times = torch.zeros(6), [s.time for s in SCENES]
    for value in ("day", "sunset"):
        share = times.count(value) / (len(times) - times.count("night"))
        without += share * mean_with(value)
    effect = redrawn.effects(predict)[redrawn.names.index("time: night")]
    expected = mean_with("night") - without
    assert torch.allclose(torch.tensor(effect).float(), expected, atol=1e-6)


def test_model_equal_to_the_true_posterior_has_its_effects_and_inert_values_have_none():
    redrawn = Counterfactuals.draw(SCENES, encode)
    flat = [scene for version in redrawn.scenes for scene in version]
    true = redrawn.true_effects("ekman")
    assert np.allclose(redrawn.effects(lambda x: probabilities(flat, "ekman")), true)
    assert np.abs(true[[a == "weather" for a in redrawn.attributes]]).max() < 1e-12
    smiling, joy = redrawn.names.index("expression: smiling"), labels_of("ekman").index("joy")
    assert true[smiling, joy] > 0.4
    assert len(redrawn.names) == sum(len(values) for values in ATTRIBUTES.values())


def test_table_has_one_row_per_value_and_label():
    redrawn = Counterfactuals.draw(SCENES[:5], encode)
    table = redrawn.table({"zero": lambda x: np.zeros((len(x), 6))}, labels_of("ekman"), "ekman")
    row = table[(table["what"] == "object: ghost") & (table["where"] == "fear")].iloc[0]
    cell = redrawn.names.index("object: ghost"), labels_of("ekman").index("fear")
    assert row["zero"] == 0 and row["true effect"] == redrawn.true_effects("ekman")[cell]
