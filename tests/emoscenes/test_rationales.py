"""Rationales and conversations: faithful to scene and label, varied, with held-out patterns."""

import re
from dataclasses import asdict
from itertools import chain, product
from pathlib import Path

import numpy as np
import pytest
import yaml

from emoscenes.evidence import evidence, weight_of_evidence
from emoscenes.scenes import ATTRIBUTES, sample_scenes
from emoscenes.text.rationales import (
    FAMILIES,
    MEANINGS,
    NAMES,
    conversation,
    is_held_out,
    patterns,
    rationale,
)
from tinyemo.emotions import FROM_PARROTT, GROUPS, LABEL_SETS, SYNONYMS

# value -> pattern of the words that name it in a text; the other values by their own word
PATTERN_FILE = Path(__file__).parent.parent / "data" / "value_patterns.yaml"
PATTERNS = yaml.safe_load(PATTERN_FILE.read_text(encoding="utf-8"))["rationales"]
SHOWS = {
    value: re.compile(PATTERNS.get(value, rf"\b{value}")) for value in chain(*ATTRIBUTES.values())
}
EMOTIONS = re.compile(
    r"\b(" + "|".join({*chain(*LABEL_SETS.values(), *SYNONYMS.values())}) + r")\b"
)


@pytest.fixture(scope="module")
def cases():
    """(attributes, label, label set, evidence) of scenes with evidence for their label."""
    found = []
    for scene, fine in zip(*sample_scenes(1400, seed=4), strict=True):
        for label_set in GROUPS:
            label = FROM_PARROTT[label_set].get(str(fine))
            if label and (pairs := evidence(asdict(scene), label, label_set)):
                found.append((asdict(scene), label, label_set, pairs))
    assert {(label_set, label) for _, label, label_set, _ in found} == {
        (s, k) for s, ks in GROUPS.items() for k in ks
    }
    return found


def shown(text):
    return {value for value, pattern in SHOWS.items() if pattern.search(text.lower())}


@pytest.mark.parametrize("held_out", [False, True])
def test_texts_name_only_evidence_and_only_the_label(cases, held_out):
    rng, two = np.random.default_rng(0), []
    for i, (attributes, label, label_set, pairs) in enumerate(cases):
        text = rationale(attributes, label, label_set, rng, held_out)
        values = {value for _, value in pairs}
        if len(values) > 1:
            two.append(len(shown(text)) > 1)
        talk = conversation(attributes, label, label_set, rng, held_out) if i % 4 == 0 else []
        for said in (text, *chain(*talk)):
            assert shown(said) <= values, said
            assert set(EMOTIONS.findall(said.lower())) <= {label, *SYNONYMS.get(label, ())}, said
            assert re.fullmatch(r"([A-Z][^.?{}]+[a-z][.?] ?)+", said) and "  " not in said
        assert shown(text) and label in text.lower()
    assert np.mean(two) >= 0.95 and len(two) > 800


def test_full_texts_name_all_evidence_at_greater_length(cases):
    rng, lengths = np.random.default_rng(0), []
    for attributes, label, label_set, pairs in cases[:600]:
        text = rationale(attributes, label, label_set, rng, full=True)
        assert shown(text) == {value for _, value in pairs}
        lengths.append(len(text) - len(rationale(attributes, label, label_set, rng)))
    assert np.mean(lengths) > 80


TAGS = {
    **{
        f"{article} {name}".strip(): tag
        for name in chain(*NAMES.values())
        for article, tag in (("the", "<the>"), ("", "<a>"), ("a", "<a>"), ("an", "<a>"))
    },
    **{
        said: tag
        for meaning in chain(*MEANINGS.values())
        for tag, said in zip(("<why>", "<sense>"), meaning, strict=True)
    },
}
FILLED = re.compile(r"\b(" + "|".join(sorted(map(re.escape, TAGS), key=len, reverse=True)) + r")\b")


def sentences_as_patterns(text, label):
    """The sentences of a text with the words that fill slots taken out again."""
    for sentence in re.split(r"(?<=\.) ", text):
        emptied = FILLED.sub(lambda m: TAGS[m[0]], sentence[0].lower() + sentence[1:])
        yield re.sub(r"<a>(, <a>)*( and <a>)?", "<a>", re.sub(rf"\b{label}\b", "<label>", emptied))


def as_sentences(pattern):
    """What `sentences_as_patterns` gives for a pattern, with singular and plural subjects."""
    for (s, be, it), other in product((("s", "is", "it"), ("", "are", "they")), ("s", "")):
        agreed = (
            pattern.replace("{s1}", s)
            .replace("{is1}", be)
            .replace("{it1}", it)
            .replace("{s2}", other)
        )
        tagged = re.sub(r"\{([a-z]+)\d?\}", r"<\1>", agreed.replace("{list}", "{a1}"))
        yield re.sub(r"<a>( and <a>)?", "<a>", tagged)


