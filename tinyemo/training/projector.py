"""Fitting a metric projector to features that fit in memory: seeded, resumable, selected on validation data.

Takes features (N, d_vision), labels and anchors (C, d_llm) of one dataset, or of several with different label
sets as `training.tasks`; gives a MetricProjector and its learning curve. A `Recipe` says how; PRESETS holds
TinyEmo's published one and ours, which were chosen within training parts and on validation items
(benchmarks/README.md). No test part has a way in here.
"""

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import asdict, dataclass, replace
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
from tinyemo.training.tasks import Task, checked


@dataclass(frozen=True)
class Recipe:
    """How a projector is trained. The defaults are the tuned recipe."""

    loss: str = "cross_entropy"  # a name of tinyemo.losses.LOSSES
    temperature: float | None = (
        0.2  # of the loss, where it has one, and the projector; None: the loss's own
    )
    batch_anchors: bool = (
        False  # compare with the anchors of the batch's items (TinyEmo), not with each once
    )
    epochs: int = 12  # passes over the training items, at most
    batch_size: int = 64  # items a step; a last partial batch is left out
    peak_lr: float = 1e-3  # of AdamW under OneCycleLR, which starts at 1/25 of it
    warmup: float = 0.1  # share of the steps in which the rate rises
    weight_decay: float = 1e-2  # of AdamW
    input_dropout: float = 0.5  # of the features while training, which are centred for it
    dropout: float = 0.5  # before the last layer
    patience: int | None = (
        3  # epochs without a lower validation loss before it stops; None: no selection
    )
    min_epochs: int = 6  # before it no epoch is selected: while the rate is high, a minimum is luck
    synonym_share: float = (
        0.0  # how often a synonym stands in for a word, in training, where a task has some
    )
    layers: int = 2  # of the projector
    refit: bool = (
        True  # train again on training and validation items together, as long as was selected
    )


PRESETS: dict[str, Recipe] = {
    "tuned": Recipe(),
    # for thousands of items with annotators' votes, as in EmoScenes: less to hold back, more to learn from
    "votes": Recipe(
        loss="soft_label_kl", temperature=0.1, input_dropout=0.0, dropout=0.2, epochs=20
    ),
    # for several datasets under different label sets, votes or single labels (benchmarks/joint.py)
    "joint": Recipe(
        loss="soft_label_kl", temperature=0.1, input_dropout=0.1, dropout=0.4, epochs=20
    ),
    # for trainings by the dozen that are compared with each other (tinyemo.bias): no selection, no refit
    "quick": Recipe(
        epochs=10, batch_size=128, input_dropout=0.1, dropout=0.3, patience=None, refit=False
    ),
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
    item_weights: Tensor | None = None,
) -> tuple[MetricProjector, pd.DataFrame]:
    """Train on features (N, d_vision) with labels (N,) int64, or (N, C) float targets for soft_label_kl.

    `validation` are features and labels of the same kinds; `item_weights` (N,) are Task's, of training items. The
    rest is as in `fit_jointly`, for one task.
    """
    words = tuple(
        map(str, range(len(anchors)))
    )  # the classes need no names: there is one label set
    train, *held_out = (
        Task(x, y, words, anchors)
        for x, y in ((train_x, train_y), *([validation] if validation else []))
    )
    return fit_jointly(
        [replace(train, item_weights=item_weights)], recipe, seed, held_out, checkpoint, save_every
    )


