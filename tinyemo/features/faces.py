"""Face encoders: the face of the speaker -> one vector per utterance.

Owns finding faces in frames, cropping the largest one, and loading ViT-MAE checkpoints of
transformers, which see all patches of the crop (nothing is masked). Takes a local folder or a hub
id and a detector; gives a FaceEncoder.

Two detectors, both run by OpenCV:

    cascades       boosted cascades of Haar features (Viola and Jones 2001), frontal faces first,
                   then profiles. Their weights come with the package opencv-python-headless
                   (version 4 only). They find upright faces that look at the camera; they miss
                   tilted, covered, dark or very small ones, and most profiles.
    yunet:<file>   a small network (YuNet, Wu et al. 2023) that also finds tilted and turned faces.
                   The file face_detection_yunet_2023mar.onnx of OpenCV's model zoo (MIT licence,
                   0.2 MB) does not come with a package.

Source: masked autoencoders (arXiv:2111.06377).
"""

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Protocol

import cv2
import numpy as np
import torch
from PIL import Image
from torch import Tensor
from transformers import PreTrainedModel
from transformers.image_processing_utils import BaseImageProcessor

from tinyemo.features.frames import read_frames
from tinyemo.features.media import MissingStream
from tinyemo.features.pretrained import (
    config_facts,
    content_key,
    load_frozen,
    load_image_processor,
)
from tinyemo.io import first_line

Box = tuple[int, int, int, int]  # left, upper, right, lower in pixels

SMALLEST = 0.1  # side of a face / shorter side of the picture
LONGER_SIDE = 640  # pixels; larger pictures are scaled down before faces are looked for
KINDS = ("vit_mae",)
UNUSED = r"(.*\.)?(decoder\.|mask_token$)"


class FaceDetector(Protocol):
    """Finds faces."""

    name: str
    key: str  # hash of what the result depends on besides the picture

    def find(self, image: Image.Image) -> list[Box]:
        """The boxes of the faces in an RGB picture, the largest first."""


class Cascades:
    """OpenCV's cascades for frontal faces, and for profiles where there is no frontal face."""

    name = "cascades"
    files = ("haarcascade_frontalface_alt2.xml", "haarcascade_profileface.xml")
    step = 1.1  # between the sizes of faces that are looked for
    neighbours = 5  # how many overlapping windows must agree

    def __init__(self):
        paths = [Path(cv2.data.haarcascades) / file for file in self.files]
        self._frontal, self._profile = [cv2.CascadeClassifier(str(path)) for path in paths]
        self._one_at_a_time = Lock()  # a cascade keeps its working memory between calls
        weights = hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()
        facts = [weights, self.step, self.neighbours, SMALLEST, LONGER_SIDE]
        self.key = hashlib.sha256(repr(facts).encode()).hexdigest()

    def find(self, image: Image.Image) -> list[Box]:
        """The boxes of the faces in an RGB picture, the largest first."""
        small, scale = _scaled_down(image)
        grey = cv2.equalizeHist(np.asarray(small.convert("L")))
        faces = self._search(self._frontal, grey)
        if not faces:
            mirrored = np.ascontiguousarray(grey[:, ::-1])  # the cascade knows one side only
            faces = self._search(self._profile, grey)
            for left, upper, right, lower in self._search(self._profile, mirrored):
                width = grey.shape[1]
                faces.append((width - right, upper, width - left, lower))
        return _largest_first(faces, scale, image)

    def _search(self, cascade: cv2.CascadeClassifier, grey: np.ndarray) -> list[Box]:
        side = round(SMALLEST * min(grey.shape))
        with self._one_at_a_time:
            found = cascade.detectMultiScale(grey, self.step, self.neighbours, minSize=(side, side))
        return [(x, y, x + w, y + h) for x, y, w, h in np.reshape(found, (-1, 4)).tolist()]


class YuNet:
    """The network YuNet in OpenCV's face detector."""

    score = 0.7  # the least confidence of a face

    def __init__(self, file: str | Path):
        path = Path(file).expanduser()
        if not path.is_file():
            raise FileNotFoundError(
                f"face detector not found: {path}: expected face_detection_yunet_2023mar.onnx of "
                "OpenCV's model zoo, or use the detector 'cascades'"
            )
        try:
            self._network = cv2.FaceDetectorYN.create(str(path), "", (320, 320), self.score)
        except cv2.error as error:
            raise ValueError(
                f"{path}: not a face detector that OpenCV reads: {first_line(error)}"
            ) from error
        self._one_at_a_time = Lock()  # the size of the picture is a state of the network
        self.name = f"yunet:{path.name}"
        weights = hashlib.sha256(path.read_bytes()).hexdigest()
        facts = [weights, self.score, SMALLEST, LONGER_SIDE]
        self.key = hashlib.sha256(repr(facts).encode()).hexdigest()

    def find(self, image: Image.Image) -> list[Box]:
        """The boxes of the faces in an RGB picture, the largest first."""
        small, scale = _scaled_down(image)
        blue_first = np.ascontiguousarray(np.asarray(small)[:, :, ::-1])
        with self._one_at_a_time:
            self._network.setInputSize(small.size)
            _, found = self._network.detect(blue_first)
        if found is None:
            return []
        # rows: x, y, width, height, five points of the face, score
        faces = [(x, y, x + w, y + h) for x, y, w, h in found[:, :4].tolist()]
        side = SMALLEST * min(small.size)
        return _largest_first([face for face in faces if face[2] - face[0] >= side], scale, image)


