"""Captions hold no emotion word; feeling texts follow the model of p(emotion | attributes)."""

import re

import numpy as np
import pytest

from emoscenes.scenes import ATTRIBUTES, SIGNATURES, sample_scenes
from emoscenes.text.captions import CAPTION_KINDS, WORDS, caption, feeling_texts
from tinyemo.emotions import GROUPS, LABEL_SETS

LABELS = sorted({word for words in LABEL_SETS.values() for word in words})
RELATED = """
affectionate cheerful happy confused content disappointed disgusted disgusting enthralled
envious exasperated grateful horrified horrible horrifying irritable irritated lustful neglected
nervous optimistic proud enraged raging furious relieved sad ashamed shameful suffering surprised
surprising sympathetic zestful amused amusing angry awed awesome excited exciting afraid scared
fearful joyful joyous lonely love
""".split()
EMOTION = re.compile(r"\b(" + "|".join([*LABELS, *RELATED]) + r")\b")


@pytest.fixture(scope="module")
def texts():
    return feeling_texts(6000, seed=1)


def test_captions_name_the_object_and_never_an_emotion():
    rng = np.random.default_rng(0)
    seen = set()
    for scene in sample_scenes(1500, seed=2)[0]:
        for kind in CAPTION_KINDS:
            text = caption(scene, rng, kind)
            assert not EMOTION.search(text), text
            assert "{" not in text and text == text.lower()
            seen.add(text)
        assert scene.object in caption(scene, rng, "object")
    assert len(seen) > 2000


def test_every_value_has_words_and_no_two_values_share_them():
    for attribute, values in ATTRIBUTES.items():
        assert set(WORDS[attribute]) == set(values)
        ways = [way for value in values for way in WORDS[attribute][value]]
        assert len(ways) == len(set(ways))


def test_captions_repeat_for_a_seed_and_refuse_an_unknown_kind():
    scene = sample_scenes(1, seed=0)[0][0]
    one, two = (caption(scene, np.random.default_rng(7), "full") for _ in range(2))
    assert one == two
    with pytest.raises(ValueError, match="object, person, place, full"):
        caption(scene, np.random.default_rng(7), "mood")


def test_feeling_texts_use_every_label_and_a_small_vocabulary(texts):
    assert texts == feeling_texts(6000, seed=1) != feeling_texts(6000, seed=2)
    words = [word for text in texts for word in text.split()]
    used = {label for groups in GROUPS.values() for label in groups}  # not love
    assert all(words.count(label) >= 20 for label in used)
    assert 200 < len(set(words)) < 700


def test_feeling_texts_name_objects_only_beside_labels_they_speak_for(texts):
    first = [text.split(" . ")[0] for text in texts]
    for value, labels in SIGNATURES["object"].items():
        naming = [s for s in first if value in s and EMOTION.search(s)]
        own_label = re.compile(rf"\b(?:{'|'.join(labels)})\b")
        own = [sentence for sentence in naming if own_label.search(sentence)]
        assert len(own) == len(naming) > 30, value
