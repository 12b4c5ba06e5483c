"""A small part of benchmarks/bias_detection.py, on features made in code: it finds what is planted, and little else."""

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
    bench = benchmark.Bench(encode, anchors, seed=3, pool=3000, test=1500, redrawn=30)
    plants = [
        (*plant, 0.3, "misread")
        for plant in (("expression", "neutral", "ekman:fear"), ("style", "abstract", "ekman:joy"))
    ]
    jobs = [(i, 2000, plants if i % 2 else []) for i in range(6)] + [
        (benchmark.CLEAN + i, 2000, []) for i in range(12)
    ]
    return benchmark.judged(benchmark.examine_many(bench, jobs), bench)


def test_plants_are_taken_up_and_found_by_the_combination(benchmark, judged):
    for one in judged[1::2]:
        learnt = (
            one["size"].ravel()[one["planted"]] > 0.15
        )  # a test part of 1,500 leaves smaller ones within chance
        assert learnt.any()
        assert one["tables"]["data and model"]["found"].to_numpy()[one["planted"]][learnt].all()


def test_clean_sets_are_left_in_peace_but_by_the_naive_test(judged):
    clean = judged[::2]
    assert sum(one["tables"]["data and model"]["found"].any() for one in clean) == 0
    assert all(one["tables"]["naive"]["found"].sum() > 50 for one in clean)


def test_a_proportion_of_false_findings_counts_what_the_definition_says(judging):
    one = {"plants": [("a",) * 5], "planted": [0], "size": np.array([[0.2, 0.06, 0.04, 0.01, 0.0]])}
    found = np.array([True, True, True, True, False])
    assert judging.outcome(found, one)[0] == pytest.approx(
        1 / 3
    )  # one false, two true, one in between
    assert judging.outcome(found, one | {"plants": []})[0] == 1
    assert judging.bound(np.zeros(80), 1) == pytest.approx(1 - 0.05 ** (1 / 80))


def swept(judging, fdr, found, real):
    """A detector whose threshold t makes fdr[t] of findings false in every one of four sets, and finds found[t]."""
    fdp, clean = np.repeat(np.array(fdr)[:, None], 4, axis=1), np.array([False, False, False, True])
    return judging.Swept(
        "mean probability",
        [(0.1 * t, 0.0) for t in range(len(fdr))],
        fdp,
        clean,
        np.array(found, bool),
        np.array(real, bool),
    )


@pytest.fixture
def two(judging):
    """The combination finds more at .05, nothing but a pair the model did not take up at .01; naive keeps no target."""
    real, owner = [1, 1, 1, 1, 0], np.array([1, 1, 5, 9, 9])
    combination = swept(
        judging, [0.01, 0.05, 0.3], [[0, 0, 0, 0, 1], [1, 1, 1, 0, 0], [1, 1, 1, 1, 1]], real
    )
    model = swept(
        judging, [0.02, 0.03, 0.08], [[0, 0, 0, 1, 0], [1, 0, 0, 0, 0], [1, 1, 1, 1, 0]], real
    )
    naive = swept(judging, [0.8], [[1, 1, 1, 1, 1]], real)
    return {
        "data and model": (combination, combination),
        "model": (model, model),
        "naive": (naive, naive),
    }, owner


def test_all_detectors_are_held_to_the_same_fdr(judging, two):
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
    # four fifths of .05 leave the combination its first threshold; of .10, the model its first
    assert before.loc[0.05, "recall"].tolist() == [0, 0.25, 0] and before.loc[
        0.1, "recall"
    ].tolist() == [0.75, 1, 0]
    assert before.loc[(0.05, "data and model"), "fdr"] == pytest.approx(0.01)
    assert np.isnan(table.loc[(slice(None), slice(None), "naive"), "alpha"]).all()
    assert (table["pairs"] == 4).all() and (table["recall"] <= 1).all()


def test_the_interval_of_the_lead_resamples_sets_with_their_pairs(judging, two):
    row = (
        judging.matched(*two)
        .set_index(["way", "target", "detector"])
        .loc[("best in hindsight", 0.05, "model")]
    )
    # the lead of the pairs: 1, 1 in set 1 (2 - 1, as the model has one), 1 in set 5, -1 in set 9
    rng, leads = np.random.default_rng(1), {1: [1, 1], 5: [1], 9: [-1]}
    drawn = [
        np.mean(sum((leads[one] for one in rng.choice([1, 5, 9], 3)), [])) for _ in range(5000)
    ]
    assert [row["lead_low"], row["lead_high"]] == pytest.approx(
        np.quantile(drawn, [0.025, 0.975]), abs=0.05
    )


def test_the_curve_rises_and_reaches_what_the_best_threshold_does(judging, two):
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


def test_the_report_writes_its_tables_and_figures(judging, judged, tmp_path):
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
