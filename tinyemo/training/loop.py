"""A loop of optimiser steps that can be killed and resumed.

This module owns checkpoints, resumption and the learning-rate schedule. It takes a model and a
function from the step number to the loss, and gives the loss of each step. That function must draw
its random numbers from a generator that is seeded by the step number. Then a run that was killed
and resumed gives exactly the result of one without interruption, and no state of a random generator
needs to be saved.
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
    """Factor on the learning rate: a linear rise in 1/20 of the steps, then half a cosine."""
    warmup = max(1, steps // 20)
    if step < warmup:
        return (step + 1) / warmup
    return 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup)))


def save_atomically(value: object, path: Path) -> None:
    """torch.save through a temporary file: after a kill, the old file or the new one is there."""

    def save(temporary: Path) -> None:
        try:
            torch.save(value, temporary)
        except RuntimeError as error:  # what torch raises if the disk is full
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
    """Run AdamW for `steps` steps on `loss_of_step(step)`; returns the loss of each step.

    `checkpoint` is written every `save_every` seconds and at the end. A checkpoint with another
    `key` (a hash of data, settings and code) belongs to another training and is not read. With a
    finished checkpoint nothing is trained; its weights are loaded.
    """
    # weight decay is for matrices, not for biases and norms
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
    """Row numbers (batch,) of a step: seeded epochs without replacement; no short batches.

    ValueError: fewer items than a batch.
    """
    per_epoch = n // batch
    if per_epoch == 0:
        raise ValueError(f"a batch of {batch} was asked for, but there are only {n} items")
    epoch, position = divmod(step, per_epoch)
    generator = torch.Generator().manual_seed(seed * 1_000_003 + epoch)
    order = torch.randperm(n, generator=generator)
    return order[position * batch : (position + 1) * batch]
