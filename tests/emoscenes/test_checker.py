"""The checker of texts about scenes, on sentences written by hand and on texts of the grammar.

tests/data/scene_sentences.jsonl holds 200 of the 798 sentences on which the checker was measured
(see emoscenes/checker.py). They were chosen for their words, whatever the checker finds in them:
those with the largest share of words in its vocabulary, so that every value of every attribute is
named in at least three, every Parrott label is given to at least two, and half have a fault. A line
has

    text, label, attributes    a text about a scene, under a label
    mentions                   the values that it says are there; "a|b": a word that fits several
    false                      those of them that the scene does not have
    other_emotions             emotions that it names as felt and that contradict the label
"""

import ast
import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from emoscenes import checker, general_reasons
from emoscenes.evidence import evidence
from emoscenes.scenes import ATTRIBUTES, CONTINUOUS, sample_scenes
from emoscenes.text.questions import describe, question_about, sentiment_question
from emoscenes.text.rationales import conversation, rationale
from tinyemo.emotions import FROM_PARROTT, GROUPS, LABEL_SETS

SENTENCES = Path(__file__).parent.parent / "data" / "scene_sentences.jsonl"
CASES = [json.loads(line) for line in SENTENCES.read_text(encoding="utf-8").splitlines()]
VALUES = {value for values in ATTRIBUTES.values() for value in values}
VALUES |= {word for words in checker.LEVELS.values() for word in words}
SCENE = {
    "background": "beach",
    "weather": "storm",
    "time": "day",
    "object": "rose",
    "expression": "smiling",
    "action": "standing",
    "style": "photo",
    "brightness": 0.2,
    "colorfulness": 0.5,
}


def key(values):
    return "|".join(sorted(values))


def mentioned(text):
    """The values that a text mentions, words that fit several as "a|b"."""
    return {key(mention.values) for mention in checker.read(text).mentions}


def single_values(keys):
    return {value for one in keys for value in one.split("|")}


def test_the_vocabulary_covers_every_value_of_a_scene():
    assert set(checker.ATTRIBUTES) == {*ATTRIBUTES, *CONTINUOUS}
    for value in VALUES:
        assert value in single_values(mentioned(f"a picture : {value} picture")), value


def test_annotations_of_the_sentences_are_consistent():
    assert len(CASES) == 200
    faulty = [case for case in CASES if case["false"] or case["other_emotions"]]
    assert len(faulty) == 100
    for case in CASES:
        shown = {str(value) for value in case["attributes"].values()}
        for name, (low, high) in checker.LEVELS.items():
            shown.add(high if case["attributes"][name] >= 0.5 else low)
        false = [one for one in case["mentions"] if not shown & set(one.split("|"))]
        assert sorted(false) == sorted(case["false"]), case["text"]
    named = Counter(value for case in CASES for value in single_values(case["mentions"]))
    assert all(named[value] >= 3 for value in VALUES)
    labels = Counter(case["label"] for case in CASES)
    assert all(labels[label] >= 2 for label in LABEL_SETS["parrott"])
    assert len({case["text"] for case in CASES}) == 200


def recall_and_precision(pairs):
    """Of (expected, found) sets."""
    both = sum(len(expected & found) for expected, found in pairs)
    expected = sum(len(expected) for expected, _ in pairs)
    return both / expected, both / sum(len(found) for _, found in pairs)


