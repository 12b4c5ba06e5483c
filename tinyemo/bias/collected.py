"""One dataset of a collection, without injected biases, and the models that are compared on it.

Takes: the collection of notebook 09 and the name of one of its datasets.
Gives: its training and test part, their attribute values, trained projectors, the model detector,
and the part of the model that carries an association. Notebook 15 starts here. `experiment` does
the same for data whose biases are known.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from torch import Tensor

from tinyemo.bias.associations import Space
from tinyemo.bias.erasure import erasure_effects
from tinyemo.bias.experiment import Pair, with_and_without
from tinyemo.bias.image_associations import association_parts, image_association
from tinyemo.bias.legitimate import Declared
from tinyemo.bias.references import AdjustedEffects, excess_effects, resampled_references
from tinyemo.bias.training_runs import TrainingRuns, run_all
from tinyemo.bias.values import AttributeValues, attribute_values
from tinyemo.bias.vocabulary import Reading, Vocabulary, over_represented
from tinyemo.data.audit import contaminated_ids
from tinyemo.emotions import labels_of
from tinyemo.features.collection import Collection
from tinyemo.features.encoders import ImageEncoder, load_image_encoder
from tinyemo.features.split_tensors import SplitTensors, split_tensors
from tinyemo.models.anchor_sources import text_anchors
from tinyemo.models.projector import MetricProjector
from tinyemo.training.projector import Recipe

CONTROL_SEEDS = (
    1000  # seeds of the trainings on permuted labels start here, plus the seed of the run
)
FIRST_WORDS = 10  # of each label, by which two trainings are compared


@dataclass(frozen=True, eq=False)
class CollectedDataset:
    """The training part of a dataset, and its test part without items of the training part."""

    name: str
    label_set: str
    train: SplitTensors
    test: SplitTensors
    encoder: ImageEncoder | None  # the encoder of the features, if it has a text tower

    @classmethod
    def open(cls, folder: Path, dataset: str = "") -> "CollectedDataset":
        """Open a dataset of notebook 09's run folder; by default the first one with both parts.

        ValueError: no such dataset, or it does not have both parts.
        """
        collection = Collection.open(folder)
        records = collection.records
        splits = records.groupby("dataset", sort=False)["split"].agg(set)
        complete = [name for name, found in splits.items() if {"train", "test"} <= found]
        name = dataset or next(iter(complete), "")
        collection.require([name])
        if name not in complete:
            raise ValueError(
                f"dataset {name!r} has no training or no test part: "
                f"expected one of {', '.join(complete)}"
            )
        leaked = contaminated_ids(records, collection.duplicates, [name])
        kept = (records["dataset"] == name) & ~records["id"].isin(leaked)
        label_set = collection.label_sets[name]
        parts = split_tensors(records[kept], collection.stores[name], label_set)
        encoder = load_image_encoder(**collection.encoder) if collection.encoder else None
        if encoder and not encoder.has_text:
            encoder = None
        return cls(name, label_set, parts["train"], parts["test"], encoder)

    @property
    def words(self) -> list[str]:
        """(C,) the label set."""
        return list(labels_of(self.label_set))

    @cached_property
    def texts(self) -> Tensor | None:
        """(C, E) the label words in the encoder's own space; None without a text tower."""
        return self.encoder and text_anchors(self.encoder, self.words)

    def attributes(self, min_items: int = 20) -> tuple[AttributeValues, AttributeValues] | None:
        """The attribute values of the training and of the test items; None if there are none.

        Values that fewer than `min_items` items of either part show are left out.
        """
        try:
            records = pd.concat([self.train.records, self.test.records])
            values = attribute_values(records, min_items)
        except ValueError:
            return None
        rows = np.arange(len(records))
        in_train = values.rows(rows[: len(self.train.y)])
        in_test = values.rows(rows[len(self.train.y) :])
        frequent = np.minimum(in_train.counts, in_test.counts) >= min_items
        if not frequent.any():
            return None
        columns = np.flatnonzero(frequent)
        return in_train.only(columns), in_test.only(columns)

    def readings(
        self,
        anchors: Tensor,
        recipe: Recipe,
        controls: int,
        seed: int = 0,
        workers: int = 2,
        given: MetricProjector | None = None,
    ) -> list[Reading]:
        """Embeddings (M, d_llm) and predicted labels (M,) of several projectors.

        The first one is the tested one: the `given` projector, or a training. The second is a
        training with another seed. Then `controls` trainings on permuted labels follow.

        ValueError: a given projector that does not fit the features or the anchors.
        """
        runs = TrainingRuns(recipe, anchors, self.test.x)
        soft = recipe.loss == "soft_label_kl"
        data = self.train.x, self.train.soft_labels if soft else self.train.y
        tested = (runs.outputs_of, (given,)) if given else (runs.outputs, (*data, seed))
        jobs = [tested, (runs.outputs, (*data, seed + 1))]
        first = seed + CONTROL_SEEDS
        jobs += [(runs.control, (*data, number)) for number in range(first, first + controls)]
        return [outputs.reading for outputs in run_all(jobs, workers)]

    def over_represented_words(
        self,
        readings: Sequence[Reading],
        anchors: Tensor,
        vocabulary: Vocabulary,
        permutations: int,
        detector: str,
        seed: int = 0,
    ) -> pd.DataFrame:
        """The words over-represented in the first of `readings`, tested against the controls.

        The controls are the readings from the third on.

        Further columns: those of `vocabulary.over_represented`, and `again`: whether the word is
        also among the first ten words of its label in the second reading (a training with another
        seed).
        """
        question, other_seed, *controls = readings
        tables = [
            over_represented(
                reading,
                self.words,
                anchors,
                vocabulary,
                controls,
                permutations=permutations,
                shown=FIRST_WORDS,
                seed=seed,
            )
            for reading in (question, other_seed)
        ]
        table, of_other_seed = tables
        keys = ["what", "where"]
        first_words = of_other_seed.groupby("where").head(FIRST_WORDS).set_index(keys).index
        again = pd.MultiIndex.from_frame(table[keys]).isin(first_words)
        return table.assign(detector=detector, again=again)

    def model_associations(
        self,
        anchors: Tensor,
        train_values: AttributeValues,
        test_values: AttributeValues,
        references: int,
        seed: int = 0,
        workers: int = 2,
        legitimate: Declared = None,
        given: MetricProjector | None = None,
    ) -> tuple[MetricProjector, pd.DataFrame]:
        """The tested projector, and its detector table "model" against resampled references.

        The attribute values are those that `attributes` gives. `legitimate`: as in the module of
        that name. The tested projector is the `given` one, or a linear one trained here. The
        references are linear projectors trained here, in which the label does not depend on the
        attribute. A given projector of another kind may differ from them for other reasons, such as
        a sharper softmax.
        """
        y = self.train.y.numpy()
        runs = TrainingRuns(None, anchors, self.test.x)
        tested = given or runs.fit(self.train.x, y, seed)
        probabilities = runs.probabilities(tested)
        adjusted = AdjustedEffects(test_values, legitimate)
        of_references, errors = resampled_references(
            runs.fit_and_predict,
            self.train.x,
            y,
            train_values,
            adjusted,
            probabilities,
            references,
            seed=seed,
            workers=workers,
        )
        effects = adjusted(probabilities)
        table = excess_effects(effects, of_references, adjusted.values, self.words, errors)
        return tested, table

    def carriers(
        self,
        projector: MetricProjector,
        anchors: Tensor,
        pairs: pd.DataFrame,
        values: AttributeValues,
        space: Space,
        seed: int = 0,
    ) -> tuple[pd.DataFrame, list[pd.DataFrame]]:
        """Which part of a projector carries each association; and two more detector tables.

        pairs: rows of a detector table, with the columns what, where and effect.

        The columns of `association_parts` are added to them, and the column `erased`: how much the
        probability falls when the direction of the value is erased. The two detectors are image
        association and erasure.
        """
        keys = ["what", "where"]
        columns = [values.names.index(what) for what in pairs["what"].unique()]
        tested = values.only(columns)
        y = self.test.y.numpy()
        embedded = projector.embed(self.test.x)
        erased = erasure_effects(
            lambda x: projector.classify(x, anchors), self.test.x, tested, self.words, seed=seed
        )
        by_part = association_parts(
            tested,
            y,
            self.label_set,
            (embedded, anchors),
            pairs,
            space=space,
            encoder=self.encoder and (self.test.x, self.texts),
        )
        table = pairs[[*keys, "effect"]].merge(by_part)
        table = table.merge(erased[[*keys, "effect"]].rename(columns={"effect": "erased"}))
        by_image = image_association(embedded, anchors, y, self.words, tested)
        return table, [by_image, erased]

    def pictures(self, items: np.ndarray, most: int = 4) -> list[str]:
        """Image files of the first `most` of some test items, given by position or mask.

        Empty if the records name no existing files.
        """
        paths = self.test.records["image"].to_numpy()[items][:most]
        return [path for path in paths if path and Path(path).exists()]

    def examples(
        self, pairs: pd.DataFrame, values: AttributeValues, predicted: np.ndarray
    ) -> dict[Pair, tuple[list[str], list[str]]]:
        """For each row of `pairs`: pictures predicted as the label, with and without the value."""
        names = pairs[["what", "where"]].itertuples(index=False, name=None)
        sides = with_and_without(list(names), values, predicted, self.words)
        return {
            pair: (self.pictures(with_value), self.pictures(without_value))
            for pair, (with_value, without_value) in sides.items()
        }
