"""Declared attributes: what is tested given what, in the data, in the model and its references."""

import numpy as np
import pandas as pd
import pytest
import torch
from detector_rows import WORDS, row_of, training_scenes
from scene_features import encode
from scipy.special import expit

from emoscenes.biased_sets import ScenePool
from emoscenes.probability_table import SIGNATURES
from emoscenes.scenes import sample_scenes
from tinyemo.bias.attributes import data_associations, independence_weights
from tinyemo.bias.collected import CollectedDataset
from tinyemo.bias.legitimate import explaining_values, values_to_test
from tinyemo.bias.references import AdjustedEffects
from tinyemo.bias.values import attribute_values
from tinyemo.features.split_tensors import SplitTensors
from tinyemo.training.linear_projector import fit_linear
from tinyemo.training.projector import PRESETS

CAUSES = tuple(SIGNATURES)  # the four attributes that decide p(emotion)


def three(n=6000, seed=0):
    """Labels 0/1 that depend on `cause` only; `place` depends on it, and `sky` on `place`."""
    rng = np.random.default_rng(seed)
    cause = rng.integers(3, size=n)
    place = np.where(rng.random(n) < 0.6, cause, rng.integers(3, size=n))
    sky = np.where(rng.random(n) < 0.6, place, rng.integers(3, size=n))
    y = (rng.random(n) < np.array([0.1, 0.5, 0.9])[cause]).astype(int)
    columns = {"attr_cause": cause, "attr_place": place, "attr_sky": sky}
    return y, attribute_values(pd.DataFrame(columns).astype(str)), cause, place


def test_declared_attributes_are_not_tested_and_alone_may_explain():
    y, values, _, _ = three()
    assert values_to_test(values, ["cause"]).tolist() == [False] * 3 + [True] * 6
    assert values_to_test(values, None).all() and values_to_test(values, []).all()
    assert explaining_values(values, "sky", ["cause"]).tolist() == [True] * 3 + [False] * 6
    assert explaining_values(values, "sky", None).tolist() == [True] * 6 + [False] * 3
    assert not explaining_values(values, "sky", []).any()


def test_undeclared_attributes_are_tested_given_the_declared_ones():
    y, values, _, _ = three()
    given_cause = data_associations(y, ["no", "yes"], values, legitimate=["cause"])
    assert set(given_cause["what"].str.split(":").str[0]) == {"place", "sky"}
    assert not given_cause["found"].any()
    # place has information about the cause, which nobody declared: both place and sky are found
    given_nothing = data_associations(y, ["no", "yes"], values, legitimate=[])
    assert row_of(given_nothing, "sky: 2", "yes")["found"]
    assert row_of(given_nothing, "place: 2", "yes")["found"]


@pytest.mark.parametrize(
    "declared, reason",
    [
        (["cuase"], r"legitimate: no attribute 'cuase', expected some of \['cause', 'place'"),
        (["cause", "place", "sky"], "are all attributes, expected one that is tested"),
    ],
)
def test_a_declaration_that_does_not_fit_is_named(declared, reason):
    y, values, _, _ = three(200)
    with pytest.raises(ValueError, match=reason):
        data_associations(y, ["no", "yes"], values, legitimate=declared)
    with pytest.raises(ValueError, match=reason):
        AdjustedEffects(values, declared)


def test_effects_given_the_declared_attribute_agree_with_the_regression_written_out():
    y, values, cause, place = three(900)
    rng = np.random.default_rng(1)
    score = np.column_stack([y + (place == 1) * rng.normal(size=900), rng.normal(size=900)])
    adjusted = AdjustedEffects(values, ["cause"])
    assert adjusted.values.attributes == ("place",) * 3 + ("sky",) * 3
    given = np.column_stack([np.ones(900), cause == 1, cause == 2]).astype(float)
    shown = (place == 1).astype(float)
    left = shown - given @ np.linalg.lstsq(given, shown, rcond=None)[0]
    row = adjusted.values.names.index("place: 1")
    assert adjusted(score)[row] == pytest.approx(left @ score / (left @ left), abs=1e-4)
    everything = np.column_stack([given, shown, place == 2])
    rest = score - everything @ np.linalg.lstsq(everything, score, rcond=None)[0]
    white = np.sqrt((left**2) @ rest**2) / (left @ left)
    assert adjusted.errors(score)[row] == pytest.approx(white, rel=1e-3)
    assert adjusted.errors(score, ["place"]) == pytest.approx(adjusted.errors(score)[:3])


