"""tinyemo.bias.erasure: after it a linear probe is at chance, and used values are found."""

from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from tinyemo.bias.erasure import erase, erasure_effects
from tinyemo.bias.values import attribute_values

N, D = 3000, 20


@pytest.fixture(scope="module")
def rain_model():
    """Mixed features of rain, an indoor place and a hat; a model that uses rain alone."""
    rng = np.random.default_rng(0)
    rain, place, hat = rng.random((3, N)) < np.array([[0.2], [0.5], [0.03]])
    noise = rng.normal(size=(N, D)) * np.linspace(0.3, 3, D)
    noise[:, :3] = 0.3 * rng.normal(size=(N, 3)) + np.stack([rain, place, hat], axis=1)
    mix = np.linalg.qr(rng.normal(size=(D, D)))[0]
    values = attribute_values(
        pd.DataFrame(
            {
                "attr_weather": np.where(rain, "rain", ""),
                "attr_place": np.where(place, "indoors", ""),
                "attr_hat": np.where(hat, "hat", ""),
            }
        )
    )
    direction = torch.tensor(mix[0], dtype=torch.float32)

    def predict(x):
        share = torch.sigmoid(2 * ((x - 4) @ direction) - 1)
        return torch.stack([share, 1 - share], dim=1)

    return torch.tensor(noise @ mix + 4, dtype=torch.float32), values, predict, mix


def probe(x, concept):
    x = (x - x.mean(dim=0)).double().numpy()
    return LogisticRegression(solver="newton-cholesky").fit(x, concept).predict_proba(x)[:, 1]


@pytest.mark.parametrize("name", ["weather: rain", "hat: hat"])  # 20 % and 3 % of the items
def test_after_erasure_a_linear_probe_predicts_the_same_for_every_item(rain_model, name):
    x, values, *_ = rain_model
    concept = values.of(name)
    assert probe(x, concept).std() > 0.05
    erased = erase(x, concept)(x)
    assert probe(erased, concept) == pytest.approx(np.full(N, concept.mean()), abs=1e-4)
    assert (
        erased.dtype == x.dtype and probe(erased, values.of("place: indoors")).std() > 0.3
    )  # other values stay


def test_several_values_are_erased_at_once_also_from_new_items(rain_model):
    x, values, _, mix = rain_model
    concept = values.present.toarray()
    fresh = x[2000:], erase(x[:2000], concept[:2000])(x[2000:])
    for name, shows in zip(
        ("weather: rain", "place: indoors", "hat: hat"), torch.tensor(mix[:3]), strict=True
    ):
        shown = torch.from_numpy(values.of(name)[2000:])
        before, after = (part.double() @ shows for part in fresh)
        error = before[~shown].std() / shown.sum().sqrt()
        assert before[shown].mean() - before[~shown].mean() > 10 * error
        assert (after[shown].mean() - after[~shown].mean()).abs() < 4 * error


def test_effects_agree_with_the_library_eraser(rain_model):
    x, values, predict, _ = rain_model
    table = erasure_effects(predict, x, values, ["wet", "dry"], permutations=10, items=N)
    for name in values.names:
        shown = x[torch.from_numpy(values.of(name))]
        moved = (predict(shown) - predict(erase(x, values.of(name))(shown))).mean(dim=0)
        rows = table[table["what"] == name]
        assert rows["effect"].to_numpy() == pytest.approx(moved.numpy(), abs=1e-4)
        assert (rows["low"] < rows["effect"]).all() and (rows["effect"] < rows["high"]).all()


def test_only_the_value_that_the_model_uses_is_found(rain_model):
    x, values, predict, _ = rain_model
    table = erasure_effects(predict, x, values, ["wet", "dry"], items=200)
    assert list(table.loc[table["found"], "what"]) == ["weather: rain"] * 2
    assert table.loc[table["found"], "effect"].to_numpy() == pytest.approx([0.37, -0.37], abs=0.06)
    assert set(table["items"]) == {200, int(values.of("hat: hat").sum())}
    again = erasure_effects(predict, x, values, ["wet", "dry"], items=200)
    pd.testing.assert_frame_equal(table, again)


def test_p_values_are_uniform_for_random_values(rain_model):
    x, _, predict, _ = rain_model
    rng = np.random.default_rng(1)
    random = attribute_values(
        pd.DataFrame({f"attr_{j}": np.where(rng.random(N) < 0.1, "yes", "") for j in range(40)})
    )
    table = erasure_effects(predict, x, random, ["wet", "dry"], permutations=10, items=100)
    p = table["p"].to_numpy()[::2]
    assert not table["found"].any() and (p < 0.1).mean() < 0.3 and 0.35 < p.mean() < 0.65


def test_inputs_that_do_not_fit_are_named(rain_model):
    x, values, predict, _ = rain_model
    for call, message in (
        (partial(erase, x, np.ones(N)), "column 0 of the concept is the same for all items"),
        (
            partial(erase, x, np.ones(7)),
            r"expected features \(N, D\) and a concept \(N,\) or \(N, K\), got .* \(7,\)",
        ),
        (
            partial(erasure_effects, predict, x[:9], values, ["a", "b"]),
            f"attribute values of the 9 items, got {N}",
        ),
    ):
        with pytest.raises(ValueError, match=message):
            call()
