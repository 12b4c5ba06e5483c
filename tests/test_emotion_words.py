"""Words for emotions, and which emotions can both be true."""

import pytest

from tinyemo.emotion_words import EMOTION_WORDS, labels_agree, other_emotions
from tinyemo.emotions import LABEL_SETS, SYNONYMS


def test_every_label_and_synonym_is_a_word_for_its_label():
    for labels in LABEL_SETS.values():
        for label in labels:
            assert EMOTION_WORDS[label] == (label,)
    for label, synonyms in SYNONYMS.items():
        for word in synonyms:
            assert EMOTION_WORDS[word][0] == label
    known = {label for labels in LABEL_SETS.values() for label in labels}
    assert {label for labels in EMOTION_WORDS.values() for label in labels} <= known


@pytest.mark.parametrize(
    ("word", "label", "agrees"),
    [
        ("sad", "shame", True),  # coarser
        ("shame", "sadness", True),  # finer
        ("disappointment", "shame", False),  # two labels under one coarser label
        ("happiness", "gratitude", True),  # an everyday word for joy
        ("joy", "amusement", True),  # coarse words of two sets that share a finer one
        ("amusement", "excitement", False),  # coarse words of one set
        ("fondness", "love", True),
        ("love", "joy", False),
        ("despair", "suffering", True),  # a word of two labels
        ("rage", "joy", False),
    ],
)
def test_which_words_contradict_a_label(word, label, agrees):
    assert bool(other_emotions([EMOTION_WORDS[word]], label)) == (not agrees)


def test_contradictions_name_the_likeliest_label_of_each_word():
    words = [EMOTION_WORDS["despair"], EMOTION_WORDS["rage"], EMOTION_WORDS["glad"]]
    assert other_emotions(words, "joy") == {"sadness", "rage"}
    assert other_emotions([], "joy") == frozenset()


def test_labels_agree_in_both_directions():
    for one in LABEL_SETS["parrott"]:
        for other in LABEL_SETS["mikels"]:
            assert labels_agree(one, other) == labels_agree(other, one)


def test_a_label_of_no_set_is_refused():
    with pytest.raises(ValueError, match="unknown label 'hunger'"):
        other_emotions([], "hunger")