def fit_jointly(
    tasks: Sequence[Task],
    recipe: Recipe,
    seed: int,
    validation: Sequence[Task] = (),
    checkpoint: Path | None = None,
    save_every: float = 5.0,
) -> tuple[MetricProjector, pd.DataFrame]:
    """Train one projector on several datasets, each under its own label set.

    An epoch draws as many items as there are, from a task in proportion to weight * N and within it in
    proportion to its item weights (Idrissi et al. 2022, arXiv 2110.14503), and mixes them; an item competes
    with the words of its own task. Where the recipe takes the batch's anchors, as TinyEmo does, it competes
    with all words there, and a class is a word, whatever its position in a label set.

    With `validation`, a task for each of `tasks` in their order, the recipe may stop early and keep the
    epoch of the lowest validation loss, in which all items count alike; without it all epochs are run. In a
    refit, items of a task without item weights get the mean weight. Where it refits, `checkpoint` gets a
    companion `<stem>.refit<suffix>`. A checkpoint is written at the end and every `save_every` seconds;
    going on from it gives what an undisturbed run gives, and one made from other tasks, recipe, seed or
    torch version is not read.

    Gives the projector, in evaluation mode, and one row an epoch: epoch, lr, train_loss and, with
    validation, validation_loss and validation_accuracy (tasks count as in training); the refit has no rows.
    ValueError: what is wrong with the input; OSError: a checkpoint that cannot be written.
    """
    _check_recipe(recipe)
    tasks, held_out = checked(tasks, validation, soft=recipe.loss == "soft_label_kl")
    key = _key(
        replace(recipe, refit=False), seed, [*tasks, *held_out]
    )  # the first round is the same either way
    checkpoint = checkpoint and Path(checkpoint)
    device = tasks[0].x.device
    # the caller's random state is left alone
    with torch.random.fork_rng([device] if device.type == "cuda" else []), _one_thread():
        run = _Run(tasks, recipe, seed, held_out).train(checkpoint, key, save_every)
        history = pd.DataFrame(run.history)
        if recipe.refit and held_out:
            tasks = [
                replace(
                    task,
                    x=torch.cat([task.x, more.x]),
                    y=torch.cat([task.y, more.y]),
                    item_weights=_joined(task, more),
                )
                for task, more in zip(tasks, held_out, strict=True)
            ]
            again = checkpoint and checkpoint.with_suffix(f".refit{checkpoint.suffix}")
            last = run.best_epoch or recipe.epochs
            run = _Run(tasks, recipe, seed, [], last).train(again, key, save_every)
    return run.projector(), history


class _Run:
    """One training run: all the state that an exact resume needs."""

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
        self.recipe, self.seed, self.last_epoch = recipe, seed, last_epoch or recipe.epochs
        self.device, (d_vision, d_llm) = (
            tasks[0].x.device,
            (tasks[0].x.shape[1], tasks[0].anchors.shape[1]),
        )
        number = {
            word: i
            for i, word in enumerate(dict.fromkeys(word for task in tasks for word in task.words))
        }
        self.classes = [
            torch.tensor([number[word] for word in task.words], device=self.device)
            for task in tasks
        ]
        self.loss, self.temperature = _loss(recipe)
        self.items = sum(len(task.x) for task in tasks)
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
        return self.epoch >= self.last_epoch or (
            self.best is not None and waited >= self.recipe.patience
        )

    def _train_epoch(self) -> dict[str, float]:
        lr, total, steps = self.schedule.get_last_lr()[0], 0.0, 0
        self.model.train()
        for rows in self._batches():
            x = torch.cat([self.tasks[t].x[own] for t, own in rows.items()]) - self.mean
            embeddings = self.model(F.dropout(x, self.recipe.input_dropout))
            loss = (self._against_batch if self.recipe.batch_anchors else self._against_words)(
                embeddings, rows
            )
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            self.schedule.step()
            total, steps = (
                total + loss.detach(),
                steps + 1,
            )  # read once an epoch: reading stops the pipeline
        self.epoch += 1
        return {"epoch": self.epoch, "lr": lr, "train_loss": float(total) / steps}

    def _batches(self) -> Iterator[dict[int, Tensor]]:
        """An epoch's batches of all tasks, mixed: {task: its rows}."""
        share = torch.tensor(
            [task.weight * len(task.x) for task in self.tasks], dtype=torch.float64
        ).cumsum(0)
        quotas = (
            (share / share[-1] * self.items)
            .round()
            .long()
            .diff(prepend=torch.zeros(1, dtype=torch.long))
        )
        rows = torch.cat(
            [_draw(task, int(quota)) for task, quota in zip(self.tasks, quotas, strict=True)]
        )
        task_of = torch.arange(len(self.tasks)).repeat_interleave(quotas)
        for batch in torch.randperm(self.items).split(self.batch_size):
            if len(batch) == self.batch_size:
                present = task_of[batch]
                yield {
                    t: rows[batch[present == t]].to(self.device) for t in present.unique().tolist()
                }

    def _against_words(self, embeddings: Tensor, rows: dict[int, Tensor]) -> Tensor:
        """The loss of each task's items against the words of their task, weighted by their number."""
        loss = 0.0
        for (t, own), part in zip(
            rows.items(), embeddings.split([len(own) for own in rows.values()]), strict=True
        ):
            classes = torch.arange(len(self.tasks[t].words), device=self.device)
            anchors = self._anchors(t, classes)
            loss = loss + self.loss(part, self.tasks[t].y[own], anchors, classes) * (
                len(own) / len(embeddings)
            )
        return loss

    def _against_batch(self, embeddings: Tensor, rows: dict[int, Tensor]) -> Tensor:
        """The loss against one anchor an item, its own; a class is a word, over all tasks."""
        labels = {t: self.tasks[t].y[own] for t, own in rows.items()}
        anchors = torch.cat([self._anchors(t, y) for t, y in labels.items()])
        words = torch.cat([self.classes[t][y] for t, y in labels.items()])
        return self.loss(embeddings, words, anchors, words)

    def _anchors(self, t: int, y: Tensor) -> Tensor:
        """Anchors (n, d_llm) of the classes y (n,) of a task, some of them a synonym's."""
        anchors, synonyms = self.tasks[t].anchors[y], self.tasks[t].synonyms
        if not self.recipe.synonym_share:
            return anchors
        replaced = (torch.rand(len(y)) < self.recipe.synonym_share).to(self.device)
        which = torch.randint(synonyms.shape[1], (len(y),)).to(self.device)
        return torch.where(replaced[:, None], synonyms[y, which], anchors)

    @torch.no_grad()
    def _validate(self) -> dict[str, float]:
        self.model.eval()
        loss = accuracy = 0.0
        whole = sum(task.weight * len(task.x) for task in self.held_out)
        for task in self.held_out:
            embeddings = self.model(task.x - self.mean)
            hit = (embeddings @ task.anchors.T).argmax(dim=1) == (
                task.y if task.y.ndim == 1 else task.y.argmax(dim=1)
            )
            classes = torch.arange(len(task.words), device=self.device)
            share = task.weight * len(task.x) / whole
            loss += share * float(self.loss(embeddings, task.y, task.anchors, classes))
            accuracy += share * float(hit.float().mean())
        if self.recipe.patience is not None and self.epoch >= min(
            self.recipe.min_epochs, self.recipe.epochs
        ):
            if self.best is None or loss < self.history[self.best_epoch - 1]["validation_loss"]:
                self.best_epoch, self.best = self.epoch, deepcopy(self.model.state_dict())
        return {"validation_loss": loss, "validation_accuracy": accuracy}

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
            "items": self.items,
        }
        return self.model.eval()

    def _save(self, path: Path, key: str) -> None:
        state = {name: getattr(self, name) for name in ("epoch", "history", "best_epoch", "best")}
        parts = {
            name: getattr(self, name).state_dict() for name in ("model", "optimizer", "schedule")
        }
        save_atomically(
            {"key": key, "last_epoch": self.last_epoch, "state": state, "parts": parts}, path
        )

    def _restore(self, path: Path, key: str) -> None:
        try:
            saved = torch.load(path, map_location=self.device, weights_only=True)
        except (
            Exception
        ):  # no file, or whatever the unpickler stumbles over in another: start afresh
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