def test_weights_make_the_label_independent_of_the_attribute_given_the_declared_one():
    _, values, cause, place = three(20_000)
    log_odds = np.array([-1, 0, 1])[cause] + 0.8 * (place == 2)  # a bias of place 2
    y = (np.random.default_rng(2).random(20_000) < expit(log_odds)).astype(int)
    w = independence_weights(y, values, "place", ["cause"])
    for group in range(3):
        inside, outside = (cause == group) & (place == 2), (cause == group) & (place != 2)
        before = y[inside].mean() - y[outside].mean()
        after = np.average(y[inside], weights=w[inside])
        after -= np.average(y[outside], weights=w[outside])
        assert before > 0.1 and abs(after) < 0.025


def test_with_the_causes_declared_a_clean_set_has_no_findings_and_a_bias_is_the_first():
    clean = []
    for seed in range(8):
        y, values, _ = training_scenes(40 + seed)
        clean.append(data_associations(y, WORDS, values, legitimate=CAUSES)["found"].sum())
        without = data_associations(y, WORDS, values)["found"].sum()
        assert without > 50  # nothing declared: the causes are found
    assert np.mean(clean) <= 2
    for seed, bias in enumerate((("weather", "rain", "anger"), ("style", "photo", "sadness"))):
        injected = [(*bias[:2], f"ekman:{bias[2]}", 0.30)]
        y, values, _ = training_scenes(seed, injected, 4000)
        table = data_associations(y, WORDS, values, legitimate=CAUSES)
        first = table.sort_values("q", kind="stable").iloc[0]
        assert (first["what"], first["where"]) == (f"{bias[0]}: {bias[1]}", bias[2])


@pytest.fixture(scope="module")
def collected():
    """A clean dataset, anchors, and a projector that was trained elsewhere, on biased labels."""
    scenes, test_scenes = (sample_scenes(n, [8, i])[0] for i, n in enumerate((4000, 1500)))
    pool = ScenePool(scenes, encode(scenes), encode)
    clean, biased = (
        pool.training_set(2500, seed, label_biases=biases)
        for seed, biases in ((1, []), (2, [("weather", "fog", "ekman:joy", 0.3)]))
    )
    test = ScenePool(test_scenes, encode(test_scenes), encode).training_set(1500, 0)
    parts = []
    for drawn in (clean, test):
        y = torch.from_numpy(drawn.y)
        parts.append(SplitTensors(drawn.records, drawn.x, y, torch.eye(6)[y]))
    anchors = torch.randn(6, 16, generator=torch.Generator().manual_seed(0))
    given = fit_linear(biased.x, biased.y, anchors)
    return CollectedDataset("scenes", "ekman", *parts, None), anchors, given


def test_a_given_projector_is_tested_instead_of_one_trained_here(collected):
    dataset, anchors, given = collected
    train_values, values = dataset.attributes()
    options = {"workers": 1, "legitimate": CAUSES}
    own, table = dataset.model_associations(anchors, train_values, values, 10, **options)
    assert own is not given and not table["found"].any()
    tested, table = dataset.model_associations(
        anchors, train_values, values, 10, **options, given=given
    )
    assert tested is given
    found = table[table["found"]].sort_values("q")
    assert tuple(found.iloc[0][["what", "where"]]) == ("weather: fog", "joy")
    assert found["what"].str.startswith("weather: ").all()  # the others: labels that fog replaces


def test_a_given_projector_comes_first_among_the_readings_and_has_to_fit(collected):
    dataset, anchors, given = collected
    readings = dataset.readings(anchors, PRESETS["quick"], 1, workers=1, given=given)
    embedded, predicted = readings[0]
    assert len(readings) == 3
    assert np.array_equal(embedded, given.embed(dataset.test.x).numpy())
    assert (predicted == dataset.test.y.numpy()).mean() > 0.6
    narrow = fit_linear(dataset.train.x[:, :32], dataset.train.y.numpy(), anchors)
    with pytest.raises(ValueError, match=r"the projector takes \(N, 32\)"):
        dataset.readings(anchors, PRESETS["quick"], 1, workers=1, given=narrow)
