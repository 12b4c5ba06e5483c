"""Fitting a metric projector to features that fit in memory: seeded, resumable, selected on validation data.

Takes features (N, d_vision), labels and anchors (C, d_llm); gives a MetricProjector and its learning curve.
A `Recipe` says how; PRESETS holds TinyEmo's published one and ours, chosen by cross-validation on training
data (benchmarks/README.md). The test part has no way in here.
"""

import hashlib
import os
import pickle
import time
from collections.abc import Callable
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import pandas as pd
import torch
import torch.nn.functional as F
from torch import Tensor

from tinyemo.losses import LOSSES
from tinyemo.models.projector import MetricProjector


@dataclass(frozen=True)
class Recipe:
    """How a projector is trained. The defaults are the tuned recipe."""

    loss: str = "cross_entropy"  # a name of tinyemo.losses.LOSSES
    temperature: float | None = 0.07  # of the loss and of the fitted projector; None: the loss's own
    batch_anchors: bool = False  # compare with the batch items' anchors (TinyEmo), not with all C once
    epochs: int = 40  # passes over the training items, at most
    batch_size: int = 64  # items a step; a last partial batch is left out
    peak_lr: float = 1e-3  # of AdamW under OneCycleLR, which starts at 1/25 of it
    warmup: float = 0.1  # share of the steps in which the rate rises
    weight_decay: float = 1e-2  # of AdamW
    dropout: float = 0.2  # in the projector
    standardise: bool = True  # train on inputs of zero mean and unit spread; folded into layer 0 at the end
    patience: int | None = 10  # epochs without a better validation loss before stopping; None: no selection


PRESETS: dict[str, Recipe] = {
    "tuned": Recipe(),
    "published": Recipe(
        loss="cosine_embedding",
        temperature=None,
        batch_anchors=True,
        epochs=5,
        batch_size=32,
        peak_lr=5e-4,
        warmup=0.005,
        standardise=False,
        patience=None,
    ),
}


def fit_projector(
    train_x: Tensor,
    train_y: Tensor,
    anchors: Tensor,
    recipe: Recipe,
    seed: int,
    validation: tuple[Tensor, Tensor] | None = None,
    checkpoint: Path | None = None,
    save_every: float = 5.0,
) -> tuple[MetricProjector, pd.DataFrame]:
    """Train on features (N, d_vision) with labels (N,) int64, or (N, C) float targets for soft_label_kl.

    With `validation` (features, labels (M,)) the epoch of the lowest validation loss is kept. `checkpoint`
    is a file to save to at the end and every `save_every` seconds, and to go on from: the result is that of
    an undisturbed run. One made from other data, anchors, recipe or seed is ignored.

    Gives the projector, in evaluation mode, and one row an epoch: epoch, lr, train_loss and, with
    validation, validation_loss and validation_accuracy. ValueError: what is wrong with the input.
    """
    x, y = _checked("training", train_x, train_y, anchors)
    held_out = None if validation is None else _checked("validation", *validation, anchors)
    if recipe.patience is not None and held_out is None:
        raise ValueError("this recipe stops early: pass validation=(features, labels), or set patience=None")
    _check_classes(y, len(anchors))
    anchors = F.normalize(anchors.float(), dim=1).to(x.device)
    key = _key(recipe, seed, [x, y, anchors, *(held_out or ())])
    with _own_random_stream(seed):
        run = _Run(x, y, anchors, recipe, held_out)
        if checkpoint is not None:
            run.restore(Path(checkpoint), key)
        saved = time.monotonic()
        while not run.done:
            torch.manual_seed(seed * 1_000_003 + run.epoch)  # an epoch's chance does not depend on the past
            run.train_epoch()
            if checkpoint is not None and (run.done or time.monotonic() - saved > save_every):
                run.save(Path(checkpoint), key)
                saved = time.monotonic()
    return run.projector(), pd.DataFrame(run.history)


