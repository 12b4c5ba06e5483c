"""Patch sources: where a language model's connector gets an image's patch tokens from.

A source is called with image paths, relative to the folder of images, and gives a tensor (T, D) float32 an image, on
the CPU: from the feature store, which the frozen tower has filled once, or from the tower itself each time. T and D
are the same for all images of a source. The store keeps float16, so the two agree to that.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pandas as pd
import torch
from torch import Tensor

from tinyemo.features.encoders import ImageEncoder, read_pixels
from tinyemo.features.extract import extract
from tinyemo.features.store import FeatureStore


class PatchSource(Protocol):
    """What training and generation ask of a source."""

    key: str  # a hash of all that the tokens depend on but the images: a training resumes only under the same

    def __call__(self, images: Sequence[str]) -> list[Tensor]: ...


@dataclass(frozen=True, eq=False)
class CachedPatches:
    """Patch tokens from a store that `cache_patches` filled: its ids are the images.

    ValueError names an image that the store lacks, or a store without patch tokens.
    """

    store: FeatureStore

    @property
    def key(self) -> str:
        return f"cached {self.store.meta.get('key', '')}"

    def __call__(self, images: Sequence[str]) -> list[Tensor]:
        return list(self.store.patch_rows(images)) if images else []


@dataclass(frozen=True, eq=False)
class LivePatches:
    """Patch tokens from the frozen tower, each time. ValueError or FileNotFoundError names an unreadable image."""

    encoder: ImageEncoder
    image_root: str | Path

    @property
    def key(self) -> str:
        return f"live {self.encoder.key}"

    def __call__(self, images: Sequence[str]) -> list[Tensor]:
        if not images:
            return []
        paths = [Path(self.image_root, image) for image in images]
        pixels = torch.stack([read_pixels(path, self.encoder.preprocess) for path in paths])
        tokens = self.encoder.encode(pixels)[1]
        return list(
            tokens.float().cpu().clone()
        )  # a tensor made in inference mode has no place in training


def cache_patches(
    images: Sequence[str],
    encoder: ImageEncoder,
    image_root: str | Path,
    store: str | Path,
    **options,
) -> CachedPatches:
    """Run the tower once over the distinct `images`, or what is left of them, and read the store from then on.

    `options` and errors are those of `extract`.
    """
    images = sorted(set(images))
    records = pd.DataFrame(
        {"id": images, "image": [str(Path(image_root, image)) for image in images]}
    )
    return CachedPatches(extract(records, encoder, store, patches=True, **options))
