"""The best possible UAR: against brute force, sampled labels, known cases, and the stored table."""

from itertools import product

import numpy as np
import pytest
from scipy.optimize import approx_fprime

from emoscenes.dialogue_additive import additive_loss, fitted_additive_uar
from emoscenes.dialogue_model import MODEL, STREAMS, DialogueModel, label_codes
from emoscenes.dialogue_optimum import (
    LABEL_SETS,
    SUBSETS,
    additive_uar,
    best_of_shares,
    best_uar,
    enumerated_joint,
    filtered,
    label_matrix,
    label_prior,
    recall_shares,
    sampled_uar,
    stored_values,
    true_posterior,
)
from emoscenes.dialogues import make_dialogues


@pytest.fixture(scope="module")
def dialogues():
    return make_dialogues(10_000, seed=0)


def small_model(rng):
    """Random probabilities for three emotions and two traits; streams are not needed."""
    response = rng.dirichlet(np.ones(3), size=3)
    return DialogueModel(
        codes=("ang", "hap", "sad"),
        traits=("one", "two"),
        prior=rng.dirichlet(np.ones(3)),
        inertia=0.4,
        response=0.35,
        response_table=response,
        same_speaker=0.2,
        turns=(2, 4),
        irony=np.zeros((2, 3)),
        overflow=np.zeros((2, 3)),
        cues={},
        widths={},
        annotators=3,
        votes=np.eye(3),
    )


def brute_force(speaker, likelihood, model):
    """p(emotion of the last turn | all cues): sums over all emotions, starts and traits."""
    turns, total = len(speaker), np.zeros(3)
    for traits in product(range(2), repeat=2):
        for start in product(range(3), repeat=2):
            for emotions in product(range(3), repeat=turns):
                last, p = list(start), model.prior[start[0]] * model.prior[start[1]]
                for turn, (who, emotion) in enumerate(zip(speaker, emotions, strict=True)):
                    p *= model.transitions[last[who], last[1 - who], emotion]
                    p *= likelihood[turn, traits[who], emotion]
                    last[who] = emotion
                total[emotions[-1]] += p
    return total / total.sum()


def test_filter_equals_brute_force_over_all_hidden_states():
    rng = np.random.default_rng(0)
    model = small_model(rng)
    speaker = np.array([[0, 1, 0, 0], [1, 1, 0, 1], [0, 1, 1, 0]])
    likelihood = rng.random((3, 4, 2, 3))  # (dialogues, turns, traits, emotions)
    found = filtered(speaker, likelihood, model)
    for dialogue, turn in product(range(3), (0, 1, 3)):
        seen = slice(0, turn + 1)
        expected = brute_force(speaker[dialogue, seen], likelihood[dialogue, seen], model)
        assert np.allclose(found[dialogue, turn], expected)


def test_context_changes_nothing_in_the_first_turn_and_uses_no_later_turn(dialogues):
    first = (dialogues.utterances["turn"] == 0).to_numpy()
    alone = true_posterior(dialogues, "iemocap9", STREAMS, context=False)
    context = true_posterior(dialogues, "iemocap9", STREAMS, context=True)
    assert np.allclose(alone[first], context[first])
    assert not np.allclose(alone[~first], context[~first])

    early = (dialogues.utterances["turn"] < 5).to_numpy()
    part = type(dialogues)(
        dialogues.utterances[early], dialogues.streams, dialogues.present, dialogues.truth[early]
    )
    assert np.allclose(true_posterior(part, "iemocap9"), context[early])


def test_enumerated_cues_are_those_of_nested_loops():
    joint = enumerated_joint(("text", "face"))
    text, face = MODEL.cues["text"], MODEL.cues["face"]
    for words, shown, emotion in [(0, 0, 0), (5, 7, 5), (2, 8, 0)]:
        p = 0.0
        for trait, ironic, overflowing in product((0, 1), repeat=3):
            one = MODEL.irony[trait, emotion] if ironic else 1 - MODEL.irony[trait, emotion]
            two = MODEL.overflow[trait, emotion]
            two = two if overflowing else 1 - two
            spoken = text[trait, ironic, overflowing, emotion, words]
            p += one * two * spoken * face[trait, ironic, overflowing, emotion, shown] / 2
        assert joint[words, shown, emotion] == pytest.approx(p * MODEL.prior[emotion])
    assert joint.sum() == pytest.approx(1)


def uar_of_the_best_rule(dialogues, label_set, streams, context):
    """UAR on the dataset's own codes, and its standard error (utterances taken as independent)."""
    posterior = true_posterior(dialogues, label_set, streams, context)
    chosen = (posterior / label_prior(label_set)).argmax(axis=1)
    recalls, variances = [], []
    for label, codes in enumerate(label_codes(label_set).values()):
        own = dialogues.utterances["code"].isin(codes).to_numpy()
        recall = (chosen[own] == label).mean()
        recalls.append(recall)
        variances.append(recall * (1 - recall) / own.sum())
    return np.mean(recalls), np.sqrt(np.sum(variances)) / len(recalls)


