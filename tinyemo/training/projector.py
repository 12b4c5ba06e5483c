"""Trains a metric projector on features in memory: seeded, resumable, selected on validation data.

Takes features (N, d_vision), labels and anchors (C, d_llm) of one dataset, or of several with
different label sets (training/projector_tasks.py). Gives a MetricProjector and its learning curve.
A Recipe says how it is trained (training/projector_recipes.py). Test items have no way into this
module.
"""

import hashlib
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import asdict, replace
from functools import partial
from inspect import signature
from pathlib import Path

import pandas as pd
import torch
import torch.nn.functional as F
from torch import Tensor

from tinyemo.code_digest import code_digest
from tinyemo.losses import LOSSES
from tinyemo.models.projector import MetricProjector
from tinyemo.training.loop import save_atomically
from tinyemo.training.projector_recipes import PRESETS, Recipe
from tinyemo.training.projector_tasks import Task, checked

__all__ = ["PRESETS", "Recipe", "fit_jointly", "fit_projector"]


def fit_projector(
    train_x: Tensor,
    train_y: Tensor,
    anchors: Tensor,
    recipe: Recipe,
    seed: int,
    validation: tuple[Tensor, Tensor] | None = None,
    checkpoint: Path | None = None,
    save_every: float = 5.0,
    item_weights: Tensor | None = None,
    last_epoch: int | None = None,
) -> tuple[MetricProjector, pd.DataFrame]:
    """Train on features (N, d_vision) with labels (N,) int64, or (N, C) float for soft_label_kl.

    `validation` has features and labels of the same kinds. `item_weights` (N,) are those of Task,
    for the training items. Everything else is as in `fit_jointly`, for one task.
    """
    words = tuple(map(str, range(len(anchors))))  # with one label set the classes need no names
    train = Task(train_x, train_y, words, anchors, item_weights=item_weights)
    held_out = [Task(*validation, words, anchors)] if validation else []
    return fit_jointly([train], recipe, seed, held_out, checkpoint, save_every, last_epoch)


def fit_jointly(
    tasks: Sequence[Task],
    recipe: Recipe,
    seed: int,
    validation: Sequence[Task] = (),
    checkpoint: Path | None = None,
    save_every: float = 5.0,
    last_epoch: int | None = None,
) -> tuple[MetricProjector, pd.DataFrame]:
    """Train one projector on several datasets, each under its own label set.

    An epoch draws as many items as there are: from a task in proportion to weight * N, and within a
    task in proportion to the item weights (Idrissi et al. 2022, arXiv 2110.14503). The items of all
    tasks are mixed. An item is compared with the words of its own task. If the recipe takes the
    anchors of the batch, as TinyEmo does, it is compared with all words in the batch; then equal
    words are one class, whatever their positions in their label sets.

    `validation` has one task for each of `tasks`, in their order. With it, the recipe may stop
    early and keep the epoch with the lowest validation loss, in which all items count alike.
    Without it, all epochs are run. If the recipe refits, a second round trains on training and
    validation items; items of a task without item weights then get the mean weight.

    `checkpoint` is written every `save_every` seconds and at the end; the refit has a file of its
    own, `<stem>.refit<suffix>`. A run that continues from it gives exactly the result of a run
    without interruption. A checkpoint of other tasks, recipe, seed, code or torch version is not
    read.

    `last_epoch` ends the first round early. Its learning rates are still those of `recipe.epochs`,
    as in the refit.

    Returns the projector, in evaluation mode, and one row per epoch of the first round: epoch, lr,
    train_loss and, with validation, validation_loss and validation_accuracy (tasks count as in
    training).

    ValueError: what is wrong with the input. OSError: a checkpoint that cannot be written.
    """
    _check_recipe(recipe)
    tasks, held_out = checked(tasks, validation, soft=recipe.loss == "soft_label_kl")
    # the first round does not depend on whether there is a second one
    key = _key(replace(recipe, refit=False), seed, [*tasks, *held_out])
    checkpoint = checkpoint and Path(checkpoint)
    device = tasks[0].x.device
    cuda_devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(cuda_devices), _one_thread():  # keep the caller's random state
        run = _TrainingRun(tasks, recipe, seed, held_out, last_epoch)
        run.train(checkpoint, key, save_every)
        history = pd.DataFrame(run.history)
        if recipe.refit and held_out:
            all_items = [_joined(*pair) for pair in zip(tasks, held_out, strict=True)]
            refit_file = checkpoint and checkpoint.with_suffix(f".refit{checkpoint.suffix}")
            last_epoch = run.best_epoch or recipe.epochs
            run = _TrainingRun(all_items, recipe, seed, [], last_epoch)
            run.train(refit_file, key, save_every)
    return run.projector(), history


