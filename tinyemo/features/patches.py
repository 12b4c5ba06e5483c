"""Patch sources: where the connector of a language model gets the patch tokens of an image.

A source takes image paths, relative to the folder of images, and gives one tensor (T, D) float32
per image, on the CPU. The tokens come from the feature store, which the frozen encoder has filled
once, or from the encoder itself each time. T and D are the same for all images of a source. The
store keeps float16, so the two sources differ by that rounding.
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
    """What training and generation need of a source."""

    # names what the tokens depend on, except the images; a training resumes only under the same key
    key: str

    def __call__(self, images: Sequence[str]) -> list[Tensor]: ...


@dataclass(frozen=True, eq=False)
class CachedPatches:
    """Patch tokens from a store that `cache_patches` filled; its ids are the image paths.

    ValueError names an image that is not in the store, or a store without patch tokens.
    """

    store: FeatureStore

    @property
    def key(self) -> str:
        return f"cached {self.store.meta.get('key', '')}"

    def __call__(self, images: Sequence[str]) -> list[Tensor]:
        return list(self.store.patch_rows(images)) if images else []


@dataclass(frozen=True, eq=False)
class LivePatches:
    """Patch tokens from the frozen encoder, each time.

    ValueError or FileNotFoundError names an image that cannot be read.
    """

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
        # cloned, because autograd refuses tensors made in inference mode
        return list(tokens.float().cpu().clone())


def cache_patches(
    images: Sequence[str],
    encoder: ImageEncoder,
    image_root: str | Path,
    store: str | Path,
    **options,
) -> CachedPatches:
    """Run the encoder once over the distinct `images` that the store lacks; gives the store as a
    source.

    `options` and errors are those of `extract`.
    """
    images = sorted(set(images))
    paths = [str(Path(image_root, image)) for image in images]
    records = pd.DataFrame({"id": images, "image": paths})
    return CachedPatches(extract(records, encoder, store, patches=True, **options))
