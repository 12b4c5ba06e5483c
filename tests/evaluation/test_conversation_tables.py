"""Tables of conversations: scores, averages over seeds, votes, label sets; against scikit-learn."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score, f1_score

from tinyemo.evaluation.conversation_study import (
    STUDIES,
    main_setting,
    plans,
    prompt_table,
    stream_table,
    study_tables,
    subsets,
)
from tinyemo.evaluation.conversation_tables import (
    averaged,
    differences_to,
    generation_table,
    label_set_scores,
    metrics_of,
    rarest_recall,
    run_table,
    vote_table,
)
from tinyemo.models.conversation_prompt import QUESTIONS
from tinyemo.training.conversation_lm import SmallLm

LABELS = ("anger", "joy", "neutral")
P = [f"p_{label}" for label in LABELS]


def predictions(seed: int, run: str = "model", condition: str = "main", n: int = 60):
    """Made-up predictions; a third of the answers is changed at random."""
    rng = np.random.default_rng(seed)
    label = np.array(LABELS)[np.arange(n) % 3]
    p = rng.dirichlet(np.ones(3), size=n)
    table = pd.DataFrame(p, columns=P)
    table["label"], table["pred"] = label, np.array(LABELS)[p.argmax(axis=1)]
    table["id"] = [f"x/{i}" for i in range(n)]
    table["dialogue"] = [f"d{i // 5}" for i in range(n)]
    return table.assign(
        run=run, condition=condition, fold="f", seed=seed, set=table["pred"], text="", seconds=1.0
    )


def test_scores_are_those_of_scikit_learn():
    table = predictions(0)
    row = run_table({"model": table}, LABELS).iloc[0]
    assert row["uar"] == pytest.approx(balanced_accuracy_score(table["label"], table["pred"]))
    expected = f1_score(table["label"], table["pred"], average="weighted")
    assert row["weighted_f1"] == pytest.approx(expected)
    assert row["uar_low"] < row["uar"] < row["uar_high"]
    metrics = metrics_of(run_table({"model": table}, LABELS), {"model": "test/"})
    assert metrics["test/uar"] == row["uar"] and metrics["test/uar_low"] == row["uar_low"]


def test_undecided_utterances_and_generated_texts_are_not_scored():
    table = predictions(0)
    undecided = table.head(7).assign(label="", id=[f"u/{i}" for i in range(7)])
    generated = table.assign(pred="", text="joy")
    whole = pd.concat([table, undecided, generated])
    pd.testing.assert_frame_equal(
        run_table({"model": whole}, LABELS), run_table({"model": table}, LABELS)
    )


def test_the_average_has_the_mean_probabilities():
    parts = [predictions(seed) for seed in range(3)]
    found = averaged(pd.concat(parts), LABELS)
    expected = np.mean([part[P].to_numpy() for part in parts], axis=0)
    np.testing.assert_allclose(found[P], expected)
    assert list(found["pred"]) == list(np.array(LABELS)[expected.argmax(axis=1)])
    assert len(found) == len(parts[0])


def test_kl_is_that_of_its_formula():
    table = predictions(0)
    votes = table[["id"]].head(10).copy()
    shares = np.tile([0.5, 0.5, 0.0], (10, 1))
    votes[P] = shares
    found = vote_table({"model": table}, votes, LABELS).iloc[0]
    p = table[P].to_numpy()[:10]
    expected = (0.5 * np.log(0.5 / p[:, 0]) + 0.5 * np.log(0.5 / p[:, 1])).mean()
    assert found["kl"] == pytest.approx(expected)
    assert found["utterances"] == 10
    nobody = vote_table({"model": table}, votes.head(0), LABELS)
    assert nobody.empty and "kl" in nobody


def test_perfect_label_sets_have_a_score_of_one():
    table = predictions(0).head(4)
    votes = table[["id"]].copy()
    votes[P] = [[1, 0, 0], [0.5, 0.5, 0], [0, 0, 1], [0, 0.3, 0.7]]
    sets = ["anger", "anger, joy", "neutral", "joy, neutral"]
    found = label_set_scores({"model": table.assign(set=sets)}, votes, LABELS).iloc[0]
    assert found["jaccard"] == found["micro_f1"] == found["macro_f1"] == 1
    found = label_set_scores({"model": table.assign(set="anger")}, votes, LABELS).iloc[0]
    assert found["jaccard"] == pytest.approx((1 + 0.5 + 0 + 0) / 4)


def test_differences_of_a_run_to_itself_are_zero():
    table = predictions(0)
    found = differences_to({"a": table, "b": table.assign(run="b")}, "b", LABELS)
    assert (found[["difference", "low", "high"]] == 0).all(axis=None)


def test_the_rarest_label_is_the_one_with_fewest_items():
    table = predictions(0)
    table = table[(table["label"] != "joy") | (table.index < 6)]
    row = rarest_recall({"model": table}, LABELS).iloc[0]
    assert row["label"] == "joy" and row["items"] == 2


def test_generated_answers_are_counted_as_failures_if_they_are_no_label():
    table = predictions(0).head(4).assign(pred="", text=["Anger.", "joy", "not joy", "who knows"])
    row = generation_table(table, LABELS).iloc[0]
    assert row["parse_failures"] == 0.5
    assert row["accuracy"] == 0.5  # anger and joy are the true labels of the first two


def test_plans_compare_what_they_say():
    main = main_setting(("text", "audio", "face"), 2, "vectors", 0.2, 1, 1e-3, SmallLm())
    made = plans(main, STUDIES, 0.3, has_words=True, strength=0.25)
    assert set(made) == set(STUDIES) - {"labels"}
    # one model with dropout is asked about all seven subsets, and each subset has a model
    dropout, conditions = made["streams"][0]
    assert dropout.items.drop_stream == 0.3
    assert len(conditions) == len(made["streams"]) - 1 == len(subsets(main.style.streams)) == 7
    for setting, own in made["streams"][1:]:
        assert setting.items.drop_stream == 0 and setting.style == own[0].style
    # a model is tested with the very style that it was trained with, under the same name
    for setting, own in made["prompts"]:
        tested = {condition.name: condition.style for condition in own}
        assert set(tested) == set(QUESTIONS)
        for style in setting.items.styles:
            assert tested[style.question] == style
    assert {setting.adjustment for setting, _ in made["context"]} == {0.25}
    names = [setting.name for plan in made.values() for setting, _ in plan]
    assert len(names) == len(set(names))
    with pytest.raises(ValueError, match="study 'stream'"):
        plans(main, ["stream"], 0.3, True, 0.0)


def test_study_tables_have_one_row_per_setting():
    parts = [predictions(0, "prompt open", "open"), predictions(1, "prompt open", "bare")]
    table = prompt_table(pd.concat(parts), LABELS).set_index("trained on")
    expected = balanced_accuracy_score(parts[1]["label"], parts[1]["pred"])
    assert table.loc["open", "bare"] == pytest.approx(expected)
    streams = [
        predictions(0, "streams dropout", "text"),
        predictions(1, "streams text", "text"),
    ]
    row = stream_table(pd.concat(streams), LABELS).iloc[0]
    assert row["difference"] == pytest.approx(row["dropout_uar"] - row["own_uar"])
    runs = [predictions(0, "imbalance none"), predictions(1, "imbalance focal loss")]
    found = study_tables("imbalance", pd.concat(runs), LabelsOnly(), seed=0)
    assert list(found) == ["imbalance", "imbalance_differences", "imbalance_rarest"]
    assert list(found["imbalance"]["run"]) == ["imbalance none", "imbalance focal loss"]


class LabelsOnly:
    labels = LABELS
