"""Video and frame encoders: the picture of an utterance -> one vector.

Owns loading VideoMAE checkpoints of transformers, which see frames evenly spaced over the
utterance, and using an image encoder (tinyemo.features.encoders) on one frame of it. Takes a local
folder or a hub id, or the name of an image encoder; gives a VideoEncoder or a FrameEncoder.

Source: VideoMAE (arXiv:2203.12602).
"""

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor
from transformers import PreTrainedModel
from transformers.image_processing_utils import BaseImageProcessor

from tinyemo.features.encoders import ImageEncoder, load_image_encoder, read_pixels
from tinyemo.features.frames import POLICIES, read_frames
from tinyemo.features.pretrained import (
    config_facts,
    content_key,
    load_frozen,
    load_image_processor,
)

KINDS = ("videomae",)
# the decoder of pretraining, the head of a classifier
UNUSED = r"(.*\.)?(decoder\.|encoder_to_decoder\.|mask_token$|classifier\.|fc_norm\.)"


@dataclass(frozen=True, eq=False)
class VideoEncoder:
    """A frozen VideoMAE; `load_video_encoder` loads one."""

    name: str
    model: PreTrainedModel
    processor: BaseImageProcessor
    batch_size: int = 8

    @property
    def width(self) -> int:
        """D of a vector."""
        return self.model.config.hidden_size

    @cached_property
    def key(self) -> str:
        """Hash of weights, configuration and preprocessing."""
        return content_key([config_facts(self.model), self.processor.to_dict()], self.model, UNUSED)

    def read(self, source: str) -> Tensor:
        """A path or media fragment -> preprocessed frames (T, 3, H, W) float32.

        T frames (16 in published models) are evenly spaced over the utterance; a shorter clip
        repeats some. MissingStream: as of `read_frames`.
        """
        return self.prepare(read_frames(source, self.model.config.num_frames))

    def prepare(self, frames: list[Image.Image]) -> Tensor:
        """T frames -> (T, 3, H, W) float32."""
        return self.processor([frames], return_tensors="pt")["pixel_values"][0]

    @torch.inference_mode()
    def encode(self, videos: list[Tensor]) -> Tensor:
        """n videos, each (T, 3, H, W) -> (n, D) float32 on the CPU: the mean over the tokens."""
        vectors = []
        for start in range(0, len(videos), self.batch_size):
            pixels = torch.stack(videos[start : start + self.batch_size]).to(self.model.device)
            tokens = self.model(pixels).last_hidden_state  # (B, tokens, D)
            vectors.append(tokens.mean(dim=1).cpu())
        return torch.cat(vectors)


def load_video_encoder(checkpoint: str | Path, device: str | None = None) -> VideoEncoder:
    """Load VideoMAE from a local folder or a hub id.

    FileNotFoundError or ValueError names the file or tensor that is missing or does not fit.
    """
    folder, model = load_frozen(checkpoint, KINDS, UNUSED, device)
    return VideoEncoder(str(checkpoint), model, load_image_processor(folder))


@dataclass(frozen=True, eq=False)
class FrameEncoder:
    """An image encoder on one frame of a clip; `load_frame_encoder` loads one."""

    encoder: ImageEncoder
    policy: str = "middle"  # one of tinyemo.features.frames.POLICIES
    batch_size: int = 32

    @property
    def name(self) -> str:
        """The image encoder and the frame."""
        return f"{self.encoder.name} ({self.policy} frame)"

    @property
    def width(self) -> int:
        """D of a vector."""
        return self.encoder.width

    @cached_property
    def key(self) -> str:
        """Hash of what the image encoder's features depend on, and of the choice of the frame."""
        return hashlib.sha256(json.dumps([self.encoder.key, self.policy]).encode()).hexdigest()

    def read(self, source: str) -> Tensor:
        """A path or media fragment -> one preprocessed frame (3, H, W) float32.

        MissingStream: as of `read_frames`.
        """
        return read_pixels(read_frames(source, self.policy)[0], self.encoder.preprocess)

    def encode(self, pixels: list[Tensor]) -> Tensor:
        """n frames, each (3, H, W) -> (n, D) float32 on the CPU, pooled and not normalised."""
        vectors = []
        for start in range(0, len(pixels), self.batch_size):
            pooled, _ = self.encoder.encode(torch.stack(pixels[start : start + self.batch_size]))
            vectors.append(pooled.cpu())
        return torch.cat(vectors)


def load_frame_encoder(
    name: str, pretrained: str | None = None, policy: str = "middle", device: str | None = None
) -> FrameEncoder:
    """Load the image encoder `name` (see `load_image_encoder`) for one frame per utterance.

    ValueError: an unknown choice of the frame; other errors as in `load_image_encoder`.
    """
    if policy not in POLICIES:
        raise ValueError(f"unknown frame {policy!r}: expected one of {', '.join(POLICIES)}")
    return FrameEncoder(load_image_encoder(name, pretrained, device), policy)