class _TrainingRun:
    """One round of training, with all the state that an exact resumption needs."""

    def __init__(
        self,
        tasks: list[Task],
        recipe: Recipe,
        seed: int,
        held_out: list[Task],
        last_epoch: int | None = None,
    ):
        torch.manual_seed(seed)
        self.tasks, self.held_out = tasks, held_out
        self.recipe, self.seed = recipe, seed
        self.last_epoch = last_epoch or recipe.epochs
        self.device = tasks[0].x.device
        d_vision, d_llm = tasks[0].x.shape[1], tasks[0].anchors.shape[1]
        self.classes = self._classes_by_word()
        self.loss, self.temperature = _loss_and_temperature(recipe)
        self.items = sum(len(task.x) for task in tasks)
        # features are centred with this mean, (d_vision,)
        self.mean = sum(task.x.mean(dim=0) * (len(task.x) / self.items) for task in tasks)
        self.model = MetricProjector(
            d_vision, d_llm, recipe.dropout, self.temperature, layers=recipe.layers
        )
        self.model.to(self.device)
        self.batch_size = min(recipe.batch_size, self.items)
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(), lr=recipe.peak_lr, weight_decay=recipe.weight_decay, fused=True
        )
        steps = recipe.epochs * (self.items // self.batch_size)
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimizer, recipe.peak_lr, steps, pct_start=_warmup_share(recipe.warmup, steps)
        )
        self.epoch = 0  # epochs done
        self.history: list[dict[str, float]] = []
        # the selected epoch and its weights, if validation selects
        self.best_epoch, self.best = 0, None

    def _classes_by_word(self) -> list[Tensor]:
        """Per task the numbers (C,) of its classes; equal words of two tasks have one number."""
        number_of: dict[str, int] = {}
        for task in self.tasks:
            for word in task.words:
                number_of.setdefault(word, len(number_of))
        numbers = [[number_of[word] for word in task.words] for task in self.tasks]
        return [torch.tensor(of_task, device=self.device) for of_task in numbers]

    def train(self, checkpoint: Path | None, key: str, save_every: float) -> None:
        """Run to the end, from the checkpoint on if it is one of this run."""
        if checkpoint is not None:
            self._restore(checkpoint, key)
        last_save = time.monotonic()
        while not self._is_done():
            # seeded by the epoch: a checkpoint needs no state of the random generator
            torch.manual_seed(self.seed * 1_000_003 + self.epoch)
            row = self._train_epoch()
            if self.held_out:
                row |= self._validate()
            self.history.append(row)
            if checkpoint is None:
                continue
            if self._is_done() or time.monotonic() - last_save > save_every:
                self._save(checkpoint, key)
                last_save = time.monotonic()

    def _is_done(self) -> bool:
        if self.epoch >= self.last_epoch:
            return True
        if self.best is None:
            return False
        epochs_without_gain = self.epoch - max(self.best_epoch, self.recipe.min_epochs)
        return epochs_without_gain >= self.recipe.patience

    def _train_epoch(self) -> dict[str, float]:
        lr = self.schedule.get_last_lr()[0]
        total_loss, steps = 0.0, 0
        self.model.train()
        for rows in self._batches():
            x = torch.cat([self.tasks[t].x[task_rows] for t, task_rows in rows.items()])
            x = F.dropout(x - self.mean, self.recipe.input_dropout)  # (B, d_vision)
            embeddings = self.model(x)  # (B, d_llm)
            if self.recipe.batch_anchors:
                loss = self._loss_against_batch(embeddings, rows)
            else:
                loss = self._loss_against_words(embeddings, rows)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            self.schedule.step()
            # a tensor until the epoch ends: reading its value would wait for a GPU at every step
            total_loss = total_loss + loss.detach()
            steps += 1
        self.epoch += 1
        return {"epoch": self.epoch, "lr": lr, "train_loss": float(total_loss) / steps}

    def _batches(self) -> Iterator[dict[int, Tensor]]:
        """The mixed batches of an epoch: task number -> the rows drawn from it."""
        sizes = [task.weight * len(task.x) for task in self.tasks]
        cumulative = torch.tensor(sizes, dtype=torch.float64).cumsum(0)
        ends = (cumulative / cumulative[-1] * self.items).round().long()
        quotas = ends.diff(prepend=torch.zeros(1, dtype=torch.long))  # items per task
        drawn = [_draw(task, int(quota)) for task, quota in zip(self.tasks, quotas, strict=True)]
        rows = torch.cat(drawn)  # (items,)
        task_of = torch.arange(len(self.tasks)).repeat_interleave(quotas)  # (items,)
        for batch in torch.randperm(self.items).split(self.batch_size):
            if len(batch) < self.batch_size:
                continue
            batch_tasks = task_of[batch]
            by_task = {}
            for t in batch_tasks.unique().tolist():
                by_task[t] = rows[batch[batch_tasks == t]].to(self.device)
            yield by_task

    def _loss_against_words(self, embeddings: Tensor, rows: dict[int, Tensor]) -> Tensor:
        """Loss of items against the words of their own task, the mean over all items."""
        loss = 0.0
        parts = embeddings.split([len(task_rows) for task_rows in rows.values()])
        for (t, task_rows), part in zip(rows.items(), parts, strict=True):
            task = self.tasks[t]
            classes = torch.arange(len(task.words), device=self.device)
            task_loss = self.loss(part, task.y[task_rows], self._anchors(t, classes), classes)
            loss = loss + task_loss * (len(task_rows) / len(embeddings))
        return loss

    def _loss_against_batch(self, embeddings: Tensor, rows: dict[int, Tensor]) -> Tensor:
        """Items are compared with the anchors of all items in the batch; a class is a word."""
        anchors, classes = [], []
        for t, task_rows in rows.items():
            y = self.tasks[t].y[task_rows]
            anchors.append(self._anchors(t, y))
            classes.append(self.classes[t][y])
        labels = torch.cat(classes)  # (B,)
        return self.loss(embeddings, labels, torch.cat(anchors), labels)

    def _anchors(self, t: int, y: Tensor) -> Tensor:
        """Anchors (n, d_llm) of the classes y (n,) of task t; some are those of a synonym."""
        task = self.tasks[t]
        anchors = task.anchors[y]
        if not self.recipe.synonym_share:
            return anchors
        replaced = (torch.rand(len(y)) < self.recipe.synonym_share).to(self.device)
        which = torch.randint(task.synonyms.shape[1], (len(y),)).to(self.device)
        return torch.where(replaced[:, None], task.synonyms[y, which], anchors)

    @torch.no_grad()
    def _validate(self) -> dict[str, float]:
        """Validation loss and accuracy; the weights are kept if this is the best epoch so far."""
        self.model.eval()
        loss = accuracy = 0.0
        total = sum(task.weight * len(task.x) for task in self.held_out)
        for task in self.held_out:
            embeddings = self.model(task.x - self.mean)  # (N, d_llm)
            labels = task.y if task.y.ndim == 1 else task.y.argmax(dim=1)
            correct = (embeddings @ task.anchors.T).argmax(dim=1) == labels  # (N,)
            classes = torch.arange(len(task.words), device=self.device)
            share = task.weight * len(task.x) / total
            loss += share * float(self.loss(embeddings, task.y, task.anchors, classes))
            accuracy += share * float(correct.float().mean())
        self._keep_best(loss)
        return {"validation_loss": loss, "validation_accuracy": accuracy}

    def _keep_best(self, loss: float) -> None:
        """Keep the weights of this epoch if the recipe selects and no loss was lower so far."""
        first_epoch = min(self.recipe.min_epochs, self.recipe.epochs)
        if self.recipe.patience is None or self.epoch < first_epoch:
            return
        if self.best is None or loss < self.history[self.best_epoch - 1]["validation_loss"]:
            self.best_epoch, self.best = self.epoch, deepcopy(self.model.state_dict())

    def projector(self) -> MetricProjector:
        """The projector with the selected weights; its first layer includes the centring."""
        if self.best is not None:
            self.model.load_state_dict(self.best)
        first = self.model.model[0]
        with torch.no_grad():
            first.bias -= first.weight @ self.mean  # W (x - mean) + b = W x + (b - W mean)
        self.model.info = {
            "recipe": asdict(self.recipe),
            "seed": self.seed,
            "epochs": self.best_epoch or self.epoch,
            "items": self.items,
        }
        return self.model.eval()

    def _save(self, path: Path, key: str) -> None:
        state = {name: getattr(self, name) for name in ("epoch", "history", "best_epoch", "best")}
        parts = {}
        for name in ("model", "optimizer", "schedule"):
            parts[name] = getattr(self, name).state_dict()
        saved = {"key": key, "last_epoch": self.last_epoch, "state": state, "parts": parts}
        save_atomically(saved, path)

    def _restore(self, path: Path, key: str) -> None:
        """Load the state of this run's checkpoint; without one, start from the beginning."""
        try:
            saved = torch.load(path, map_location=self.device, weights_only=True)
        except Exception:  # no file, or a file that torch cannot read, with any of its errors
            return
        if (saved.get("key"), saved.get("last_epoch")) != (key, self.last_epoch):
            return
        for name, value in saved["state"].items():
            setattr(self, name, value)
        for name, value in saved["parts"].items():
            getattr(self, name).load_state_dict(value)


