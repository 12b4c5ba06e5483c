"""A pool of scenes with their features, from which training sets are drawn by the hundred, with and without plants.

Takes scenes and a frozen encoder; gives training sets. Drawing and encoding a scene costs more than training on its
feature, so each is done once: a training set takes some of the pool's scenes, asks new annotators for their labels,
and only the scenes that a plant changed are drawn again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from PIL import Image
from torch import Tensor

from emoscenes.drawing.picture import draw_many
from emoscenes.scenes import (
    ATTRIBUTES,
    DECISIVE_SHARE,
    PARROTT,
    PRIOR,
    Scene,
    is_decisive,
    make_records,
    probabilities,
)
from tinyemo.data.records import relabel
from tinyemo.emotions import GROUPS, labels_of
from tinyemo.features.encoders import ImageEncoder

InjectedBias = tuple[
    str, str, str, float
]  # attribute, value, label ("ekman:anger"), strength: as make_records takes them
# Attributes with inert values that are frequent enough to learn from, .06 to .33 of the scenes; objects have .02 each
BIASABLE_ATTRIBUTES = ("action", "background", "expression", "style", "time", "weather")


def possible_biases(
    attribute: str, strength: float, label_set: str = "ekman"
) -> tuple[list[str], list[str]]:
    """What can be planted with an attribute: its inert values, and the labels ("ekman:anger") to tie them to.

    With both marginals kept, P(label | value) is P(label) + (1 - P(value)) * strength, and P(label | another value)
    is P(label) - P(value) * strength. A label is possible where both stay between 0 and 1 with 15 % to spare, as
    frequencies differ from set to set. ValueError: not a discrete attribute, a strength that is not above zero.
    """
    if attribute not in ATTRIBUTES or strength <= 0:
        raise ValueError(
            f"plants with {attribute!r} at strength {strength}: expected a strength above zero and one of "
            f"{', '.join(ATTRIBUTES)}"
        )
    inert = [value for value in ATTRIBUTES[attribute] if not is_decisive(attribute, value)]
    prevalence = (1 - DECISIVE_SHARE.get(attribute, 0)) / len(inert)
    share = {
        word: PRIOR[np.isin(PARROTT, GROUPS[label_set][word])].sum()
        for word in labels_of(label_set)
    }
    return inert, [
        f"{label_set}:{word}"
        for word, p in share.items()
        if 1.15 * strength * prevalence < p < 1 - 1.15 * strength * (1 - prevalence)
    ]


@dataclass(frozen=True, eq=False)
class TrainingSet:
    """N scenes with a place in the label set: their records, features (N, D), labels (N,) and true posterior (N, C)."""

    records: pd.DataFrame
    scenes: list[Scene]
    x: Tensor
    y: np.ndarray
    posterior: np.ndarray


@dataclass(frozen=True, eq=False)
class ScenePool:
    """Scenes, their features (N, D), and what made these: scenes -> features, `encode_scenes` of an encoder."""

    scenes: list[Scene]
    x: Tensor
    encode: Callable[[list[Scene]], Tensor]

    def training_set(
        self,
        n: int,
        seed: int,
        attribute_biases: Sequence[InjectedBias] = (),
        label_biases: Sequence[InjectedBias] = (),
        label_set: str = "ekman",
    ) -> TrainingSet:
        """n scenes of the pool, labelled anew (one annotator each), with two kinds of bias.

        `attribute_biases` change which scenes there are: values of the attribute are swapped between scenes with and
        without the label, as `make_records` does it, so the value comes to co-occur with the causes of the emotion.
        `label_biases` change the labels: they are swapped between scenes with and without the value. Both keep the frequencies
        of values and labels, and mean the same by strength. Scenes whose label has no place in the label set are left
        out. ValueError: a pool smaller than n, or a strength that cannot be reached.
        """
        if n > len(self.scenes):
            raise ValueError(f"training set of {n} scenes: the pool has only {len(self.scenes)}")
        rng = np.random.default_rng(seed)
        chosen = rng.choice(len(self.scenes), n, replace=False)
        scenes = [self.scenes[i] for i in chosen]
        cumulative = probabilities(scenes).cumsum(axis=1)
        labels = np.array(PARROTT)[(rng.random(n)[:, None] > cumulative[:, :-1]).sum(axis=1)]
        for bias in label_biases:
            labels = _swap_labels(scenes, labels, bias, rng)
        parts = iter(
            [(scenes, labels), ([], labels[:0]), ([], labels[:0])]
        )  # train; no validation, no test
        records, biased = make_records(
            n, 0, 0, seed, 1, list(attribute_biases), sample=lambda count, seed: next(parts)
        )
        x, changed = self.x[chosen].clone(), [i for i in range(n) if biased[i] != scenes[i]]
        x[changed] = self.encode([biased[i] for i in changed])
        records = records[
            [column for column in records if not column.startswith("p_")]
        ]  # one annotator: no shares
        place = records["id"].reset_index().set_index("id")["index"]
        records = relabel(records, label_set)
        kept = place[records["id"]].to_numpy()
        kept_scenes = [biased[i] for i in kept]
        y = np.array([labels_of(label_set).index(label) for label in records["label"]])
        return TrainingSet(
            records.reset_index(drop=True),
            kept_scenes,
            x[torch.tensor(kept)],
            y,
            probabilities(kept_scenes, label_set),
        )


def _swap_labels(
    scenes: list[Scene], labels: np.ndarray, bias: InjectedBias, rng: np.random.Generator
) -> np.ndarray:
    """Labels swapped until P(label | value) - P(label | another value) is the strength, to the nearest count."""
    attribute, value, label, strength = bias
    shown = np.array([getattr(scene, attribute) == value for scene in scenes])
    label_set, _, word = label.rpartition(":")
    said = np.isin(labels, GROUPS[label_set or "parrott"][word])
    if not 0 < shown.sum() < len(scenes):
        raise ValueError(
            f"cannot misread {attribute}={value!r}: {shown.sum()} of {len(scenes)} scenes show it"
        )
    # strength = both / shown - (said - both) / (n - shown), solved for both
    wanted = (strength + said.sum() / (~shown).sum()) / (1 / shown.sum() + 1 / (~shown).sum())
    swaps = int(round(wanted - (shown & said).sum()))
    more = swaps >= 0  # of the label where the value is
    takers, givers = np.flatnonzero(shown & (said != more)), np.flatnonzero(~shown & (said == more))
    if abs(swaps) > min(len(takers), len(givers)):
        raise ValueError(
            f"cannot misread {attribute}={value!r} as {label!r} at strength {strength}: "
            f"{abs(swaps)} of {len(takers)} and {len(givers)} labels would have to change places"
        )
    takers, givers, swapped = (
        *(rng.permutation(rows)[: abs(swaps)] for rows in (takers, givers)),
        labels.copy(),
    )
    swapped[takers], swapped[givers] = labels[givers], labels[takers]
    return swapped


def encode_scenes(
    scenes: list[Scene], encoder: ImageEncoder, size: int = 64, workers: int = 1
) -> Tensor:
    """Features (n, D) float32 of scenes, drawn for the purpose at `size` pixels by `workers` processes."""
    parts = [torch.zeros(0, encoder.width)]
    for start in range(0, len(scenes), 2048):
        pixels = draw_many(scenes[start : start + 2048], size, workers)
        for batch in np.array_split(pixels, -(-len(pixels) // 256)):
            parts.append(
                encoder.encode(
                    torch.stack([encoder.preprocess(Image.fromarray(p)) for p in batch])
                )[0].cpu()
            )
    return torch.cat(parts)