def test_recall_and_precision_on_sentences_written_by_hand():
    mentions, texts, emotions = [], [], []
    for number, case in enumerate(CASES):
        check = checker.check(case["text"], case["attributes"], case["label"])
        expected = single_values(case["mentions"])
        mentions.append((expected, single_values(mentioned(case["text"]))))
        is_faulty = bool(case["false"] or case["other_emotions"])
        texts.append(({number} if is_faulty else set(), {number} if check.faults else set()))
        emotions.append((set(case["other_emotions"]), set(check.contradictions)))
    assert np.round(recall_and_precision(mentions), 3).tolist() == [0.967, 0.97]
    assert np.round(recall_and_precision(texts), 3).tolist() == [0.97, 0.915]
    assert np.round(recall_and_precision(emotions), 3).tolist() == [1.0, 0.909]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        # denial, to the end of the clause
        ("The man isn't laughing or smiling; he is in tears.", {"crying"}),
        ("There is no rose in the picture, but a lamp.", {"lamp"}),
        ("He is not in the office but in bed.", {"bedroom"}),
        ("The figure is not only smiling but also waving.", {"smiling", "waving"}),
        ("Nothing but dunes.", {"desert"}),
        # supposition and comparison, except for what has a definite article
        ("If it rained, the umbrella would be of use.", {"umbrella"}),
        ("Without the red rose the office would be empty.", {"rose", "office"}),
        ("An office without a rose.", {"office"}),
        ("It might be a rose, or perhaps a gift.", set()),
        ("The woman looks as though she has just seen a ghost.", set()),
        # questions
        ("Is there a rose? Why is she crying? The flower has wilted.", {"wilted flower"}),
        # phrases without a meaning of their own
        ("The rose stands for love and stands out.", {"rose"}),
        # light and colour of the picture, not of things
        ("A dark suit, a pale face, a bright smile, colourful balloons.", {"smiling", "balloons"}),
        ("The photo is bright and its colours are pale.", {"photo", "bright", "pale"}),
        # generic words, alone and beside a finer one
        ("A flower and a vehicle.", {"rose|sunflower|wilted flower", "bicycle|car"}),
        ("A flower, namely a rose.", {"rose"}),
        # plurals and hyphens
        ("Two guitars and a wide-eyed child.", {"guitar", "wide-eyed"}),
    ],
)
def test_what_counts_as_a_mention(text, values):
    assert mentioned(text) == values


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("A rose is laid down for those who are missed.", set()),
        ("The envy comes from the gift: many want a trophy but only one wins it.", {"gift"}),
        ("Rage, for a bonfire is hard to hold back, and a dump is what ruin looks like.", set()),
        ("The mood is festive, since balloons belong to parties.", set()),
        ("Sadness, because people cry when they have lost something.", set()),
        # of this picture, although a word of reason is before it
        ("This is sad, for the rose is laid down for those who are missed.", {"rose"}),
        ("She is afraid because a snake hisses.", {"snake"}),
        ("She is afraid because a snake follows her.", {"snake"}),
        ("Joy comes from three things: a rose, a smile and a beach.", {"rose", "smiling", "beach"}),
        ("Hope: a sunflower taller than the cacti.", {"sunflower", "desert"}),
        ("It is odd, since a lamp is in the forest.", {"lamp", "forest"}),
        ("As balloons float over the lawn, all is well.", {"balloons", "park"}),
        # of this picture, although it names people
        ("People stroll through a forest.", {"walking", "forest"}),
        ("People see a rose.", {"rose"}),
        ("A rose lies there for those who are missed.", {"rose"}),
    ],
)
def test_a_general_reason_claims_nothing(text, values):
    assert mentioned(text) == values


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("She is afraid of the snake and angry at the world.", {"anger", "fear"}),
        ("She feels at ease.", {"contentment"}),
        ("It might evoke dread in viewers, and there is a hint of pity.", {"horror", "sympathy"}),
        ("A smiling man, a crying woman, a scowl, wide eyes.", set()),  # faces are no emotions
        ("There is no trace of fear, only joy.", {"joy"}),
        ("Not anger but shame; neither fear nor disgust.", {"shame"}),
        ("Surprised rather than angry, far from sad, without any envy.", {"surprise"}),
        ("It is not only sad but also frightening.", {"sadness", "fear"}),
        ("He can't help feeling lonely.", {"neglect"}),
        ("Is he angry? What about joy?", set()),
    ],
)
def test_which_emotions_are_felt(text, labels):
    assert checker.check(text, SCENE).felt == labels


