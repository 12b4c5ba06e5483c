"""Label sets: those of conversations, and those of one's own."""

import pytest

from tinyemo.emotions import (
    CONVERSATION_LABEL_SETS,
    LABEL_CODES,
    LABEL_SETS,
    file_name_of,
    is_label_set,
    labels_of,
    own_label_set,
)


def test_iemocap_sets_have_the_usual_labels():
    assert labels_of("iemocap4") == ("anger", "happiness", "neutral", "sadness")
    assert LABEL_CODES["iemocap4"]["exc"] == LABEL_CODES["iemocap4"]["hap"] == "happiness"
    six, nine, ten = (set(LABEL_CODES[f"iemocap{n}"]) for n in (6, 9, 10))
    assert six == {"ang", "exc", "fru", "hap", "neu", "sad"}
    assert nine - six == {"dis", "fea", "sur"} and ten - nine == {"oth"}


@pytest.mark.parametrize(("label_set", "size"), [("meld7", 7), ("mer6", 6), ("mer9", 9)])
def test_other_sets_use_the_words_of_their_datasets(label_set, size):
    codes = LABEL_CODES[label_set]
    assert len(codes) == size and all(code == label for code, label in codes.items())


def test_label_sets_of_images_and_conversations_have_different_names():
    assert not set(LABEL_SETS) & set(CONVERSATION_LABEL_SETS)
    with pytest.raises(ValueError, match=r"unknown label set 'iemocap5': expected one of ekman, "):
        labels_of("iemocap5")


def test_a_label_set_of_ones_own_is_named_by_its_labels():
    name = own_label_set(["storm", "calm sea"])
    assert name == "labels: storm, calm sea"
    assert labels_of(name) == ("storm", "calm sea")
    assert is_label_set(name)
    assert file_name_of(name).isascii()
    assert len(file_name_of(own_label_set([f"label {i}" for i in range(200)]))) < 20
    assert file_name_of("ekman") == "ekman"


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (["Joy", "joy"], "'Joy' and 'joy' differ only by case"),
        (["very calm", "verycalm"], "differ only by case, spaces"),
        (["very calm", "very_calm"], "differ only by case, spaces"),
        (["fier\u00e9", "fiere\u0301"], "without characters that|differ only|single spaces"),
        (["joie\uff11", "joie1"], "differ only by case, spaces or Unicode form"),
        (["joy "], "label 'joy '"),
        (["joy\u200b"], r"label 'joy\\u200b'"),
        (["a, b"], "label 'a, b': expected a text without a comma"),
        ([""], "label ''"),
        ([], "labels none: expected at least one"),
        (["joy", "fear", "joy"], "labels joy, fear, joy: .* none twice"),
    ],
)
def test_labels_that_form_no_set_are_refused(labels, words):
    with pytest.raises(ValueError, match=words):
        own_label_set(labels)


def test_a_misspelled_name_of_an_own_label_set_is_refused():
    for name in ("labels: calm,storm", "labels:calm, storm", "calm, storm", "labels: "):
        assert not is_label_set(name)
        with pytest.raises(ValueError, match="label"):
            labels_of(name)
