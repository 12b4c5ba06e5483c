"""A small part of benchmarks/bias_detection.py, on features made in code: it finds what is planted, and little else."""

import importlib.util

import numpy as np
import pytest
import torch
from scene_features import encode

from tinyemo.paths import ROOT


@pytest.fixture(scope="module")
def benchmark():
    spec = importlib.util.spec_from_file_location("bias_detection", ROOT / "benchmarks" / "bias_detection.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def judged(benchmark):
    anchors = torch.randn(6, 32, generator=torch.Generator().manual_seed(0))
    bench = benchmark.Bench(encode, anchors, seed=3, pool=3000, test=1500, redrawn=30)
    plants = [(*plant, 0.3, "misread") for plant in (("expression", "neutral", "ekman:fear"),
                                                     ("style", "abstract", "ekman:joy"))]
    jobs = [(i, 2000, plants if i % 2 else []) for i in range(6)] + [(benchmark.CLEAN + i, 2000, []) for i in range(12)]
    return benchmark.judged(benchmark.examine_many(bench, jobs), bench)


def test_plants_are_taken_up_and_found_by_the_combination(benchmark, judged):
    for one in judged[1::2]:
        learnt = one["size"].ravel()[one["planted"]] > 0.15  # a test part of 1,500 leaves smaller ones within chance
        assert learnt.any()
        assert one["tables"]["data and model"]["found"].to_numpy()[one["planted"]][learnt].all()


def test_clean_sets_are_left_in_peace_but_by_the_naive_test(judged):
    clean = judged[::2]
    assert sum(one["tables"]["data and model"]["found"].any() for one in clean) == 0
    assert all(one["tables"]["naive"]["found"].sum() > 50 for one in clean)


def test_a_proportion_of_false_findings_counts_what_the_definition_says(benchmark):
    one = {"plants": [("a",) * 5], "planted": [0], "size": np.array([[0.2, 0.06, 0.04, 0.01, 0.0]])}
    found = np.array([True, True, True, True, False])
    assert benchmark.outcome(found, one)[0] == pytest.approx(1 / 3)  # one false, two true, one in between
    assert benchmark.outcome(found, one | {"plants": []})[0] == 1
    assert benchmark.bound(np.zeros(80), 1) == pytest.approx(1 - 0.05 ** (1 / 80))