def test_there_are_many_patterns_and_a_tenth_is_held_out():
    every = patterns()
    assert len(every) == len(set(every)) >= 2000
    assert 0.08 <= np.mean([is_held_out(pattern) for pattern in every]) <= 0.12
    kept_for_good = (
        "{the1} lead{s1} to {label}: {why1}.",
        "{the1} evoke{s1} {label}, since {why1}.",
    )
    assert [is_held_out(pattern) for pattern in kept_for_good] == [True, False]
    for role, families in FAMILIES.items():
        for family in families:
            assert sum(map(is_held_out, family)) >= 6, (role, family[0])


def test_held_out_patterns_occur_only_in_held_out_texts(cases):
    made = {
        side: {
            s
            for pattern in patterns()
            if is_held_out(pattern) == side
            for s in as_sentences(pattern)
        }
        for side in (False, True)
    }
    assert not made[False] & made[True]
    rng, used = np.random.default_rng(1), {False: set(), True: set()}
    for attributes, label, label_set, _ in cases[:3000]:
        for side in used:
            text = rationale(
                attributes, label, label_set, rng, held_out=side, full=rng.random() < 0.1
            )
            answers = [
                answer for _, answer in conversation(attributes, label, label_set, rng, side)
            ][:2]
            used[side].update(
                chain(*(sentences_as_patterns(said, label) for said in (text, *answers)))
            )
    assert used[False] <= made[False] and used[True] <= made[True]
    assert len(used[False]) > 1500 and len(used[True]) > 200


def test_answers_of_conversations_follow_the_weights_of_evidence(cases):
    shares_by_answer = {
        "would be gone|no .* left|nothing would|would not": [],
        "much weaker|most of|far less": [],
        "not gone|would still (?:feel|evoke|speak of)": [],
    }
    rng, turns, most = np.random.default_rng(2), [], 0
    for attributes, label, label_set, pairs in cases:
        talk = conversation(attributes, label, label_set, rng)
        turns.append(len(talk))
        question, answer = talk[-1]
        weights = {
            value: weight_of_evidence(name, value, label, label_set) for name, value in pairs
        }
        if gone := shown(question):
            share = weights[gone.pop()] / sum(weights.values())
            [kind] = [words for words in shares_by_answer if re.search(words, answer)]
            shares_by_answer[kind].append(share)
        else:
            first, second = sorted(weights, key=weights.get, reverse=True)[:2]
            most += 1
            assert shown(answer) == {first, second} and shown(answer.split(" than the ")[1]) == {
                second
            }, answer
    alone, more, less = shares_by_answer.values()
    assert set(alone) == {1.0} and 0.5 < min(more) and max(more) < 1 and max(less) <= 0.5
    assert set(turns) == {2, 3} and most > 100


def test_no_meaning_is_given_twice(cases):
    """A text has the clause or the sense of a meaning, once; two pieces never mean the same."""
    rng, senses = np.random.default_rng(5), dict(chain(*MEANINGS.values()))
    for attributes, label, label_set, _ in cases[:3000]:
        text = rationale(attributes, label, label_set, rng).lower()
        said = [
            senses.get(part, part)
            for part in FILLED.findall(text)
            if TAGS[part] in ("<why>", "<sense>")
        ]
        assert said and len(said) == len(set(said)), text


def test_neglect_shame_and_suffering_are_not_felt_by_viewers(cases):
    rng, of = np.random.default_rng(6), 0
    for attributes, label, label_set, _ in cases:
        if label in ("neglect", "shame", "suffering"):
            talk = conversation(attributes, label, label_set, rng)
            for said in (rationale(attributes, label, label_set, rng), *chain(*talk)):
                assert said.lower().count(label) == said.count(f"of {label}"), said
                of += label in said
    assert of > 300


def test_texts_repeat_for_a_seed_and_need_evidence(cases):
    attributes, label, label_set, _ = cases[0]
    for write in (rationale, conversation):
        one, two = (write(attributes, label, label_set, np.random.default_rng(7)) for _ in range(2))
        assert one == two
        with pytest.raises(ValueError, match="no evidence for 'joy' .ekman. in the scene"):
            write(
                attributes
                | {
                    "object": "lamp",
                    "expression": "neutral",
                    "background": "park",
                    "action": "standing",
                },
                "joy",
                "ekman",
                np.random.default_rng(7),
            )
