"""Counterfactual effects against the same thing written out, and against a model that is the law itself."""

from dataclasses import replace

import numpy as np
import torch
from scene_features import encode

from emoscenes.counterfactuals import Counterfactuals
from emoscenes.scenes import ATTRIBUTES, probabilities, sample_scenes
from tinyemo.emotions import labels_of

SCENES, _ = sample_scenes(40, [9, 0])


def test_the_effect_of_a_value_is_the_mean_difference_between_scenes_drawn_with_it_and_without_it():
    weights = torch.randn(64, 6, generator=torch.Generator().manual_seed(0))

    def predict(x):
        return torch.softmax(x @ weights, dim=1)

    redrawn = Counterfactuals.draw(SCENES, encode)
    with_it = predict(encode([replace(s, time="night") for s in SCENES])).mean(dim=0)
    others, times = torch.zeros(6), [s.time for s in SCENES]
    for value in ("day", "sunset"):
        share = times.count(value) / (len(times) - times.count("night"))
        others += share * predict(encode([replace(s, time=value) for s in SCENES])).mean(dim=0)
    assert torch.allclose(
        torch.tensor(redrawn.effects(predict)[redrawn.names.index("time: night")]).float(),
        with_it - others,
        atol=1e-6,
    )


def test_a_model_that_is_the_law_has_the_laws_effects_and_inert_values_have_none():
    redrawn = Counterfactuals.draw(SCENES, encode)
    flat = [scene for version in redrawn.scenes for scene in version]
    law = redrawn.true_effects("ekman")
    assert np.allclose(redrawn.effects(lambda x: probabilities(flat, "ekman")), law)
    assert np.abs(law[[a == "weather" for a in redrawn.attributes]]).max() < 1e-12
    smiling, joy = redrawn.names.index("expression: smiling"), labels_of("ekman").index("joy")
    assert law[smiling, joy] > 0.4
    assert len(redrawn.names) == sum(len(values) for values in ATTRIBUTES.values())


def test_the_table_names_every_cell():
    redrawn = Counterfactuals.draw(SCENES[:5], encode)
    table = redrawn.table({"zero": lambda x: np.zeros((len(x), 6))}, labels_of("ekman"), "ekman")
    row = table[(table["what"] == "object: ghost") & (table["where"] == "fear")].iloc[0]
    cell = redrawn.names.index("object: ghost"), labels_of("ekman").index("fear")
    assert row["zero"] == 0 and row["law"] == redrawn.true_effects("ekman")[cell]
