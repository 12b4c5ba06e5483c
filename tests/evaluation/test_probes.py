"""evaluation/probes.py: tuning within the training part, calibration, errors, real features."""

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from tinyemo.evaluation.probes import fit_probe


def blobs(n, noise, seed=0):
    """Features (n, 20) around four directions, labels (n,) int."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 4
    return (4 * np.eye(20)[y] + noise * rng.normal(size=(n, 20))).astype(np.float32), y


@pytest.mark.parametrize("name", ["logreg", "svm", "svm_scaled"])
def test_cross_validated_accuracy_agrees_with_that_on_new_items(name):
    probe = fit_probe(name, *blobs(300, noise=2.0))
    x, y = blobs(4000, noise=2.0, seed=1)
    p = probe.predict_proba(x)
    assert np.allclose(p.sum(axis=1), 1)
    accuracy = (p.argmax(axis=1) == y).mean()
    assert probe.cv_accuracy == pytest.approx(accuracy, abs=0.05) and 0.5 < accuracy < 0.99
    assert p.max(axis=1).mean() == pytest.approx(accuracy, abs=0.05)  # calibrated


def test_labels_without_relation_to_the_features_score_at_chance():
    x, y = blobs(400, noise=2.0)
    shuffled = np.random.default_rng(0).permutation(y)
    # chance is .25: the held-out folds do not leak into the training
    assert fit_probe("svm", x, shuffled).cv_accuracy < 0.35


def test_probe_depends_on_the_seed_but_not_on_the_scale_of_features():
    x, y = blobs(200, noise=2.0)
    one, two = fit_probe("svm", x, y, seed=3), fit_probe("svm", 7 * x, y, seed=3)
    assert one.parameters == two.parameters and one.cv_accuracy == two.cv_accuracy
    assert np.allclose(one.predict_proba(x), two.predict_proba(x), atol=1e-4)


def test_scaled_svm_is_a_standard_scaler_and_an_svm(monkeypatch):
    monkeypatch.setattr("tinyemo.evaluation.probes.C_GRIDS", {"svm_scaled": (3.0,)})
    monkeypatch.setattr("tinyemo.evaluation.probes.GAMMAS", (0.8,))
    x, y = blobs(120, noise=2.0)
    x = np.hstack([x * np.geomspace(1, 50, 20), np.full((120, 1), 7.0)])  # one dimension constant
    probe = fit_probe("svm_scaled", x, y)
    expected = make_pipeline(StandardScaler(), SVC(C=3.0, gamma=0.8 / 20)).fit(x, y)
    new = np.hstack([blobs(50, 2.0, 1)[0] * np.geomspace(1, 50, 20), np.full((50, 1), 7.0)])
    scores = probe.predict_proba(new)
    of_pipeline = softmax(expected.decision_function(new) / probe.temperature, axis=1)
    assert scores == pytest.approx(of_pipeline, abs=1e-4)


def votes(n, seed):
    """Features (n, 6), labels and the shares (n, 3) of three annotators drawn from p(y | x)."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 6)).astype(np.float32)
    p = softmax(2 * x[:, :3] / np.linalg.norm(x, axis=1, keepdims=True), axis=1)
    drawn = np.array([rng.multinomial(3, row) for row in p])
    return x, np.array([rng.choice(3, p=row) for row in drawn / 3]), drawn / 3, p


@pytest.mark.parametrize("name", ["logreg", "svm"])
def test_soft_labels_are_the_same_as_items_repeated_once_per_annotator(name, monkeypatch):
    monkeypatch.setattr("tinyemo.evaluation.probes.C_GRIDS", {"logreg": (2.0,), "svm": (3.0,)})
    monkeypatch.setattr("tinyemo.evaluation.probes.GAMMAS", (0.4,))
    x, y, shares, _ = votes(120, 0)
    probe = fit_probe(name, x, y, soft_labels=shares)
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    unit = (unit - unit.mean(axis=0)) / np.sqrt(unit.var(axis=0).sum())
    rows, classes = [], []
    for i, counts in enumerate((3 * shares).round().astype(int)):
        rows += [i] * 3
        classes += list(np.repeat(np.arange(3), counts))
    # three times the items, so a third of C
    model = LogisticRegression(C=2 / 3, tol=1e-8, max_iter=5000)
    model = model if name == "logreg" else SVC(C=1.0, gamma=0.4)
    expected = model.fit(unit[rows], classes).decision_function(unit)
    scores = probe.model.decision_function(unit)
    # the votes of scores of a support vector machine: its optimiser stops early
    assert scores == pytest.approx(expected, abs=0.05)


def test_soft_labels_bring_the_probabilities_nearer_to_the_true_ones():
    x, y, shares, _ = votes(300, 1)
    new, _, _, true = votes(1000, 2)
    errors = []
    for soft in (None, shares):
        probe = fit_probe("logreg", x, y, soft_labels=soft)
        errors.append(np.abs(probe.predict_proba(new) - true).mean())
    assert errors[1] < 0.85 * errors[0]


def test_one_hot_soft_labels_change_nothing():
    x, y = blobs(100, noise=2.0)
    one, two = fit_probe("svm", x, y), fit_probe("svm", x, y, soft_labels=np.eye(4)[y])
    assert one.parameters == two.parameters
    assert np.allclose(one.predict_proba(x), two.predict_proba(x))


def test_errors_name_the_bad_input():
    x, y = blobs(40, noise=1.0)
    for args, message in (
        (("forest", x, y), "unknown probe 'forest'"),
        (("svm", x, y[:-1]), r"got \(40, 20\) and \(39,\)"),
        (("svm", np.where(np.arange(40)[:, None] == 7, np.nan, x), y), "row 7 hold NaN"),
        (("svm", x, np.where(y == 2, 1, y)), "class 2 has 0 training items"),
        (("svm", x, y, 0, np.eye(4)[y[1:]]), r"expected soft labels \(40, C\).*\(39, 4\)"),
        (("svm", x, y, 0, np.eye(5)[y]), r"classes of no share \[4\]"),
    ):
        with pytest.raises(ValueError, match=message):
            fit_probe(*args)