def load_face_detector(name: str = "cascades") -> FaceDetector:
    """The detector "cascades" or "yunet:<file>". FileNotFoundError or ValueError names the file."""
    if name == "cascades":
        return Cascades()
    kind, _, file = name.partition(":")
    if kind != "yunet" or not file:
        raise ValueError(f"unknown face detector {name!r}: expected cascades or yunet:<file>")
    return YuNet(file)


def _scaled_down(image: Image.Image) -> tuple[Image.Image, float]:
    """(the picture with at most LONGER_SIDE pixels, old size / new size)."""
    scale = max(image.size) / LONGER_SIDE
    if scale <= 1:
        return image, 1.0
    width, height = (max(round(side / scale), 1) for side in image.size)
    return image.resize((width, height), Image.Resampling.BILINEAR), scale


def _largest_first(faces: list[Box], scale: float, image: Image.Image) -> list[Box]:
    """Boxes in pixels of the picture before scaling, cut off at its border."""
    boxes = []
    for left, upper, right, lower in faces:
        corners = [round(corner * scale) for corner in (left, upper, right, lower)]
        x0, y0 = max(corners[0], 0), max(corners[1], 0)
        boxes.append((x0, y0, min(corners[2], image.width), min(corners[3], image.height)))
    return sorted(boxes, key=lambda box: (box[0] - box[2]) * (box[3] - box[1]))


def crop_face(image: Image.Image, box: Box, margin: float) -> Image.Image:
    """The square around `box` with `margin` (a share of its side) on each side.

    The square is moved into the picture where it would leave it, and is no larger than it.
    """
    left, upper, right, lower = box
    side = max(right - left, lower - upper) * (1 + 2 * margin)
    side = max(round(min(side, image.width, image.height)), 1)
    x = round((left + right - side) / 2)
    y = round((upper + lower - side) / 2)
    x = min(max(x, 0), image.width - side)
    y = min(max(y, 0), image.height - side)
    return image.crop((x, y, x + side, y + side))


@dataclass(frozen=True, eq=False)
class FaceEncoder:
    """A frozen ViT-MAE on the largest face of several frames; `load_face_encoder` loads one."""

    name: str
    model: PreTrainedModel
    processor: BaseImageProcessor
    detector: FaceDetector = field(default_factory=Cascades)
    frames: int = 8  # evenly spaced over the utterance
    margin: float = 0.25  # around the box of the detector, as a share of its side
    batch_size: int = 8  # utterances

    @property
    def width(self) -> int:
        """D of a vector."""
        return self.model.config.hidden_size

    @cached_property
    def key(self) -> str:
        """Hash of weights, configuration, preprocessing and detection."""
        detection = [self.detector.key, self.frames, self.margin]
        facts = [config_facts(self.model), self.processor.to_dict(), detection]
        return content_key(facts, self.model, UNUSED)

    def read(self, source: str) -> Tensor:
        """A path or media fragment -> preprocessed faces (F, 3, H, W) float32.

        F is the number of frames in which there is a face. MissingStream: there is none in any
        frame; others as of `read_frames`.
        """
        crops = []
        for image in read_frames(source, self.frames):
            boxes = self.detector.find(image)
            if boxes:
                crops.append(crop_face(image, boxes[0], self.margin))
        if not crops:
            raise MissingStream(
                "no face found",
                f"{source}: no face found by {self.detector.name} in {self.frames} frames",
            )
        return self.prepare(crops)

    def prepare(self, faces: list[Image.Image]) -> Tensor:
        """F crops -> (F, 3, H, W) float32."""
        return self.processor(faces, return_tensors="pt")["pixel_values"]

    @torch.inference_mode()
    def encode(self, faces: list[Tensor]) -> Tensor:
        """n utterances, each (F, 3, H, W) -> (n, D) float32 on the CPU.

        The vector of a face is the mean over its patch tokens; that of an utterance the mean over
        its faces.
        """
        vectors = []
        for crops in torch.cat(faces).split(64):  # (64, 3, H, W) of any utterances
            patches = self.model.embeddings.patch_embeddings.num_patches
            in_order = torch.arange(patches, device=self.model.device).expand(len(crops), -1)
            out = self.model(crops.to(self.model.device), noise=in_order)
            tokens = out.last_hidden_state[:, 1:]  # (64, patches, D), without the class token
            vectors.append(tokens.mean(dim=1).cpu())
        per_utterance = torch.cat(vectors).split([len(crops) for crops in faces])
        return torch.stack([vectors.mean(dim=0) for vectors in per_utterance])


def load_face_encoder(
    checkpoint: str | Path,
    detector: str = "cascades",
    frames: int = 8,
    margin: float = 0.25,
    device: str | None = None,
) -> FaceEncoder:
    """Load ViT-MAE from a local folder or a hub id, for the faces that `detector` finds.

    FileNotFoundError or ValueError names the file or tensor that is missing or does not fit.
    """
    folder, model = load_frozen(checkpoint, KINDS, UNUSED, device)
    model.config.mask_ratio = 0.0  # all patches are seen
    processor = load_image_processor(folder)
    found = load_face_detector(detector)
    return FaceEncoder(str(checkpoint), model, processor, found, frames, margin)
