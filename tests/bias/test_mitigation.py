"""tinyemo.bias.mitigation: weights and draws, and the comparison before and after against loops."""

import numpy as np
import pytest
import torch
from scipy.stats import chi2_contingency

from tinyemo.bias.mitigation import MITIGATIONS, Mitigated, before_and_after, independence
from tinyemo.training.projector import PRESETS, fit_projector

N, WORDS = 4000, 4


@pytest.fixture(scope="module")
def biased():
    """Features, labels, and two values (N, 2) associated with labels 0 and 3 and each other."""
    rng = np.random.default_rng(0)
    y = rng.choice(WORDS, N, p=(0.4, 0.3, 0.2, 0.1))
    first = rng.random(N) < np.where(y == 0, 0.5, 0.1)
    second = rng.random(N) < np.where(y == 3, 0.6, 0.2) * np.where(first, 1.3, 1)
    group = np.stack([first, second], axis=1)
    x = np.concatenate([np.eye(WORDS)[y], 2 * group], axis=1) + 0.7 * rng.normal(
        size=(N, WORDS + 2)
    )
    return torch.tensor(x, dtype=torch.float32), y, group


def shares(y, a, weights=None):
    """(2, C) share of the items by value and label."""
    return np.histogram2d(a, y, bins=(2, WORDS), weights=weights)[0] / N


def test_weights_for_one_value_are_those_of_kamiran_and_calders(biased):
    _, y, group = biased
    weights = independence(y, group[:, 0])
    for a in (False, True):
        for k in range(WORDS):
            cell = (group[:, 0] == a) & (y == k)
            expected = (group[:, 0] == a).mean() * (y == k).mean() / cell.mean()
            assert weights[cell] == pytest.approx(np.full(cell.sum(), expected))


def test_weights_make_values_independent_of_labels_and_keep_marginals(biased):
    _, y, group = biased
    weights = independence(y, group)
    for a in group.T:
        assert chi2_contingency(shares(y, a) * N).pvalue < 1e-10
        now = shares(y, a, weights)
        assert now == pytest.approx(
            np.outer([1 - a.mean(), a.mean()], np.bincount(y) / N), abs=1e-6
        )


def test_resampling_gives_cells_their_independent_count_and_draws_by_seed(biased):
    x, y, group = biased
    a = group[:, 0]
    shown = torch.cat([x, torch.tensor(a)[:, None]], dim=1)  # to recognise the rows
    m = MITIGATIONS["resampling"](shown, torch.tensor(y), a, seed=1)
    now = shares(m.y.numpy(), m.x[:, -1].numpy()) * N
    assert now == pytest.approx(N * np.outer([1 - a.mean(), a.mean()], np.bincount(y) / N), abs=1)
    again, other = (
        MITIGATIONS["resampling"](shown, torch.tensor(y), a, seed=seed) for seed in (1, 2)
    )
    assert torch.equal(m.x, again.x) and not torch.equal(m.x, other.x) and m.item_weights is None


def test_erasure_removes_the_value_and_keeps_the_associated_label(biased):
    x, y, group = biased
    m = MITIGATIONS["erasure"](x, torch.tensor(y), group[:, 0])
    assert torch.equal(m.eraser(x), m.x) and torch.equal(m.y, torch.tensor(y))
    label = torch.tensor(y == 0)
    kept = (m.x[label].mean(dim=0) - m.x[~label].mean(dim=0))[0]
    assert kept == pytest.approx(1, abs=0.1)  # the feature of the label is unchanged
    for k in range(WORDS):  # within a label the value is gone
        own, shown = torch.tensor(y == k), torch.tensor(group[:, 0])
        assert (m.x[own & shown].mean(dim=0) - m.x[own & ~shown].mean(dim=0))[
            WORDS
        ].abs() < 0.25  # it was 2


def test_mitigation_removes_the_effect_of_a_value_on_predictions(biased):
    (x, y, group), anchors, rng = biased, torch.eye(WORDS, 16), np.random.default_rng(1)
    y, a, shown = (
        torch.tensor(y),
        group[:, 0],
        rng.random((N, 2)) < 0.5,
    )  # at test the values are independent
    x_test = np.concatenate([np.eye(WORDS)[y], 2 * shown], axis=1) + 0.7 * rng.normal(
        size=(N, WORDS + 2)
    )
    x_test = torch.tensor(x_test, dtype=torch.float32)

    def effect_of_value(m):
        projector, _ = fit_projector(
            m.x, m.y, anchors, PRESETS["quick"], 0, item_weights=m.item_weights
        )
        p = projector.classify(m.eraser(x_test), anchors)[:, 0].numpy()
        return p[shown[:, 0]].mean() - p[~shown[:, 0]].mean()

    assert effect_of_value(Mitigated(x, y)) > 0.15
    assert {
        name: abs(effect_of_value(mitigate(x, y, a))) < 0.05
        for name, mitigate in MITIGATIONS.items()
    } == dict.fromkeys(("reweighting", "resampling", "erasure"), True)


