"""The model of EmoScenes: exact figures against simulation, splits, votes, injected biases."""

from dataclasses import replace

import numpy as np
import pytest

from emoscenes.scenes import (
    ATTRIBUTES,
    PARROTT,
    PRIOR,
    SIGNATURES,
    bayes_accuracy,
    is_decisive,
    make_records,
    probabilities,
    sample_scenes,
    true_posterior,
)
from tinyemo.emotions import FROM_PARROTT, labels_of

BAYES = {"ekman": (0.75, 0.85), "mikels": (0.65, 0.80), "parrott": (0.45, 0.65)}


@pytest.fixture(scope="module")
def sample():
    return sample_scenes(20_000, seed=11)


def counted_frequencies(scenes, labels, attribute):
    """p(value | label) by counting: {(value, label): share}."""
    values = np.array([getattr(s, attribute) for s in scenes])
    return {
        (v, k): (values[labels == k] == v).mean() for v in ATTRIBUTES[attribute] for k in PARROTT
    }


@pytest.mark.parametrize("label_set", list(BAYES))
def test_bayes_accuracy_is_in_its_range_and_equals_simulation(sample, label_set):
    scenes, labels = sample
    placed = np.isin(labels, list(FROM_PARROTT[label_set]))
    truth = np.array([FROM_PARROTT[label_set].get(k) for k in labels])
    best = np.array(labels_of(label_set))[probabilities(scenes, label_set).argmax(1)]
    exact, low_high = bayes_accuracy(label_set), BAYES[label_set]
    assert low_high[0] <= exact <= low_high[1]
    assert abs((best == truth)[placed].mean() - exact) < 4 * 0.5 / np.sqrt(placed.sum())


def test_true_posterior_of_records_equals_that_of_their_scenes():
    records, scenes = make_records(30, 5, 5, seed=3)
    assert np.array_equal(true_posterior(records, "mikels"), probabilities(scenes, "mikels"))


def test_probabilities_are_calibrated(sample):
    scenes, labels = sample
    p = probabilities(scenes)
    onehot = labels[:, None] == np.array(PARROTT)
    assert np.allclose(p.sum(1), 1)
    for low, high in ((0.02, 0.1), (0.1, 0.3), (0.3, 0.6), (0.6, 0.9), (0.9, 1.0)):
        cell = (p >= low) & (p < high)
        assert abs(onehot[cell].mean() - p[cell].mean()) < 0.02


def test_log_odds_are_sums_of_one_weight_per_attribute(sample):
    """Log-linear: the effect of the object on log p does not depend on the rest of the scene."""
    shifts = []
    for scene in sample[0][:20]:
        log_p = np.log(probabilities([replace(scene, object=o) for o in ("snake", "gift")]))
        shift = log_p[1] - log_p[0]
        shifts.append(shift - shift[0])
    assert np.ptp(shifts, axis=0).max() < 1e-9


def test_at_least_half_of_the_values_are_inert_and_do_not_depend_on_the_label(sample):
    scenes, labels = sample
    values = [(a, v) for a, all_values in ATTRIBUTES.items() for v in all_values]
    inert = [pair for pair in values if not is_decisive(*pair)]
    assert len(inert) >= len(values) / 2
    assert len(ATTRIBUTES["object"]) >= 20 and len(ATTRIBUTES["background"]) >= 8
    counted = {a: counted_frequencies(scenes, labels, a) for a in SIGNATURES}
    common = [k for k in PARROTT if (labels == k).sum() > 700]
    for attribute, value in inert:
        if attribute in SIGNATURES:  # drawn given the label: must be the same for every label
            shares = [counted[attribute][value, k] for k in common]
            assert np.ptp(shares) < 0.11, (attribute, value)
    for attribute in SIGNATURES:
        for value in SIGNATURES[attribute]:
            shares = [counted[attribute][value, k] for k in PARROTT]
            assert np.ptp(shares) > 0.11, (attribute, value)


def test_every_label_has_evidence_and_groups_are_balanced():
    explained = {k for values in SIGNATURES.values() for labels in values.values() for k in labels}
    assert explained == set(PARROTT)
    mass = {
        k: sum(PRIOR[PARROTT.index(f)] for f, c in FROM_PARROTT["ekman"].items() if c == k)
        for k in labels_of("ekman")
    }
    assert 0.25 <= max(mass.values()) / sum(mass.values()) <= 0.30


def test_time_depends_on_the_background_and_not_on_the_label(sample):
    scenes, _ = sample
    night = {
        b: np.mean([s.time == "night" for s in scenes if s.background == b])
        for b in ("graveyard", "beach")
    }
    assert night["graveyard"] > night["beach"] + 0.3
    changed = [
        replace(s, time="day", style="photo", weather="fog", colorfulness=0.0) for s in scenes[:50]
    ]
    assert np.array_equal(probabilities(changed), probabilities(scenes[:50]))


def test_records_are_the_same_for_a_seed_and_splits_differ():
    records, scenes = make_records(300, 100, 100, seed=3)
    again, _ = make_records(300, 100, 100, seed=3)
    other, _ = make_records(300, 100, 100, seed=4)
    assert records.equals(again) and not records["label"].equals(other["label"])
    assert records["id"].is_unique and records["group"].is_unique
    assert records["split"].value_counts().to_dict() == {
        "train": 300,
        "validation": 100,
        "test": 100,
    }
    assert [s.object for s in scenes] == records["attr_object"].tolist()


def test_label_is_among_the_votes_and_votes_follow_the_true_posterior():
    records, scenes = make_records(4000, 10, 10, seed=5, votes=10)
    votes = records[[f"p_{k}" for k in PARROTT]].to_numpy()
    first = votes[np.arange(len(records)), [PARROTT.index(k) for k in records["label"]]]
    assert first.min() >= 0.1 - 1e-9
    assert np.allclose(votes.sum(1), 1)
    p = probabilities(scenes)
    likely = p > 0.6
    assert abs(votes[likely].mean() - p[likely].mean()) < 0.01


@pytest.mark.parametrize(
    ("label", "members"), [("disgust", {"disgust"}), ("ekman:fear", {"horror", "nervousness"})]
)
def test_injected_bias_changes_only_training_and_keeps_both_marginals(label, members):
    plain, _ = make_records(4000, 300, 300, seed=6)
    biased, scenes = make_records(
        4000, 300, 300, seed=6, biases=[("style", "painting", label, 0.15)]
    )
    train = biased["split"] == "train"
    has_value, has_label = biased["attr_style"] == "painting", biased["label"].isin(members)
    difference = has_label[train & has_value].mean() - has_label[train & ~has_value].mean()
    assert difference == pytest.approx(0.15, abs=0.001)
    assert biased[~train].equals(plain[~train])
    assert biased["label"].equals(plain["label"])
    counts = [r.loc[train, "attr_style"].value_counts().sort_index() for r in (plain, biased)]
    assert counts[0].equals(counts[1])
    assert [s.style for s in scenes] == biased["attr_style"].tolist()


@pytest.mark.parametrize(
    "bias",
    [
        ("background", "beach", "disgust", 0.99),
        ("mood", "car", "disgust", 0.1),
        ("object", "piano", "disgust", 0.1),
        ("object", "car", "hunger", 0.1),
    ],
)
def test_impossible_bias_is_refused_in_one_sentence(bias):
    with pytest.raises(ValueError, match=r"cannot inject [^\n]*expected"):
        make_records(300, 5, 5, seed=0, biases=[bias])