def _draw(task: Task, number: int) -> Tensor:
    """`number` rows of a task, each as often as its weight says, give or take one: (number,)."""
    items = len(task.x)
    if task.item_weights is None:
        rest = torch.randperm(items)[: number % items] if number % items else torch.arange(0)
        return torch.cat([torch.arange(items).repeat(number // items), rest])
    order = torch.randperm(
        items
    )  # systematic sampling: even steps along the weights, laid end to end at random
    ends = task.item_weights[order].cumsum(0)
    steps = (torch.arange(number, dtype=torch.float64) + torch.rand(1)) / max(number, 1) * ends[-1]
    return order[torch.searchsorted(ends, steps, right=True)]


def _joined(task: Task, more: Task) -> Tensor | None:
    """Item weights of the items of both, or None where neither has any."""
    if task.item_weights is None and more.item_weights is None:
        return None
    return torch.cat(
        [
            torch.ones(len(one.x), dtype=torch.float64)
            if one.item_weights is None
            else one.item_weights
            for one in (task, more)
        ]
    )


def _check_recipe(recipe: Recipe) -> None:
    if recipe.loss not in LOSSES:
        raise ValueError(f"unknown loss {recipe.loss!r}: expected one of {', '.join(LOSSES)}")
    if recipe.loss == "soft_label_kl" and recipe.batch_anchors:
        raise ValueError(
            "loss soft_label_kl needs every class's anchor: expected batch_anchors=False"
        )


def _key(recipe: Recipe, seed: int, tasks: list[Task]) -> str:
    """A hash of all that determines a run: recipe, seed, data, and the code that trains."""
    code = code_digest("tinyemo.training.projector")
    digest = hashlib.sha256(f"{recipe} {seed} {torch.__version__} {code}".encode())
    for task in tasks:
        digest.update(f"{task.words} {task.weight}".encode())
        weights = [] if task.item_weights is None else [task.item_weights]
        for tensor in (task.x, task.y, task.anchors, task.synonyms, *weights):
            digest.update(f"{tuple(tensor.shape)}".encode())
            digest.update(tensor.cpu().contiguous().numpy())
    return digest.hexdigest()