class _Run:
    """The state of one training run; everything that an exact resume needs."""

    def __init__(self, x: Tensor, y: Tensor, anchors: Tensor, recipe: Recipe, held_out: tuple | None):
        self.x, self.y, self.anchors, self.recipe, self.held_out = x, y, anchors, recipe, held_out
        self.classes = torch.arange(len(anchors), device=x.device)
        self.loss = _loss(recipe)
        self.mean = x.mean(dim=0) if recipe.standardise else torch.zeros_like(x[0])
        self.scale = x.std(dim=0).clamp(min=1e-6) if recipe.standardise else torch.ones_like(x[0])
        self.inputs = (x - self.mean) / self.scale
        self.model = MetricProjector(x.shape[1], anchors.shape[1], dropout=recipe.dropout).to(x.device)
        self.batch_size = min(recipe.batch_size, len(x))
        steps = recipe.epochs * (len(x) // self.batch_size)
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(), lr=recipe.peak_lr, weight_decay=recipe.weight_decay, fused=True
        )
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimizer, max_lr=recipe.peak_lr, total_steps=steps, pct_start=recipe.warmup
        )
        self.epoch, self.history = 0, []
        self.best_epoch, self.best = 0, None  # the weights kept, where a validation part selects

    @property
    def done(self) -> bool:
        patience = self.recipe.patience
        return self.epoch >= self.recipe.epochs or (patience is not None and self.epoch - self.best_epoch > patience)

    def train_epoch(self) -> None:
        recipe, total, lr = self.recipe, 0.0, self.schedule.get_last_lr()[0]
        self.model.train()
        batches = torch.randperm(len(self.inputs)).split(self.batch_size)
        batches = [batch for batch in batches if len(batch) == self.batch_size]
        for batch in batches:
            y = self.y[batch]
            against = (self.anchors[y], y) if recipe.batch_anchors else (self.anchors, self.classes)
            loss = self.loss(self.model(self.inputs[batch]), y, *against)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            self.schedule.step()
            total += loss.detach()
        self.epoch += 1
        row = {"epoch": self.epoch, "lr": lr, "train_loss": float(total) / len(batches)}
        self.history.append(row | (self._validate() if self.held_out else {}))

    @torch.no_grad()
    def _validate(self) -> dict[str, float]:
        x, y = self.held_out
        embeddings = self.model.eval()((x - self.mean) / self.scale)
        loss = float(self.loss(embeddings, y, self.anchors, self.classes))
        hit = (embeddings @ self.anchors.T).argmax(dim=1) == (y if y.ndim == 1 else y.argmax(dim=1))
        if self.best is None or loss < self.history[self.best_epoch - 1]["validation_loss"]:
            self.best_epoch, self.best = self.epoch, deepcopy(self.model.state_dict())
        return {"validation_loss": loss, "validation_accuracy": float(hit.float().mean())}

    def projector(self) -> MetricProjector:
        """The fitted projector: the selected weights, the standardisation folded into its first layer."""
        if self.best is not None:
            self.model.load_state_dict(self.best)
        first = self.model.model[0]
        with torch.no_grad():
            first.weight /= self.scale
            first.bias -= first.weight @ self.mean
        self.model.temperature = self.recipe.temperature or self.model.temperature
        self.model.info = {"recipe": asdict(self.recipe), "epochs_trained": self.epoch}
        return self.model.eval()

    def save(self, path: Path, key: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
        state = {name: getattr(self, name) for name in ("epoch", "history", "best_epoch", "best")}
        parts = {name: getattr(self, name).state_dict() for name in ("model", "optimizer", "schedule")}
        try:
            torch.save({"key": key, "state": state, "parts": parts}, temporary)
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)

    def restore(self, path: Path, key: str) -> None:
        """Go on from `path` if it was saved by this very run; otherwise start afresh."""
        try:
            saved = torch.load(path, map_location=self.x.device, weights_only=True)
        except (FileNotFoundError, RuntimeError, EOFError, pickle.UnpicklingError):
            return
        if not isinstance(saved, dict) or saved.get("key") != key:
            return
        for name, value in saved["state"].items():
            setattr(self, name, value)
        for name, value in saved["parts"].items():
            getattr(self, name).load_state_dict(value)


def _loss(recipe: Recipe) -> Callable[..., Tensor]:
    if recipe.loss not in LOSSES:
        raise ValueError(f"unknown loss {recipe.loss!r}: expected one of {', '.join(LOSSES)}")
    loss = LOSSES[recipe.loss]
    return loss if recipe.temperature is None else partial(loss, temperature=recipe.temperature)


def _checked(part: str, x: Tensor, y: Tensor, anchors: Tensor) -> tuple[Tensor, Tensor]:
    """Features and labels of a part as float32 and int64 (or float32 targets). ValueError says what is off."""
    x, y = torch.as_tensor(x, dtype=torch.float32), torch.as_tensor(y)
    if anchors.ndim != 2 or not torch.isfinite(anchors).all():
        raise ValueError(f"anchors: expected finite numbers of shape (C, d_llm), got {tuple(anchors.shape)}")
    if x.ndim != 2 or len(x) < 2:
        raise ValueError(f"{part} features: expected (N, d_vision) with N >= 2, got {tuple(x.shape)}")
    if not torch.isfinite(x).all():
        row = int((~torch.isfinite(x)).any(dim=1).nonzero()[0])
        raise ValueError(f"{part} features: row {row} holds NaN or infinity")
    if y.is_floating_point():
        if y.shape != (len(x), len(anchors)):
            raise ValueError(f"{part} targets: expected ({len(x)}, {len(anchors)}), got {tuple(y.shape)}")
        off = ~((y >= 0).all(dim=1) & torch.isclose(y.sum(dim=1), torch.ones(()).to(y), atol=1e-3))
        if off.any():
            raise ValueError(f"{part} targets: row {int(off.nonzero()[0])} is no distribution over the classes")
        return x, y.float()
    if y.shape != (len(x),):
        raise ValueError(f"{part} labels: expected ({len(x)},) or ({len(x)}, {len(anchors)}), got {tuple(y.shape)}")
    if int(y.min()) < 0 or int(y.max()) >= len(anchors):
        raise ValueError(f"{part} labels: expected 0 to {len(anchors) - 1}, got {int(y.min())} to {int(y.max())}")
    return x, y.long()


def _check_classes(y: Tensor, classes: int) -> None:
    mass = y.sum(dim=0) if y.ndim == 2 else torch.bincount(y, minlength=classes)
    if (mass == 0).any():
        raise ValueError(f"training labels: class {int((mass == 0).nonzero()[0])} of {classes} has no item")


def _key(recipe: Recipe, seed: int, tensors: list[Tensor]) -> str:
    """A hash of all that determines a run."""
    digest = hashlib.sha256(f"{recipe} {seed} {torch.__version__}".encode())
    for tensor in tensors:
        digest.update(f"{tuple(tensor.shape)}".encode())
        digest.update(tensor.cpu().contiguous().numpy())
    return digest.hexdigest()


@contextmanager
def _own_random_stream(seed: int):
    """Seed torch inside, and leave the caller's random state as it was."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        yield
