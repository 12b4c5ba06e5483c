"""tinyemo.bias.experiment and training_runs, on scenes of EmoScenes with features made in code."""

import numpy as np
import pytest
import torch
from scene_features import encode

from emoscenes.experiment_sets import ExperimentSets
from tinyemo.bias.experiment import BEFORE, WITHOUT_BIAS, InjectedBiasExperiment
from tinyemo.bias.mitigation import MITIGATIONS

ATTRIBUTE_BIAS = ("style", "abstract", "ekman:joy", 0.3)
LABEL_BIAS = ("background", "forest", "ekman:fear", 0.3)


@pytest.fixture(scope="module")
def experiment():
    sets = ExperimentSets.draw(encode, 3000, 2000, 900, [ATTRIBUTE_BIAS], [LABEL_BIAS])
    anchors = torch.randn(6, 16, generator=torch.Generator().manual_seed(0))
    return InjectedBiasExperiment(sets, anchors)


def test_strengths_are_those_that_were_injected(experiment):
    table = experiment.strengths().set_index(["what", "where"])
    assert list(table.index) == experiment.sets.injected
    assert table["risk difference"].to_numpy() == pytest.approx([0.3, 0.3], abs=0.05)
    assert abs(table.loc[("background: forest", "fear"), "explained"]) < 0.05
    assert table.loc[("style: abstract", "joy"), "explained"] > 0.1


def test_references_are_accurate_controls_are_not_and_both_depend_on_their_number(experiment):
    references, controls = experiment.comparisons(2, 2, workers=1)
    y = experiment.sets.test.y
    assert min((outputs.predicted == y).mean() for outputs in references) > 0.6
    assert max((outputs.predicted == y).mean() for outputs in controls) < 0.5
    for first, second in (references, controls):
        assert not np.array_equal(first.probabilities, second.probabilities)
    again = experiment.control(1)
    assert np.array_equal(again.probabilities, controls[1].probabilities)


def test_examples_show_the_value_or_not_and_are_predicted_as_the_label(experiment):
    model = experiment.fit(experiment.sets.train, 0)
    predicted = experiment.probabilities(model).argmax(axis=1)
    records = experiment.sets.test.records.assign(predicted=predicted).set_index("id")
    examples = experiment.examples(predicted)
    with_value, without_value = examples["style: abstract", "joy"]
    joy = experiment.words.index("joy")
    assert (records.loc[[*with_value, *without_value], "predicted"] == joy).all()
    assert (records.loc[with_value, "attr_style"] == "abstract").all()
    assert (records.loc[without_value, "attr_style"] != "abstract").all()
    assert len(with_value) + len(without_value) == (predicted == joy).sum()


def test_mitigation_compares_all_ways_on_the_test_items(experiment):
    models = [BEFORE, *MITIGATIONS, WITHOUT_BIAS]
    predicted = experiment.mitigated_predictions(["background: forest"], seeds=1, workers=1)
    assert list(predicted) == models
    assert all(labels.shape == (1, len(experiment.sets.test.y)) for labels in predicted.values())
