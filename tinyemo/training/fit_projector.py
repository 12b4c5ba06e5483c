"""Fitting a metric projector to features that fit in memory: seeded, resumable, selected on validation data.

Takes features (N, d_vision), labels and anchors (C, d_llm); gives a MetricProjector and its learning curve.
A `Recipe` says how; PRESETS holds TinyEmo's published one and ours, which was chosen by cross-validation
within a training part (benchmarks/README.md). No test part has a way in here.
"""

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import asdict, dataclass
from functools import partial
from inspect import signature
from pathlib import Path

import pandas as pd
import torch
import torch.nn.functional as F
from torch import Tensor

from tinyemo.losses import LOSSES
from tinyemo.models.projector import MetricProjector
from tinyemo.training.loop import save_atomically


@dataclass(frozen=True)
class Recipe:
    """How a projector is trained. The defaults are the tuned recipe."""

    loss: str = "cross_entropy"  # a name of tinyemo.losses.LOSSES
    temperature: float | None = 0.2  # of the loss, where it has one, and the projector; None: the loss's own
    batch_anchors: bool = False  # compare with the anchors of the batch's items (TinyEmo), not with each once
    epochs: int = 12  # passes over the training items, at most
    batch_size: int = 64  # items a step; a last partial batch is left out
    peak_lr: float = 1e-3  # of AdamW under OneCycleLR, which starts at 1/25 of it
    warmup: float = 0.1  # share of the steps in which the rate rises
    weight_decay: float = 1e-2  # of AdamW
    input_dropout: float = 0.5  # of the features while training, which are centred for it
    dropout: float = 0.5  # before the last layer
    patience: int | None = 3  # epochs without a lower validation loss before it stops; None: no selection
    min_epochs: int = 6  # before it no epoch is selected: while the rate is high, a minimum is luck
    refit: bool = True  # train again on training and validation items together, as long as was selected


