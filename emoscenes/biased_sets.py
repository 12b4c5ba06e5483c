"""Training sets of EmoScenes with and without injected biases, drawn by the hundred.

Takes scenes and a frozen image encoder; gives training sets with features and true posteriors.
Drawing and encoding a scene costs more than training on its feature, so both are done once, for a
pool of scenes. A training set takes some scenes of the pool and draws new labels for them. Only the
scenes that a bias changed are drawn and encoded again.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd
import torch
from PIL import Image
from torch import Tensor

from emoscenes.drawing.picture import draw_many
from emoscenes.injected_biases import InjectedBias, swap_labels
from emoscenes.scenes import Scene, draw_labels, make_records, probabilities
from tinyemo.data.records import relabel
from tinyemo.emotions import labels_of

DRAWN_AT_ONCE = 2048  # scenes
ENCODED_AT_ONCE = 256  # pictures


class Encoder(Protocol):
    """What is needed of an image encoder; `tinyemo.features.encoders.ImageEncoder` is one."""

    width: int  # D

    def preprocess(self, image: Image.Image) -> Tensor: ...

    def encode(self, images: Tensor) -> tuple[Tensor, ...]:
        """(B, 3, S, S) -> pooled features (B, D), and more."""
        ...


@dataclass(frozen=True, eq=False)
class TrainingSet:
    """N scenes with a label of the label set: records, scenes, features, labels, true posterior."""

    records: pd.DataFrame
    scenes: list[Scene]
    x: Tensor  # features (N, D)
    y: np.ndarray  # positions of the labels in the label set (N,)
    posterior: np.ndarray  # (N, C)


@dataclass(frozen=True, eq=False)
class ScenePool:
    """Scenes, their features, and the function that made the features."""

    scenes: list[Scene]
    x: Tensor  # (N, D)
    encode: Callable[[list[Scene]], Tensor]  # `encode_scenes` with an encoder

    def training_set(
        self,
        n: int,
        seed: int,
        attribute_biases: Sequence[InjectedBias] = (),
        label_biases: Sequence[InjectedBias] = (),
        label_set: str = "ekman",
    ) -> TrainingSet:
        """n scenes of the pool with new labels (one annotator each) and two kinds of biases.

        `attribute_biases` change which scenes there are: values of the attribute are swapped
        between scenes with and without the label, so the value co-occurs with the causes of the
        emotion. `label_biases` change the labels: they are swapped between scenes with and without
        the value, as if annotators were biased. Both keep the frequencies of values and of labels,
        and strength means the same in both. Scenes whose label has no counterpart in the label set
        are left out.
        ValueError: a pool of fewer than n scenes, or a strength that cannot be reached.
        """
        if n > len(self.scenes):
            raise ValueError(f"training set of {n} scenes: the pool has only {len(self.scenes)}")
        rng = np.random.default_rng(seed)
        chosen = rng.choice(len(self.scenes), n, replace=False)
        scenes = [self.scenes[i] for i in chosen]
        labels = draw_labels(scenes, rng)
        for bias in label_biases:
            values = np.array([getattr(scene, bias[0], None) for scene in scenes])
            labels = swap_labels(values, labels, bias, rng)

        splits = _training_split_alone(scenes, labels)
        records, biased = make_records(
            n, 0, 0, seed, votes=1, biases=attribute_biases, sample=lambda n, seed: next(splits)
        )
        features = self.x[chosen].clone()
        changed = [i for i in range(n) if biased[i] != scenes[i]]
        features[changed] = self.encode([biased[i] for i in changed])

        # One annotator gives a label and no distribution.
        records = records.drop(columns=[name for name in records if name.startswith("p_")])
        row_of_id = {name: row for row, name in enumerate(records["id"])}
        records = relabel(records, label_set).reset_index(drop=True)
        kept = [row_of_id[name] for name in records["id"]]
        kept_scenes = [biased[i] for i in kept]
        words = labels_of(label_set)
        return TrainingSet(
            records=records,
            scenes=kept_scenes,
            x=features[torch.tensor(kept, dtype=torch.long)],
            y=np.array([words.index(label) for label in records["label"]]),
            posterior=probabilities(kept_scenes, label_set),
        )


def _training_split_alone(
    scenes: list[Scene], labels: np.ndarray
) -> Iterator[tuple[list[Scene], np.ndarray]]:
    """The scenes and labels of a training split, an empty validation and an empty test split."""
    yield scenes, labels
    yield [], labels[:0]
    yield [], labels[:0]


def encode_scenes(
    scenes: list[Scene], encoder: Encoder, size: int = 64, workers: int = 1
) -> Tensor:
    """Features (N, D) float32 of scenes, which `workers` processes draw at `size` pixels."""
    features = [torch.zeros(0, encoder.width)]
    for start in range(0, len(scenes), DRAWN_AT_ONCE):
        pixels = draw_many(scenes[start : start + DRAWN_AT_ONCE], size, workers)  # (n, S, S, 3)
        batches = -(-len(pixels) // ENCODED_AT_ONCE)  # rounded up
        for batch in np.array_split(pixels, batches):
            images = [encoder.preprocess(Image.fromarray(one)) for one in batch]
            pooled = encoder.encode(torch.stack(images))[0]  # (B, D)
            features.append(pooled.cpu())
    return torch.cat(features)
