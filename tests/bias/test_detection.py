"""A small part of benchmarks/bias_detection.py, on features made in code."""

import importlib
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from scene_features import encode

from tinyemo.paths import ROOT


@pytest.fixture(scope="module")
def benchmark():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "benchmarks")
        yield importlib.import_module("bias_detection")


@pytest.fixture(scope="module")
def judging(benchmark):
    return importlib.import_module("bias_judging")


@pytest.fixture(scope="module")
def judged(benchmark):
    anchors = torch.randn(6, 32, generator=torch.Generator().manual_seed(0))
    setup = benchmark.Benchmark(encode, anchors, seed=3, pool=3000, test=1500, redrawn=30)
    biases = [
        ("expression", "neutral", "ekman:fear", 0.3, "label"),
        ("style", "abstract", "ekman:joy", 0.3, "label"),
    ]
    jobs = [(i, 2000, biases if i % 2 else []) for i in range(6)]
    jobs += [(benchmark.REFERENCE_SEEDS + i, 2000, []) for i in range(12)]
    return benchmark.judged(benchmark.examine_many(setup, jobs), setup)


def test_learned_biases_are_found_by_the_combined_detector(benchmark, judged):
    for one in judged[1::2]:
        # with a test part of 1,500, smaller effects are within chance
        learned = one["excess"].ravel()[one["injected"]] > 0.15
        found = one["tables"]["data and model"]["found"].to_numpy()
        assert learned.any()
        assert found[one["injected"]][learned].all()


def test_only_the_naive_detector_finds_something_without_biases(judged):
    unbiased = judged[::2]
    assert sum(one["tables"]["data and model"]["found"].any() for one in unbiased) == 0
    assert all(one["tables"]["naive"]["found"].sum() > 50 for one in unbiased)


def test_false_discovery_proportion_follows_its_definition(judging):
    one = {
        "biases": [("a",) * 5],
        "injected": [0],
        "excess": np.array([[0.2, 0.06, 0.04, 0.01, 0.0]]),
    }
    found = np.array([True, True, True, True, False])
    # one is false, two are true, one is in between
    assert judging.outcome(found, one)[0] == pytest.approx(1 / 3)
    assert judging.outcome(found, one | {"biases": []})[0] == 1
    assert judging.bound(np.zeros(80), 1) == pytest.approx(1 - 0.05 ** (1 / 80))


def swept(judging, fdr, found, learned):
    """A detector: threshold t has the false share fdr[t] in all four sets and finds found[t]."""
    fdp = np.repeat(np.array(fdr)[:, None], 4, axis=1)
    without_bias = np.array([False, False, False, True])
    return judging.Swept(
        "mean probability",
        [(0.1 * t, 0.0) for t in range(len(fdr))],
        fdp,
        without_bias,
        np.array(found, bool),
        np.array(learned, bool),
    )


@pytest.fixture
def two(judging):
    """The combination finds more at .05, and at .01 only a pair that was not learned."""
    learned, owner = [1, 1, 1, 1, 0], np.array([1, 1, 5, 9, 9])
    combination = swept(
        judging, [0.01, 0.05, 0.3], [[0, 0, 0, 0, 1], [1, 1, 1, 0, 0], [1, 1, 1, 1, 1]], learned
    )
    model = swept(
        judging, [0.02, 0.03, 0.08], [[0, 0, 0, 1, 0], [1, 0, 0, 0, 0], [1, 1, 1, 1, 0]], learned
    )
    naive = swept(judging, [0.8], [[1, 1, 1, 1, 1]], learned)
    return {
        "data and model": (combination, combination),
        "model": (model, model),
        "naive": (naive, naive),
    }, owner


def test_all_detectors_are_matched_to_the_same_fdr(judging, two):
    table = judging.matched(*two).set_index(["way", "target", "detector"])
    hindsight, before = (table.loc[way] for way in judging.WAYS)
    for target, combination, model in (
        (0.02, 0, 0.25),
        (0.05, 0.75, 0.25),
        (0.07, 0.75, 0.25),
        (0.1, 0.75, 1),
    ):
        assert hindsight.loc[target, "recall"].tolist() == [combination, model, 0]
        assert hindsight.loc[(target, "model"), ["lead", "best_single"]].tolist() == [
            combination - model,
            True,
        ]
    # with 80 % of .05 the combination keeps its first threshold; with 80 % of .10 the model does
    assert before.loc[0.05, "recall"].tolist() == [0, 0.25, 0] and before.loc[
        0.1, "recall"
    ].tolist() == [0.75, 1, 0]
    assert before.loc[(0.05, "data and model"), "fdr"] == pytest.approx(0.01)
    assert np.isnan(table.loc[(slice(None), slice(None), "naive"), "alpha"]).all()
    assert (table["pairs"] == 4).all() and (table["recall"] <= 1).all()


def test_interval_of_the_lead_resamples_sets_with_their_pairs(judging, two):
    row = (
        judging.matched(*two)
        .set_index(["way", "target", "detector"])
        .loc[("best in hindsight", 0.05, "model")]
    )
    # the pairs of each set, in an arrangement with the same lead per set
    rng, leads = np.random.default_rng(1), {1: [1, 1], 5: [1], 9: [-1]}
    drawn = [
        np.mean(sum((leads[one] for one in rng.choice([1, 5, 9], 3)), [])) for _ in range(5000)
    ]
    assert [row["lead_low"], row["lead_high"]] == pytest.approx(
        np.quantile(drawn, [0.025, 0.975]), abs=0.05
    )


def test_curve_rises_and_reaches_the_recall_of_the_best_threshold(judging, two):
    corners = judging.curve(two[0])
    assert list(corners[corners["detector"] == "model"].itertuples(index=False, name=None)) == [
        ("model", pytest.approx(0.02), 0.25),
        ("model", pytest.approx(0.08), 1.0),
    ]
    for name, (_, own) in two[0].items():
        one = corners[corners["detector"] == name]
        assert (np.diff(one["fdr"]) > 0).all() and (np.diff(one["recall"]) > 0).all()
        for limit in (0.02, 0.05, 0.1, 1.0):
            at = own.best(limit)
            assert (
                one.loc[one["fdr"] <= limit, "recall"].max() == own.recall[at]
                if at is not None
                else True
            )


def test_report_writes_its_tables_and_figures(judging, judged, tmp_path):
    args = SimpleNamespace(out=tmp_path, world=tmp_path / "smoke" / "00_start_here", references=12)
    judging.report(judged, args, 1.0)
    assert {path.name for path in tmp_path.iterdir()} == {
        "about.json",
        "detectors.csv",
        "recall.csv",
        "matched.csv",
        "power.png",
        "curve.png",
    }
    both, table = (pd.read_csv(tmp_path / f"{name}.csv") for name in ("detectors", "matched"))
    assert set(table["detector"]) == set(judged[0]["tables"]) == set(both["detector"])
    assert table.groupby(["way", "target"])["best_single"].sum().eq(1).all()
    hindsight = table[table["way"] == judging.WAYS[0]]
    assert (hindsight["fdr"] <= hindsight["target"]).all()
