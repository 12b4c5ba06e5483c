"""Training: it learns, it is deterministic, it survives kill -9, and it refuses bad input in one sentence."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pandas as pd
import pytest
import torch

from tinyemo.training.fit_projector import PRESETS, fit_projector

TUNED = PRESETS["tuned"]
PUBLISHED = PRESETS["published"]


def data(n=240, classes=4, width=12, noise=1.0, seed=0):
    """Features around one direction a class, with an offset and unequal spreads, labels, anchors (C, 10)."""
    draw = torch.Generator().manual_seed(seed)
    y = torch.arange(n) % classes
    x = 2 * torch.eye(classes, width)[y] + noise * torch.randn(n, width, generator=draw)
    anchors = torch.randn(classes, 10, generator=torch.Generator().manual_seed(99))
    return 5 * torch.linspace(0.1, 3, width) * x + 20, y, anchors


def accuracy(projector, x, y, anchors):
    return float((projector.classify(x, anchors).argmax(dim=1) == y).float().mean())


@pytest.mark.parametrize("loss", ["cross_entropy", "nt_xent", "info_nce", "cosine_embedding"])
@pytest.mark.parametrize("preset", PRESETS)
def test_it_learns_under_every_preset_and_loss(preset, loss):
    x, y, anchors = data(1200, noise=0.5)
    test_x, test_y, _ = data(noise=0.5, seed=1)
    recipe = replace(PRESETS[preset], loss=loss, peak_lr=1e-2)
    projector, history = fit_projector(x, y, anchors, recipe, 0, validation=data(100, noise=0.5, seed=2)[:2])
    assert accuracy(projector, test_x, test_y, anchors) > 0.8  # chance is .25
    assert history["train_loss"].iloc[-1] < history["train_loss"].iloc[0]
    assert list(history["epoch"]) == list(range(1, len(history) + 1))


def test_soft_targets_recover_the_distribution_they_were_drawn_from():
    x, y, anchors = data(noise=0.1)
    targets = torch.tensor([[0.7, 0.3, 0, 0], [0, 0.7, 0.3, 0], [0, 0, 0.7, 0.3], [0.3, 0, 0, 0.7]])[y]
    recipe = replace(TUNED, loss="soft_label_kl", peak_lr=1e-2, epochs=40, temperature=0.1, input_dropout=0.0)
    projector, _ = fit_projector(x, targets, anchors, recipe, 0)
    assert (projector.classify(x, anchors) - targets).abs().mean() < 0.05


def test_the_lowest_validation_loss_is_kept_and_centring_folded_into_the_first_layer():
    """What the model did in training on centred features, the projector does on raw ones."""
    x, y, anchors = data()
    held_out = data(100, seed=2)[:2]
    recipe = replace(TUNED, refit=False)
    projector, history = fit_projector(x, y, anchors, recipe, 0, held_out)
    selected = history.set_index("epoch").loc[projector.info["epochs"]]
    assert accuracy(projector, *held_out, anchors) == pytest.approx(selected["validation_accuracy"])
    losses = history["validation_loss"][history["epoch"] >= recipe.min_epochs]
    assert selected["validation_loss"] == losses.min()


def test_it_stops_early_and_refits_on_all_items():
    x, y, anchors = data(noise=4.0)
    held_out = data(100, noise=4.0, seed=2)[:2]
    recipe = replace(TUNED, epochs=60, patience=2, input_dropout=0.0, dropout=0.0, peak_lr=1e-2)
    projector, history = fit_projector(x, y, anchors, recipe, 0, held_out)
    assert len(history) < 60 and projector.info["items"] == 340
    assert projector.info["epochs"] == len(history) - 2
    assert len(fit_projector(x, y, anchors, recipe, 0)[1]) == 60  # nothing to stop by


def test_the_published_recipe_selects_nothing_and_ends_as_its_schedule_says():
    x, y, anchors = data()
    with_validation, history = fit_projector(x, y, anchors, PUBLISHED, 0, data(100, seed=2)[:2])
    without, _ = fit_projector(x, y, anchors, PUBLISHED, 0)
    assert len(history) == 5 and history["lr"].iloc[0] <= 5e-4
    for one, other in zip(with_validation.parameters(), without.parameters(), strict=True):
        assert torch.equal(one, other)


def test_the_seed_decides_and_the_caller_s_random_state_is_left_alone():
    x, y, anchors = data()
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    first, _ = fit_projector(x, y, anchors, TUNED, 0)
    assert torch.equal(torch.rand(3), expected)
    again, _ = fit_projector(x, y, anchors, TUNED, 0)
    other, _ = fit_projector(x, y, anchors, TUNED, 1)
    assert torch.equal(first(x), again(x)) and not torch.equal(first(x), other(x))


FIT = """
import sys, torch
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from test_fit_projector import slow_fit
projector, history = slow_fit(Path(sys.argv[1]))
"""


def slow_fit(folder):
    """Two stages of some eighty epochs, saved after every one."""
    x, y, anchors = data()
    recipe = replace(TUNED, epochs=160, min_epochs=80, patience=5)
    checkpoint = folder and folder / "seed0.pt"
    return fit_projector(x, y, anchors, recipe, 0, data(100, seed=2)[:2], checkpoint, save_every=0.0)


@pytest.mark.parametrize("killed_in", ["seed0.pt", "seed0.refit.pt"])
def test_killed_and_started_again_it_equals_an_undisturbed_run(tmp_path, killed_in):
    here = os.path.dirname(__file__)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([os.path.dirname(here), here])}
    process = subprocess.Popen([sys.executable, "-c", FIT, str(tmp_path), here], env=environment)
    deadline = time.monotonic() + 60
    while not (tmp_path / killed_in).exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.002)
    assert process.poll() is None, "it ended before it could be killed"
    process.send_signal(signal.SIGKILL)
    process.wait()
    saved = torch.load(tmp_path / killed_in, weights_only=True)
    assert 0 < saved["state"]["epoch"] < saved["last_epoch"]
    resumed, resumed_history = slow_fit(tmp_path)
    undisturbed, history = slow_fit(None)
    pd.testing.assert_frame_equal(resumed_history, history)
    for name, tensor in undisturbed.state_dict().items():
        assert torch.equal(resumed.state_dict()[name], tensor), name


def test_a_checkpoint_is_read_only_by_the_run_that_made_it(tmp_path):
    x, y, anchors = data()
    checkpoint = tmp_path / "seed0.pt"
    fit_projector(x, y, anchors, PUBLISHED, 0, checkpoint=checkpoint)
    for changed in (
        (x + 1, y, anchors, PUBLISHED, 0), (x, y.flip(0), anchors, PUBLISHED, 0),
        (x, y, anchors.flip(0), PUBLISHED, 0), (x, y, anchors, replace(PUBLISHED, dropout=0.3), 0),
        (x, y, anchors, PUBLISHED, 1),
    ):
        fresh, _ = fit_projector(*changed)
        kept, _ = fit_projector(*changed, checkpoint=checkpoint)
        assert torch.equal(fresh(x), kept(x))
    checkpoint.write_bytes(b"half a file")
    assert torch.equal(fit_projector(*changed, checkpoint=checkpoint)[0](x), fresh(x))
    assert [path.name for path in tmp_path.iterdir()] == ["seed0.pt"]


def test_a_finished_seed_trains_no_more(tmp_path, monkeypatch):
    x, y, anchors = data()
    args = (x, y, anchors, TUNED, 0, data(100, seed=2)[:2], tmp_path / "seed0.pt")
    first, _ = fit_projector(*args)
    monkeypatch.setattr("tinyemo.training.fit_projector._Run._train_epoch", None)
    assert torch.equal(fit_projector(*args)[0](x), first(x))


def test_a_checkpoint_that_cannot_be_written_is_named(tmp_path):
    x, y, anchors = data()
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        fit_projector(x, y, anchors, PUBLISHED, 0, checkpoint=tmp_path / "file" / "seed0.pt")


def test_bad_input_is_named():
    x, y, anchors = data()
    spoilt = x.clone()
    spoilt[7, 3] = float("nan")
    soft = torch.full((240, 4), 0.25)
    kl = replace(TUNED, loss="soft_label_kl")
    for args, message in (
        ((spoilt, y, anchors, TUNED), "training features: row 7 holds NaN"),
        ((x, y.clamp(max=2), anchors, TUNED), "class 3 of 4 has no item"),
        ((x, y[:-1], anchors, TUNED), r"training labels: expected \(240,\), one a feature row, got \(239,\)"),
        ((x, y + 1, anchors, TUNED), "expected 0 to 3, got 1 to 4"),
        ((x[0], y, anchors, TUNED), r"expected \(N, d_vision\)"),
        ((x[:1], y[:1], anchors, TUNED), r"N > 1"),
        ((x, y, anchors[0], TUNED), "anchors: expected finite numbers"),
        ((x, y, anchors * float("inf"), TUNED), "anchors: expected finite numbers"),
        ((x, soft[:, :3], anchors, kl), r"training targets: expected \(240, 4\)"),
        ((x, 2 * soft, anchors, kl), "row 0 is no distribution"),
        ((x, y, anchors, kl), "loss soft_label_kl: expected float targets"),
        ((x, soft, anchors, TUNED), "loss cross_entropy: expected int64 labels"),
        ((x, y, anchors, replace(TUNED, loss="triplet")), "unknown loss 'triplet': expected one of"),
    ):
        with pytest.raises(ValueError, match=message):
            fit_projector(*args, 0)
    with pytest.raises(ValueError, match="validation features: row 7"):
        fit_projector(x, y, anchors, TUNED, 0, (spoilt, y))
