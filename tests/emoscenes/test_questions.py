"""Captions and questions, read back by the words listed here and compared with their scene."""

import re
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import yaml

from emoscenes.evidence import evidence
from emoscenes.scenes import ATTRIBUTES, sample_scenes
from emoscenes.text.questions import TOPICS, describe, question_about, sentiment_question
from tinyemo.emotions import FROM_PARROTT, LABEL_SETS, SYNONYMS

PATTERN_FILE = Path(__file__).parent.parent / "data" / "value_patterns.yaml"
RELATED = """
affectionate cheerful happy confused disappointed disgusted disgusting enthralled envious
grateful horrible horrifying irritated nervous optimistic proud enraged raging furious relieved
sad ashamed surprised surprising amused sympathetic amusing angry excited exciting afraid scared
scary fearful joyful lonely gloomy feel feeling mood pleasant unpleasant
""".split()
WORDS_OF_FEELING = re.compile(
    r"\b("
    + "|".join(
        [
            *{word for words in LABEL_SETS.values() for word in words},
            *sum(SYNONYMS.values(), ()),
            *RELATED,
        ]
    )
    + r")\b"
)

# attribute -> value -> pattern of the words that name it
TELLING = yaml.safe_load(PATTERN_FILE.read_text(encoding="utf-8"))["captions"]
PATTERNS = {}
for attribute, table in TELLING.items():
    for value, pattern in table.items():
        PATTERNS[attribute, value] = re.compile(rf"\b(?:{pattern})\b")


def named(text):
    """The (attribute, value) pairs that a text names."""
    text = text.lower().replace("falling snow", "snow").replace("colours", "")
    return {pair for pair, pattern in PATTERNS.items() if pattern.search(text)}


def truth_of(attributes):
    dim = attributes["time"] == "night" or attributes["weather"] in ("rain", "storm")
    light = {
        ("brightness", "dark"): attributes["brightness"] < 0.35
        and (dim or attributes["weather"] != "snow"),
        ("brightness", "bright"): attributes["brightness"] > 0.65 and not dim,
        ("colorfulness", "faded"): attributes["colorfulness"] < 0.35,
        ("colorfulness", "colourful"): attributes["colorfulness"] > 0.65,
    }
    return {(a, attributes[a]) for a in ATTRIBUTES} | {
        pair for pair, holds in light.items() if holds
    }


@pytest.fixture(scope="module")
def scenes():
    drawn, labels = sample_scenes(5000, seed=8)
    return [asdict(scene) for scene in drawn], labels


def test_captions_are_true_detailed_varied_and_without_feeling(scenes):
    rng = np.random.default_rng(0)
    captions = [describe(attributes, rng) for attributes in scenes[0]]
    for text, attributes in zip(captions, scenes[0], strict=True):
        found = named(text)
        assert found <= truth_of(attributes), (text, found - truth_of(attributes))
        kinds = {attribute.replace("colorfulness", "brightness") for attribute, _ in found}
        assert {"object", "expression", "background"} <= kinds and 4 <= len(kinds) <= 8, text
        assert 15 <= len(text.split()) <= 45 and 1 <= text.count(".") <= 3
        assert not WORDS_OF_FEELING.search(text.lower()) and "{" not in text, text
        through_window = attributes["background"] in ("bedroom", "office") and "weather" in kinds
        assert ("outside the window" in text) == through_window, text
        assert all(sentence[0].isupper() for sentence in text.rstrip(".").split(". "))
    assert len(set(captions)) > 0.995 * len(captions)


def test_captions_avoid_known_clumsy_phrases(scenes):
    """No adjective after its noun, no two places, no fragment, no time directly before weather."""
    rng = np.random.default_rng(10)
    for attributes in scenes[0]:
        text = describe(attributes, rng)
        assert not re.search(
            r"(?:person|someone|somebody) (?:wide-eyed|open-mouthed)|showing", text
        ), text
        assert not re.search(
            r"(?:to a bed|near \w+ \w+|of waste) (?:right beside|beside|close to)", text
        ), text
        assert not re.search(
            r"\. An? [^.]*(?:picture|photo|photograph|painting) (?:of|in which)", text
        ), text
        assert not re.search(
            r"(?:by day|in daylight|at night|evening|sunset) (?:in|under)", text
        ), text


@pytest.fixture(scope="module")
def asked(scenes):
    rng = np.random.default_rng(1)
    return [(*question_about(attributes, rng), attributes) for attributes in scenes[0]]


