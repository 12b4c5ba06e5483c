"""A collected case: one dataset of a collection as it came, and the models that its detectors ask.

Takes the collection of notebook 09 and the name of a dataset; gives its parts, attribute values, readings of its test
images by projectors, and the model question. Notebook 15 starts here. `planted` is the same where the truth is known.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from joblib import Parallel, delayed
from torch import Tensor

from tinyemo.bias.associations import Space, image_association, parts
from tinyemo.bias.erasure import erasure_effects
from tinyemo.bias.references import AdjustedEffects, model_gaps, resampled_references
from tinyemo.bias.values import AttributeValues, attribute_values
from tinyemo.bias.vocabulary import Reading, Vocabulary, over_represented
from tinyemo.data.audit import contaminated_ids
from tinyemo.emotions import labels_of
from tinyemo.features.collection import Collection
from tinyemo.features.encoders import ImageEncoder, load_image_encoder
from tinyemo.features.tensors import Part, parts_of
from tinyemo.models.anchor_spaces import text_anchors
from tinyemo.models.projector import MetricProjector
from tinyemo.training.linear_projector import fit_linear
from tinyemo.training.projector import Recipe, fit_projector


@dataclass(frozen=True, eq=False)
class CollectedCase:
    """The training part of a dataset, and of its test part the items that do not stand in training as well."""

    name: str
    label_set: str
    train: Part
    test: Part
    encoder: ImageEncoder | None  # that of the features, if it has a text tower

    @classmethod
    def open(cls, folder: Path, dataset: str = "") -> "CollectedCase":
        """Of notebook 09's run folder, by default its first dataset with a training part.

        ValueError: no such dataset, or none that has both parts.
        """
        collection = Collection.open(folder)
        splits = collection.records.groupby("dataset", sort=False)["split"].agg(set)
        able = [name for name, found in splits.items() if {"train", "test"} <= found]
        name = dataset or next(iter(able), "")
        collection.require([name])
        if name not in able:
            raise ValueError(
                f"dataset {name!r} has no training or no test part: expected one of {', '.join(able)}"
            )
        leaked = contaminated_ids(collection.records, collection.duplicates, [name])
        records = collection.records[
            (collection.records["dataset"] == name) & ~collection.records["id"].isin(leaked)
        ]
        parts = parts_of(records, collection.stores[name], collection.label_sets[name])
        encoder = load_image_encoder(**collection.encoder) if collection.encoder else None
        return cls(
            name,
            collection.label_sets[name],
            parts["train"],
            parts["test"],
            encoder if encoder and encoder.has_text else None,
        )

    @property
    def words(self) -> list[str]:
        """(C,) labels."""
        return list(labels_of(self.label_set))

    @cached_property
    def texts(self) -> Tensor | None:
        """(C, E) the words in the encoder's own space, where it has a text tower."""
        return self.encoder and text_anchors(self.encoder, self.words)

    def attributes(self, least: int = 20) -> tuple[AttributeValues, AttributeValues] | None:
        """Of training and of test items, the values that `least` items of either part show; None if there are none."""
        sides = np.split(np.arange(len(self.train.y) + len(self.test.y)), [len(self.train.y)])
        try:
            values = attribute_values(pd.concat([self.train.records, self.test.records]), least)
        except ValueError:
            return None
        often = np.flatnonzero(np.minimum(*(values.rows(side).counts for side in sides)) >= least)
        return tuple(values.only(often).rows(side) for side in sides) if len(often) else None

    def reading(
        self, anchors: Tensor, recipe: Recipe, number: int, permuted: bool = False
    ) -> Reading:
        """Embeddings (M, d_llm) of the test items by a training, on permuted labels say, and their predicted labels."""
        n, target = (
            len(self.train.y),
            self.train.votes if recipe.loss == "soft_label_kl" else self.train.y,
        )
        order = np.random.default_rng(number).permutation(n) if permuted else np.arange(n)
        model, _ = fit_projector(
            self.train.x, target[torch.from_numpy(order)], anchors, recipe, number
        )
        return model.embed(self.test.x).numpy(), model.classify(self.test.x, anchors).argmax(
            dim=1
        ).numpy()

    def readings(
        self, anchors: Tensor, recipe: Recipe, controls: int, seed: int = 0, workers: int = 2
    ) -> list[Reading]:
        """A training's, another seed's, and those of so many trainings on permuted labels."""
        jobs = [
            (seed, False),
            (seed + 1, False),
            *((seed + 1000 + r, True) for r in range(controls)),
        ]
        return Parallel(workers)(delayed(self.reading)(anchors, recipe, *job) for job in jobs)

    def said(
        self,
        readings: Sequence[Reading],
        anchors: Tensor,
        vocabulary: Vocabulary,
        permutations: int,
        detector: str,
        seed: int = 0,
    ) -> pd.DataFrame:
        """The words over-represented in the first of `readings`, by the controls from the third on.

        Beside the columns of `vocabulary.over_represented`: again, whether a word is also among the first ten of its
        label in the second, the same recipe with another seed.
        """
        table, second = (
            over_represented(
                one,
                self.words,
                anchors,
                vocabulary,
                readings[2:],
                permutations=permutations,
                shown=10,
                seed=seed,
            )
            for one in readings[:2]
        )
        first = second.groupby("where").head(10).set_index(["what", "where"]).index
        return table.assign(
            detector=detector, again=pd.MultiIndex.from_frame(table[["what", "where"]]).isin(first)
        )

    def model_question(
        self,
        anchors: Tensor,
        known: AttributeValues,
        values: AttributeValues,
        references: int,
        seed: int = 0,
        workers: int = 2,
    ) -> tuple[MetricProjector, pd.DataFrame]:
        """A linear projector, and its `references.model_gaps` against those of items drawn without each attribute.

        `known` and `values` are the attribute values of training and test items, as `attributes` gives them.
        """
        y, effects = self.train.y.numpy(), AdjustedEffects(values)
        linear, answers = (
            fit_linear(self.train.x, y, anchors),
            partial(_answers, anchors=anchors, asked=self.test.x),
        )
        p = linear.classify(self.test.x, anchors).double().numpy()
        others, errors = resampled_references(
            answers, self.train.x, y, known, effects, p, references, seed=seed, workers=workers
        )
        return linear, model_gaps(effects(p), others, values, self.words, errors)

    def carried(
        self,
        linear: MetricProjector,
        anchors: Tensor,
        pairs: pd.DataFrame,
        values: AttributeValues,
        space: Space,
        seed: int = 0,
    ) -> tuple[pd.DataFrame, list[pd.DataFrame]]:
        """Which part of a projector carries what was found; and what two more detectors say of the values found.

        `pairs` are rows of a detector table (`what`, `where`, `effect`). Their columns of `associations.parts` are
        added, where `carried_by` is empty if images of the value lie on the other side than the effect, and `erased`:
        how far the answer moves when the value's direction is erased. The detectors are image association and erasure.
        """
        found, y = (
            values.only([values.names.index(what) for what in pairs["what"].unique()]),
            self.test.y.numpy(),
        )
        inside = linear.embed(self.test.x), anchors
        erased = erasure_effects(
            lambda x: linear.classify(x, anchors), self.test.x, found, self.words, seed=seed
        )
        table = pairs[["what", "where", "effect"]].merge(
            parts(
                found,
                y,
                self.label_set,
                inside,
                space=space,
                encoder=self.encoder and (self.test.x, self.texts),
            )
        )
        table = table.merge(
            erased[["what", "where", "effect"]].rename(columns={"effect": "erased"})
        )
        table["carried_by"] = table["carried_by"].mask(table["effect"] * table["projector"] < 0, "")
        return table, [image_association(inside[0], anchors, y, self.words, found), erased]

    def pictures(self, items: np.ndarray, most: int = 4) -> list[str]:
        """Image files of the first of some test items, given by position or mask; none where records name no files."""
        return [
            path
            for path in self.test.records["image"].to_numpy()[items][:most]
            if path and Path(path).exists()
        ]

    def behind(
        self, pairs: pd.DataFrame, values: AttributeValues, predicted: np.ndarray
    ) -> dict[tuple[str, str], tuple[list[str], list[str]]]:
        """Of pairs (what, where) of attribute value and label: pictures predicted as the label, with it and without."""
        sides = {}
        for what, where in pairs[["what", "where"]].itertuples(index=False, name=None):
            called, shows = predicted == self.words.index(where), values.of(what)
            sides[what, where] = self.pictures(called & shows), self.pictures(called & ~shows)
        return sides


def _answers(x: Tensor, y: np.ndarray, number: int, anchors: Tensor, asked: Tensor) -> Tensor:
    """A linear projector's probabilities (M, C) of the items asked. The recipe has no chance in it: no seed is used."""
    return fit_linear(x, y, anchors).classify(asked, anchors)