PRESETS: dict[str, Recipe] = {
    "tuned": Recipe(),
    # for thousands of items with annotators' votes, as in EmoScenes: less to hold back, more to learn from
    "votes": Recipe(loss="soft_label_kl", temperature=0.1, input_dropout=0.0, dropout=0.2, epochs=20),
    "published": Recipe(
        loss="cosine_embedding",
        temperature=None,
        batch_anchors=True,
        epochs=5,
        batch_size=32,
        peak_lr=5e-4,
        warmup=0.005,
        input_dropout=0.0,
        dropout=0.2,
        patience=None,
        refit=False,
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

    With `validation` (features, labels, of the same kinds) the recipe may stop early and keep the epoch of
    the lowest validation loss; without it all epochs are run. Where it refits, `checkpoint` gets a
    companion `<stem>.refit<suffix>`. A checkpoint is written at the end and every `save_every` seconds;
    going on from it gives what an undisturbed run gives, and one made from other data, anchors, recipe,
    seed or torch version is not read.

    Gives the projector, in evaluation mode, and one row an epoch: epoch, lr, train_loss and, with
    validation, validation_loss and validation_accuracy; the refit has no rows. ValueError: what is wrong
    with the input; OSError: a checkpoint that cannot be written.
    """
    x, y = _checked("training", train_x, train_y, anchors)
    held_out = None if validation is None else _checked("validation", *validation, anchors)
    _check_loss(recipe, y)
    _check_classes(y, len(anchors))
    anchors = F.normalize(anchors.float(), dim=1).to(x.device)
    key = _key(recipe, seed, [x, y, anchors, *(held_out or ())])
    checkpoint = checkpoint and Path(checkpoint)
    # the caller's random state is left alone
    with torch.random.fork_rng([x.device] if x.is_cuda else []), _one_thread():
        run = _Run(x, y, anchors, recipe, seed, held_out).train(checkpoint, key, save_every)
        history = pd.DataFrame(run.history)
        if recipe.refit and held_out is not None:
            x, y = torch.cat([x, held_out[0]]), torch.cat([y, held_out[1]])
            again = checkpoint and checkpoint.with_suffix(f".refit{checkpoint.suffix}")
            last = run.best_epoch or recipe.epochs
            run = _Run(x, y, anchors, recipe, seed, None, last).train(again, key, save_every)
    return run.projector(), history


class _Run:
    """One training run: all the state that an exact resume needs."""

    def __init__(
        self,
        x: Tensor,
        y: Tensor,
        anchors: Tensor,
        recipe: Recipe,
        seed: int,
        held_out: tuple[Tensor, Tensor] | None,
        last_epoch: int | None = None,
    ):
        torch.manual_seed(seed)
        self.x, self.y, self.anchors, self.held_out = x, y, anchors, held_out
        self.recipe, self.seed, self.last_epoch = recipe, seed, last_epoch or recipe.epochs
        self.classes = torch.arange(len(anchors), device=x.device)
        self.loss, self.temperature = _loss(recipe)
        self.mean = x.mean(dim=0)
        self.model = MetricProjector(x.shape[1], anchors.shape[1], recipe.dropout, self.temperature)
        self.model.to(x.device)
        self.batch_size = min(recipe.batch_size, len(x))
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(), lr=recipe.peak_lr, weight_decay=recipe.weight_decay, fused=True
        )
        steps = recipe.epochs * (len(x) // self.batch_size)
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimizer, recipe.peak_lr, steps, pct_start=recipe.warmup
        )
        self.epoch, self.history = 0, []
        self.best_epoch, self.best = 0, None  # the weights kept, where validation selects

    def train(self, checkpoint: Path | None, key: str, save_every: float) -> "_Run":
        """Run to the end, from the checkpoint if it is this run's."""
        if checkpoint is not None:
            self._restore(checkpoint, key)
        saved = time.monotonic()
        while not self._done():
            torch.manual_seed(self.seed * 1_000_003 + self.epoch)  # no generator's state to save
            row = self._train_epoch()
            self.history.append(row | (self._validate() if self.held_out else {}))
            if checkpoint is not None and (self._done() or time.monotonic() - saved > save_every):
                self._save(checkpoint, key)
                saved = time.monotonic()
        return self

    def _done(self) -> bool:
        waited = self.epoch - max(self.best_epoch, self.recipe.min_epochs)
        return self.epoch >= self.last_epoch or (self.best is not None and waited >= self.recipe.patience)

    def _train_epoch(self) -> dict[str, float]:
        recipe, lr, total = self.recipe, self.schedule.get_last_lr()[0], 0.0
        self.model.train()
        batches = torch.randperm(len(self.x)).to(self.x.device).split(self.batch_size)
        batches = [batch for batch in batches if len(batch) == self.batch_size]
        for batch in batches:
            x, y = self.x[batch] - self.mean, self.y[batch]
            against = (self.anchors[y], y) if recipe.batch_anchors else (self.anchors, self.classes)
            loss = self.loss(self.model(F.dropout(x, recipe.input_dropout)), y, *against)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            self.schedule.step()
            total += loss.detach()  # read once an epoch: reading stops the pipeline
        self.epoch += 1
        return {"epoch": self.epoch, "lr": lr, "train_loss": float(total) / len(batches)}

    @torch.no_grad()
    def _validate(self) -> dict[str, float]:
        x, y = self.held_out
        embeddings = self.model.eval()(x - self.mean)
        loss = float(self.loss(embeddings, y, self.anchors, self.classes))
        hit = (embeddings @ self.anchors.T).argmax(dim=1) == (y if y.ndim == 1 else y.argmax(dim=1))
        if self.recipe.patience is not None and self.epoch >= min(self.recipe.min_epochs, self.recipe.epochs):
            if self.best is None or loss < self.history[self.best_epoch - 1]["validation_loss"]:
                self.best_epoch, self.best = self.epoch, deepcopy(self.model.state_dict())
        return {"validation_loss": loss, "validation_accuracy": float(hit.float().mean())}

    def projector(self) -> MetricProjector:
        """The fitted projector: the selected weights, the centring folded into its first layer."""
        if self.best is not None:
            self.model.load_state_dict(self.best)
        first = self.model.model[0]
        with torch.no_grad():
            first.bias -= first.weight @ self.mean
        self.model.info = {
            "recipe": asdict(self.recipe),
            "seed": self.seed,
            "epochs": self.best_epoch or self.epoch,
            "items": len(self.x),
        }
        return self.model.eval()

    def _save(self, path: Path, key: str) -> None:
        state = {name: getattr(self, name) for name in ("epoch", "history", "best_epoch", "best")}
        parts = {name: getattr(self, name).state_dict() for name in ("model", "optimizer", "schedule")}
        save_atomically({"key": key, "last_epoch": self.last_epoch, "state": state, "parts": parts}, path)

    def _restore(self, path: Path, key: str) -> None:
        try:
            saved = torch.load(path, map_location=self.x.device, weights_only=True)
        except Exception:  # no file, or whatever the unpickler stumbles over in another: start afresh
            return
        if (saved.get("key"), saved.get("last_epoch")) != (key, self.last_epoch):
            return
        for name, value in saved["state"].items():
            setattr(self, name, value)
        for name, value in saved["parts"].items():
            getattr(self, name).load_state_dict(value)


@contextmanager
def _one_thread() -> Iterator[None]:
    """One CPU thread: batches are too small to share, and the result does not depend on the cores then."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _loss(recipe: Recipe) -> tuple[Callable[..., Tensor], float]:
    """The recipe's loss, its temperature set, and the projector's temperature."""
    loss = LOSSES[recipe.loss]
    own = signature(loss).parameters.get("temperature")
    if own is None:
        return loss, recipe.temperature or MetricProjector.TEMPERATURE
    temperature = recipe.temperature or own.default
    return partial(loss, temperature=temperature), temperature


def _check_loss(recipe: Recipe, y: Tensor) -> None:
    if recipe.loss not in LOSSES:
        raise ValueError(f"unknown loss {recipe.loss!r}: expected one of {', '.join(LOSSES)}")
    expected = 2 if recipe.loss == "soft_label_kl" else 1
    if y.ndim != expected:
        kind = "float targets (N, C)" if expected == 2 else "int64 labels (N,)"
        raise ValueError(f"loss {recipe.loss}: expected {kind}, got {y.dtype} of shape {tuple(y.shape)}")


def _check_classes(y: Tensor, classes: int) -> None:
    mass = y.sum(dim=0) if y.ndim == 2 else torch.bincount(y, minlength=classes)
    if (mass == 0).any():
        raise ValueError(f"training labels: class {int((mass == 0).nonzero()[0])} of {classes} has no item")


def _checked(part: str, x: Tensor, y: Tensor, anchors: Tensor) -> tuple[Tensor, Tensor]:
    """Features and labels of a part as float32 and int64, or float32 targets. ValueError says what is off."""
    x, y, classes = torch.as_tensor(x, dtype=torch.float32), torch.as_tensor(y), len(anchors)
    if anchors.ndim != 2 or not torch.isfinite(anchors).all():
        raise ValueError(f"anchors: expected finite numbers of shape (C, d_llm), got {tuple(anchors.shape)}")
    if x.ndim != 2 or len(x) < 2:
        raise ValueError(f"{part} features: expected (N, d_vision) with N > 1, got {tuple(x.shape)}")
    if not torch.isfinite(x).all():
        row = int((~torch.isfinite(x)).any(dim=1).nonzero()[0])
        raise ValueError(f"{part} features: row {row} holds NaN or infinity")
    if y.is_floating_point():
        if y.shape != (len(x), classes):
            raise ValueError(f"{part} targets: expected ({len(x)}, {classes}), got {tuple(y.shape)}")
        off = (y < 0).any(dim=1) | ((y.sum(dim=1) - 1).abs() > 1e-3)
        if off.any():
            row = int(off.nonzero()[0])
            raise ValueError(f"{part} targets: row {row} is no distribution over the classes")
        return x, y.float()
    if y.shape != (len(x),):
        raise ValueError(f"{part} labels: expected ({len(x)},), one a feature row, got {tuple(y.shape)}")
    low, high = int(y.min()), int(y.max())
    if low < 0 or high >= classes:
        raise ValueError(f"{part} labels: expected 0 to {classes - 1}, got {low} to {high}")
    return x, y.long()


def _key(recipe: Recipe, seed: int, tensors: list[Tensor]) -> str:
    """A hash of all that determines a run."""
    digest = hashlib.sha256(f"{recipe} {seed} {torch.__version__}".encode())
    for tensor in tensors:
        digest.update(f"{tuple(tensor.shape)}".encode())
        digest.update(tensor.cpu().contiguous().numpy())
    return digest.hexdigest()