@contextmanager
def _one_thread() -> Iterator[None]:
    """One CPU thread: batches are small, and the result does not depend on the number of cores."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _loss_and_temperature(recipe: Recipe) -> tuple[Callable[..., Tensor], float]:
    """The recipe's loss with its temperature, and the temperature of the projector."""
    loss = LOSSES[recipe.loss]
    own = signature(loss).parameters.get("temperature")
    if own is None:
        return loss, recipe.temperature or MetricProjector.TEMPERATURE
    temperature = recipe.temperature or own.default
    return partial(loss, temperature=temperature), temperature


def _warmup_share(warmup: float, steps: int) -> float:
    """`warmup`, or just above it where it is one step: OneCycleLR divides by warmup * steps - 1.

    That step has the learning rate at which the warm-up starts, as if it were a little longer.
    """
    return warmup * (1 + 1e-6) if math.isclose(warmup * steps, 1) else float(warmup)


def _draw(task: Task, number: int) -> Tensor:
    """`number` rows of a task; each item is drawn as often as its weight says, give or take one."""
    items = len(task.x)
    if task.item_weights is None:
        whole_rounds, remainder = divmod(number, items)
        rest = torch.randperm(items)[:remainder] if remainder else torch.arange(0)
        return torch.cat([torch.arange(items).repeat(whole_rounds), rest])
    # Systematic sampling: the items are laid side by side in random order, each as wide as its
    # weight, and rows are taken at even distances from a random start.
    order = torch.randperm(items)
    ends = task.item_weights[order].cumsum(0)
    positions = torch.arange(number, dtype=torch.float64) + torch.rand(1)
    positions = positions / max(number, 1) * ends[-1]
    return order[torch.searchsorted(ends, positions, right=True)]


