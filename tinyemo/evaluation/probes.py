"""Probes: the simple classifiers on the same features that a projector has to be compared with.

Takes features and labels of a training part; gives a classifier tuned by cross-validation within that part
over the fixed grids below, so that a comparison has no straw man. Features are brought to unit length (the
cosine geometry of CLIP and its kin), centred, and divided by one number so that their variances sum to
one: a grid then means the same for every encoder.
"""

import warnings
from dataclasses import dataclass

import numpy as np
from scipy.special import softmax
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.model_selection import StratifiedKFold, cross_val_predict, train_test_split
from sklearn.svm import SVC

from tinyemo.evaluation.calibration import best_temperature

C_GRIDS = {"logreg": (1.0, 2.0, 4.0, 10.0), "svm": (1.0, 3.0, 10.0)}
GAMMAS = (
    0.2,
    0.4,
    0.8,
)  # of the SVM's kernel exp(-gamma |x - x'|^2); two items are sqrt(2) apart on average
FOLDS = 5
TUNE_ON = 2000  # items at most that settings are chosen on, a seeded stratified sample; the model gets all
SCORED = 4000  # small samples are folded several times, until about so many predictions are scored


@dataclass(frozen=True)
class Probe:
    """A fitted probe. `parameters` and `cv_accuracy` are those of the best point of its grid.

    The accuracy is the mean over repeated stratified folds of the training part. Being the best of a small
    grid it flatters the probe a little. `temperature` calibrates the scores; it was fitted to the
    predictions on held-out folds.
    """

    model: LogisticRegression | SVC
    parameters: dict[str, float]
    cv_accuracy: float
    temperature: float
    mean: np.ndarray  # (D,) of the unit-length training features
    scale: float

    def predict_proba(self, x: np.ndarray) -> np.ndarray:
        """Features (N, D) -> probabilities (N, C) float64: softmax of the decision scores / temperature."""
        scores = self.model.decision_function((_unit(x) - self.mean) / self.scale)
        return softmax(scores / self.temperature, axis=1)


def fit_probe(name: str, x: np.ndarray, y: np.ndarray, seed: int = 0) -> Probe:
    """Tune and fit probe "logreg" or "svm" on features (N, D) and labels (N,) int of classes 0 to C-1.

    ValueError: an unknown name, NaN in the features, labels that do not match them, or a class of fewer
    than two items.
    """
    x, y = np.asarray(x, dtype=np.float32), np.asarray(y)
    _check(name, x, y)
    unit = _unit(x)
    mean = unit.mean(axis=0)
    scale = float(np.sqrt(np.square(unit - mean).sum(axis=1).mean()))
    unit = (unit - mean) / scale
    rows = np.arange(len(y))
    if len(y) > TUNE_ON:
        rows, _ = train_test_split(rows, train_size=TUNE_ON, stratify=y, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", ConvergenceWarning
        )  # a corner of the grid may well stop early
        parameters, accuracy, scores = _tune(name, unit[rows], y[rows], seed)
        model = _model(name, parameters).fit(unit, y)
    return Probe(model, parameters, accuracy, best_temperature(scores, y[rows]), mean, scale)


def _model(
    name: str, parameters: dict[str, float], kernel: str = "rbf"
) -> LogisticRegression | SVC:
    if name == "logreg":
        return LogisticRegression(**parameters, max_iter=1000, tol=1e-3)
    return SVC(**parameters, kernel=kernel, cache_size=1000)


def _tune(
    name: str, x: np.ndarray, y: np.ndarray, seed: int
) -> tuple[dict[str, float], float, np.ndarray]:
    """The best parameters, their accuracy, and their scores (N, C) on the last round of held-out folds."""
    folds = min(FOLDS, int(np.bincount(y).min()))
    rounds = min(3, max(1, SCORED // len(y)))
    best = ({}, -1.0, np.empty(0))
    for gamma in GAMMAS if name == "svm" else (None,):
        given = {} if gamma is None else {"gamma": gamma}
        inputs = (
            x if gamma is None else rbf_kernel(x, gamma=gamma)
        )  # one kernel serves folds and all C
        for c in C_GRIDS[name]:
            model, hits = _model(name, {"C": c} | given, kernel="precomputed"), []
            for r in range(rounds):
                cv = StratifiedKFold(folds, shuffle=True, random_state=seed * 100 + r)
                scores = cross_val_predict(model, inputs, y, cv=cv, method="decision_function")
                hits.append((scores.argmax(axis=1) == y).mean())
            if np.mean(hits) > best[1]:
                best = ({"C": c} | given, float(np.mean(hits)), scores)
    return best


def _unit(x: np.ndarray) -> np.ndarray:
    x = np.asarray(x, dtype=np.float64)
    return x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12)


def _check(name: str, x: np.ndarray, y: np.ndarray) -> None:
    if name not in C_GRIDS:
        raise ValueError(f"unknown probe {name!r}: expected one of {', '.join(C_GRIDS)}")
    if x.ndim != 2 or y.shape != (len(x),):
        raise ValueError(
            f"probe: expected features (N, D) and labels (N,), got {x.shape} and {y.shape}"
        )
    if not np.isfinite(x).all():
        row = int(np.flatnonzero(~np.isfinite(x).all(axis=1))[0])
        raise ValueError(f"probe: features of row {row} hold NaN or infinity")
    counts = np.bincount(y)
    if len(counts) < 3 or counts.min() < 2:
        raise ValueError(
            f"probe: class {int(counts.argmin())} has {counts.min()} training items; "
            "expected at least two of each of three classes or more"
        )
