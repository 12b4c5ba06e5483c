"""Cross-validation of conversation models: folds apart, resumption, predictions, choices."""

import numpy as np
import pandas as pd
import pytest
import torch

from emoscenes.dialogues import make_dialogues
from tinyemo.data.folds import Fold, leave_one_group_out
from tinyemo.evaluation import conversation_folds
from tinyemo.evaluation.conversation_baselines import predict_baselines, stream_features
from tinyemo.evaluation.conversation_folds import Condition, chosen_strength, predict_folds
from tinyemo.evaluation.conversation_study import main_plan, main_setting, strength_of
from tinyemo.training.conversation_data import (
    conversation_data,
    default_tokenizer,
    vectors_of_arrays,
)
from tinyemo.training.conversation_lm import SmallLm

OPTIONS = {"context": 1, "text_as": "vectors", "drop_stream": 0.2, "epochs": 1}
OPTIONS |= {"lr": 1e-3, "shape": SmallLm(width=16)}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    made = make_dialogues(300, seed=1, missing=0.2)
    folder = tmp_path_factory.mktemp("tokenizer")
    tokenizer = default_tokenizer(made.utterances, "", folder)
    streams = vectors_of_arrays(made.streams, made.present)
    return conversation_data(made.utterances, "iemocap4", streams, tokenizer)[0]


@pytest.fixture(scope="module")
def folds(data):
    return leave_one_group_out(data.records, validation=True)[:2]


@pytest.fixture(scope="module")
def main(data):
    return main_setting(tuple(data.streams), **OPTIONS)


@pytest.fixture(scope="module")
def undisturbed(data, folds, main, tmp_path_factory):
    out = tmp_path_factory.mktemp("undisturbed")
    return predict_folds(data, folds, main_plan(main), out)


def test_every_test_utterance_is_predicted_once_per_condition(undisturbed, data, folds):
    likelihood = undisturbed[undisturbed["condition"] == "main"]
    scored = likelihood[likelihood["label"] != ""]
    assert sorted(scored["id"]) == sorted([*folds[0].test, *folds[1].test])
    p = likelihood[[f"p_{label}" for label in data.labels]].to_numpy()
    np.testing.assert_allclose(p.sum(axis=1), 1, atol=1e-6)
    assert (np.array(data.labels)[p.argmax(axis=1)] == likelihood["pred"]).all()
    undecided = likelihood[likelihood["label"] == ""]
    groups = data.undecided[data.undecided["group"].isin([folds[0].name, folds[1].name])]
    assert sorted(undecided["id"]) == sorted(groups["id"])
    generated = undisturbed[undisturbed["condition"] == "generated"]
    assert len(generated) == len(likelihood)


def test_a_study_that_was_killed_between_folds_continues(
    undisturbed, data, folds, main, tmp_path, monkeypatch
):
    fit = conversation_folds.fit_conversation_model
    trained = []

    def killed(data, ids, setting, out, *rest):
        if len(trained) == 2:  # both models of the first fold are done
            raise KeyboardInterrupt
        trained.append(out)
        return fit(data, ids, setting, out, *rest)

    monkeypatch.setattr(conversation_folds, "fit_conversation_model", killed)
    with pytest.raises(KeyboardInterrupt):
        predict_folds(data, folds, main_plan(main), tmp_path)
    monkeypatch.setattr(conversation_folds, "fit_conversation_model", fit)
    first = tmp_path / "main" / f"{folds[0].name}-0" / "predictions.parquet"
    before = first.stat().st_mtime_ns
    continued = predict_folds(data, folds, main_plan(main), tmp_path)
    assert first.stat().st_mtime_ns == before
    same = [name for name in undisturbed if name != "seconds"]
    pd.testing.assert_frame_equal(continued[same], undisturbed[same])


def test_other_data_are_predicted_anew(data, folds, main, tmp_path):
    plan = [(main, [Condition("main", main.style)])]
    one = predict_folds(data, folds[:1], plan, tmp_path)
    changed = make_dialogues(300, seed=2)
    streams = vectors_of_arrays(changed.streams, changed.present)
    other, _ = conversation_data(changed.utterances, "iemocap4", streams, data.tokenizer)
    again = leave_one_group_out(other.records, validation=True)[:1]
    two = predict_folds(other, again, plan, tmp_path)
    assert not np.allclose(one["p_anger"].head(20), two["p_anger"].head(20))


def test_a_split_of_single_utterances_is_refused_with_the_ids(data, main, tmp_path):
    ids = data.records["id"].to_numpy(dtype=object)
    random = np.random.default_rng(0).permutation(ids)
    leaky = Fold("random", random[:150], random[150:180], random[180:])
    with pytest.raises(ValueError, match=r"fold 'random'.*dialogues/") as error:
        predict_folds(data, [leaky], main_plan(main), tmp_path)
    assert "dialogue" in str(error.value) or "group" in str(error.value)
    assert not list(tmp_path.iterdir())


def test_the_strength_of_the_adjustment_follows_the_validation_part():
    # with the prior's help the model always says the frequent label, against the truth
    prior = np.array([0.8, 0.2])
    truth = ["frequent"] * 5 + ["rare"] * 5
    scores = np.log([[0.8, 0.2]] * 5 + [[0.6, 0.4]] * 5)
    assert chosen_strength(scores, prior, truth, ("frequent", "rare")) == 0.5
    assert chosen_strength(scores, prior, ["frequent"] * 10, ("frequent", "rare")) == 0.0


def test_generated_answers_do_not_count_for_the_strength_that_was_chosen():
    conditions = ["main"] * 3 + ["generated"] * 3
    strengths = [0.25, 0.5, 0.25, 0.0, 0.0, 0.0]
    assert strength_of(pd.DataFrame({"condition": conditions, "strength": strengths})) == 0.25


def test_baselines_predict_the_same_utterances(data, folds, undisturbed, tmp_path):
    found = predict_baselines(data, folds, tmp_path, with_words=True)
    assert list(found["run"].unique()) == [
        "majority",
        "baseline",
        "baseline_context",
        "baseline_words",
    ]
    likelihood = undisturbed[undisturbed["condition"] == "main"]
    for _, part in found.groupby("run"):
        assert list(part["id"]) == list(likelihood["id"])
    scored = found[found["label"] != ""]
    majority = scored[scored["run"] == "majority"]
    assert majority.groupby("fold")["pred"].nunique().eq(1).all()
    accuracy = (scored["pred"] == scored["label"]).groupby(scored["run"]).mean()
    assert accuracy["baseline"] > accuracy["majority"]


def test_missing_vectors_are_zero_and_marked(data):
    x = stream_features(data)
    widths = [stream.vectors.shape[1] for stream in data.streams.values()]
    assert x.shape[1] == sum(widths) + 3  # text is never missing
    audio = data.streams["audio"]
    start = widths[0]
    block, mark = x[:, start : start + widths[1]], x[:, start + widths[1]]
    assert (block[~audio.present] == 0).all()
    assert (mark == audio.present).all()
    torch.testing.assert_close(
        torch.tensor(block[audio.present]), audio.vectors[torch.tensor(audio.present)]
    )