def _joined(task: Task, more: Task) -> Task:
    """A task with the items of both. Items without a weight get 1, the mean, if others have one."""
    weights = None
    if task.item_weights is not None or more.item_weights is not None:
        parts = []
        for one in (task, more):
            ones = torch.ones(len(one.x), dtype=torch.float64)
            parts.append(ones if one.item_weights is None else one.item_weights)
        weights = torch.cat(parts)
    x = torch.cat([task.x, more.x])
    y = torch.cat([task.y, more.y])
    return replace(task, x=x, y=y, item_weights=weights)


def _check_recipe(recipe: Recipe) -> None:
    if recipe.loss not in LOSSES:
        raise ValueError(f"unknown loss {recipe.loss!r}: expected one of {', '.join(LOSSES)}")
    if recipe.loss == "soft_label_kl" and recipe.batch_anchors:
        raise ValueError(
            "loss soft_label_kl needs the anchor of every class: expected batch_anchors=False"
        )
    if recipe.epochs < 1 or not 0 <= recipe.warmup < 1:
        raise ValueError(
            f"epochs={recipe.epochs}, warmup={recipe.warmup}: expected at least one epoch and a "
            "share of its steps from 0 to below 1"
        )
    smallest = 2 if recipe.layers > 1 else 1
    if recipe.batch_size < smallest:
        raise ValueError(
            f"batch_size={recipe.batch_size}: expected at least {smallest}, because batch norm "
            "takes the variance of the items of a batch"
        )


def _key(recipe: Recipe, seed: int, tasks: list[Task]) -> str:
    """A hash of everything that determines a run: recipe, seed, data, and the code that trains."""
    code = code_digest("tinyemo.training.projector")
    digest = hashlib.sha256(f"{recipe} {seed} {torch.__version__} {code}".encode())
    for task in tasks:
        digest.update(f"{task.words} {task.weight}".encode())
        tensors = [task.x, task.y, task.anchors, task.synonyms]
        if task.item_weights is not None:
            tensors.append(task.item_weights)
        for tensor in tensors:
            digest.update(f"{tuple(tensor.shape)}".encode())
            digest.update(tensor.cpu().contiguous().numpy())
    return digest.hexdigest()
