"""The baseline for conversations: context features by hand, and the choice of its settings."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from tinyemo.evaluation.conversation_probe import (
    C_GRID,
    context_features,
    fit_conversation_probe,
    selection_score,
)


def dialogue(name: str, speakers: str) -> pd.DataFrame:
    turns = range(len(speakers))
    return pd.DataFrame({"dialogue": name, "turn": turns, "speaker": list(speakers)})


def test_context_features_of_a_short_dialogue():
    utterances = pd.concat([dialogue("a", "FMFFMF"), dialogue("b", "MF")], ignore_index=True)
    vectors = np.arange(8, dtype=np.float32)[:, None] + 1  # utterance i has the vector (i + 1)
    found = context_features(utterances, vectors)
    # own, one before, two before, the speaker's last, mean of the speaker's last five
    expected = [
        [1, 0, 0, 0, 0],
        [2, 1, 0, 0, 0],
        [3, 2, 1, 1, 1],
        [4, 3, 2, 3, 2],
        [5, 4, 3, 2, 2],
        [6, 5, 4, 4, (1 + 3 + 4) / 3],
        [7, 0, 0, 0, 0],
        [8, 7, 0, 0, 0],
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_the_mean_is_over_at_most_five_turns():
    utterances = dialogue("a", "FFFFFFFF")
    vectors = np.arange(8, dtype=np.float32)[:, None]
    assert context_features(utterances, vectors)[7, 4] == pytest.approx((2 + 3 + 4 + 5 + 6) / 5)


def test_context_never_comes_from_later_turns():
    utterances = dialogue("a", "FMFMFM")
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(6, 3)).astype(np.float32)
    before = context_features(utterances, vectors)
    vectors[4:] = 100
    np.testing.assert_array_equal(context_features(utterances, vectors)[:4], before[:4])


def test_unsorted_turns_are_refused():
    utterances = dialogue("a", "FMF")
    utterances["turn"] = [0, 2, 1]
    with pytest.raises(ValueError, match="utterances are not sorted"):
        context_features(utterances, np.zeros((3, 2)))
    mixed = pd.concat([dialogue("a", "FM"), dialogue("b", "F"), dialogue("a", "F")])
    with pytest.raises(ValueError, match="utterances are not sorted"):
        context_features(mixed, np.zeros((4, 2)))


def test_settings_are_those_of_the_best_grid_point():
    """Three classes, one of them rare: the choice is compared with a search written out."""
    rng = np.random.default_rng(1)
    y = rng.choice(3, size=240, p=[0.6, 0.3, 0.1])
    x = rng.normal(size=(240, 6)) + y[:, None] * [0.7, 0, 0.4, 0, 0, 0]
    folds = [(np.arange(120, 240), np.arange(120)), (np.arange(120), np.arange(120, 240))]
    probe = fit_conversation_probe(x, y, folds, classes=3)
    scores = {}
    for c in C_GRID:
        for weights in (None, "balanced"):
            predicted = np.empty(240, int)
            for train, held_out in folds:
                scaler = StandardScaler().fit(x[train])
                model = LogisticRegression(C=c, class_weight=weights, max_iter=200, tol=1e-3)
                model.fit(scaler.transform(x[train]), y[train])
                predicted[held_out] = model.predict(scaler.transform(x[held_out]))
            scores[c, weights] = selection_score(y, predicted, 3)
    best = max(scores, key=scores.get)
    assert (probe.parameters["C"], probe.parameters["class_weight"]) == best
    assert probe.selection_score == pytest.approx(scores[best])
    probabilities = probe.predict_proba(x)
    assert probabilities.shape == (240, 3)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)


def test_a_class_that_is_absent_in_training_has_probability_zero():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(40, 3)), np.arange(40) % 2 * 2  # classes 0 and 2 of 0 to 3
    folds = [(np.arange(20, 40), np.arange(20))]
    probabilities = fit_conversation_probe(x, y, folds, classes=4).predict_proba(x)
    assert probabilities.shape == (40, 4)
    assert (probabilities[:, [1, 3]] == 0).all() and (probabilities[:, [0, 2]] > 0).all()
