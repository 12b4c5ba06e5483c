"""Probes: simple classifiers on the same features, the baselines of every projector.

Takes features and labels of a training part; gives a classifier. Its settings are chosen by
cross-validation within that part over the fixed grids below, so that projectors are compared with
tuned baselines. Features are scaled to unit length (as in CLIP's cosine similarity), centred, and
divided by one number, so that their variances sum to one. So the same grids suit every encoder.
"svm_scaled" does what a StandardScaler before an SVM does: lengths stay as they are, and every
dimension is divided by its own standard deviation. Its variances sum to one, too.

A probe can be trained on label distributions, like a projector: an item is repeated once for each
label that annotators gave it, weighted by their share. For logistic regression this is the
cross-entropy to the distribution.
"""

import warnings
from dataclasses import dataclass

import numpy as np
from scipy.special import softmax
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.model_selection import StratifiedKFold, train_test_split
from sklearn.preprocessing import normalize
from sklearn.svm import SVC

from tinyemo.training.temperature import best_temperature

C_GRIDS = {
    "logreg": (1.0, 2.0, 4.0, 10.0),
    "svm": (1.0, 3.0, 10.0),
    "svm_scaled": (1.0, 3.0, 10.0),
}
# of the SVM's kernel exp(-gamma |x - x'|^2); two items are sqrt(2) apart on average
GAMMAS = (0.2, 0.4, 0.8)
FOLDS = 5
# Settings are chosen on at most this many items (a seeded stratified sample). The model is then
# fitted to all items.
TUNE_ON = 2000
# Cross-validation of a small sample is repeated until about this many predictions are scored.
SCORED = 4000


@dataclass(frozen=True)
class Probe:
    """A fitted probe."""

    model: LogisticRegression | SVC
    # of the best point of the grid
    parameters: dict[str, float]
    # its mean accuracy over repeated stratified folds of the training part; slightly too high,
    # because it is the best of a small grid
    cv_accuracy: float
    # calibrates the scores; fitted to the predictions on held-out folds
    temperature: float
    # (D,) of the training features, which have unit length for all probes but "svm_scaled"
    mean: np.ndarray
    scale: np.ndarray  # (D,)
    unit_length: bool

    def predict_proba(self, x: np.ndarray) -> np.ndarray:
        """Features (N, D) -> probabilities (N, C) float64: softmax of the scores / temperature."""
        standardised = (_rows(x, self.unit_length) - self.mean) / self.scale
        scores = _per_class(self.model.decision_function(standardised))
        return softmax(scores / self.temperature, axis=1)


def fit_probe(
    name: str,
    x: np.ndarray,
    y: np.ndarray,
    seed: int = 0,
    soft_labels: np.ndarray | None = None,
) -> Probe:
    """Tune and fit a probe of C_GRIDS on features (N, D) and labels (N,) int of classes 0 to C-1.

    With `soft_labels` (N, C), whose rows sum to one, the probe is fitted to these distributions.
    Settings and temperature are chosen by the labels `y` of held-out items in both cases.

    ValueError: an unknown name, NaN in the features or no variance of their directions, labels that
    do not match them, fewer than two classes, or a class of fewer than two items.
    """
    x, y = np.asarray(x, dtype=np.float32), np.asarray(y)
    _check(name, x, y)
    targets = np.eye(y.max() + 1)[y] if soft_labels is None else np.asarray(soft_labels)
    _check_targets(targets, y)
    unit_length = name != "svm_scaled"
    features = _rows(x, unit_length)
    mean = features.mean(axis=0)
    scale = _scale(features, each_dimension=not unit_length)
    features = (features - mean) / scale
    rows = np.arange(len(y))
    if len(y) > TUNE_ON:
        rows, _ = train_test_split(rows, train_size=TUNE_ON, stratify=y, random_state=seed)
    with warnings.catch_warnings():
        # some points of the grid stop before they have converged
        warnings.simplefilter("ignore", ConvergenceWarning)
        parameters, accuracy, scores = _tune(name, features[rows], y[rows], targets[rows], seed)
        model = _fit(_model(name, parameters), features, targets)
    temperature = best_temperature(scores, y[rows])
    return Probe(model, parameters, accuracy, temperature, mean, scale, unit_length)


def _model(
    name: str, parameters: dict[str, float], kernel: str = "rbf"
) -> LogisticRegression | SVC:
    if name == "logreg":
        return LogisticRegression(**parameters, max_iter=1000, tol=1e-3)
    return SVC(**parameters, kernel=kernel, cache_size=1000)