@pytest.mark.parametrize("label_set", LABEL_SETS)
@pytest.mark.parametrize("streams", [("text",), ("video", "face"), STREAMS])
@pytest.mark.parametrize("context", [False, True])
def test_the_best_rule_reaches_the_best_uar_on_sampled_labels(
    dialogues, label_set, streams, context
):
    found, error = uar_of_the_best_rule(dialogues, label_set, streams, context)
    assert abs(found - best_uar(label_set, streams, context)) < 3.5 * error


def test_a_missing_stream_is_as_one_that_is_not_looked_at():
    whole, lacking = make_dialogues(600, seed=2), make_dialogues(600, seed=2, missing=0.3)
    without = ~lacking.present["face"] & lacking.present["audio"] & lacking.present["video"]
    expected = true_posterior(whole, "iemocap6", ("text", "audio", "video"), context=False)
    found = true_posterior(lacking, "iemocap6", STREAMS, context=False)
    assert without.sum() > 50
    assert np.allclose(found[without], expected[without])


# ---- the stored table


def test_stored_values_without_context_are_those_of_the_model():
    stored = stored_values().set_index(["label_set", "streams"])
    assert len(stored) == len(LABEL_SETS) * 15
    for streams in SUBSETS:
        joint = enumerated_joint(streams)
        for label_set in LABEL_SETS:
            exact = best_of_shares(recall_shares(joint, label_matrix(label_set)))
            assert stored.loc[(label_set, "+".join(streams)), "alone"] == round(exact, 4)


def test_stored_values_with_context_are_those_of_newly_sampled_dialogues():
    for streams in [("face",), STREAMS]:
        found = sampled_uar(streams, utterances=6000, seed=1)
        for label_set in LABEL_SETS:
            uar, error = found[label_set]
            assert abs(uar - best_uar(label_set, streams)) < 4 * error + 0.002


def test_stored_additive_values_are_those_of_a_new_fit():
    for label_set in LABEL_SETS:
        joint = enumerated_joint(("text", "audio"))
        shares = recall_shares(joint, label_matrix(label_set))
        expected = additive_uar(label_set, ("text", "audio"))
        assert fitted_additive_uar(shares, restarts=4) == pytest.approx(expected, abs=0.003)


@pytest.mark.parametrize("label_set", LABEL_SETS)
def test_the_dialogues_are_as_difficult_as_promised(label_set):
    for context in (False, True):
        assert 0.70 <= best_uar(label_set, STREAMS, context) <= 0.90
        for stream in STREAMS:
            assert 0.45 <= best_uar(label_set, (stream,), context) <= 0.65
    without_interactions = additive_uar(label_set)
    assert without_interactions <= best_uar(label_set, STREAMS, context=False) - 0.05
    assert stored_values()["context_se"].max() < 0.003


@pytest.mark.parametrize("label_set", LABEL_SETS)
def test_more_streams_and_context_never_hurt(label_set):
    for streams in SUBSETS:
        alone = best_uar(label_set, streams, context=False)
        assert alone <= best_uar(label_set, streams, context=True)
        assert additive_uar(label_set, streams) <= alone + 1e-4
        for more in set(STREAMS) - set(streams):
            assert alone <= best_uar(label_set, (*streams, more), context=False) + 1e-4


def test_label_sets_and_streams_that_do_not_exist_are_refused():
    assert best_uar("iemocap10") == best_uar("iemocap9")
    with pytest.raises(ValueError, match="'ekman' does not fit the dialogues: expected iemocap4"):
        best_uar("ekman")
    with pytest.raises(ValueError, match="'smell'.*: expected one or more of text, audio"):
        best_uar("iemocap4", ("smell",))
    with pytest.raises(ValueError, match=r"streams \[\]: expected one or more"):
        additive_uar("iemocap4", ())


# ---- additive models


def test_no_sum_of_two_functions_learns_exclusive_or_but_three_of_four_cells():
    shares = np.zeros((2, 2, 2))
    for one, two in product((0, 1), repeat=2):
        shares[one, two, one ^ two] = 1 / 4
    assert best_of_shares(shares) == 1
    assert fitted_additive_uar(shares) == pytest.approx(0.75)


def test_independent_streams_need_no_interactions():
    rng = np.random.default_rng(0)
    one, two = rng.dirichlet(np.ones(4), size=3), rng.dirichlet(np.ones(5), size=3)
    joint = np.einsum("ka,kb->abk", one, two)
    shares = joint / joint.sum(axis=(0, 1)) / 3
    assert fitted_additive_uar(shares) == pytest.approx(best_of_shares(shares), abs=1e-6)


@pytest.mark.parametrize("sharpness", [0.0, 1.0, 4.0])
def test_gradient_of_the_additive_loss(sharpness):
    rng = np.random.default_rng(0)
    shares = rng.dirichlet(np.ones(24)).reshape(4, 2, 3)
    weights = rng.normal(size=(4 + 2) * 3)
    numeric = approx_fprime(weights, lambda w: additive_loss(w, shares, sharpness)[0], 1e-7)
    assert np.allclose(additive_loss(weights, shares, sharpness)[1], numeric, atol=1e-5)
