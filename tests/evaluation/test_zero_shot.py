"""evaluation/zero_shot.py and comparison.py on cases whose answers are known beforehand."""

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from tinyemo.emotions import labels_of
from tinyemo.evaluation.classification import predictions_table
from tinyemo.evaluation.comparison import compare
from tinyemo.evaluation.zero_shot import zero_shot_metrics, zero_shot_table
from tinyemo.features.tensors import Part
from tinyemo.models.anchor_spaces import random_anchors
from tinyemo.models.projector import MetricProjector

WORDS = ("affection", "horror", "rage", "shame")


class Identity(MetricProjector):
    """A projector that leaves features where they are: what it is asked about is the anchors alone."""

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
    return Part(records, x, y, torch.empty(0))


def test_words_with_meaning_are_found_and_words_without_are_not():
    spaces = {
        "label words": vectors,
        "random vectors": lambda words, seed: random_anchors(words, 8, seed),
    }
    projectors = {kind: [Identity()] * 5 for kind in spaces}
    table = zero_shot_table(projectors, spaces, part(), WORDS[:3]).set_index("anchors")
    assert table.loc["label words", "accuracy"] == 1
    assert (table["chance"] == 1 / 3).all() and (
        table["items"] == 150
    ).all()  # shame was not asked for
    assert table.loc["permuted words", "accuracy"] < 0.05  # no word keeps its place
    assert table.loc["random vectors", "accuracy"] < 0.8
    metrics = zero_shot_metrics(table.reset_index())
    assert metrics["zero_shot/label_words"] == 1 and metrics["zero_shot/chance"] == pytest.approx(
        1 / 3
    )


def test_random_anchors_belong_to_the_word_and_the_seed():
    a, b = random_anchors(("rage", "awe"), 8, 0), random_anchors(("awe", "rage"), 8, 0)
    assert torch.equal(a, b.flip(0)) and not torch.equal(a, random_anchors(("rage", "awe"), 8, 1))


def test_the_projector_is_compared_with_the_probe_that_was_better_in_cross_validation():
    words = labels_of("ekman")
    records = pd.DataFrame(
        {
            "id": [f"d/{i}" for i in range(60)],
            "dataset": "d",
            "split": "test",
            "label": [words[i % 6] for i in range(60)],
            "label_set": "ekman",
        }
    )

    def answers(wrong, run, seed=0):
        right = np.arange(60) % 6
        p = np.eye(6)[np.where(np.arange(60) < wrong, (right + 1) % 6, right)]
        return predictions_table(records, p, words, run, seed)

    tables = pd.concat(
        [
            answers(6, "projector"),
            answers(12, "projector", 1),
            answers(30, "probe_logreg"),
            answers(3, "probe_svm"),
        ]
    )
    rows, metrics = compare(tables, "ekman", {"logreg": 0.8, "svm": 0.7}, limit=0.95)
    assert metrics["test/accuracy"] == pytest.approx(0.85)
    assert metrics["test/minus_best_probe"] == pytest.approx(
        0.85 - 0.5
    )  # logreg's, though svm tests better
    assert metrics["test/fraction_of_bayes"] == pytest.approx(0.85 / 0.95)
    assert metrics["test/probe_svm"] == pytest.approx(0.95) and metrics["cv/probe_logreg"] == 0.8
    assert list(rows["model"]) == ["projector", "probe logreg", "probe svm"]
