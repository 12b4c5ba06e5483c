"""The baseline without pictures: its claims are the best fixed ones, and its texts say them."""

from itertools import combinations

import pandas as pd
import pytest

from emoscenes import checker
from emoscenes.evidence import evidence, weight_of_evidence
from emoscenes.scenes import SIGNATURES, make_records
from tinyemo.evaluation.evidence_scores import F1_SCORES
from tinyemo.evaluation.reasoning import score_texts
from tinyemo.evaluation.text_checks import GroundTruth
from tinyemo.evaluation.text_only import choose_words, text_only

TRUTH = GroundTruth(evidence, weight_of_evidence, SIGNATURES, checker)


@pytest.fixture(scope="module")
def records():
    table, _ = make_records(1500, 1, 1, seed=3)
    return table[table["split"] == "train"]


def test_each_phrase_of_the_checker_claims_what_it_stands_for():
    for words, (attribute, values) in checker.PHRASES.items():
        text = f"{words} picture" if attribute in checker.LEVELS else words
        mention = checker.read(text).mentions[0]
        assert (mention.attribute, mention.values) == (attribute, values), words


def mean_of(records, label, words, measure):
    """The mean score of a text with these words about every scene of a label."""
    part = records[records["label"] == label]
    texts = text_only(dict.fromkeys(part["id"], label), {label: words})
    return score_texts(texts, part, TRUTH)[measure].mean()


@pytest.mark.parametrize("measure", F1_SCORES)
def test_no_pair_or_single_claim_is_better_than_the_chosen_ones(records, measure):
    label = "horror"
    part = records[records["label"] == label]
    chosen = choose_words(part, TRUTH, measure)[label]
    best = mean_of(part, label, chosen, measure)
    candidates = ["ghost", "snake", "wide eyed", "graveyard", "crouch", "open mouthed", "forest"]
    few = part.head(25)
    others = [*combinations(candidates, 1), *combinations(candidates, 2)]
    chosen_here = choose_words(few, TRUTH, measure)[label]
    best_here = mean_of(few, label, chosen_here, measure)
    assert all(mean_of(few, label, words, measure) <= best_here + 1e-9 for words in others)
    assert best > 0.6 and "ghost" in chosen


def test_texts_name_the_same_things_whatever_the_scene_shows(records):
    words = choose_words(records, TRUTH)
    assert set(words) == set(records["label"])
    texts = text_only(dict(zip(records["id"], records["label"], strict=True)), words)
    assert texts.groupby("given")["text"].nunique().eq(1).all()
    scores = score_texts(texts, records, TRUTH)
    assert (scores["copied"] == 1).all() and (scores["unknown"] == 0).all()
    # it cannot know which object is there
    assert scores["invented"].mean() > 0.2
    assert 0.65 < scores["f1"].mean() < 0.85


def test_a_label_without_evidence_in_training_names_nothing():
    table = pd.DataFrame(
        [
            {
                "id": "d/1",
                "label": "horror",
                "label_set": "parrott",
                "attr_object": "lamp",
                "attr_expression": "neutral",
                "attr_background": "office",
                "attr_action": "standing",
            }
        ]
    )
    words = choose_words(table, TRUTH)
    assert words == {"horror": ()}
    texts = text_only({"d/1": "horror", "d/2": "zest"}, words)
    assert texts["text"].tolist() == ["horror.", "zest."]
