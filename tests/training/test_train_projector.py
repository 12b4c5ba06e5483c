"""Training a projector: learning, joint training, exact resumption, and refused input."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pandas as pd
import pytest
import torch
import toy_tasks
from toy_tasks import TUNED, A, B, data, slow_fit, task

from tinyemo.emotions import labels_of
from tinyemo.losses import LOSSES
from tinyemo.models.projector import MetricProjector
from tinyemo.training.projector import PRESETS, Recipe, _draw, fit_jointly, fit_projector
from tinyemo.training.projector_tasks import checked

PUBLISHED = PRESETS["published"]


def accuracy(projector, x, y, anchors):
    return float((projector.classify(x, anchors).argmax(dim=1) == y).float().mean())


@pytest.mark.parametrize("loss", ["cross_entropy", "nt_xent", "info_nce", "cosine_embedding"])
@pytest.mark.parametrize("preset", PRESETS)
def test_projector_learns_with_every_preset_and_loss(preset, loss):
    x, y, anchors = data(1200, noise=0.5)
    test_x, test_y, _ = data(noise=0.5, seed=1)
    recipe = replace(PRESETS[preset], loss=loss, peak_lr=1e-2)
    projector, history = fit_projector(
        x, y, anchors, recipe, 0, validation=data(100, noise=0.5, seed=2)[:2]
    )
    assert accuracy(projector, test_x, test_y, anchors) > 0.8  # chance is .25
    assert history["train_loss"].iloc[-1] < history["train_loss"].iloc[0]
    assert list(history["epoch"]) == list(range(1, len(history) + 1))


def test_soft_targets_recover_their_distribution():
    x, y, anchors = data(noise=0.1)
    targets = torch.tensor(
        [[0.7, 0.3, 0, 0], [0, 0.7, 0.3, 0], [0, 0, 0.7, 0.3], [0.3, 0, 0, 0.7]]
    )[y]
    recipe = replace(
        TUNED, loss="soft_label_kl", peak_lr=1e-2, epochs=40, temperature=0.1, input_dropout=0.0
    )
    projector, _ = fit_projector(x, targets, anchors, recipe, 0)
    assert (projector.classify(x, anchors) - targets).abs().mean() < 0.05


def test_lowest_validation_loss_is_kept_and_centring_is_part_of_the_first_layer():
    """What the model did in training on centred features, the projector does on raw ones."""
    x, y, anchors = data()
    held_out = data(100, seed=2)[:2]
    recipe = replace(TUNED, refit=False)
    projector, history = fit_projector(x, y, anchors, recipe, 0, held_out)
    selected = history.set_index("epoch").loc[projector.info["epochs"]]
    assert accuracy(projector, *held_out, anchors) == pytest.approx(selected["validation_accuracy"])
    losses = history["validation_loss"][history["epoch"] >= recipe.min_epochs]
    assert selected["validation_loss"] == losses.min()


def test_training_stops_early_and_refits_on_all_items():
    x, y, anchors = data(noise=4.0)
    held_out = data(100, noise=4.0, seed=2)[:2]
    recipe = replace(TUNED, epochs=60, patience=2, input_dropout=0.0, dropout=0.0, peak_lr=1e-2)
    projector, history = fit_projector(x, y, anchors, recipe, 0, held_out)
    assert len(history) < 60 and projector.info["items"] == 340
    assert projector.info["epochs"] == len(history) - 2
    assert len(fit_projector(x, y, anchors, recipe, 0)[1]) == 60  # nothing to stop by


def test_published_recipe_runs_all_epochs_of_its_schedule():
    x, y, anchors = data()
    with_validation, history = fit_projector(x, y, anchors, PUBLISHED, 0, data(100, seed=2)[:2])
    without, _ = fit_projector(x, y, anchors, PUBLISHED, 0)
    assert len(history) == 5 and history["lr"].iloc[0] <= 5e-4
    for one, other in zip(with_validation.parameters(), without.parameters(), strict=True):
        assert torch.equal(one, other)


def test_training_is_seeded_and_keeps_the_callers_random_state():
    x, y, anchors = data()
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    first, _ = fit_projector(x, y, anchors, TUNED, 0)
    assert torch.equal(torch.rand(3), expected)
    again, _ = fit_projector(x, y, anchors, TUNED, 0)
    other, _ = fit_projector(x, y, anchors, TUNED, 1)
    assert torch.equal(first(x), again(x)) and not torch.equal(first(x), other(x))


def spy(monkeypatch, name):
    """The arguments of the loss in training, call by call; validation calls have no gradients."""
    calls, loss = [], LOSSES[name]

    def spied(embeddings, labels, anchors, anchor_labels):
        if embeddings.requires_grad:
            calls.append((labels, anchors, anchor_labels))
        return loss(embeddings, labels, anchors, anchor_labels)

    monkeypatch.setitem(LOSSES, name, spied)
    return calls


STEP = Recipe(
    temperature=0.5, epochs=1, batch_size=10_000, dropout=0.0, input_dropout=0.0, patience=None
)


def test_joint_loss_is_the_mean_kl_to_the_words_of_each_items_label_set():
    """Compared with the formula, item by item, at the initial weights; labels become one-hot."""
    votes = torch.rand(60, 3, generator=torch.Generator().manual_seed(3)).softmax(dim=1)
    synonyms = torch.randn(4, 1, 10, generator=torch.Generator().manual_seed(4))
    tasks = [replace(task(A, 60), y=votes), task(B, 100, seed=1, synonyms=synonyms)]
    x = torch.cat([part.x for part in tasks])
    torch.manual_seed(7)
    z = MetricProjector(12, 10, dropout=0.0)(x - x.mean(dim=0)).detach()
    for share, second in ((0.0, tasks[1].anchors), (1.0, synonyms[:, 0])):
        expected = 0.0
        for i, target in enumerate([*votes, *torch.eye(4)[tasks[1].y]]):
            cosines = torch.cosine_similarity(z[i], tasks[0].anchors if i < 60 else second)
            p = torch.exp(cosines / 0.5) / torch.exp(cosines / 0.5).sum()
            expected += float((target * (target.clamp(min=1e-9) / p).log()).sum()) / 160
        recipe = replace(STEP, loss="soft_label_kl", synonym_share=share)
        _, history = fit_jointly(tasks, recipe, 7)
        assert history["train_loss"][0] == pytest.approx(expected, rel=1e-3)
        _, judged = fit_jointly(tasks, replace(recipe, peak_lr=1e-12, refit=False), 7, tasks)
        if share == 0.0:
            word_loss = judged["validation_loss"][0]
    assert judged["validation_loss"][0] == pytest.approx(
        word_loss, rel=1e-4
    )  # synonyms are for training alone


def test_classes_of_a_batch_are_words_not_positions(monkeypatch):
    """`joy` is Ekman's fourth label and `contentment` Mikels' fourth: they are two classes."""
    calls = spy(monkeypatch, "nt_xent")
    names = ("ekman", "mikels", "parrott")
    tasks = [task(labels_of(name), 200, seed=i) for i, name in enumerate(names)]
    fit_jointly(tasks, replace(STEP, loss="nt_xent", batch_anchors=True, temperature=None), 0)
    ((labels, anchors, anchor_labels),) = calls
    assert (
        anchor_labels is labels and len(anchors) == 600
    )  # each item brings its anchor, as in TinyEmo
    known, vectors = (
        [word for part in tasks for word in part.words],
        torch.cat([part.anchors for part in tasks]),
    )
    found = [
        known[i] for i in (anchors @ vectors.T).argmax(dim=1)
    ]  # the words that the items' anchors stand for
    pairs = set(zip(found, labels.tolist(), strict=True))
    words = {word for name in names for word in labels_of(name)}
    assert len(pairs) == len(words) == len(dict(pairs)) == len({y for _, y in pairs})


def test_epoch_draws_from_tasks_in_proportion_to_weight_and_size(monkeypatch):
    calls = spy(monkeypatch, "nt_xent")
    recipe = replace(STEP, loss="nt_xent", batch_anchors=True, temperature=None, batch_size=30)
    sizes = {("a", "b"): (60, 4.0), ("c", "d"): (240, 1.0), ("e", "f"): (60, 1.0)}
    tasks = [task(words, n, weight) for words, (n, weight) in sizes.items()]
    fit_jointly(tasks, recipe, 0)
    assert [len(labels) for labels, _, _ in calls] == [30] * 12
    counts = torch.bincount(torch.cat([labels for labels, _, _ in calls]), minlength=6).view(3, 2)
    assert counts.sum(dim=1).tolist() == [160, 160, 40]  # 360 draws as 240 : 240 : 60
    assert counts[0].tolist() == pytest.approx([80, 80], abs=20)  # an item comes two or three times
    assert all(len((labels // 2).unique()) > 1 for labels, _, _ in calls)  # batches are mixed


def test_item_is_drawn_in_proportion_to_its_weight_give_or_take_one():
    weights = torch.rand(200, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    weights[::10] = 0
    weights[3] = 9
    (weighted,), _ = checked([replace(task(A, 200), item_weights=weights)], [], soft=False)
    due = 300 * weights / weights.sum()
    counts = torch.stack([torch.bincount(_draw(weighted, 300), minlength=200) for _ in range(400)])
    assert (counts.sum(dim=1) == 300).all() and ((counts - due).abs() < 1).all()
    assert torch.allclose(
        counts.double().mean(dim=0), due, atol=0.12
    )  # .5 / 20 is the largest standard error
    (even,), _ = checked(
        [replace(task(A, 200), item_weights=torch.full((200,), 7.0))], [], soft=False
    )
    assert _draw(even, 200).sort().values.tolist() == list(range(200))


def test_item_weights_decide_what_is_learnt_also_in_a_refit():
    """Each item is there twice, with its own label and with the next; weights choose one."""
    x, y, anchors = data(noise=0.5)
    twice, labels = torch.cat([x, x]), torch.cat([y, (y + 1) % 4])
    recipe = replace(TUNED, peak_lr=1e-2, dropout=0.0, input_dropout=0.0)
    for truth, weights in ((y, (1, 0.05)), (labels[240:], (0.05, 1))):
        for validation in (None, (x[:40], truth[:40])):
            projector, _ = fit_projector(
                twice,
                labels,
                anchors,
                recipe,
                0,
                validation,
                item_weights=torch.tensor(weights).repeat_interleave(240),
            )
            assert accuracy(projector, x, truth, anchors) > 0.9


def test_synonyms_replace_the_recipes_share_of_anchors(monkeypatch):
    calls = spy(monkeypatch, "nt_xent")
    synonyms = 100 + torch.arange(90.0).view(3, 3, 10) ** 2
    tasks = [task(A, 1500, synonyms=synonyms), task(B, 500, seed=1)]
    recipe = replace(STEP, loss="nt_xent", batch_anchors=True, temperature=None, synonym_share=0.4)
    fit_jointly(tasks, recipe, 0)
    ((labels, anchors, _),) = calls
    unit, replaced = torch.nn.functional.normalize(synonyms, dim=2), 0
    for word in range(3):
        own = anchors[labels == word]
        own = (
            own[:500] if word < 2 else own[(own - tasks[1].anchors[1]).abs().sum(dim=1) > 1e-5]
        )  # c is B's too
        is_word = (own - tasks[0].anchors[word]).abs().sum(dim=1) < 1e-5
        is_synonym = (own[:, None] - unit[word]).abs().sum(dim=2) < 1e-5
        assert (is_word ^ is_synonym.any(dim=1)).all() and (is_synonym.sum(dim=0) > 30).all()
        replaced += int((~is_word).sum())
    assert replaced / 1500 == pytest.approx(0.4, abs=0.04)


def test_one_projector_learns_two_label_sets():
    tasks = [task(A, 300, noise=0.5), task(B, 600, seed=1, noise=0.5)]
    judged = [task(A, 90, seed=2, noise=0.5), task(B, 90, seed=3, noise=0.5)]
    projector, history = fit_jointly(tasks, replace(PRESETS["joint"], peak_lr=1e-2), 0, judged)
    for part in judged:
        assert accuracy(projector, part.x, part.y, part.anchors) > 0.8
    assert history["validation_accuracy"].max() > 0.8 and projector.info["items"] == 1080


FIT = """
import sys
from pathlib import Path
from toy_tasks import slow_fit
slow_fit(Path(sys.argv[1]))
"""


@pytest.mark.parametrize("killed_in", ["seed0.pt", "seed0.refit.pt"])
def test_killed_training_is_resumed_exactly(tmp_path, killed_in):
    tests = os.path.dirname(toy_tasks.__file__)
    search_path = os.pathsep.join([os.path.dirname(tests), tests])
    environment = os.environ | {"PYTHONPATH": search_path}
    process = subprocess.Popen([sys.executable, "-c", FIT, str(tmp_path)], env=environment)
    deadline = time.monotonic() + 60
    while (
        not (tmp_path / killed_in).exists()
        and process.poll() is None
        and time.monotonic() < deadline
    ):
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


def test_checkpoint_is_read_only_by_its_own_run(tmp_path):
    x, y, anchors = data()
    checkpoint = tmp_path / "seed0.pt"
    fit_projector(x, y, anchors, PUBLISHED, 0, checkpoint=checkpoint)
    for changed in (
        (x + 1, y, anchors, PUBLISHED, 0),
        (x, y.flip(0), anchors, PUBLISHED, 0),
        (x, y, anchors.flip(0), PUBLISHED, 0),
        (x, y, anchors, replace(PUBLISHED, dropout=0.3), 0),
        (x, y, anchors, PUBLISHED, 1),
    ):
        fresh, _ = fit_projector(*changed)
        kept, _ = fit_projector(*changed, checkpoint=checkpoint)
        assert torch.equal(fresh(x), kept(x))
    checkpoint.write_bytes(b"half a file")
    assert torch.equal(fit_projector(*changed, checkpoint=checkpoint)[0](x), fresh(x))
    assert [path.name for path in tmp_path.iterdir()] == ["seed0.pt"]


def test_a_checkpoint_belongs_to_all_its_tasks(tmp_path):
    tasks, checkpoint = [task(A), task(B, seed=1)], tmp_path / "seed0.pt"
    published = replace(PUBLISHED, synonym_share=0.5)
    fit_jointly(tasks, published, 0, checkpoint=checkpoint)
    for change in (
        {"x": tasks[1].x + 1},
        {"weight": 2.0},
        {"synonyms": torch.ones(4, 2, 10)},
        {"words": (*B[:3], "a")},
        {"item_weights": torch.arange(len(tasks[1].x))},
    ):
        changed = [tasks[0], replace(tasks[1], **change)]
        fresh, _ = fit_jointly(changed, published, 0)
        kept, _ = fit_jointly(changed, published, 0, checkpoint=checkpoint)
        assert torch.equal(fresh(tasks[0].x), kept(tasks[0].x)), change


def test_finished_training_is_not_run_again(tmp_path, monkeypatch):
    x, y, anchors = data()
    args = (x, y, anchors, TUNED, 0, data(100, seed=2)[:2], tmp_path / "seed0.pt")
    first, _ = fit_projector(*args)
    monkeypatch.setattr("tinyemo.training.projector._TrainingRun._train_epoch", None)
    assert torch.equal(fit_projector(*args)[0](x), first(x))


def test_first_round_is_read_from_its_checkpoint(tmp_path, monkeypatch):
    """The first round, without validation items, is the same whether the recipe refits or not."""
    (x, y, anchors), (vx, vy, _) = data(), data(seed=1)
    first, _ = fit_projector(x, y, anchors, replace(TUNED, refit=False), 0, (vx, vy))
    fit_projector(x, y, anchors, TUNED, 0, (vx, vy), checkpoint=tmp_path / "c.pt")
    monkeypatch.setattr(
        "tinyemo.training.projector._TrainingRun._train_epoch", None
    )  # to train now would fail
    again, _ = fit_projector(
        x, y, anchors, replace(TUNED, refit=False), 0, (vx, vy), checkpoint=tmp_path / "c.pt"
    )
    assert torch.equal(again.embed(vx), first.embed(vx)) and again.info["items"] == len(x)


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
        (
            (x, y[:-1], anchors, TUNED),
            r"training labels: expected \(240,\), one per feature row, got \(239,\)",
        ),
        ((x, y + 1, anchors, TUNED), "expected 0 to 3, got 1 to 4"),
        ((x[0], y, anchors, TUNED), r"expected \(N, d_vision\)"),
        ((x[:1], y[:1], anchors, TUNED), "N of at least 2"),
        ((x, y, anchors[0], TUNED), "anchors: expected finite numbers"),
        ((x, y, anchors * float("inf"), TUNED), "anchors: expected finite numbers"),
        ((x, soft[:, :3], anchors, kl), r"training targets: expected \(240, 4\)"),
        ((x, 2 * soft, anchors, kl), "row 0 is not a distribution"),
        (
            (x, soft, anchors, TUNED),
            r"training labels: expected int64 labels \(N,\), got distributions",
        ),
        (
            (x, y, anchors, replace(kl, batch_anchors=True)),
            "soft_label_kl needs the anchor of every class",
        ),
        (
            (x, y, anchors, replace(TUNED, loss="triplet")),
            "unknown loss 'triplet': expected one of",
        ),
    ):
        with pytest.raises(ValueError, match=message):
            fit_projector(*args, 0)
    with pytest.raises(ValueError, match="validation features: row 7"):
        fit_projector(x, y, anchors, TUNED, 0, (spoilt, y))


def test_tasks_that_do_not_fit_are_named():
    a, b = task(A), task(B, seed=1)
    for tasks, validation, message in (
        ([], [], "tasks of one projector: .* got no task"),
        ([a, replace(b, anchors=torch.ones(4, 7))], [], r"got \[\(12, 7\), \(12, 10\)\]"),
        (
            [a, replace(b, y=b.y.clamp(max=2))],
            [],
            r"task 1, training labels: class 3 of 4 \(f\) has no item",
        ),
        (
            [a, replace(b, words=("d", "d", "e", "f"))],
            [],
            "task 1, training words: expected 4 different ones",
        ),
        ([a, replace(b, weight=0.0)], [], "task 1, training weight: expected a number above 0"),
        (
            [a, replace(b, synonyms=torch.ones(4, 10))],
            [],
            r"task 1, training synonyms: .* \(4, S, 10\)",
        ),
        (
            [a, replace(b, item_weights=torch.ones(7))],
            [],
            "task 1, training item weights: expected .*, got .7,.",
        ),
        (
            [replace(a, item_weights=a.y - 1.0)],
            [],
            "training item weights: expected .* numbers of at least 0, .* smallest -1.0",
        ),
        ([replace(a, item_weights=a.y)], [], r"training labels: class 0 of 3 \(\w\) has no item"),
        ([a, b], [b, a], "validation: expected a task for each training task"),
        (
            [a, b],
            [a, replace(b, y=b.y + 1)],
            "task 1, validation labels: expected 0 to 3, got 1 to 4",
        ),
    ):
        with pytest.raises(ValueError, match=message):
            fit_jointly(tasks, TUNED, 0, validation)
