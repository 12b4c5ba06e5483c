"""Explaining pictures: the projector finds the label, the language model writes why (classification detachment).

TinyEmo's inference (arXiv 2410.07062): one pass of the frozen tower gives pooled features and patch tokens. The
projector makes a label of the first, by the nearest anchor; the label fills the conditioning line of the prompt, and
the language model reads patch tokens and prompt and writes the reasoning alone. Labels are those whose anchors are
given: exchange both, with `dataclasses.replace`, and pictures are explained under another label set without training.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from PIL import Image
from torch import Tensor

from tinyemo.data.instructions import IMAGE_TOKEN
from tinyemo.emoreason.prompts import reasoning_question
from tinyemo.emoreason.requests import draw_candidates
from tinyemo.features.encoders import ImageEncoder, read_pixels
from tinyemo.models.multimodal_lm import MultimodalLM
from tinyemo.models.projector import MetricProjector
from tinyemo.models.prompt import Sample

Picture = str | Path | Image.Image


@dataclass(frozen=True, eq=False)
class Explainer:
    """Frozen tower, projector and label-conditioned language model, and the labels they choose from.

    ValueError: labels and anchors, anchors and projector, or tower and projector do not fit each other.
    """

    encoder: ImageEncoder
    projector: MetricProjector
    anchors: Tensor  # (C, D), of the language model that the projector was trained for
    labels: Sequence[str]  # C words, in the order of the anchors
    model: MultimodalLM

    def __post_init__(self):
        if self.anchors.shape != (len(self.labels), self.projector.d_llm) or len(
            set(self.labels)
        ) < len(self.labels):
            raise ValueError(
                f"anchors of shape {tuple(self.anchors.shape)} for the labels {', '.join(self.labels)}: "
                f"expected one of width {self.projector.d_llm}, the projector's, for each of them, and no "
                "label twice"
            )
        if self.encoder.width != self.projector.d_vision:
            raise ValueError(
                f"the projector takes features of width {self.projector.d_vision}, the image encoder "
                f"{self.encoder.name} gives {self.encoder.width}: expected the one it was trained for"
            )

    def explain(
        self,
        images: Sequence[Picture],
        batch_size: int = 32,
        max_new_tokens: int = 128,
        temperature: float = 0.0,
        seed: int = 0,
    ) -> pd.DataFrame:
        """One row an image (a path or a PIL picture), in their order: pred, p_<label> for each label, text.

        `temperature` 0 takes the likeliest token each time; else tokens are drawn, by `seed` and position.
        FileNotFoundError or ValueError names an image that is not there or cannot be read.
        """
        rows = []
        for start in range(0, len(images), batch_size):
            shares, labels, samples = self._look(images[start : start + batch_size])
            texts = self.model.generate(
                samples,
                max_new_tokens=max_new_tokens,
                temperature=temperature,
                seed=seed + start,
                batch_size=batch_size,
            )
            rows += [
                (label, *row, text)
                for label, row, text in zip(labels, shares.tolist(), texts, strict=True)
            ]
        return pd.DataFrame(
            rows, columns=["pred", *(f"p_{label}" for label in self.labels), "text"]
        )

    def stream(
        self, image: Picture, max_new_tokens: int = 128, temperature: float = 0.0, seed: int = 0
    ) -> tuple[str, Iterator[str]]:
        """The label of one image, at once, and the pieces of its explanation as they come. Errors as of `explain`."""
        _, (label,), (sample,) = self._look([image])
        return label, self.model.stream(
            sample, max_new_tokens=max_new_tokens, temperature=temperature, seed=seed
        )

    def _look(self, images: Sequence[Picture]) -> tuple[Tensor, list[str], list[Sample]]:
        """One pass of the tower: the labels' probabilities (B, C), the likeliest labels, what the model is asked."""
        pooled, patches = self.encoder.encode(
            torch.stack([read_pixels(image, self.encoder.preprocess) for image in images])
        )
        shares = self.projector.classify(pooled.to(self.anchors.device), self.anchors).cpu()
        labels = [self.labels[place] for place in shares.argmax(dim=1).tolist()]
        return (
            shares,
            labels,
            [
                Sample(((f"{IMAGE_TOKEN}\n{self._question(label)}", ""),), {"image": [tokens]})
                for label, tokens in zip(labels, patches.float().cpu(), strict=True)
            ],
        )

    def _question(self, label: str) -> str:
        """The human turn, the same each time. Candidates are drawn as for training, or are all labels if few."""
        candidates = self.labels
        if len(self.labels) > 3:
            anchors = self.anchors.float().cpu().numpy()
            candidates = draw_candidates(label, self.labels, anchors, np.random.default_rng(0))
        return reasoning_question(candidates, label)
