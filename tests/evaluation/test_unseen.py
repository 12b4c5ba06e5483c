"""evaluation/unseen.py against scikit-learn, brute force, and data whose answer is known."""

import numpy as np
import pytest
import torch
from scipy.stats import binomtest, t
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import Ridge
from sklearn.metrics import roc_auc_score

from tinyemo.emotions import labels_of
from tinyemo.evaluation import unseen, unseen_scores
from tinyemo.evaluation.zero_shot import cosines_without
from tinyemo.features.loading import load_features
from tinyemo.features.split_tensors import concatenated, split_tensors
from tinyemo.models.anchors import load_anchors
from tinyemo.training.projector import Recipe

LINEAR, KERNEL = (0.5, None), (0.3, 0.7)


def make_items(seed=0, n=240, classes=5, width=12, meaningful=True):
    """Training items and labels, test items and labels, and words.

    With meaning, the centre of a class is a linear image of its word; without, it is random.
    """
    rng = np.random.default_rng(seed)
    words = rng.normal(size=(classes, 4))
    centres = words if meaningful else rng.normal(size=(classes, 4))
    centres = centres @ np.linalg.qr(rng.normal(size=(width, 4)))[0].T
    y, test_y = np.arange(n) % classes, rng.integers(classes, size=n)
    x, test_x = (centres[labels] + 0.3 * rng.normal(size=(n, width)) for labels in (y, test_y))
    return x, y, test_x, test_y, words


def test_auroc_agrees_with_scikit_learn_for_weights_and_ties():
    rng = np.random.default_rng(0)
    scores, positive, weights = (
        rng.integers(6, size=50) / 3,
        rng.random(50) < 0.3,
        rng.integers(4, size=(3, 50)),
    )
    expected = [roc_auc_score(positive, scores, sample_weight=row) for row in weights]
    assert unseen_scores.auroc(scores, positive, weights) == pytest.approx(expected)
    assert unseen_scores.auroc(scores, positive) == pytest.approx(roc_auc_score(positive, scores))


@pytest.mark.parametrize("regression", [LINEAR, KERNEL])
def test_shares_times_anchors_are_the_ridge_regression_to_the_anchors(regression):
    x, y, test_x, _, words = make_items()
    anchors, c = unseen.blend(words, np.zeros(5)), 2
    unit, test = (
        rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (x[y != c], test_x)
    )
    centre, scale = unit.mean(axis=0), np.sqrt(unit.var(axis=0).sum())
    unit, test = (unit - centre) / scale, (test - centre) / scale
    alpha, gamma = regression
    model = Ridge(alpha) if gamma is None else KernelRidge(alpha=alpha, kernel="rbf", gamma=gamma)
    mean = anchors[y[y != c]].mean(axis=0)
    embedded = model.fit(unit, anchors[y[y != c]] - mean).predict(test) + mean
    expected = embedded @ anchors.T / np.linalg.norm(embedded, axis=1, keepdims=True)
    shares = unseen.LeftOut(x, y, test_x, [regression], folds=2).outer[c, 0]
    assert unseen.cosines(shares, anchors) == pytest.approx(expected, abs=1e-8)
    assert (shares[:, c] == 0).all()


def test_choices_for_a_class_do_not_depend_on_its_items():
    x, y, test_x, _, words = make_items()
    candidates = [(r, unseen.blend(words, np.zeros(5), common=w)) for r in (0, 1) for w in (0, 1)]
    changed = np.where((y == 3)[:, None], np.random.default_rng(1).normal(size=x.shape), x)
    one, other = (
        unseen.LeftOut(features, y, test_x, [LINEAR, KERNEL], folds=3) for features in (x, changed)
    )
    assert one.choose(candidates, 0.2)[3] == other.choose(candidates, 0.2)[3]
    assert np.array_equal(one.outer[3], other.outer[3]) and not np.allclose(
        one.outer[2], other.outer[2]
    )


def test_training_items_are_predicted_by_regressions_of_other_folds():
    x, y, test_x, _, _ = make_items(n=60)
    plain = unseen.LeftOut(x, y, test_x, [(1e-6, 5.0)], folds=3).inner[0, 1][0]
    own = plain[np.arange(60), y][y > 1]
    # with such a small penalty, an item of the training fold would have a share of exactly 1
    assert (np.abs(own - 1) > 1e-3).all()


def test_words_with_meaning_find_an_unseen_class_and_words_without_do_not():
    def mean_scores(meaningful, **parts):
        found = []
        for seed in range(3):
            x, y, test_x, test_y, words = make_items(seed, meaningful=meaningful)
            candidates = [(0, unseen.blend(words, np.zeros(5), **parts))]
            left = unseen.LeftOut(x, y, test_x, [(1.0, None)], folds=3)
            cosines, penalties = left.test(candidates, left.choose(candidates, 0.1))
            one = unseen_scores.resampled_scores(cosines[None], penalties[None], test_y)
            found.append([one["auroc"][0].mean(), one["excess"][0].mean()])
        return np.mean(found, axis=0)

    auroc, excess = mean_scores(True)
    assert auroc > 0.85 and excess > 0.4
    auroc, excess = mean_scores(False)
    assert auroc < 0.65 and excess < 0.2


