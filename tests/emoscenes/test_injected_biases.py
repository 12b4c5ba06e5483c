"""Injected biases: which are possible, and that swapping reaches the risk difference exactly."""

import numpy as np
import pytest

from emoscenes.injected_biases import pairs_to_swap, possible_biases


def test_possible_labels_depend_on_the_frequencies_of_value_and_label():
    assert possible_biases("time", 0.3) == (
        ["day", "sunset", "night"],
        ["ekman:anger", "ekman:joy", "ekman:sadness"],
    )
    assert len(possible_biases("time", 0.15)[1]) == 6 == len(possible_biases("expression", 0.3)[1])
    assert "ekman:joy" not in possible_biases("expression", 0.8)[1]  # P(joy | value) would be 1.02
    assert "mikels:contentment" in possible_biases("background", 0.05, "mikels")[1]
    for attribute, strength in (("brightness", 0.1), ("time", 0.0)):
        with pytest.raises(ValueError, match=f"biases with '{attribute}' at strength {strength}"):
            possible_biases(attribute, strength)


@pytest.mark.parametrize("strength", [0.3, 0.0, -0.2])
def test_swapped_pairs_reach_the_strength_and_keep_both_counts(strength):
    rng = np.random.default_rng(0)
    has_value, has_label = rng.random(2000) < 0.3, rng.random(2000) < 0.4
    for first in (has_value, has_label):
        rows, partners = pairs_to_swap(has_value, has_label, strength, rng, first)
        assert first[rows].all() and not first[partners].any()
        swapped = has_label.copy()
        swapped[rows], swapped[partners] = has_label[partners], has_label[rows]
        difference = swapped[has_value].mean() - swapped[~has_value].mean()
        assert difference == pytest.approx(strength, abs=0.002)
        assert swapped.sum() == has_label.sum()


def test_value_of_all_or_no_scenes_is_refused():
    mask, none = np.arange(10) < 5, np.zeros(10, bool)
    for has_value in (none, ~none):
        with pytest.raises(ValueError, match="of 10 scenes have the value"):
            pairs_to_swap(has_value, mask, 0.1, np.random.default_rng(0), first=mask)
