"""Pictures to emotion labels: a frozen image encoder, a metric projector, and one anchor per label.

Takes pictures (paths or PIL images); gives features and the probability of each label. The label
of a picture is that of the nearest anchor (TinyEmo, arXiv 2410.07062). explain.py adds the language
model that explains the label.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from torch import Tensor

from tinyemo.features.encoders import ImageEncoder
from tinyemo.models.projector import MetricProjector

Picture = str | Path | Image.Image


@dataclass(frozen=True, eq=False)
class Classifier:
    """The image encoder, the projector, the anchors, and the labels to choose from.

    ValueError: labels and anchors, anchors and projector, or encoder and projector do not fit.
    """

    encoder: ImageEncoder
    projector: MetricProjector
    anchors: Tensor  # (C, D), of the language model that the projector was trained for
    labels: Sequence[str]  # C words, in the order of the anchors

    def __post_init__(self):
        fits = self.anchors.shape == (len(self.labels), self.projector.d_llm)
        if not fits or len(set(self.labels)) < len(self.labels):
            raise ValueError(
                f"anchors of shape {tuple(self.anchors.shape)} for the labels "
                f"{', '.join(self.labels)}: expected one anchor per label, of width "
                f"{self.projector.d_llm} (the projector's), and no label twice"
            )
        if self.encoder.width != self.projector.d_vision:
            raise ValueError(
                f"the projector takes features of width {self.projector.d_vision}, the image "
                f"encoder {self.encoder.name} gives {self.encoder.width}: expected the encoder "
                "that the projector was trained for"
            )

    def probabilities(self, pooled: Tensor) -> Tensor:
        """Pooled features (B, d_vision) -> probabilities (B, C) float32 on the CPU."""
        return self.projector.classify(pooled.to(self.anchors.device), self.anchors).cpu()

    def likeliest(self, probabilities: Tensor) -> list[str]:
        """The label with the largest probability in each row (B, C)."""
        return [self.labels[place] for place in probabilities.argmax(dim=1).tolist()]
