"""Weights of evidence against log-odds in simulated scenes; what counts as evidence."""

from dataclasses import asdict

import numpy as np
import pytest

from emoscenes.evidence import THRESHOLD, evidence, weight_of_evidence
from emoscenes.scenes import ATTRIBUTES, PARROTT, PRIOR, SIGNATURES, is_decisive, sample_scenes
from tinyemo.emotions import FROM_PARROTT, labels_of

# inert values only
PLAIN = {"object": "car", "expression": "neutral", "background": "park", "action": "standing"}


@pytest.fixture(scope="module")
def sample():
    return sample_scenes(60_000, seed=4)


def log_odds(k):
    """Of a label among items, and the variance of that estimate."""
    yes, no = k.sum(), (~k).sum()
    return np.log(yes / no), 1 / yes + 1 / no


@pytest.mark.parametrize("label_set", ["ekman", "mikels", "parrott"])
def test_weight_is_the_shift_of_log_odds_when_the_value_is_seen(sample, label_set):
    scenes, fine = sample
    placed = np.isin(fine, list(FROM_PARROTT[label_set]))
    truth = np.array([FROM_PARROTT[label_set].get(k) for k in fine])[placed]
    compared = strong = 0
    for attribute in SIGNATURES:
        shown = np.array([getattr(s, attribute) for s in scenes])[placed]
        for value in ATTRIBUTES[attribute]:
            for label in labels_of(label_set):
                is_label = truth == label
                seen = is_label[shown == value]
                if min(seen.sum(), (~seen).sum()) < 50:
                    continue
                after, variance = log_odds(seen)
                before, _ = log_odds(is_label)
                weight = weight_of_evidence(attribute, value, label, label_set)
                bound = 4.5 * np.sqrt(variance)
                assert abs(weight - (after - before)) < bound, (attribute, value, label)
                compared += 1
                strong += abs(weight) > bound
    assert compared > 150 and strong > 50


def test_one_weight_computed_by_hand():
    """Balloons are decisive for cheerfulness only, and cheerfulness has no other object.

    The odds are 50 of 50 + 14, against 1 of 15 + 49 n.
    """
    others = {k: sum(k in labels for labels in SIGNATURES["object"].values()) for k in PARROTT}
    del others["cheerfulness"]
    prior = dict(zip(PARROTT, PRIOR, strict=True))
    rest = sum(prior[k] / (15 + 49 * n) for k, n in others.items()) / sum(prior[k] for k in others)
    assert weight_of_evidence("object", "balloons", "cheerfulness") == pytest.approx(
        np.log(50 / 64 / rest)
    )


def test_weight_of_inert_values_and_attributes_is_zero(sample):
    for label_set in ("ekman", "parrott"):
        for label in labels_of(label_set):
            for attribute, values in ATTRIBUTES.items():
                for value in values:
                    if not is_decisive(attribute, value):
                        assert abs(weight_of_evidence(attribute, value, label, label_set)) < 1e-9
            assert evidence(PLAIN, label, label_set) == []


def test_evidence_is_all_above_the_threshold_heaviest_first(sample):
    scenes, labels = sample
    found, left_out = 0, 0.0
    for scene, label in zip(scenes[:2000], labels, strict=False):
        attributes = asdict(scene)
        pairs = evidence(attributes, label)
        weights = [weight_of_evidence(*pair, label) for pair in pairs]
        assert weights == sorted(weights, reverse=True) and all(w >= 0.25 for w in weights)
        rest = [
            weight_of_evidence(a, attributes[a], label)
            for a in SIGNATURES
            if (a, attributes[a]) not in pairs
        ]
        assert all(w < 0.25 for w in rest)
        assert all(attributes[a] == value for a, value in pairs)
        found, left_out = found + len(pairs), max([left_out, *rest])
    assert THRESHOLD == 0.25 and found > 3000 and left_out > 0


def test_evidence_for_a_coarser_label_comes_from_its_members():
    scene = PLAIN | {"object": "snake", "expression": "wide-eyed", "background": "mountain"}
    assert evidence(scene, "fear", "ekman") == [("object", "snake"), ("expression", "wide-eyed")]
    assert evidence(scene, "surprise", "ekman") == [("background", "mountain")]
    # Pride is one of eight members of joy, so a mountain weighs too little for joy.
    weak = PLAIN | {"background": "mountain"}
    assert evidence(weak, "joy", "ekman") == [] != evidence(weak, "pride")
