"""The hand-written sentences agree with their own annotation, and cover the world and its labels."""

import re
from collections import Counter
from dataclasses import replace

import pytest
from checker_sentences import DEV, LIGHT, attributes_of
from checker_sentences_fresh import FRESH
from checker_sentences_held_out import HELD_OUT
from checker_sentences_more import MORE

from emoscenes.scenes import ATTRIBUTES
from tinyemo.emotions import GROUPS, LABEL_SETS, SYNONYMS

VALUES = {value for values in ATTRIBUTES.values() for value in values} | set(LIGHT)
FELT = {*SYNONYMS, *GROUPS["ekman"], *GROUPS["mikels"]}
PARTS = {"dev": DEV, "held out": HELD_OUT, "more": MORE, "fresh": FRESH}


def meanings(label):
    """What a label stands for among Parrott's 25, in each set that has it."""
    return [set(groups[label]) for groups in GROUPS.values() if label in groups]


def agree(word, label):
    """Whether one emotion is the other, or one of those that fall under it."""
    return word == label or any(a <= b or b <= a for a in meanings(word) for b in meanings(label))


def of_world(mention):
    known = [value in VALUES for value in mention.split("|")]
    assert all(known) or not any(known), mention
    return all(known)


@pytest.mark.parametrize("part", PARTS)
def test_errors_follow_from_scene_and_mentions(part):
    for case in PARTS[part]:
        attributes = attributes_of(case)
        shown = {value.strip() for value in case.scene.split(",")}
        assert set(attributes) == {*ATTRIBUTES, "brightness", "colorfulness"}
        assert case.mentions and len(set(case.mentions)) == len(case.mentions), case.text
        absent = [m for m in case.mentions if not shown & set(m.split("|"))]
        felt = [w for w in case.wrong if w.startswith("felt:")]
        assert sorted(case.wrong) == sorted(absent + felt), case.text
        for mention in case.mentions:
            assert of_world(mention) or re.search(rf"\b{mention}", case.text, re.I), (
                mention,
                case.text,
            )


@pytest.mark.parametrize("part", PARTS)
def test_a_wrong_emotion_is_no_other_word_for_the_label(part):
    for case in PARTS[part]:
        assert any(case.label in labels for labels in LABEL_SETS.values()), case.label
        for wrong in case.wrong:
            name, _, word = wrong.rpartition(":")
            if name:  # "felt"
                assert word in FELT and not agree(word, case.label), case.text
    assert (
        agree("joy", "cheerfulness")
        and agree("sadness", "shame")
        and not agree("disappointment", "shame")
    )


def test_half_of_each_part_is_planted_and_no_text_comes_twice():
    assert len(DEV) == 120 and len(HELD_OUT) >= 220 and len(MORE) == 210 and len(FRESH) == 240
    for cases in PARTS.values():
        assert 2 * sum(bool(case.wrong) for case in cases) == len(cases)
    texts = Counter(
        " ".join(re.findall(r"\w+", case.text.lower()))
        for cases in PARTS.values()
        for case in cases
    )
    assert texts.most_common(1)[0][1] == 1


def test_every_value_and_every_label_occurs():
    for cases in (DEV + HELD_OUT, MORE, FRESH):
        assert not VALUES - {mention for case in cases for mention in case.mentions}
        labels = Counter(case.label for case in cases)
        assert not [label for label in LABEL_SETS["parrott"] if labels[label] < 2]


@pytest.mark.parametrize(
    "scene",
    [
        "ghost, smiling",
        "ghost, dog, smiling, standing, beach, day, clear, photo, dark",
        "ghost, rose, smiling, standing, beach, day, clear, photo, dark",
    ],
)
def test_an_incomplete_scene_is_refused(scene):
    with pytest.raises(ValueError, match="scene"):
        attributes_of(replace(DEV[0], scene=scene))
