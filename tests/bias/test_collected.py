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
