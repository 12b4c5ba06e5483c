"""Many trainings of one recipe, whose models all predict the same test items.

Takes: a recipe, anchors and the features of the test items.
Gives: trained projectors, and what the detectors need of each: its probabilities and embeddings for
the test items. `experiment`, `collected` and the benchmarks train all their models here: the model
in question, reference models, and controls on permuted labels.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from joblib import Parallel, delayed
from torch import Tensor

from tinyemo.bias.vocabulary import Reading
from tinyemo.models.projector import MetricProjector
from tinyemo.training.linear_projector import fit_linear
from tinyemo.training.projector import Recipe, fit_projector


class Outputs(NamedTuple):
    """What one model gives for the M test items."""

    probabilities: np.ndarray  # (M, C) float64
    embeddings: np.ndarray  # (M, d_llm) float32

    @property
    def predicted(self) -> np.ndarray:
        """(M,) int64 positions of the predicted labels."""
        return self.probabilities.argmax(axis=1)

    @property
    def reading(self) -> Reading:
        """Embeddings and predicted labels, as `vocabulary.over_represented` takes them."""
        return self.embeddings, self.predicted


@dataclass(frozen=True, eq=False)
class TrainingRuns:
    """One recipe and M test items.

    Without a recipe the projector is linear, and its training has no random part.
    """

    recipe: Recipe | None
    anchors: Tensor  # (C, d_llm)
    test_x: Tensor  # (M, D)

    def fit(
        self,
        x: Tensor,
        target: Tensor | np.ndarray,
        seed: int,
        item_weights: Tensor | None = None,
    ) -> MetricProjector:
        """Train a projector on features (N, D) with labels (N,).

        The target may be soft labels (N, C) if the recipe takes them.
        """
        if self.recipe is None:
            return fit_linear(x, np.asarray(target), self.anchors)
        target = torch.as_tensor(target)
        model, _ = fit_projector(
            x, target, self.anchors, self.recipe, seed, item_weights=item_weights
        )
        return model

    def probabilities(self, model: MetricProjector) -> np.ndarray:
        """The label probabilities of a model for the test items, (M, C) float64."""
        return model.classify(self.test_x, self.anchors).double().numpy()

    def fit_and_predict(self, x: Tensor, target: Tensor | np.ndarray, seed: int) -> np.ndarray:
        """Train one model; its probabilities (M, C) float64 for the test items."""
        return self.probabilities(self.fit(x, target, seed))

    def outputs(self, x: Tensor, target: Tensor | np.ndarray, seed: int) -> Outputs:
        """Train one model; its outputs for the test items."""
        return self.outputs_of(self.fit(x, target, seed))

    def outputs_of(self, model: MetricProjector) -> Outputs:
        """The outputs of a model for the test items."""
        return Outputs(self.probabilities(model), model.embed(self.test_x).numpy())

    def control(self, x: Tensor, target: Tensor | np.ndarray, seed: int) -> Outputs:
        """Train one model on permuted labels. `seed` gives the permutation and the training."""
        order = np.random.default_rng(seed).permutation(len(target))
        target = torch.as_tensor(target)
        return self.outputs(x, target[torch.from_numpy(order)], seed)


Job = tuple[Callable[..., Outputs], tuple]  # a function and its arguments


def run_all(jobs: list[Job], workers: int) -> list[Outputs]:
    """The outputs of all jobs in their order, `workers` jobs at a time."""
    return Parallel(workers)(delayed(function)(*arguments) for function, arguments in jobs)
