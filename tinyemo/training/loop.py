"""A loop of optimiser steps that survives a kill.

Owns: checkpointing, resuming, the learning-rate schedule. Takes modules, an optimiser and a function of
the step number; gives the history of losses. The function must draw whatever is random from a generator
seeded by the step number: then a run that was killed and resumed equals an undisturbed one exactly, with
no generator state to save.
"""

import math
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn
from tqdm import tqdm

from tinyemo.io import write_atomically


def cosine_schedule(step: int, steps: int) -> float:
    """Factor on the learning rate: linear over the first twentieth, then half a cosine down to zero."""
    warmup = max(1, steps // 20)
    if step < warmup:
        return (step + 1) / warmup
    return 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup)))


def save_atomically(value: object, path: Path) -> None:
    """torch.save, whole or not at all: a kill leaves the old file or the new one."""

    def save(temporary: Path) -> None:
        try:
            torch.save(value, temporary)
        except RuntimeError as error:  # torch's way to say that the disk is full
            raise OSError(str(error)) from error

    write_atomically(path, save)


def train(
    model: nn.Module,
    loss_of_step: Callable[[int], torch.Tensor],
    *,
    steps: int,
    lr: float,
    weight_decay: float,
    checkpoint: Path,
    key: str,
    save_every: float = 60.0,
    label: str = "training",
) -> list[float]:
    """AdamW over `steps` steps of `loss_of_step(step)`; returns the loss of each step.

    `checkpoint` is written every `save_every` seconds and at the end. One whose `key` (a hash of data and
    settings) differs belongs to another training and is not read. A finished checkpoint trains nothing.
    """
    decayed = [p for p in model.parameters() if p.ndim >= 2]
    others = [p for p in model.parameters() if p.ndim < 2]
    optimiser = torch.optim.AdamW(
        [
            {"params": decayed, "weight_decay": weight_decay},
            {"params": others, "weight_decay": 0.0},
        ],
        lr=lr,
        betas=(0.9, 0.98),
        fused=True,
    )
    history: list[float] = []
    if checkpoint.exists():
        saved = torch.load(checkpoint, map_location="cpu", weights_only=True)
        if saved["key"] == key:
            model.load_state_dict(saved["model"])
            optimiser.load_state_dict(saved["optimiser"])
            history = saved["history"]

    def save() -> None:
        save_atomically(
            {
                "key": key,
                "model": model.state_dict(),
                "optimiser": optimiser.state_dict(),
                "history": history,
            },
            checkpoint,
        )

    if len(history) == steps:
        return history
    model.train()
    last_save = time.monotonic()
    for step in tqdm(range(len(history), steps), initial=len(history), total=steps, desc=label):
        for group in optimiser.param_groups:
            group["lr"] = lr * cosine_schedule(step, steps)
        loss = loss_of_step(step)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        history.append(loss.item())
        if time.monotonic() - last_save > save_every:
            save()
            last_save = time.monotonic()
    save()
    return history


def batch_of_step(step: int, n: int, batch: int, seed: int) -> torch.Tensor:
    """Row numbers of a step's batch: seeded epochs without replacement, the last short batch dropped."""
    per_epoch = n // batch
    if per_epoch == 0:
        raise ValueError(f"a batch of {batch} was asked for, but there are only {n} items")
    epoch, position = divmod(step, per_epoch)
    generator = torch.Generator().manual_seed(seed * 1_000_003 + epoch)
    order = torch.randperm(n, generator=generator)
    return order[position * batch : (position + 1) * batch]
