"""Tasks: what a projector learns from, one dataset under one label set each; several train one projector.

Owns: the Task, its checks, and the way from records and features to tasks. Words, not numbers, say which
classes of two tasks are the same: `joy` of one label set never meets `contentment` of another by position.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd
import torch
import torch.nn.functional as F
from torch import Tensor

from tinyemo.emotions import SYNONYMS, labels_of
from tinyemo.features.store import FeatureStore
from tinyemo.features.tensors import parts_of


@dataclass(frozen=True)
class Task:
    """One dataset under one label set.

    `words` name the C classes; a word that another task has too is the same class there, but may stand for
    another anchor, for datasets have their own grounding texts.
    """

    x: Tensor  # features (N, d_vision)
    y: Tensor  # labels (N,) int64, or targets (N, C) float, rows summing to one
    words: tuple[str, ...]
    anchors: Tensor  # (C, d_llm)
    weight: float = 1.0  # an epoch draws from a task in proportion to weight * N
    synonyms: Tensor | None = (
        None  # (C, S, d_llm): stand in for the anchor of a training item now and then
    )
    item_weights: Tensor | None = (
        None  # (N,) from 0: how often an epoch draws an item, relative to the others
    )


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
    """Tasks of the splits train and validation, in one order, for every dataset of `stores`.

    `anchors_of(dataset, words)` gives (len(words), d_llm), by the dataset's own templates. `soft`: targets
    (N, C), annotators' shares where a dataset has them and one-hot labels elsewhere. `taxonomy`: coarser
    label sets under which a dataset with Parrott's labels is repeated (TinyEmo: Ekman's and Mikels').
    `synonyms`: tasks with Parrott's words get emotions.SYNONYMS. `weights`: Task.weight by dataset, 1 where
    none is given. ValueError: a dataset without records, with several label sets, or without items in one
    of the two splits.
    """
    tasks: dict[str, list[Task]] = {"train": [], "validation": []}
    for dataset, store in stores.items():
        own = records[records["dataset"] == dataset]
        label_sets = list(own["label_set"].unique())
        if len(label_sets) != 1:
            raise ValueError(
                f"dataset {dataset!r}: expected records of one label set, got {label_sets}"
            )
        if taxonomy and label_sets == ["parrott"]:
            label_sets += taxonomy
        for label_set in label_sets:
            parts, words = parts_of(own, store, label_set), labels_of(label_set)
            anchors, others = anchors_of(dataset, words), None
            if synonyms and set(words) <= set(SYNONYMS):
                others = torch.stack([anchors_of(dataset, SYNONYMS[word]) for word in words])
            for split, found in tasks.items():
                if split not in parts:
                    raise ValueError(
                        f"dataset {dataset!r}: no items in split {split!r}; carve_validation makes one"
                    )
                y = parts[split].votes if soft else parts[split].y
                found.append(
                    Task(
                        parts[split].x, y, words, anchors, (weights or {}).get(dataset, 1.0), others
                    )
                )
    return tasks


def checked(
    tasks: Sequence[Task], validation: Sequence[Task], soft: bool
) -> tuple[list[Task], list[Task]]:
    """Both lists ready for training: features float32, unit anchors, a synonym at least (the word itself).

    Labels become int64 (N,), or where `soft` float32 targets (N, C), single labels as one-hot ones; item weights
    become float64 of mean 1. ValueError: what is off in which task, tasks that do not fit one projector, a class
    without an item that is drawn, validation tasks that are not those of training in their order.
    """
    train = [_checked(task, f"{_name(i, tasks)}training", soft) for i, task in enumerate(tasks)]
    held_out = [
        _checked(task, f"{_name(i, validation)}validation", soft)
        for i, task in enumerate(validation)
    ]
    widths = {(task.x.shape[1], task.anchors.shape[1]) for task in [*train, *held_out]}
    if len(widths) != 1:
        raise ValueError(
            f"tasks of one projector: expected one (d_vision, d_llm), got {sorted(widths) or 'no task'}"
        )
    if held_out and [task.words for task in held_out] != [task.words for task in train]:
        raise ValueError(
            "validation: expected a task for each training task, of the same words and in their order"
        )
    for i, task in enumerate(train):
        classes = len(task.words)
        y = (
            task.y
            if task.item_weights is None
            else task.y[(task.item_weights > 0).to(task.y.device)]
        )
        mass = y.sum(dim=0) if soft else torch.bincount(y, minlength=classes)
        if (mass == 0).any():
            empty = int((mass == 0).nonzero()[0])
            word = "" if task.words[empty] == str(empty) else f" ({task.words[empty]})"
            raise ValueError(
                f"{_name(i, tasks)}training labels: class {empty} of {classes}{word} has no item"
            )
    return train, held_out


def _name(i: int, tasks: Sequence[Task]) -> str:
    return f"task {i}, " if len(tasks) > 1 else ""


def _checked(task: Task, part: str, soft: bool) -> Task:
    x, anchors = torch.as_tensor(task.x, dtype=torch.float32), task.anchors
    y = torch.as_tensor(task.y).to(x.device)
    synonyms, classes = anchors[:, None] if task.synonyms is None else task.synonyms, len(anchors)
    if anchors.ndim != 2 or not torch.isfinite(anchors).all():
        raise ValueError(
            f"anchors: expected finite numbers of shape (C, d_llm), got {tuple(anchors.shape)}"
        )
    if not len(task.words) == len(set(task.words)) == classes:
        raise ValueError(
            f"{part} words: expected {classes} different ones, one an anchor, got {task.words}"
        )
    if (
        synonyms.ndim != 3
        or synonyms[:, 0].shape != anchors.shape
        or not torch.isfinite(synonyms).all()
    ):
        raise ValueError(
            f"{part} synonyms: expected finite numbers ({classes}, S, {anchors.shape[1]}), "
            f"got {tuple(synonyms.shape)}"
        )
    if not 0 < task.weight < float("inf"):
        raise ValueError(f"{part} weight: expected a number above 0, got {task.weight}")
    if x.ndim != 2 or len(x) < 2:
        raise ValueError(
            f"{part} features: expected (N, d_vision) with N > 1, got {tuple(x.shape)}"
        )
    if not torch.isfinite(x).all():
        row = int((~torch.isfinite(x)).any(dim=1).nonzero()[0])
        raise ValueError(f"{part} features: row {row} holds NaN or infinity")
    if y.is_floating_point():
        if y.shape != (len(x), classes):
            raise ValueError(
                f"{part} targets: expected ({len(x)}, {classes}), got {tuple(y.shape)}"
            )
        off = (y < 0).any(dim=1) | ((y.sum(dim=1) - 1).abs() > 1e-3)
        if off.any():
            raise ValueError(
                f"{part} targets: row {int(off.nonzero()[0])} is no distribution over the classes"
            )
        if not soft:
            raise ValueError(
                f"{part} labels: expected int64 labels (N,), got distributions {tuple(y.shape)}, "
                "which only the loss soft_label_kl takes"
            )
    elif y.shape != (len(x),):
        raise ValueError(
            f"{part} labels: expected ({len(x)},), one a feature row, got {tuple(y.shape)}"
        )
    elif not 0 <= int(y.min()) <= int(y.max()) < classes:
        raise ValueError(
            f"{part} labels: expected 0 to {classes - 1}, got {int(y.min())} to {int(y.max())}"
        )
    elif soft:
        y = F.one_hot(y.long(), classes)
    weights = task.item_weights
    if weights is not None:
        weights = torch.as_tensor(
            weights, dtype=torch.float64, device="cpu"
        )  # where rows are drawn
        if (
            weights.shape != (len(x),)
            or not (torch.isfinite(weights) & (weights >= 0)).all()
            or not weights.any()
        ):
            raise ValueError(
                f"{part} item weights: expected ({len(x)},) finite numbers from 0, some of them above, "
                f"got {tuple(weights.shape)}, the least {float(weights.min()) if len(weights) else None}"
            )
        weights = weights / weights.mean()
    anchors, synonyms = (
        F.normalize(vectors.float(), dim=-1).to(x.device) for vectors in (anchors, synonyms)
    )
    return replace(
        task,
        x=x,
        y=y.float() if soft else y.long(),
        anchors=anchors,
        synonyms=synonyms,
        item_weights=weights,
    )