def _fit(
    model: LogisticRegression | SVC, x: np.ndarray, targets: np.ndarray
) -> LogisticRegression | SVC:
    """Fit to targets (N, C): every item once for each class that its target gives a share."""
    rows, classes = np.nonzero(targets)
    return model.fit(x[rows], classes, sample_weight=targets[rows, classes])


def _held_out_scores(
    model: LogisticRegression | SVC,
    x: np.ndarray,
    y: np.ndarray,
    targets: np.ndarray,
    cv: StratifiedKFold,
) -> np.ndarray:
    """Scores (N, C) of each item by a model that was fitted to the other folds.

    For a model with a precomputed kernel, `x` (N, N) is the kernel of all items.
    """
    scores = np.empty(targets.shape)
    is_kernel = getattr(model, "kernel", None) == "precomputed"
    for train, held_out in cv.split(x, y):
        if is_kernel:
            # a copy of an item has the kernel of this item: repeat rows and columns
            copies = train[np.nonzero(targets[train])[0]]
            of_train, of_held_out = x[np.ix_(train, copies)], x[np.ix_(held_out, copies)]
        else:
            of_train, of_held_out = x[train], x[held_out]
        _fit(model, of_train, targets[train])
        scores[held_out] = _per_class(model.decision_function(of_held_out))
    return scores


def _tune(
    name: str, x: np.ndarray, y: np.ndarray, targets: np.ndarray, seed: int
) -> tuple[dict[str, float], float, np.ndarray]:
    """The best parameters, their accuracy, and their scores (N, C) on the last repetition's
    folds."""
    folds = min(FOLDS, int(np.bincount(y).min()))
    repetitions = min(3, max(1, SCORED // len(y)))
    best = ({}, -1.0, np.empty(0))
    for gamma in (None,) if name == "logreg" else GAMMAS:
        if gamma is None:
            fixed, inputs = {}, x
        else:
            # one kernel matrix (N, N) is enough for all folds and all C
            fixed, inputs = {"gamma": gamma}, rbf_kernel(x, gamma=gamma)
        for c in C_GRIDS[name]:
            parameters = {"C": c} | fixed
            model = _model(name, parameters, kernel="precomputed")
            accuracies = []
            for r in range(repetitions):
                cv = StratifiedKFold(folds, shuffle=True, random_state=seed * 100 + r)
                scores = _held_out_scores(model, inputs, y, targets, cv)
                accuracies.append((scores.argmax(axis=1) == y).mean())
            if np.mean(accuracies) > best[1]:
                best = (parameters, float(np.mean(accuracies)), scores)
    return best


def _per_class(scores: np.ndarray) -> np.ndarray:
    """Scores (N, C). For two classes scikit-learn gives (N,): the second minus the first."""
    return scores if scores.ndim == 2 else np.stack([-scores / 2, scores / 2], axis=1)


def _rows(x: np.ndarray, unit_length: bool) -> np.ndarray:
    x = np.asarray(x, dtype=np.float64)
    return normalize(x) if unit_length else x


def _scale(features: np.ndarray, each_dimension: bool) -> np.ndarray:
    """Divisors (D,) with which the variances of the dimensions sum to one.

    With `each_dimension`, all dimensions that vary get the same variance; otherwise the divisors
    are equal. ValueError: no dimension varies.
    """
    variance = features.var(axis=0)  # (D,)
    if not variance.sum() > 1e-18:
        raise ValueError(
            f"probe: the features of {len(features)} items all have one direction; expected some "
            "variance"
        )
    if not each_dimension:
        return np.full(len(variance), np.sqrt(variance.sum()))
    varies = variance > 0
    variance[~varies] = 1  # a constant dimension is 0 after centring, whatever its divisor
    return np.sqrt(variance * varies.sum())


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
    if len(counts) < 2:
        raise ValueError(
            f"probe: all {len(y)} training items have one class; expected at least two classes"
        )
    if counts.min() < 2:
        raise ValueError(
            f"probe: class {int(counts.argmin())} has {counts.min()} training items; expected at "
            "least two of each class"
        )


def _check_targets(targets: np.ndarray, y: np.ndarray) -> None:
    classes = y.max() + 1
    if targets.ndim != 2 or len(targets) != len(y) or targets.shape[1] < classes:
        raise ValueError(
            f"probe: expected soft labels ({len(y)}, C) of at least {classes} classes, got "
            f"{targets.shape}"
        )
    unseen = np.flatnonzero(targets.sum(axis=0) <= 0)
    if len(unseen) or (targets < 0).any():
        raise ValueError(
            f"probe: soft labels with classes of no share {unseen.tolist()} or negative shares; "
            "expected a share of every class in some item, and none below 0"
        )
