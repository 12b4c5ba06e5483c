"""tinyemo.bias.references: effects and errors against regressions, tests against simulations."""

import numpy as np
import pandas as pd
import pytest
import torch
from scene_features import encode
from scipy.stats import kstest

from emoscenes.biased_sets import ScenePool
from emoscenes.scenes import sample_scenes
from tinyemo.bias.references import (
    AdjustedEffects,
    data_and_model,
    excess_effects,
    moderated,
    resampled_references,
)
from tinyemo.bias.values import attribute_values
from tinyemo.emotions import labels_of
from tinyemo.training.linear_projector import fit_linear

WORDS = labels_of("ekman")


def items(n=900, seed=0):
    """Records with two associated attributes and one of lists, and scores that depend on all."""
    rng = np.random.default_rng(seed)
    place = rng.choice(["beach", "dump", "park"], n)
    sky = np.where(
        rng.random(n) < 0.7,
        np.where(place == "beach", "clear", "rain"),
        rng.choice(["fog", "rain"], n),
    )
    things = [[thing for thing in ("rose", "snake") if rng.random() < 0.3] for _ in range(n)]
    records = pd.DataFrame({"attr_place": place, "attr_sky": sky, "attr_things": things})
    named = np.array([len(words) for words in things])
    score = np.stack([(place == "beach") * 0.3 + (sky == "rain") * 0.1, named * 0.2], axis=1)
    return records, score + rng.normal(size=(n, 2)) * (0.05 + 0.1 * (sky == "fog"))[:, None]


def residual(values, name):
    """The residual of a value after a regression on all values of the other attributes."""
    own = values.attributes[values.names.index(name)]
    rest = np.array([a != own for a in values.attributes])
    others = np.column_stack([np.ones(values.present.shape[0]), values.present.toarray()[:, rest]])
    shown = values.of(name).astype(float)
    return shown - others @ np.linalg.lstsq(others, shown, rcond=None)[0]


@pytest.mark.parametrize("name", ["place: beach", "sky: rain", "things: snake"])
def test_effects_and_errors_agree_with_the_regression_written_out(name):
    records, score = items()
    values = attribute_values(records)
    effects, row = AdjustedEffects(values), values.names.index(name)
    left = residual(values, name)
    assert effects(score)[row] == pytest.approx(left @ score / (left @ left), abs=1e-4)
    everything = np.column_stack([np.ones(len(score)), values.present.toarray()])
    rest = score - everything @ np.linalg.lstsq(everything, score, rcond=None)[0]
    white = np.sqrt((left**2) @ rest**2) / (left @ left)
    assert effects.errors(score)[row] == pytest.approx(white, rel=1e-3)


def test_a_value_that_another_attribute_determines_has_no_huge_effect():
    records, score = items()
    values = attribute_values(records.assign(attr_copy=records["attr_place"]))
    assert np.abs(AdjustedEffects(values)(score)).max() < 1


def test_moderated_variances_recover_a_known_prior():
    rng = np.random.default_rng(0)
    # scaled inverse chi-squared with 8 degrees of freedom and centre 2
    true = 2.0 * 8 / rng.chisquare(8, size=(300, 20))
    sample = true * rng.chisquare(29, size=true.shape) / 29
    shrunk, freedom = moderated(sample, 29)
    assert freedom - 29 == pytest.approx(8, rel=0.15)
    assert ((shrunk - true) ** 2).mean() < ((sample - true) ** 2).mean()
    equal, freedom = moderated(3.0 * rng.chisquare(29, size=(60, 6)) / 29, 29)
    assert freedom > 500 and equal == pytest.approx(3.0, rel=0.1)


