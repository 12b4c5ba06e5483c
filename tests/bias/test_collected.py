"""The analysis of data whose law nobody knows, on a small part of benchmarks/bias_collected.py, where the truth is."""

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


def test_what_moves_the_model_is_found_and_little_else(benchmark):
    scenes, asked, redrawn = (sample_scenes(n, [4, i])[0] for i, n in enumerate((3000, 1500, 30)))
    test = ScenePool(asked, encode(asked), encode).training_set(1500, 0)
    plant = ("weather", "fog", "ekman:joy", 0.3, "misread")
    rows = benchmark.examine(
        ScenePool(scenes, encode(scenes), encode),
        test,
        Counterfactuals.draw(redrawn, encode),
        torch.randn(6, 16, generator=torch.Generator().manual_seed(0)),
        10,
        3,
        3000,
        [plant],
    )
    judged = {name: benchmark.judge(rows, name, "all") for name in ("data and model", "data")}
    combined = judged["data and model"]
    assert combined["fdr"] < 0.15 and combined["recall"] > 0.6 and combined["causes"] > 0.8
    assert combined["planted_0.30"] == combined["pairs"] == 1
    assert benchmark.agreement(rows)[0] > 0.8
    idle = set(rows.loc[rows["idle"], "what"].str.split(":").str[0])
    assert {"weather", "style"} <= idle and not {"expression", "object"} & idle
    assert np.isnan(judged["data"]["level"])  # this set is not clean
