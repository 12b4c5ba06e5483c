"""Training sets of a few items: every size is trained, or refused in one sentence."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tinyemo.evaluation.probes import fit_probe
from tinyemo.training.linear_projector import fit_linear
from tinyemo.training.projector import PRESETS, Recipe, fit_projector


def data(items: int, classes: int, seed: int = 0):
    """Features (N, 3), labels in turn, and anchors (C, 4)."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(items, 3, generator=generator)
    return x, torch.arange(items) % classes, torch.randn(classes, 4, generator=generator)


def fit(recipe: Recipe, items: int, classes: int = 2):
    x, y, anchors = data(items, classes)
    projector, history = fit_projector(x, y, anchors, recipe, 0, (x, y))
    assert np.isfinite(history.to_numpy(dtype=float)).all()
    assert projector(x).isfinite().all()
    return history


@pytest.mark.parametrize("items", [2, 3, 47, 60, 127, 128, 255])
def test_the_recipe_of_collections_trains_on_fewer_than_256_items(items):
    """10 epochs of one step each, of which a tenth is warm-up: the warm-up is one step."""
    lr = fit(PRESETS["quick"], items)["lr"]
    peak = PRESETS["quick"].peak_lr
    assert lr[0] == pytest.approx(peak / 25)  # where OneCycleLR starts
    assert 0.9 * peak < lr[1] <= peak
    assert (lr[1:].diff().dropna() < 0).all()


@pytest.mark.parametrize("items", [1280, 1311])
def test_the_published_recipe_trains_where_its_warmup_is_one_step(items):
    fit(PRESETS["published"], items)


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_trains_on_every_small_number_of_items(preset):
    for items in (2, 9, 60, 65):
        fit(PRESETS[preset], items)


@pytest.mark.parametrize(
    ("epochs", "warmup"), [(10, 0.1), (4, 0.25), (3, 1 / 3), (20, 0.05), (7, 0)]
)
def test_any_share_of_warmup_is_trained(epochs, warmup):
    fit(replace(PRESETS["quick"], epochs=epochs, warmup=warmup), 6)


def test_schedules_with_a_longer_or_shorter_warmup_are_those_of_one_cycle():
    for items, recipe in ((6, PRESETS["tuned"]), (40, PRESETS["published"])):
        recipe = replace(recipe, patience=None)
        optimizer = torch.optim.AdamW([torch.zeros(1, requires_grad=True)], lr=recipe.peak_lr)
        steps = recipe.epochs * max(1, items // recipe.batch_size)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, recipe.peak_lr, steps, pct_start=recipe.warmup
        )
        expected = []
        for _ in range(recipe.epochs):
            expected.append(schedule.get_last_lr()[0])
            optimizer.step()
            schedule.step()
        assert fit(recipe, items)["lr"].tolist() == expected


@pytest.mark.parametrize("preset", PRESETS)
def test_one_class_and_one_item_per_class_are_trained(preset):
    fit(PRESETS[preset], 5, classes=1)
    fit(PRESETS[preset], 6, classes=6)


def test_one_validation_item_selects():
    x, y, anchors = data(8, 2)
    _, history = fit_projector(x, y, anchors, PRESETS["tuned"], 0, (x[:1], y[:1]))
    assert history["validation_accuracy"].isin([0, 1]).all()


def refusal(function, *arguments) -> str:
    """The message of the ValueError; it has one line."""
    with pytest.raises(ValueError) as caught:
        function(*arguments)
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize("items", [0, 1])
def test_fewer_than_two_items_are_refused(items):
    message = refusal(fit, PRESETS["quick"], items, 1)
    expected = f"expected (N, d_vision) with N of at least 2, got ({items}, 3)"
    assert message == f"training features: {expected}"


def test_a_class_without_an_item_is_refused():
    message = refusal(fit, PRESETS["quick"], 3, 8)
    assert message.startswith("training labels: class 3 of 8 has no item")


REFUSED_RECIPES = {
    "batch_size=1: expected at least 2, because batch norm": {"batch_size": 1},
    "batch_size=0: expected at least 1": {"batch_size": 0, "layers": 1},
    "expected at least one epoch": {"epochs": 0},
    "warmup=1.0: expected": {"warmup": 1.0},
}


@pytest.mark.parametrize("expected", REFUSED_RECIPES)
def test_a_recipe_that_cannot_train_is_refused(expected):
    recipe = replace(PRESETS["quick"], **REFUSED_RECIPES[expected])
    assert expected in refusal(fit, recipe, 6)


def test_a_batch_of_one_is_trained_where_there_is_no_batch_norm():
    fit(replace(PRESETS["quick"], batch_size=1, layers=1), 4)


def test_an_empty_validation_part_is_refused_in_one_sentence():
    x, y, anchors = data(6, 2)
    empty = (x[:0], y[:0])
    message = refusal(fit_projector, x, y, anchors, PRESETS["tuned"], 0, empty)
    expected = "expected (N, d_vision) with N of at least 1, got (0, 3)"
    assert message == f"validation features: {expected}"


# --- probes and the closed form ------------------------------------------------------------------


@pytest.mark.parametrize("name", ["logreg", "svm"])
def test_probes_of_two_classes_give_probabilities_of_both(name):
    x = np.random.default_rng(0).normal(size=(20, 3))
    y = (x[:, 0] > 0).astype(int)
    p = fit_probe(name, x, y).predict_proba(x)
    assert p.shape == (20, 2) and np.allclose(p.sum(axis=1), 1)
    assert (p.argmax(axis=1) == y).mean() > 0.8


def test_a_probe_of_two_classes_is_the_sigmoid_of_its_score():
    x = np.random.default_rng(0).normal(size=(20, 3))
    probe = fit_probe("logreg", x, (x[:, 0] > 0).astype(int))
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    score = probe.model.decision_function((unit - probe.mean) / probe.scale)
    expected = 1 / (1 + np.exp(-score / probe.temperature))
    np.testing.assert_allclose(probe.predict_proba(x)[:, 1], expected)


# labels of the first items, and what is wrong with them
REFUSED_LABELS = [
    ([0, 0, 0, 0], "all 4 training items have one class; expected at least two"),
    ([], "all 0 training items have one class"),
    ([0, 1, 2], "class 0 has 1 training items; expected at least two of each"),
    ([0, 1, 2, 0], "class 1 has 1 training items"),
    ([0, 0, 2, 2], "class 1 has 0 training items"),
]


@pytest.mark.parametrize("name", ["logreg", "svm"])
@pytest.mark.parametrize(("labels", "expected"), REFUSED_LABELS)
def test_labels_that_a_probe_cannot_learn_are_refused(name, labels, expected):
    x = np.random.default_rng(0).normal(size=(len(labels), 3))
    message = refusal(fit_probe, name, x, np.array(labels, dtype=int))
    assert message.startswith(f"probe: {expected}")


@pytest.mark.parametrize("name", ["logreg", "svm"])
def test_features_of_one_direction_are_refused(name):
    message = refusal(fit_probe, name, np.ones((9, 3)), np.arange(9) % 3)
    assert message.startswith("probe: ")
    assert "features of 9 items all have one direction" in message


def test_the_closed_form_takes_one_class_and_one_item_per_class():
    for items, classes in ((5, 1), (2, 2), (6, 6), (2, 5)):
        x, y, anchors = data(items, classes)
        projector = fit_linear(x, y.numpy(), anchors)
        p = projector.classify(x, anchors)
        total = p.sum(dim=1)
        assert torch.allclose(total, torch.ones(items))
