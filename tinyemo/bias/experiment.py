"""An experiment with injected biases: a model trained on biased data, and models to compare.

Takes: three labelled sets (training items with the injected biases, training items without them,
unbiased test items), the injected biases, and a function that draws further training sets without
biases. `emoscenes.experiment_sets` makes them; this module does not depend on it.
Gives: trained models, reference models (trained without the biases), controls (trained on permuted
labels), the strengths of the biases in the training data, and the effect of mitigation. `collected`
does the same for a dataset whose biases are unknown.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import pandas as pd
import torch
from joblib import Parallel, delayed
from torch import Tensor

from tinyemo.bias.mitigation import MITIGATIONS, Mitigated, before_and_after
from tinyemo.bias.training_runs import Outputs, TrainingRuns, run_all
from tinyemo.bias.values import AttributeValues, attribute_values, risk_difference
from tinyemo.emotions import labels_of
from tinyemo.models.projector import MetricProjector
from tinyemo.training.projector import PRESETS

LABEL_SET = "ekman"
RECIPE = PRESETS["quick"]
BEFORE, WITHOUT_BIAS = "before", "without bias"  # models that mitigation is compared with
Pair = tuple[str, str]  # ("attribute: value", label), the columns what and where of detector tables


class LabelledSet(Protocol):
    """N labelled items. `emoscenes.biased_sets.TrainingSet` is a class of this form."""

    records: pd.DataFrame
    x: Tensor  # (N, D) features
    y: np.ndarray  # (N,) int64 labels, positions in the label set
    posterior: np.ndarray  # (N, C) true p(label | attributes)


class Sets(Protocol):
    """What an experiment needs. `emoscenes.experiment_sets.ExperimentSets` has this form."""

    train: LabelledSet  # with the injected biases
    train_without_bias: LabelledSet  # the same items before the biases were injected
    test: LabelledSet  # without biases

    @property
    def injected(self) -> Sequence[Pair]: ...

    def draw_without_bias(self, number: int) -> LabelledSet:
        """A further training set without biases."""
        ...


@dataclass(frozen=True, eq=False)
class InjectedBiasExperiment:
    """The sets of an experiment, and the trainings on them."""

    sets: Sets
    anchors: Tensor  # (C, d_llm) of `words`

    @property
    def words(self) -> list[str]:
        """(C,) the label set."""
        return list(labels_of(LABEL_SET))

    @cached_property
    def runs(self) -> TrainingRuns:
        """The trainings, whose models predict the test items."""
        return TrainingRuns(RECIPE, self.anchors, self.sets.test.x)

    @cached_property
    def values(self) -> AttributeValues:
        """The attribute values of the test items."""
        return attribute_values(self.sets.test.records)

    @cached_property
    def training_values(self) -> AttributeValues:
        """The attribute values of the training items."""
        return attribute_values(self.sets.train.records)

    def strengths(self) -> pd.DataFrame:
        """One row per injected bias: how strongly it is present in the training data.

        Columns: what, where, items (with the value), risk difference (of the labels), explained
        (the part of it that the true posterior explains).
        """
        rows = []
        for what, where in self.sets.injected:
            shown = self.training_values.of(what)
            label = self.words.index(where)
            row = {"what": what, "where": where, "items": int(shown.sum())}
            row["risk difference"] = risk_difference(shown, self.sets.train.y == label)
            row["explained"] = risk_difference(shown, self.sets.train.posterior[:, label])
            rows.append(row)
        return pd.DataFrame(rows)

    def fit(self, part: LabelledSet, seed: int) -> MetricProjector:
        """The recipe trained on one of the sets."""
        return self.runs.fit(part.x, part.y, seed)

    def probabilities(self, model: MetricProjector) -> np.ndarray:
        """The label probabilities of a model for the test items, (M, C) float64."""
        return self.runs.probabilities(model)

    def reference(self, number: int) -> Outputs:
        """The outputs of a reference model, trained on a further set without biases."""
        drawn = self.sets.draw_without_bias(number)
        return self.runs.outputs(drawn.x, drawn.y, number)

    def control(self, number: int) -> Outputs:
        """The outputs of a model trained on permuted labels of the training items."""
        return self.runs.control(self.sets.train.x, self.sets.train.y, number)

    def comparisons(
        self, references: int, controls: int, workers: int = 2
    ) -> tuple[list[Outputs], list[Outputs]]:
        """The outputs of reference models and of controls, trained `workers` at a time."""
        jobs = [(self.reference, (number,)) for number in range(references)]
        jobs += [(self.control, (number,)) for number in range(controls)]
        outputs = run_all(jobs, workers)
        return outputs[:references], outputs[references:]

    def examples(self, predicted: np.ndarray) -> dict[Pair, tuple[list[str], list[str]]]:
        """For each bias: ids of test items predicted as its label, with and without its value.

        predicted: (M,) positions of the predicted labels.
        """
        ids = self.sets.test.records["id"]
        sides = with_and_without(self.sets.injected, self.values, predicted, self.words)
        return {
            pair: (ids[with_value].tolist(), ids[without_value].tolist())
            for pair, (with_value, without_value) in sides.items()
        }

    def mitigated(self, targets: Sequence[str], seeds: int, workers: int = 2) -> pd.DataFrame:
        """`mitigation.before_and_after` of the predictions of `mitigated_predictions`."""
        group = _group(self.values, targets)
        predicted = self.mitigated_predictions(targets, seeds, workers)
        return before_and_after(self.sets.test.y, group, predicted, WITHOUT_BIAS)

    def mitigated_predictions(
        self, targets: Sequence[str], seeds: int, workers: int = 2
    ) -> dict[str, np.ndarray]:
        """Predicted labels (seeds, M): before, after each of MITIGATIONS, and without bias.

        targets: the attribute values ("weather: rain") whose association with the labels is to be
        removed.
        """
        x, y = self.sets.train.x, torch.from_numpy(self.sets.train.y)
        group = _group(self.training_values, targets)
        training = {BEFORE: Mitigated(x, y)}
        for name, mitigate in MITIGATIONS.items():
            training[name] = mitigate(x, y, group)
        unbiased = self.sets.train_without_bias
        training[WITHOUT_BIAS] = Mitigated(unbiased.x, torch.from_numpy(unbiased.y))

        runs = self.runs
        jobs = [
            delayed(_predicted)(runs, mitigated, seed)
            for mitigated in training.values()
            for seed in range(seeds)
        ]
        labels = Parallel(workers)(jobs)
        predicted = {}
        for i, name in enumerate(training):
            predicted[name] = np.stack(labels[i * seeds : (i + 1) * seeds])
        return predicted


def with_and_without(
    pairs: Sequence[Pair], values: AttributeValues, predicted: np.ndarray, words: Sequence[str]
) -> dict[Pair, tuple[np.ndarray, np.ndarray]]:
    """For each pair: masks (M,) of the items predicted as the label, with and without the value."""
    sides = {}
    for what, where in pairs:
        shown = values.of(what)
        as_label = predicted == list(words).index(where)
        sides[what, where] = as_label & shown, as_label & ~shown
    return sides


def _group(values: AttributeValues, targets: Sequence[str]) -> np.ndarray:
    """(N, targets) bool: whether an item shows each of the values."""
    return np.stack([values.of(what) for what in targets], axis=1)


def _predicted(runs: TrainingRuns, mitigated: Mitigated, seed: int) -> np.ndarray:
    """(M,) labels predicted by a model trained on mitigated data."""
    model = runs.fit(mitigated.x, mitigated.y, seed, mitigated.item_weights)
    test_x = mitigated.eraser(runs.test_x)
    return model.classify(test_x, runs.anchors).argmax(dim=1).numpy()