@pytest.mark.parametrize("rate", [0.05, 0.3])
def test_penalty_is_the_highest_with_the_stated_false_positive_rate(rate):
    rng = np.random.default_rng(3)
    y, trials = rng.integers(4, size=80), {h: rng.normal(size=(80, 4)) for h in (0, 1, 3)}
    for h, trial in trials.items():  # informative columns
        trial[np.arange(80), y] += 1
        trial[:, h] -= 0.7

    def false_positives(penalty):
        wrong, number = 0, 0
        for h, trial in trials.items():
            logits = np.where(np.arange(4) == h, trial, trial - penalty)
            logits[:, 2] = -np.inf
            others = (y != 2) & (y != h)
            wrong += (logits[others].argmax(axis=1) == h).sum()
            number += others.sum()
        return wrong / number

    chosen = unseen.choose_penalty(trials, y, unseen=2, rate=rate)
    assert rate - 0.02 < false_positives(chosen - 1e-9) <= rate
    assert false_positives(chosen + 0.1) > rate
    changed = {h: np.where((y == 2)[:, None], 9.0, trial) for h, trial in trials.items()}
    assert unseen.choose_penalty(changed, y, unseen=2, rate=rate) == chosen
    with pytest.raises(ValueError, match="rate 10: expected a share above 0 and below 1"):
        unseen.choose_penalty(trials, y, unseen=2, rate=10)


def test_method_without_information_has_the_recall_of_its_false_positives():
    """Whatever the penalty: the higher it is, the more images of every class are found."""
    rng = np.random.default_rng(4)
    y = np.arange(1200) % 4
    tests = rng.normal(size=(1, 4, 1200, 4))
    for penalty, recall in ((0.0, 0.25), (1.2, 0.6)):
        scores = unseen_scores.resampled_scores(tests, np.full((1, 4), penalty), y)
        assert scores["recall"][0].mean() == pytest.approx(recall, abs=0.05)
        assert scores["excess"][0].mean() == pytest.approx(0, abs=0.03)
        assert scores["precision"][0].mean() == pytest.approx(0.25, abs=0.02)


def test_scores_agree_with_a_penalised_argmax():
    rng = np.random.default_rng(5)
    y, tests = rng.integers(4, size=200), rng.normal(size=(2, 4, 200, 4))
    tests[..., np.arange(200), y] += 1.0
    penalties = rng.normal(size=(2, 4)) / 4
    scores = unseen_scores.resampled_scores(tests, penalties, y)
    for c in range(4):
        logits = tests[:, c] - penalties[:, c, None, None] * (np.arange(4) != c)
        hit = logits.argmax(axis=2) == y
        assert scores["recall"][0, c] == pytest.approx(hit[:, y == c].mean())
        assert scores["seen"][0, c] == pytest.approx(hit[:, y != c].mean())
        found = logits.argmax(axis=2) == c
        assert scores["false_positives"][0, c] == pytest.approx(found[:, y != c].mean())
        assert scores["precision"][0, c] == pytest.approx((y == c)[np.where(found)[1]].mean())
        expected = np.mean([roc_auc_score(y == c, one[:, c]) for one in tests[:, c]])
        assert scores["auroc"][0, c] == pytest.approx(expected)
    table = unseen_scores.score_table({"a": scores, "b": scores}, y, "wxyz", "a").set_index(
        ["method", "class", "score"]
    )
    row = table.loc["a", "mean", "auroc"]
    assert row["low"] < row["value"] < row["high"] and 0.02 < row["high"] - row["low"] < 0.2
    # every method is resampled alike, so the gain over an equal method is exactly 0
    gains = table.xs("gain", level="score")[["value", "low", "high"]]
    assert (gains == 0).all(axis=None)


def test_unseen_class_that_is_never_found_has_an_interval_above_zero():
    """Six images of each class; a bootstrap of a recall of 0 would be [0, 0]."""
    y, tests = np.arange(24) % 4, np.zeros((2, 4, 24, 4))
    for c in range(4):
        tests[:, c, :, c] = -1
    scores = unseen_scores.resampled_scores(tests, np.zeros((2, 4)), y)
    table = unseen_scores.score_table({"a": scores}, y, "wxyz", "a")
    recall = table[(table["score"] == "recall") & (table["class"] != "mean")]
    limits = binomtest(0, 6).proportion_ci(method="wilson")
    assert (recall["value"] == 0).all()
    precision = table[table["score"] == "precision"]
    assert (precision["value"] == 0).all() and precision["high"].notna().all()
    assert recall["high"].to_numpy() == pytest.approx([limits.high] * 4)
    # a resample without any of six images of a class is drawn again
    assert table[["value", "low", "high"]].notna().all(axis=None)
    with pytest.raises(ValueError, match="none of class 2, expected some of each class"):
        unseen_scores.resampled_scores(tests, np.zeros((2, 4)), np.where(y == 2, 1, y))