def test_answers_are_true_and_about_what_is_asked(asked):
    for question, answer, attributes in asked:
        truth = truth_of(attributes)
        denial = re.match(r"No, [^;.]+", answer)
        denied = named(denial[0]) if denial else set()
        found = named(answer[denial.end() :] if denial else answer)
        assert found <= truth and denied.isdisjoint(truth), (question, answer)
        assert len(denied) == bool(denial) and (found or denied), (question, answer)
        topic = {attribute for attribute, _ in found | denied}
        assert len(topic) == 1, (question, answer)
        if not denial and len(named(question)) == 2 and " or " in question:
            assert found <= named(question), (question, answer)
        if answer.startswith("Yes"):
            assert named(question) == found, (question, answer)
        if denial:
            assert named(question) == denied, (question, answer)
        assert not WORDS_OF_FEELING.search(f"{question} {answer}".lower())
        assert (
            "{" not in question + answer
            and answer.endswith(".")
            and question[0].isupper()
            and answer[0].isupper()
        )


def test_yes_and_no_are_balanced_and_each_attribute_is_asked_about(asked):
    first = [answer.split(",")[0] for _, answer, _ in asked]
    yes, no = first.count("Yes"), first.count("No")
    assert yes + no > 1000 and abs(yes - no) < 4 * np.sqrt(yes + no)
    assert {a for question, answer, _ in asked for a, _ in named(answer)} == set(TELLING)
    objects = [
        (q, a, attributes["object"])
        for q, a, attributes in asked
        if q in ("What object is in the picture?", "What is next to the person?")
    ]
    assert len(objects) > 30 and all(thing in a.lower() for _, a, thing in objects)


def test_there_are_at_least_sixty_forms_of_questions():
    forms = {form for topic in TOPICS.values() for form in topic.ask}
    forms |= {
        (kind, claim)
        for topic in TOPICS.values()
        for claim in topic.claims
        for kind in ("check", "choose")
    }
    assert len(forms) >= 60


def test_no_question_is_about_what_the_picture_might_also_show(scenes):
    scene = {
        **scenes[0][0],
        "weather": "storm",
        "action": "sitting",
        "object": "lamp",
        "brightness": 0.5,
    }
    rng = np.random.default_rng(2)
    asked = " ".join(question_about(scene, rng)[0] for _ in range(2000)).lower()
    assert "snowy" in asked and "backpack" in asked
    assert not any(word in asked for word in ("rainy", "cloudy", "chair", "bright", "dark"))


def test_singular_and_plural_agree(scenes):
    rng = np.random.default_rng(3)
    several, one = ({**scenes[0][0], "object": thing} for thing in ("balloons", "umbrella"))
    texts = " ".join(
        " ".join([*question_about(several, rng), describe(several, rng)]) for _ in range(400)
    ).lower()
    assert not re.search(
        r"\ba balloons|balloons (?:\w+ \w+ )?is\b|there is (?:no |three )?balloons", texts
    )
    assert re.search(r"there are (?:three )?balloons", texts)
    texts = " ".join(
        " ".join([*question_about(one, rng), describe(one, rng)]) for _ in range(400)
    ).lower()
    assert "an umbrella" in texts and not re.search(
        r"\ba umbrella|\ban? abstract image of an? an", texts
    )


@pytest.mark.parametrize("label_set", ["parrott", "ekman", "mikels"])
def test_answers_about_feeling_name_only_the_label_and_evidence(scenes, label_set):
    rng = np.random.default_rng(4)
    every = re.compile(
        r"\b(" + "|".join({word for words in LABEL_SETS.values() for word in words}) + r")\b"
    )
    cited = 0
    for attributes, fine in zip(scenes[0][:2500], scenes[1], strict=False):
        if not (label := FROM_PARROTT[label_set].get(fine)):
            continue
        question, answer = sentiment_question(attributes, label, label_set, rng)
        assert set(every.findall(answer.lower())) == {label} and not every.search(question.lower())
        assert answer.count("pleasant") == 1 + ("neither" in answer)
        pairs = named(answer)
        assert len(pairs) <= 1 and pairs <= set(evidence(attributes, label, label_set)), answer
        cited += len(pairs)
    assert cited > 1000


@pytest.mark.parametrize(
    ("label", "like"),
    [
        ("gratitude", "pleasant"),
        ("joy", "pleasant"),
        ("awe", "pleasant"),
        ("rage", "unpleasant"),
        ("fear", "unpleasant"),
        ("shame", "unpleasant"),
        ("surprise", "neither"),
        ("confusion", "neither"),
    ],
)
def test_answers_say_whether_a_feeling_is_pleasant(scenes, label, like):
    label_set = next(name for name in ("parrott", "ekman", "mikels") if label in LABEL_SETS[name])
    _, answer = sentiment_question(scenes[0][0], label, label_set, np.random.default_rng(5))
    assert like in re.findall(r"\b(?:neither|pleasant|unpleasant)\b", answer)
    assert (like == "neither") == ("neither" in answer)


def test_captions_depend_on_the_generator_and_not_on_the_seed_of_the_drawing(scenes):
    scene = sample_scenes(1, seed=0)[0][0]
    for seed in range(20):
        one, two = (
            describe(asdict(s), np.random.default_rng(seed))
            for s in (scene, replace(scene, seed=1))
        )
        assert one == two
    assert len({describe(asdict(scene), np.random.default_rng(seed)) for seed in range(20)}) == 20