def test_before_and_after_agrees_with_loops():
    rng = np.random.default_rng(0)
    y, group = rng.integers(3, size=600), rng.random((600, 2)) < 0.3
    group[y == 2, 1] = np.arange((y == 2).sum()) < 9  # a group too small to count
    predicted = {}
    for model, wrong in (
        ("before", 0.5),
        ("after", 0.25),
        ("unbiased", 0.1),
    ):  # the first value is taken for label 1
        hit = group[:, 0] & (rng.random((2, 600)) < wrong) | (rng.random((2, 600)) < 0.1)
        predicted[model] = np.where(hit, (y + 1) % 3, y)
    predicted["before"][:, (y == 2) & group[:, 1]] = 0
    table = before_and_after(y, group, predicted, unbiased="unbiased").set_index(
        ["measure", "model"]
    )
    expected = {}
    for model, p in predicted.items():
        accuracies, gaps = [], []
        for g in (0, 1):
            for k in range(3):
                sides = [
                    np.mean([(s[cell] == k).mean() for s in p])
                    for shown in (True, False)
                    if (cell := (group[:, g] == shown) & (y == k)).sum() >= 10
                ]
                accuracies += sides
                gaps += [abs(sides[0] - sides[1])] if len(sides) == 2 else []
        expected[model] = {
            "worst group": min(accuracies),
            "gap": max(gaps),
            "accuracy": np.mean(p == y),
        }
    for model, measures in expected.items():
        for measure, value in measures.items():
            row, first, best = (
                table.loc[(measure, model)],
                expected["before"][measure],
                expected["unbiased"][measure],
            )
            assert row["value"] == pytest.approx(value)
            assert row["difference"] == pytest.approx(value - first)
            assert row["recovered"] == pytest.approx((value - first) / (best - first))
            assert row["low"] <= value <= row["high"]
    correct = {model: (p == y).mean(axis=0) for model, p in predicted.items()}
    row, error = (
        table.loc[("accuracy", "after")],
        (correct["after"] - correct["before"]).std() / np.sqrt(600),
    )
    ends = (
        row[["difference_low", "difference_high"]] - row["difference"]
    )  # paired: against the normal interval
    assert ends.to_numpy(dtype=float) == pytest.approx([-1.96 * error, 1.96 * error], rel=0.12)


def test_small_gap_of_many_small_groups_is_inside_its_interval():
    """All groups have nearly the same accuracy, so the largest gap grows in nearly every resample.

    A percentile bootstrap gives an interval that lies above the observed gap.
    """
    y, group = np.arange(480) % 6, np.arange(480) // 6 % 2 == 0
    right = np.arange(480) // 12 % 5 > 0  # .8 of the 40 items of every group
    predicted = {"before": np.where(right, y, (y + 1) % 6), "after": y}
    table = before_and_after(y, group, predicted).set_index(["measure", "model"])
    for measure, value in (("gap", 0.0), ("worst group", 0.8), ("accuracy", 0.8)):
        row = table.loc[(measure, "before")]
        assert row["value"] == pytest.approx(value)
        assert row["low"] <= row["value"] <= row["high"]
    # nothing is wrong after: some doubt is left, and most of it about the smallest groups
    ends = table.loc[("worst group", "after"), "low"], table.loc[("accuracy", "after"), "low"]
    assert 0.8 < ends[0] < ends[1] < 1
    change = table.loc[("worst group", "after")]
    assert change["difference_low"] < change["difference"] < change["difference_high"]


def test_recovered_is_missing_without_an_unbiased_model_or_a_loss():
    y = np.arange(60) % 2
    table = before_and_after(y, y == 0, {"before": y, "after": 1 - y})
    differences = table.loc[table["model"] == "after", "difference"].tolist()
    assert table["recovered"].isna().all() and differences[::2] == [-1, -1]
    assert np.isnan(differences[1])  # no label has items in both groups: no gap
    same = before_and_after(y, y == 0, {"before": y, "after": 1 - y, "unbiased": y}, "unbiased")
    assert same["recovered"].isna().all()


def test_inputs_that_do_not_fit_are_named():
    y = np.arange(60) % 2
    for call, message in (
        (
            lambda: independence(y, np.ones(7)),
            r"group: expected .* for N = 60 items, whether each shows a value, got \(7,\)",
        ),
        (
            lambda: before_and_after(y, y == 0, {"a": y[1:]}),
            r"model 'a': expected predicted labels \(seeds, 60\)",
        ),
        (
            lambda: before_and_after(y[:8], y[:8] == 0, {"a": y[:8]}),
            "groups of label and value: none has 10 items",
        ),
        (
            lambda: before_and_after(y, y == 0, {"a": y}, unbiased="b"),
            "unbiased 'b': expected one of a",
        ),
    ):
        with pytest.raises(ValueError, match=message):
            call()


def test_resamples_in_which_nothing_is_lost_do_not_hide_the_recovered_share():
    """Of 40 items 6 are lost; about one resample in 650 has none of them: 0 of 0 is recovered."""
    y = np.zeros(40, dtype=int)
    group = np.arange(40) % 2 == 0
    wrong = np.arange(40) < np.array([[6], [3], [0]])
    before, half, unbiased = (np.where(one, 1, y) for one in wrong)
    predicted = {"before": before, "half": half, "unbiased": unbiased}
    table = before_and_after(y, group, predicted, unbiased="unbiased")
    row = table.set_index(["measure", "model"]).loc["accuracy", "half"]
    assert row["recovered"] == pytest.approx(0.5)
    assert 0 <= row["recovered_low"] < 0.5 < row["recovered_high"] < 1.01
