"""evaluation/probes.py: tuning within the training part, calibration, errors, real features."""

import numpy as np
import pytest

from tinyemo.evaluation.probes import fit_probe


def blobs(n, noise, seed=0):
    """Features (n, 20) around four directions, labels (n,) int."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 4
    return (4 * np.eye(20)[y] + noise * rng.normal(size=(n, 20))).astype(np.float32), y


@pytest.mark.parametrize("name", ["logreg", "svm"])
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


def test_errors_name_the_bad_input():
    x, y = blobs(40, noise=1.0)
    for args, message in (
        (("forest", x, y), "unknown probe 'forest'"),
        (("svm", x, y[:-1]), r"got \(40, 20\) and \(39,\)"),
        (("svm", np.where(np.arange(40)[:, None] == 7, np.nan, x), y), "row 7 hold NaN"),
        (("svm", x, np.where(y == 2, 1, y)), "class 2 has 0 training items"),
    ):
        with pytest.raises(ValueError, match=message):
            fit_probe(*args)