def test_faults_are_sentences_about_the_scene_and_the_label():
    true = "A smiling woman stands by a rose on the beach in the rain; the photo is dark."
    assert checker.check(true, SCENE, "joy").faults == []  # storms are drawn with rain
    text = "A person sits beside a lamp in the park. The picture is bright."
    assert checker.check(text, SCENE, "joy").faults == [
        "action sitting ('sits'): the scene has standing",
        "object lamp ('lamp'): the scene has rose",
        "background park ('park'): the scene has beach",
        "brightness bright ('bright'): the scene has dark",
    ]
    assert checker.check("He is sad.", SCENE, "joy").faults == ["felt sadness: the label is joy"]


def test_a_claim_holds_the_values_of_the_scene_that_its_words_fit():
    claims = checker.check("A flower, and a vehicle in the rain.", SCENE).claims
    found = [(key(claim.values), claim.words, claim.is_true) for claim in claims]
    assert found == [
        ("rose", "flower", True),
        ("bicycle|car", "vehicle", False),
        ("storm", "rain", True),
    ]


def test_unknown_words_are_reported_and_claim_nothing():
    check = checker.check("A zebra and a rose on a skateboard.", SCENE)
    assert check.unknown == ["zebra", "skateboard"] and check.faults == []


def test_a_scene_without_an_attribute_and_an_unknown_label_are_refused():
    incomplete = {name: value for name, value in SCENE.items() if name != "brightness"}
    with pytest.raises(KeyError, match="brightness"):
        checker.check("A rose.", incomplete)
    with pytest.raises(ValueError, match="unknown label 'hunger'"):
        checker.check("A rose.", SCENE, "hunger")


def grammar_texts(scenes, labels):
    """(text, attributes, label) of every kind of text that the grammar writes."""
    rng = np.random.default_rng(0)
    for scene, fine in zip(scenes, labels, strict=True):
        attributes = asdict(scene)
        yield describe(attributes, rng), attributes, ""
        yield question_about(attributes, rng)[1], attributes, ""
        for label_set in GROUPS:
            label = FROM_PARROTT[label_set].get(str(fine))
            if not label:
                continue
            yield sentiment_question(attributes, label, label_set, rng)[1], attributes, label
            if not evidence(attributes, label, label_set):
                continue
            for held_out in (False, True):
                text = rationale(attributes, label, label_set, rng, held_out, rng.random() < 0.2)
                yield text, attributes, label
            for _, answer in conversation(attributes, label, label_set, rng):
                yield answer, attributes, label


def test_texts_of_the_grammar_are_true_and_hold_no_unknown_word():
    texts = list(grammar_texts(*sample_scenes(500, seed=21)))
    claims, felt = 0, 0
    for text, attributes, label in texts:
        check = checker.check(text, attributes, label)
        claims += len(check.claims)
        assert check.faults == [] and check.unknown == [], text
        felt += bool(check.felt)
    assert len(texts) > 6000 and claims > 15000 and felt > 4000


def test_texts_of_the_grammar_about_another_scene_are_found_false():
    scenes, labels = sample_scenes(300, seed=22)
    moved = [asdict(scene) for scene in scenes]
    rng = np.random.default_rng(1)
    for scene, other in zip(scenes, moved[1:], strict=False):
        check = checker.check(describe(asdict(scene), rng), other)
        false = {claim.attribute for claim in check.claims if not claim.is_true}
        for name in ("object", "expression", "background"):
            assert (name in false) == (getattr(scene, name) != other[name]), (scene, other)


def test_the_checker_imports_nothing_of_the_grammar():
    modules = set()
    for module in (checker, general_reasons):
        tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
        modules |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    of_project = {name for name in modules if name.startswith(("emoscenes", "tinyemo"))}
    assert of_project == {"emoscenes.general_reasons", "tinyemo.emotion_words"}
