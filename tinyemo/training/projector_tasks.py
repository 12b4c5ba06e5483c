"""Tasks: the data that a projector is trained on.

A Task is one dataset under one label set; several of them train one projector. This module owns
the Task, its checks, and the way from records and features to tasks. Classes of two tasks are the
same if their words are the same: the fourth class of one label set (joy) is never confused with the
fourth class of another (contentment).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd
import torch
import torch.nn.functional as F
from torch import Tensor

from tinyemo.emotions import SYNONYMS, labels_of
from tinyemo.features.split_tensors import split_tensors
from tinyemo.features.store import FeatureStore


@dataclass(frozen=True)
class Task:
    """One dataset under one label set.

    `words` are the names of the C classes. A word that another task has too is the same class
    there, but may have another anchor, because datasets have their own grounding texts.
    """

    x: Tensor  # features (N, d_vision)
    y: Tensor  # labels (N,) int64, or targets (N, C) float whose rows sum to one
    words: tuple[str, ...]
    anchors: Tensor  # (C, d_llm)
    weight: float = 1.0  # an epoch draws from a task in proportion to weight * N
    # (C, S, d_llm): some training items are compared with a synonym instead of the anchor
    synonyms: Tensor | None = None
    # (N,), at least 0: how often an epoch draws an item, relative to the other items
    item_weights: Tensor | None = None


def tasks_of(
    records: pd.DataFrame,
    stores: Mapping[str, FeatureStore],
    anchors_of: Callable[[str, Sequence[str]], Tensor],
    *,
    soft: bool = False,
    taxonomy: Sequence[str] = (),
    synonyms: bool = False,
    weights: Mapping[str, float] | None = None,
) -> dict[str, list[Task]]:
    """The tasks of the splits train and validation, in one order, for all datasets of `stores`.

    `anchors_of(dataset, words)` gives (len(words), d_llm), with the dataset's own templates. With
    `soft` the targets are (N, C): the annotators' distributions, or one-hot labels for a dataset
    without them. `taxonomy` are coarser label sets under which a dataset with Parrott's labels is
    repeated (TinyEmo: Ekman's and Mikels'). With `synonyms`, tasks with Parrott's words get
    emotions.SYNONYMS. `weights` are Task.weight by dataset, 1 by default.

    ValueError: a dataset without records, with several label sets, or without items in one of the
    two splits.
    """
    tasks: dict[str, list[Task]] = {"train": [], "validation": []}
    for dataset, store in stores.items():
        own_records = records[records["dataset"] == dataset]
        label_sets = list(own_records["label_set"].unique())
        if len(label_sets) != 1:
            raise ValueError(
                f"dataset {dataset!r}: expected records of one label set, got {label_sets}"
            )
        if taxonomy and label_sets == ["parrott"]:
            label_sets += taxonomy
        for label_set in label_sets:
            words = labels_of(label_set)
            parts = split_tensors(own_records, store, label_set)
            anchors = anchors_of(dataset, words)
            synonym_anchors = None
            if synonyms and set(words) <= set(SYNONYMS):
                per_word = [anchors_of(dataset, SYNONYMS[word]) for word in words]
                synonym_anchors = torch.stack(per_word)  # (C, S, d_llm)
            for split, split_tasks in tasks.items():
                if split not in parts:
                    raise ValueError(
                        f"dataset {dataset!r}: no items in split {split!r}; carve_validation makes "
                        "one"
                    )
                task = Task(
                    x=parts[split].x,
                    y=parts[split].soft_labels if soft else parts[split].y,
                    words=words,
                    anchors=anchors,
                    weight=(weights or {}).get(dataset, 1.0),
                    synonyms=synonym_anchors,
                )
                split_tasks.append(task)
    return tasks


def checked(
    tasks: Sequence[Task], validation: Sequence[Task], soft: bool
) -> tuple[list[Task], list[Task]]:
    """Both lists ready for training.

    Features become float32 and anchors unit vectors. Every task has synonyms: if none are given,
    the word itself. Labels become int64 (N,) or, if `soft`, float32 targets (N, C), single labels
    as one-hot targets. Item weights become float64 with mean 1.

    ValueError: what is wrong in which task, tasks that do not fit one projector, a class without
    an item that can be drawn, or validation tasks that are not those of training in their order.
    """
    train = _check_all(tasks, "training", soft, smallest=2)  # batch norm needs two items
    held_out = _check_all(validation, "validation", soft, smallest=1)
    widths = set()
    for task in [*train, *held_out]:
        widths.add((task.x.shape[1], task.anchors.shape[1]))
    if len(widths) != 1:
        raise ValueError(
            "tasks of one projector: expected one (d_vision, d_llm), got "
            f"{sorted(widths) or 'no task'}"
        )
    if held_out and [task.words for task in held_out] != [task.words for task in train]:
        raise ValueError(
            "validation: expected a task for each training task, with the same words and in the "
            "same order"
        )
    for i, task in enumerate(train):
        _check_classes_have_items(task, f"{_task_name(i, tasks)}training", soft)
    return train, held_out


def _check_all(tasks: Sequence[Task], part: str, soft: bool, smallest: int) -> list[Task]:
    found = []
    for i, task in enumerate(tasks):
        name = f"{_task_name(i, tasks)}{part}"
        found.append(_checked_task(task, name, soft, smallest))
    return found


def _task_name(i: int, tasks: Sequence[Task]) -> str:
    return f"task {i}, " if len(tasks) > 1 else ""


def _check_classes_have_items(task: Task, name: str, soft: bool) -> None:
    """ValueError names a class without an item that can be drawn."""
    classes = len(task.words)
    y = task.y
    if task.item_weights is not None:
        y = y[(task.item_weights > 0).to(y.device)]
    mass = y.sum(dim=0) if soft else torch.bincount(y, minlength=classes)  # (C,)
    is_empty = mass == 0
    if is_empty.any():
        empty = int(is_empty.nonzero()[0])
        word = "" if task.words[empty] == str(empty) else f" ({task.words[empty]})"
        raise ValueError(f"{name} labels: class {empty} of {classes}{word} has no item")


def _checked_task(task: Task, name: str, soft: bool, smallest: int) -> Task:
    """The task ready for training; `name` is how errors call it, `smallest` the least N."""
    x = torch.as_tensor(task.x, dtype=torch.float32)
    anchors = task.anchors
    synonyms = anchors[:, None] if task.synonyms is None else task.synonyms
    _check_anchors(task, name, anchors, synonyms)
    if not 0 < task.weight < float("inf"):
        raise ValueError(f"{name} weight: expected a number above 0, got {task.weight}")
    if x.ndim != 2 or len(x) < smallest:
        raise ValueError(
            f"{name} features: expected (N, d_vision) with N of at least {smallest}, got "
            f"{tuple(x.shape)}"
        )
    not_finite = (~torch.isfinite(x)).any(dim=1)  # (N,)
    if not_finite.any():
        row = int(not_finite.nonzero()[0])
        raise ValueError(f"{name} features: row {row} holds NaN or infinity")
    y = torch.as_tensor(task.y).to(x.device)
    return replace(
        task,
        x=x,
        y=_checked_labels(y, name, len(x), len(anchors), soft),
        anchors=F.normalize(anchors.float(), dim=-1).to(x.device),
        synonyms=F.normalize(synonyms.float(), dim=-1).to(x.device),
        item_weights=_checked_item_weights(task.item_weights, name, len(x)),
    )


def _check_anchors(task: Task, name: str, anchors: Tensor, synonyms: Tensor) -> None:
    """ValueError: anchors, words or synonyms that do not fit each other."""
    classes = len(anchors)
    if anchors.ndim != 2 or not torch.isfinite(anchors).all():
        raise ValueError(
            f"anchors: expected finite numbers of shape (C, d_llm), got {tuple(anchors.shape)}"
        )
    if not len(task.words) == len(set(task.words)) == classes:
        raise ValueError(
            f"{name} words: expected {classes} different ones, one per anchor, got {task.words}"
        )
    fits = synonyms.ndim == 3 and synonyms[:, 0].shape == anchors.shape
    if not fits or not torch.isfinite(synonyms).all():
        raise ValueError(
            f"{name} synonyms: expected finite numbers ({classes}, S, {anchors.shape[1]}), got "
            f"{tuple(synonyms.shape)}"
        )


def _checked_labels(y: Tensor, name: str, items: int, classes: int, soft: bool) -> Tensor:
    """Labels (N,) int64 or, if `soft`, targets (N, C) float32. ValueError: others."""
    if y.is_floating_point():
        if y.shape != (items, classes):
            raise ValueError(f"{name} targets: expected ({items}, {classes}), got {tuple(y.shape)}")
        wrong = (y < 0).any(dim=1) | ((y.sum(dim=1) - 1).abs() > 1e-3)  # (N,)
        if wrong.any():
            row = int(wrong.nonzero()[0])
            raise ValueError(f"{name} targets: row {row} is not a distribution over the classes")
        if not soft:
            raise ValueError(
                f"{name} labels: expected int64 labels (N,), got distributions {tuple(y.shape)}, "
                "which only the loss soft_label_kl takes"
            )
    elif y.shape != (items,):
        raise ValueError(
            f"{name} labels: expected ({items},), one per feature row, got {tuple(y.shape)}"
        )
    else:
        lowest, highest = int(y.min()), int(y.max())
        if lowest < 0 or highest >= classes:
            raise ValueError(
                f"{name} labels: expected 0 to {classes - 1}, got {lowest} to {highest}"
            )
        if soft:
            y = F.one_hot(y.long(), classes)
    return y.float() if soft else y.long()


def _checked_item_weights(weights: Tensor | None, name: str, items: int) -> Tensor | None:
    """Item weights (N,) float64 with mean 1, on the CPU. ValueError: other weights."""
    if weights is None:
        return None
    weights = torch.as_tensor(weights, dtype=torch.float64, device="cpu")
    valid = torch.isfinite(weights) & (weights >= 0)
    if weights.shape != (items,) or not valid.all() or not weights.any():
        smallest = float(weights.min()) if len(weights) else None
        raise ValueError(
            f"{name} item weights: expected ({items},) finite numbers of at least 0, some of them "
            f"above 0, got {tuple(weights.shape)}, the smallest {smallest}"
        )
    return weights / weights.mean()
