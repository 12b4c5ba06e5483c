"""The analysis without a true posterior, on a small part of benchmarks/bias_collected.py."""

import importlib
from pathlib import Path

import numpy as np
import pytest
import torch
from scene_features import encode

from emoscenes.biased_sets import ScenePool
from emoscenes.counterfactuals import Counterfactuals
from emoscenes.scenes import sample_scenes


@pytest.fixture
def benchmark(monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "benchmarks")
    return importlib.import_module("bias_collected")


def test_causal_effects_on_the_model_are_found_and_little_else(benchmark):
    scenes, test_scenes, redrawn = (
        sample_scenes(n, [4, i])[0] for i, n in enumerate((3000, 1500, 30))
    )
    test = ScenePool(test_scenes, encode(test_scenes), encode).training_set(1500, 0)
    bias = ("weather", "fog", "ekman:joy", 0.3, "label")
    rows = benchmark.examine(
        ScenePool(scenes, encode(scenes), encode),
        test,
        Counterfactuals.draw(redrawn, encode),
        torch.randn(6, 16, generator=torch.Generator().manual_seed(0)),
        10,
        3,
        3000,
        [bias],
    )
    judged = {name: benchmark.judge(rows, name, "all") for name in ("data and model", "data")}
    combined = judged["data and model"]
    assert combined["fdr"] < 0.15 and combined["recall"] > 0.6 and combined["causes"] > 0.8
    assert combined["injected_0.30"] == combined["pairs"] == 1
    assert benchmark.agreement(rows)[0] > 0.8
    inert = set(rows.loc[rows["inert"], "what"].str.split(":").str[0])
    assert {"weather", "style"} <= inert and not {"expression", "object"} & inert
    assert np.isnan(judged["data"]["level"])  # this set has a bias


@pytest.fixture
def legitimate(benchmark):
    return importlib.import_module("bias_legitimate")


def test_an_injected_bias_is_on_an_attribute_that_is_not_declared(legitimate):
    jobs = [legitimate.one_bias(number, 0) for number in range(40)]
    assert {n for n, _ in jobs} == {2000, 4000, 8000}
    assert {biases[0][0] for _, biases in jobs} == {"weather", "time", "style"}
    assert [biases[0][4] for _, biases in jobs[:4]] == ["attribute", "label"] * 2


@pytest.mark.parametrize("kind", ["forest and night", "painting XNOR night", "brightness > .9"])
def test_labels_of_a_simple_set_have_the_strength_and_the_frequencies(legitimate, kind):
    scenes, _ = sample_scenes(6000, [5, 0])
    drawn = ScenePool(scenes, encode(scenes), encode).training_set(6000, 0)
    y = legitimate.simple_labels(drawn, kind, np.random.default_rng(0))
    of = drawn.records
    night, forest = of["attr_time"] == "night", of["attr_background"] == "forest"
    shown = {
        "forest and night": forest & night,
        "painting XNOR night": (of["attr_style"] == "painting") == night,
        "brightness > .9": of["attr_brightness"] > 0.9,
    }[kind].to_numpy()
    label = legitimate.WORDS.index(legitimate.SIMPLE[kind][2])
    difference = (y[shown] == label).mean() - (y[~shown] == label).mean()
    assert difference == pytest.approx(0.3, abs=0.01)
    assert (np.bincount(y) == np.bincount(drawn.y)).all()


def test_noise_changes_labels_in_rain_only(legitimate):
    scenes, _ = sample_scenes(3000, [5, 1])
    drawn = ScenePool(scenes, encode(scenes), encode).training_set(3000, 0)
    y = legitimate.simple_labels(drawn, "noise in rain", np.random.default_rng(0))
    rain = (drawn.records["attr_weather"] == "rain").to_numpy()
    changed = y != drawn.y
    assert not changed[~rain].any() and 0.3 < changed[rain].mean() < 0.5
    clean = legitimate.simple_labels(drawn, "clean", np.random.default_rng(0))
    assert (clean == drawn.y).all()