def test_p_values_are_uniform_without_a_difference_and_small_with_one():
    values = attribute_values(items()[0])
    rng, shape = np.random.default_rng(1), (len(values.names), 6)
    spread = rng.gamma(4, 0.005, size=shape)
    p = [
        excess_effects(
            rng.normal(size=shape) * spread, rng.normal(size=(30, *shape)) * spread, values, WORDS
        )["p"]
        for _ in range(40)
    ]
    assert kstest(np.concatenate(p), "uniform").statistic < 0.03
    moved = np.zeros(shape)
    moved[2, 3] = 0.2
    table = excess_effects(moved, rng.normal(size=(30, *shape)) * spread, values, WORDS)
    found = table[table["found"]]
    assert list(zip(found["what"], found["where"], strict=True)) == [(values.names[2], WORDS[3])]
    assert found["low"].iloc[0] < 0.2 < found["high"].iloc[0] + 0.05
    with pytest.raises(ValueError, match="at least 10 references, got 9"):
        excess_effects(moved, np.zeros((9, *shape)), values, WORDS)


def test_errors_over_items_widen_the_interval():
    values = attribute_values(items()[0])
    shape = (len(values.names), 6)
    references = np.random.default_rng(2).normal(size=(30, *shape)) * 0.01
    narrow, wide = (
        excess_effects(np.zeros(shape), references, values, WORDS, errors) for errors in (0.0, 0.02)
    )
    assert (wide["high"] - wide["low"] > narrow["high"] - narrow["low"] + 0.03).all()


def test_combined_detector_needs_both_detectors():
    def table(*rows):
        return pd.DataFrame(rows, columns=["what", "where", "effect", "p", "q", "found"]).assign(
            detector=""
        )

    model = table(
        ("a: x", "joy", 0.1, 1e-5, 1e-4, True),
        ("a: y", "joy", 0.01, 0.5, 0.5, False),
        ("a: z", "joy", 0.1, 0.0, 0.0, True),
        ("a: w", "joy", 0.1, 0.0, 0.0, True),
    )
    data = table(
        ("a: y", "joy", 0.3, 0.0, 0.0, True),
        ("a: x", "joy", 0.3, 1e-9, 1e-8, True),
        ("a: z", "joy", 0.0, 0.7, 0.8, False),
    )  # another order, and no row for w
    combined = data_and_model(data, model)
    assert combined["what"].tolist() == model["what"].tolist()
    assert combined["found"].tolist() == [True, False, False, False]
    assert combined["q"].tolist() == [1e-4, 0.5, 0.8, 1.0]
    assert combined["effect"].tolist() == model["effect"].tolist()


def test_resampled_references_do_not_have_an_injected_bias_of_the_model():
    scenes, _ = sample_scenes(4000, [4, 1])
    pool = ScenePool(scenes, encode(scenes), encode)
    anchors = torch.randn(6, 16, generator=torch.Generator().manual_seed(1))
    train = pool.training_set(3000, 1, label_biases=[("background", "forest", "ekman:fear", 0.3)])
    test = pool.training_set(900, 2)
    values, of_test = attribute_values(train.records), attribute_values(test.records)

    def fit(x, y, seed):
        return fit_linear(x, y, anchors).classify(test.x, anchors).numpy()

    effects = AdjustedEffects(of_test)
    p = fit(train.x, train.y, 0).astype(float)
    references, errors = resampled_references(
        fit, train.x, train.y, values, effects, p, 10, workers=1
    )
    cell = of_test.names.index("background: forest"), WORDS.index("fear")
    injected = effects(p)[cell]
    assert injected > 0.1
    assert abs(references[:, *cell].mean()) < injected / 4
    smiling = of_test.names.index("expression: smiling"), WORDS.index("joy")
    # the association with a cause is removed as well: a person has to decide which is which
    assert abs(references[:, *smiling].mean()) < 0.1


def test_errors_of_resampled_references_are_of_the_difference_to_their_mean():
    values, rng = attribute_values(items()[0]), np.random.default_rng(3)
    effects, y = AdjustedEffects(values), rng.integers(2, size=900)
    p, others = rng.random((900, 2)), rng.random((10, 900, 2))
    references, errors = resampled_references(
        lambda x, y, number: others[number],
        torch.zeros(900, 1),
        y,
        values,
        effects,
        p,
        10,
        workers=1,
    )
    assert references == pytest.approx(np.stack([effects(other) for other in others]))
    assert errors == pytest.approx(effects.errors(p - others.mean(axis=0)), rel=1e-4)