def test_gains_are_tested_over_items_and_over_classes_with_correction():
    rng = np.random.default_rng(6)
    y, tests = np.arange(240) % 6, rng.normal(size=(2, 6, 240, 6))
    methods = {}
    for name, signal in (("none", np.zeros(6)), ("one class", np.eye(6)[0] * 6), ("all", 0.8)):
        better = tests.copy()
        for c, strength in enumerate(np.broadcast_to(signal, 6)):
            better[:, c, y == c, c] += strength
        methods[name] = unseen_scores.resampled_scores(better, np.zeros((2, 6)), y)
    table = unseen_scores.gain_table(methods, "none").set_index("method")
    assert list(table.index) == ["one class", "all"]
    one = table.loc["one class"]
    gains = methods["one class"]["auroc"][0] - methods["none"]["auroc"][0]
    assert one["gain"] == pytest.approx(gains.mean())
    half = t.ppf(0.975, 5) * gains.std(ddof=1) / 6**0.5
    limits = gains.mean() - half, gains.mean() + half
    assert (one["class_low"], one["class_high"]) == pytest.approx(limits)
    # a gain in one class only: certain for these classes, unknown for others
    assert one["low"] > 0.05 and one["p_holm"] < 0.01
    assert one["class_low"] < 0 and one["p_class_holm"] > 0.05
    assert one["p_class"] == pytest.approx(2 * t.sf(gains.mean() / half * t.ppf(0.975, 5), 5))
    everywhere = table.loc["all"]
    assert everywhere["class_low"] > 0 and everywhere["p_class_holm"] < 0.01
    assert everywhere["p_class_holm"] == pytest.approx(2 * everywhere["p_class"])


def test_blend_weights_orthogonal_parts_and_words_have_positions_between_poles():
    words = np.array([[2.0, 0.0], [1.0, 1.0], [0.0, 3.0]])
    position = unseen.position_between(words, np.array([[1.0, 0.0]]), np.array([[0.0, 5.0]]))
    assert position == pytest.approx([np.sqrt(1.5), 0, -np.sqrt(1.5)])
    anchors = unseen.blend(words, position, meaning=0, own=1, common=2, pole=0.5)
    gram = np.eye(3) + 4 + 0.25 * np.outer(position, position)
    length = np.sqrt(np.diag(gram))
    assert anchors @ anchors.T == pytest.approx(gram / np.outer(length, length))


def test_projector_does_not_depend_on_items_of_hidden_classes():
    x, y, test_x, _, words = make_items(n=80)
    recipe = Recipe(epochs=2, patience=None, refit=False, batch_size=16)
    changed = np.where(y[:, None] == 1, 7.0, x)
    x, changed, at = (
        torch.tensor(features, dtype=torch.float32) for features in (x, changed, test_x)
    )
    one, other = (
        cosines_without([1, 4], features, torch.tensor(y), at, words, recipe, 0)
        for features in (x, changed)
    )
    assert one.shape == (80, 5) and np.array_equal(one, other)
    assert not np.array_equal(
        one, cosines_without([4], changed, torch.tensor(y), at, words, recipe, 0)
    )


def test_too_few_classes_are_refused():
    x, y, test_x, _, _ = make_items(classes=3)
    with pytest.raises(ValueError, match="3 classes: expected at least 4"):
        unseen.LeftOut(x, y, test_x, [LINEAR])


def test_ridge_to_minilm_ranks_unseen_emotions_of_photographs_above_chance(
    test_data, tmp_path, monkeypatch
):
    monkeypatch.setenv("TINYEMO_DATA", str(tmp_path))
    records, store, _, _ = load_features(test_data / "emotion6_clip_l14")
    parts = split_tensors(records, store, "ekman")
    known, test = concatenated(parts["train"], parts["validation"]), parts["test"]
    words = (
        load_anchors(test_data / "label_embeddings" / "minilm_l6", labels_of("ekman"))
        .double()
        .numpy()
    )
    left = unseen.LeftOut(known.x.numpy(), known.y.numpy(), test.x.numpy(), [(30.0, None)], folds=2)
    candidates = [(0, unseen.blend(words, np.zeros(6)))]
    cosines, penalties = left.test(candidates, left.choose(candidates, 0.1))
    scores = unseen_scores.resampled_scores(cosines[None], penalties[None], test.y.numpy())
    assert scores["auroc"][0].mean() == pytest.approx(0.64, abs=0.03)
    without = unseen_scores.resampled_scores(cosines[None], 0 * penalties[None], test.y.numpy())
    assert without["recall"][0].max() < 0.1
    # more of the unseen class than of the others is assigned to it
    assert scores["excess"][0].mean() > 0.05
    assert scores["false_positives"][0].mean() == pytest.approx(0.1, abs=0.05)
