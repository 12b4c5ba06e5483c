"""Small training tasks for projectors, and a training that is slow enough to be killed."""

from dataclasses import replace

import torch

from tinyemo.training.projector import PRESETS, fit_jointly
from tinyemo.training.projector_tasks import Task

TUNED = PRESETS["tuned"]
# Two label sets with one word in common, c, which has another grounding text in each.
A, B = ("a", "b", "c"), ("d", "c", "e", "f")


def data(n=240, classes=4, width=12, noise=1.0, seed=0):
    """Features around one direction per class (not centred, unequal scales), labels, anchors."""
    draw = torch.Generator().manual_seed(seed)
    y = torch.arange(n) % classes
    x = 2 * torch.eye(classes, width)[y] + noise * torch.randn(n, width, generator=draw)
    anchors = torch.randn(classes, 10, generator=torch.Generator().manual_seed(99))
    return 5 * torch.linspace(0.1, 3, width) * x + 20, y, anchors


def task(words, n=240, weight=1.0, seed=0, noise=1.0, synonyms=None):
    """A dataset of n items, of all classes in turn, with anchors of its own."""
    x, y, _ = data(n, len(words), noise=noise, seed=seed)
    draw = torch.Generator().manual_seed(sum(map(ord, "".join(words))))
    anchors = torch.nn.functional.normalize(torch.randn(len(words), 10, generator=draw), dim=1)
    return Task(x.roll(len(words), dims=1), y, words, anchors, weight, synonyms)


def slow_fit(folder):
    """Two rounds of about thirty epochs on two label sets, saved after every epoch."""
    tasks = [task(A, weight=1.5, synonyms=torch.ones(3, 2, 10)), task(B, 120, seed=1)]
    recipe = replace(TUNED, epochs=60, min_epochs=30, patience=5, synonym_share=0.5)
    checkpoint = folder and folder / "seed0.pt"
    return fit_jointly(
        tasks, recipe, 0, [task(A, 50, seed=2), task(B, 50, seed=3)], checkpoint, save_every=0.0
    )
