"""The label sets of conversations: words, codes, and how the sets differ from each other."""

import pytest

from tinyemo.emotions import CONVERSATION_LABEL_SETS, LABEL_CODES, LABEL_SETS, labels_of


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
