"""Scores of explanations agree with a count by hand, their tables with numpy."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from scipy.stats import binomtest

from emoscenes import checker
from emoscenes.evidence import evidence, weight_of_evidence
from emoscenes.scenes import SIGNATURES, make_records
from emoscenes.text.rationales import rationale
from tinyemo.emoreason.requests import attributes_of
from tinyemo.evaluation.evidence_scores import SCORES
from tinyemo.evaluation.reasoning import MEASURES, differences, score_texts, summarise, tower_error
from tinyemo.evaluation.text_checks import GroundTruth

DECISIVE = ("object", "expression", "background", "action")
EXPLANATION_FILE = Path(__file__).parent.parent / "data" / "explanations.yaml"
EXPLANATIONS = yaml.safe_load(EXPLANATION_FILE.read_text(encoding="utf-8"))
SCENES = EXPLANATIONS["scenes"]
ATTRIBUTE = {value: name for scene in SCENES.values() for name, value in scene.items()}


def evidence_by_hand(attributes, label, label_set):
    assert label_set == "parrott"
    (scene,) = (name for name, scene in SCENES.items() if scene["object"] == attributes["object"])
    values = EXPLANATIONS["evidence"][scene].get(label, [])
    return [(ATTRIBUTE[value], value) for value in values]


def weight_by_hand(attribute, value, label, label_set):
    """6, 3, 2 and 1.5 nats, from the heaviest piece to the lightest."""
    for pieces in EXPLANATIONS["evidence"].values():
        if value in pieces.get(label, []):
            return 6 / (1 + pieces[label].index(value))
    raise AssertionError(f"{value} is no evidence for {label}")


BY_HAND = GroundTruth(evidence_by_hand, weight_by_hand, DECISIVE, checker)
EMOSCENES = GroundTruth(evidence, weight_of_evidence, SIGNATURES, checker)


def records(**labels):
    """The records of the scenes; `labels` changes true labels."""
    labels = {"yard": "horror", "tip": "disgust", "sea": "optimism"} | labels
    return pd.DataFrame(
        [
            {
                "id": name,
                "label": labels[name],
                "label_set": "parrott",
                **{f"attr_{key}": value for key, value in scene.items()},
            }
            for name, scene in SCENES.items()
        ]
    )


def score(scene, given, text, **labels):
    texts = pd.DataFrame([{"id": scene, "condition": "toy", "given": given, "text": text}])
    return score_texts(texts, records(**labels), BY_HAND).iloc[0]


@pytest.mark.parametrize("case", EXPLANATIONS["evidence_scores"], ids=lambda case: case[2][:40])
def test_precision_and_recall_agree_with_a_count_by_hand(case):
    scene, given, text, *shares = case
    precision, recall = (float(Fraction(share)) for share in shares)
    one = score(scene, given, text)
    assert (one["precision"], one["strict_recall"]) == pytest.approx((precision, recall))
    assert one["strict_f1"] == pytest.approx(
        2 * precision * recall / (precision + recall) if precision + recall else 0
    )


def test_scores_for_the_given_and_for_the_true_label():
    text = "The ghost and the wide eyes bring nervousness."
    wrong = score("yard", "nervousness", text)
    assert wrong[["correct", "pieces", "true_pieces", "claims"]].tolist() == [0, 3, 3, 2]
    assert wrong[["precision", "strict_recall", "strict_f1"]].tolist() == [0.5, 0.5, 0.5]
    assert wrong["recall"] == pytest.approx(6 / 9)  # names the heavier of two pieces
    assert wrong[["true_precision", "true_recall", "true_f1"]].tolist() == [1, 1, 1]
    unspoken = score("yard", "pride", text)
    assert unspoken[["precision", "recall", "f1"]].isna().all() and unspoken["true_f1"] == 1
    unread = score("yard", "", text)  # a model that should find the label named none
    assert unread[["correct", "f1", "copied"]].tolist() == [0, 0, 0] and unread["true_f1"] == 1


@pytest.mark.parametrize(
    ("given", "text", "invented", "wrong", "copied"),
    [
        ("horror", "The ghost brings horror.", 0, 0, 1),
        ("horror", "The ghost brings fear.", 0, 0, 1),  # a coarser word for it
        ("horror", "The ghost and the umbrella, a big umbrella: horror.", 1, 1, 1),
        ("horror", "A snake and a book on the beach: horror by day.", 2, 4, 1),
        ("horror", "The ghost brings horror and joy.", 0, 1, 0),
        ("horror", "No snake, no book: just horror.", 0, 0, 1),
        ("horror", "There is a ghost.", 0, 0, 0),
        ("nervousness", "The ghost brings disgust.", 0, 1, 0),
        # a general reason invents nothing
        ("horror", "The ghost brings horror: a snake bites those who are careless.", 0, 0, 1),
        ("horror", "The ghost brings horror: a snake lies beside it.", 1, 1, 1),
    ],
)
def test_invented_faults_and_copied_labels(given, text, invented, wrong, copied):
    one = score("yard", given, text)
    assert one[["invented", "faults", "copied"]].tolist() == [invented, wrong, copied]


def test_words_unknown_to_the_checker_are_counted_and_not_judged():
    one = score("yard", "horror", "The ghost and the zebra bring horror.")
    assert one[["unknown", "invented", "faults", "precision"]].tolist() == [1, 0, 0, 1]


def test_rationales_of_the_grammar_have_precision_one_and_name_the_heaviest_evidence():
    table, _ = make_records(2, 2, 400, seed=5)
    table = table[table["split"] == "test"]
    known = {row["id"]: (attributes_of(row), row["label"]) for row in table.to_dict("records")}
    rng, rows = np.random.default_rng(0), []
    for name, (attributes, label) in known.items():
        if evidence(attributes, label):
            rows += [
                (name, str(held_out), label, rationale(attributes, label, "parrott", rng, held_out))
                for held_out in (False, True)
            ]
    texts = pd.DataFrame(rows, columns=["id", "condition", "given", "text"])
    scores = score_texts(texts, table, EMOSCENES)
    assert (
        len(scores) > 700
        and (scores["precision"] == 1).all()
        and scores["strict_recall"].mean() > 0.99
    )
    assert (scores["invented"] + scores["faults"] == 0).all() and scores["copied"].mean() > 0.99
    # The same texts held against other scenes: their invented objects are faults of the checker.
    moved = texts.assign(id=np.roll(texts["id"], 2), given="horror")
    scores = score_texts(moved, table, EMOSCENES)
    found = [
        checker.check(text, known[name][0]).faults
        for name, text in zip(moved["id"], moved["text"], strict=True)
    ]
    assert scores["invented"].tolist() == [
        sum(one.startswith("object ") for one in each) for each in found
    ]
    assert 0.3 < scores["invented"].mean() < 1 and scores["true_f1"].mean() < 0.4


def test_intervals_resample_scenes_and_differences_are_paired():
    rng = np.random.default_rng(1)
    skill, n = rng.random(300), 300
    a, b = skill + 0.1 + 0.05 * rng.normal(size=n), skill
    scores = pd.concat(
        [
            pd.DataFrame(
                {"id": np.tile(np.arange(n), 2), "condition": "a", "f1": np.concatenate([a, a])}
            ),
            pd.DataFrame({"id": np.arange(n)[::-1], "condition": "b", "f1": b[::-1]}),
        ],
        ignore_index=True,
    )
    scores.loc[scores["id"] == 7, "f1"] = np.nan
    kept = np.arange(n) != 7
    table = summarise(scores, ["f1"]).set_index("condition")
    assert (
        table["mean"].tolist() == pytest.approx([a[kept].mean(), b[kept].mean()])
        and (table["scenes"] == 299).all()
    )
    error = 1.96 * a[kept].std() / np.sqrt(299)  # two texts about a scene count as one
    assert table.loc["a", ["low", "high"]].tolist() == pytest.approx(
        [a[kept].mean() - error, a[kept].mean() + error], abs=0.1 * error
    )
    (row,) = differences(scores, [("a", "b", "f1")]).to_dict("records")
    spread = 1.96 * (a - b)[kept].std() / np.sqrt(299)
    assert row["difference"] == pytest.approx((a - b)[kept].mean()) and row["scenes"] == 299
    assert (row["low"], row["high"]) == pytest.approx(
        (row["difference"] - spread, row["difference"] + spread), abs=0.1 * spread
    )
    assert (
        row["high"] - row["low"] < (table["high"] - table["low"]).min() / 3
        and row["p_holm"] < 0.001
    )
    with pytest.raises(ValueError, match="conditions 'a' and 'c': found no scene"):
        differences(scores, [("a", "c", "f1")])
    nothing = summarise(scores.assign(f1=np.nan), ["f1"])
    assert nothing["mean"].isna().all() and (nothing["scenes"] == 0).all()


def test_intervals_cover_trainings_and_scenes():
    """The width of an interval follows from the variances of trainings and scenes."""
    rng = np.random.default_rng(0)
    trainings, scenes = 12, 400
    of_training, of_scene = 0.1 * rng.normal(size=trainings), 0.2 * rng.normal(size=scenes)
    rows = [
        {"condition": name, "training": t, "id": i, "f1": level + of_training[t] + of_scene[i]}
        for name, level in (("a", 0.5), ("b", 0.4))
        for t in range(trainings)
        for i in range(scenes)
    ]
    scores = pd.DataFrame(rows)
    # in b the trainings differ in the other direction, so they do not cancel in the difference
    in_b = scores["condition"] == "b"
    scores.loc[in_b, "f1"] -= 2 * of_training[scores.loc[in_b, "training"]]
    row = summarise(scores, ["f1"]).iloc[0]
    error = np.sqrt(of_training.var(ddof=1) / trainings + of_scene.var() / scenes)
    assert row["high"] - row["low"] == pytest.approx(2 * 1.96 * error, rel=0.1)
    assert (row["trainings"], row["scenes"]) == (trainings, scenes)
    assert row["sd"] == pytest.approx(of_training.std(ddof=1))
    (both,) = differences(scores, [("a", "b", "f1")]).to_dict("records")
    assert both["difference"] == pytest.approx(0.1 + 2 * of_training.mean())
    spread = 2 * of_training.std(ddof=1) / np.sqrt(trainings)  # scenes cancel, trainings do not
    assert both["high"] - both["low"] == pytest.approx(2 * 1.96 * spread, rel=0.15)
    # one training: its scenes alone
    one = summarise(scores[scores["training"] == 0], ["f1"]).iloc[0]
    assert one["high"] - one["low"] == pytest.approx(3.92 * of_scene.std() / 20, rel=0.1)


def test_a_share_of_texts_that_is_0_or_1_has_an_interval():
    """A bootstrap of 0 of 20 copied labels would be [0, 0]."""
    rows = [{"condition": "a", "training": t, "id": i} for t in range(3) for i in range(20)]
    scores = pd.DataFrame(rows).assign(copied=0.0, correct=1.0)
    none, all_of_them = summarise(scores, ["copied", "correct"]).to_dict("records")
    limits = binomtest(0, 20).proportion_ci(method="wilson")
    assert (none["mean"], none["low"]) == (0, 0) and none["high"] == pytest.approx(limits.high)
    assert all_of_them["low"] == pytest.approx(1 - limits.high) and all_of_them["high"] == 1
    # trainings that differ widen it
    mixed = scores.assign(correct=(scores["training"] > 0).astype(float))
    (row,) = summarise(mixed, ["correct"]).to_dict("records")
    alone = binomtest(40, 60).proportion_ci(method="wilson")
    assert row["low"] < alone.low and alone.high < row["high"] <= 1


def test_the_summary_has_one_row_per_condition_and_measure():
    texts = pd.DataFrame(
        {
            "id": ["yard", "sea"],
            "condition": ["true", "wrong"],
            "given": ["horror", "pride"],
            "text": ["The ghost brings horror.", "A book."],
        },
        index=[5, 3],
    )
    scores = score_texts(texts, records(), BY_HAND)
    assert scores.index.tolist() == [5, 3] and scores["correct"].tolist() == [1, 0]
    table = summarise(scores)
    assert list(table["measure"]) == [*MEASURES, *MEASURES]
    # nothing speaks for pride
    assert table[table["scenes"] == 0]["measure"].tolist() == list(SCORES)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"id": "moon"}, "text about 'moon': expected the id of one of the 3 records"),
        (
            {"given": "joy"},
            "text about 'yard': its given label is 'joy', expected one of affection, .*, or ''",
        ),
    ],
)
def test_a_text_about_no_scene_or_with_a_foreign_label_is_refused(change, message):
    row = {"id": "yard", "condition": "toy", "given": "horror", "text": "A ghost."} | change
    with pytest.raises(ValueError, match=message):
        score_texts(pd.DataFrame([row]), records(), BY_HAND)


def test_a_missing_column_is_refused_by_name():
    texts = pd.DataFrame(
        [{"id": "yard", "condition": "toy", "given": "horror", "text": "A ghost."}]
    )
    with pytest.raises(ValueError, match="texts: column 'given' is missing"):
        score_texts(texts.drop(columns="given"), records(), BY_HAND)
    incomplete = records().drop(columns="attr_weather")
    with pytest.raises(ValueError, match="records: column 'attr_weather' is missing"):
        score_texts(texts, incomplete, BY_HAND)


def test_tower_error_is_the_error_of_a_probe():
    """Two of four objects look alike: the probe misjudges half of their test items."""
    rng = np.random.default_rng(0)
    things = np.array(["book", "car", "lamp", "rose"])[np.arange(1200) % 4]
    seen = np.where(things == "rose", "lamp", things)
    features = np.eye(3)[np.unique(seen, return_inverse=True)[1]] + 0.05 * rng.normal(
        size=(1200, 3)
    )
    table = pd.DataFrame(
        {"split": np.repeat(["train", "validation", "test"], 400), "attr_object": things}
    )
    error = tower_error(table, features)
    assert error["error"] == pytest.approx(0.25, abs=0.05) and error["items"] == 400
    assert error["low"] < 0.25 < error["high"] and error["high"] - error["low"] < 0.1
    with pytest.raises(ValueError, match="expected a column attr_colour"):
        tower_error(table, features, "colour")
    with pytest.raises(ValueError, match="splits train and test, got 400 in train and 0 in test"):
        tower_error(table[:800], features[:800])
