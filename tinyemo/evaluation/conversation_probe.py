"""The baseline for conversations: logistic regression on an utterance and the turns before it.

Takes stream vectors of all utterances, in the order of dialogue and turn; gives context features
and a fitted classifier. Only this and earlier turns are used (causal context).

Its settings (C and class weights) are chosen by cross-validation within the training part, on the
same inner folds that the model's settings are chosen on.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import confusion_matrix
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from tinyemo.evaluation.confusion_scores import uar, weighted_f1

C_GRID = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2)  # for features of unit variance
CLASS_WEIGHTS = (None, "balanced")
OWN_TURNS = 5  # earlier turns of the same speaker whose vectors are averaged


@dataclass(frozen=True)
class ConversationProbe:
    """A fitted baseline."""

    model: Pipeline
    classes: int
    parameters: dict[str, float | str | None]  # the chosen C and class weights
    selection_score: float  # of these parameters, on the inner folds

    def predict_proba(self, x: np.ndarray) -> np.ndarray:
        """Features (N, D) -> probabilities (N, C) float64.

        A class that was absent in training has probability 0.
        """
        probabilities = np.zeros((len(x), self.classes))
        probabilities[:, self.model.classes_] = self.model.predict_proba(x)
        return probabilities


def context_features(utterances: pd.DataFrame, vectors: np.ndarray) -> np.ndarray:
    """The vectors (N, D) of utterances with those of earlier turns beside them: (N, 5 D).

    Five blocks: the utterance; the turn before it; the turn before that; the same speaker's last
    turn; the mean of the same speaker's last OWN_TURNS turns. A block without turns is zero.
    `utterances` has the columns dialogue, turn and speaker. ValueError: they are not sorted by
    dialogue and turn.
    """
    _check_order(utterances)
    vectors = np.asarray(vectors, dtype=np.float32)
    one_before, two_before = np.zeros_like(vectors), np.zeros_like(vectors)
    own_last, own_mean = np.zeros_like(vectors), np.zeros_like(vectors)
    for rows in utterances.groupby("dialogue", sort=False).indices.values():
        one_before[rows[1:]] = vectors[rows[:-1]]
        two_before[rows[2:]] = vectors[rows[:-2]]
        speakers = utterances["speaker"].to_numpy()[rows]
        for speaker in np.unique(speakers):
            own = rows[speakers == speaker]
            own_last[own[1:]] = vectors[own[:-1]]
            for k in range(1, len(own)):
                recent = own[max(0, k - OWN_TURNS) : k]
                own_mean[own[k]] = vectors[recent].mean(axis=0)
    return np.concatenate([vectors, one_before, two_before, own_last, own_mean], axis=1)


def selection_score(y: np.ndarray, predicted: np.ndarray, classes: int) -> float:
    """The mean of UAR and weighted F1 of class numbers: by this, settings are chosen."""
    counts = confusion_matrix(y, predicted, labels=range(classes))
    return float(uar(counts) + weighted_f1(counts)) / 2


def fit_conversation_probe(
    x: np.ndarray,
    y: np.ndarray,
    folds: Sequence[tuple[np.ndarray, np.ndarray]],
    classes: int,
) -> ConversationProbe:
    """Choose the settings on the inner folds, then fit to all items.

    x: features (N, D); y: (N,) class numbers; `folds`: (rows to train on, rows to score) of each
    inner fold. The settings with the highest `selection_score`, pooled over the inner folds, are
    chosen. ValueError: no inner fold.
    """
    if not folds:
        raise ValueError("no inner folds: expected at least one to choose the settings on")
    scored = np.concatenate([held_out for _, held_out in folds])
    best = None
    for c, weights in product(C_GRID, CLASS_WEIGHTS):
        predictions = []
        for train, held_out in folds:
            model = _fit(x[train], y[train], c, weights)
            predictions.append(model.predict(x[held_out]))
        score = selection_score(y[scored], np.concatenate(predictions), classes)
        if best is None or score > best[0]:
            best = score, c, weights
    score, c, weights = best
    model = _fit(x, y, c, weights)
    return ConversationProbe(model, classes, {"C": c, "class_weight": weights}, score)


def _fit(x: np.ndarray, y: np.ndarray, c: float, weights: str | None) -> Pipeline:
    classifier = LogisticRegression(C=c, class_weight=weights, max_iter=200, tol=1e-3)
    model = make_pipeline(StandardScaler(), classifier)
    # many small matrix products: with two threads, waiting for each other takes most of the time
    with warnings.catch_warnings(), threadpool_limits(1):
        # the optimum of a weakly regularised fit may need more steps than it is worth
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(x, y)


def _check_order(utterances: pd.DataFrame) -> None:
    dialogue = utterances["dialogue"]
    same = (dialogue == dialogue.shift()).to_numpy()
    starts = int((~same).sum())
    steps = utterances["turn"].diff().to_numpy()
    if starts != dialogue.nunique() or not (steps[same] > 0).all():
        raise ValueError(
            "utterances are not sorted: expected the turns of each dialogue one after the other, "
            "in rising order of turn"
        )
