"""The training loop: resumes exactly after an interruption, and its checkpoints are whole."""

import pytest
import torch
from torch import nn

from tinyemo.training import loop


class Stop(Exception):
    pass


def toy(checkpoint, steps=12, stop_at=None, key="k"):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Linear(8, 1))
    x = torch.randn(40, 4, generator=torch.Generator().manual_seed(1))

    def loss_of_step(step):
        if step == stop_at:
            raise Stop
        rows = loop.batch_of_step(step, 40, 8, seed=0)
        return (model(x[rows])[:, 0] - x[rows].sum(1)).square().mean()

    losses = loop.train(
        model,
        loss_of_step,
        steps=steps,
        lr=0.05,
        weight_decay=0.01,
        checkpoint=checkpoint,
        key=key,
        save_every=0.0,
    )
    return losses, model.state_dict()


def test_interrupted_training_resumes_bit_for_bit(tmp_path):
    whole, weights = toy(tmp_path / "a.pt")
    with pytest.raises(Stop):
        toy(tmp_path / "b.pt", stop_at=7)
    again, resumed = toy(tmp_path / "b.pt")
    assert again == whole
    assert all(torch.equal(weights[name], resumed[name]) for name in weights)
    assert not list(tmp_path.glob("*.tmp"))


def test_checkpoint_with_another_key_is_not_resumed(tmp_path):
    toy(tmp_path / "a.pt", steps=5, key="other")
    fresh, _ = toy(tmp_path / "b.pt", steps=5)
    assert toy(tmp_path / "a.pt", steps=5)[0] == fresh


def test_batches_cover_every_item_once_per_epoch():
    rows = torch.cat([loop.batch_of_step(step, 24, 8, seed=3) for step in range(3)])
    assert sorted(rows.tolist()) == list(range(24))
    assert not torch.equal(loop.batch_of_step(0, 24, 8, 3), loop.batch_of_step(3, 24, 8, 3))
    with pytest.raises(ValueError, match="batch of 32 was asked for, but there are only 24"):
        loop.batch_of_step(0, 24, 32, 0)


def test_checkpoint_that_cannot_be_written_is_named_and_leaves_nothing(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(loop.torch, "save", full)
    with pytest.raises(OSError, match="cannot write .*model.pt.*No space left"):
        loop.save_atomically({}, tmp_path / "model.pt")
    assert list(tmp_path.iterdir()) == []
