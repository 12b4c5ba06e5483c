"""evaluation/zero_shot.py on features and anchors whose result is known."""

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from tinyemo.emotions import labels_of
from tinyemo.evaluation.zero_shot import (
    cosines_without,
    leave_classes_out,
    zero_shot_metrics,
    zero_shot_table,
)
from tinyemo.features.split_tensors import SplitTensors, concatenated
from tinyemo.models.anchor_sources import random_anchors
from tinyemo.models.projector import MetricProjector
from tinyemo.training.projector import Recipe

WORDS = ("affection", "horror", "rage", "shame")


class Identity(MetricProjector):
    """A projector that does not change its features, so that only the anchors matter."""

    def __init__(self):
        super().__init__(8, 8)
        self.model = nn.Identity()


def vectors(words, seed):
    return torch.eye(8)[[WORDS.index(word) for word in words]]


def part(n=200):
    labels = [WORDS[i % 4] for i in range(n)]
    records = pd.DataFrame(
        {
            "id": [f"d/{i}" for i in range(n)],
            "dataset": "d",
            "split": "test",
            "label": labels,
            "label_set": "parrott",
        }
    )
    x = vectors(labels, 0) + 0.1 * torch.randn(n, 8, generator=torch.Generator().manual_seed(0))
    y = torch.tensor([labels_of("parrott").index(label) for label in labels])
    return SplitTensors(records, x, y, torch.empty(0))


def test_only_anchors_of_the_right_words_classify():
    spaces = {
        "label words": vectors,
        "random vectors": lambda words, seed: random_anchors(words, 8, seed),
    }
    projectors = {kind: [Identity()] * 5 for kind in spaces}
    table = zero_shot_table(projectors, spaces, part(), WORDS[:3]).set_index("anchors")
    assert table.loc["label words", "accuracy"] == 1
    assert (table["chance"] == 1 / 3).all()
    assert (table["items"] == 150).all()  # without the items of the fourth word, shame
    assert table.loc["permuted words", "accuracy"] < 0.05  # no word keeps its place
    assert table.loc["random vectors", "accuracy"] < 0.8
    metrics = zero_shot_metrics(table.reset_index())
    assert metrics["zero_shot/label_words"] == 1
    assert metrics["zero_shot/chance"] == pytest.approx(1 / 3)


def test_random_anchors_depend_on_the_word_and_the_seed():
    a, b = random_anchors(("rage", "awe"), 8, 0), random_anchors(("awe", "rage"), 8, 0)
    assert torch.equal(a, b.flip(0)) and not torch.equal(a, random_anchors(("rage", "awe"), 8, 1))


def test_leave_classes_out_trains_a_projector_per_class_and_seed():
    splits = {"train": part(32), "validation": part(16), "test": part(12)}
    for name, one in splits.items():
        classes = torch.arange(len(one.y)) % 4
        splits[name] = SplitTensors(one.records, one.x, classes, one.soft_labels)
    anchors = np.eye(8)[:4]
    recipe = Recipe(epochs=1, patience=None, refit=False, batch_size=8)
    cosines, penalties = leave_classes_out(splits, anchors, recipe, seeds=2, rate=0.2)
    assert cosines.shape == (2, 4, 12, 4) and penalties.shape == (2, 4)
    known = concatenated(splits["train"], splits["validation"])
    expected = cosines_without([3], known.x, known.y, splits["test"].x, anchors, recipe, 1)
    assert np.array_equal(cosines[1, 3], expected)
