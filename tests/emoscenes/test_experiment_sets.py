"""emoscenes.experiment_sets: the sets of an experiment with injected biases."""

import numpy as np
import pytest
from scene_features import encode

from emoscenes.experiment_sets import ExperimentSets, caption_words
from tinyemo.emotions import labels_of

ATTRIBUTE_BIAS = ("style", "abstract", "ekman:joy", 0.3)
LABEL_BIAS = ("background", "forest", "ekman:fear", 0.3)


@pytest.fixture(scope="module")
def sets():
    return ExperimentSets.draw(encode, 1200, 800, 300, [ATTRIBUTE_BIAS], [LABEL_BIAS])


def test_injected_pairs_are_named_as_in_detector_tables(sets):
    assert sets.injected == [("background: forest", "fear"), ("style: abstract", "joy")]


def test_further_sets_differ_by_number_and_have_no_bias(sets):
    first, again, second = (sets.draw_without_bias(number) for number in (0, 0, 1))
    assert np.array_equal(first.y, again.y)
    assert len(first.y) != len(second.y) or not np.array_equal(first.y, second.y)
    fear = labels_of("ekman").index("fear")
    for part, expected in ((sets.train, 0.3), (first, 0.0)):
        forest = (part.records["attr_background"] == "forest").to_numpy()
        is_fear = part.y == fear
        difference = is_fear[forest].mean() - is_fear[~forest].mean()
        assert difference == pytest.approx(expected, abs=0.12)


def test_test_scenes_are_drawn_and_labelled_by_id(sets):
    record = sets.test.records.iloc[7]
    assert sets.picture(record["id"], 32).size == (32, 32)
    assert sets.label(record["id"]) == record["label"]


def test_caption_words_have_no_emotion_words_and_no_stop_words():
    words = caption_words(50)
    assert len(words) > 100 and words == sorted(set(words))
    assert not set(words) & {*labels_of("ekman"), "the", "and"}
