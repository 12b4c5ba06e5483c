"""One image to its label and an explanation: the projector classifies, the language model writes.

This is TinyEmo's inference (arXiv 2410.07062), which it calls classification detachment. One pass
of the frozen image encoder gives pooled features and patch tokens. The projector turns the pooled
features into a label, that of the nearest anchor. The label is put into the last line of the
prompt. The language model reads the patch tokens and the prompt and writes only the reasoning.

The labels are those whose anchors are given. Exchange both with `dataclasses.replace`, and images
are explained under another label set without training.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from PIL import Image
from torch import Tensor

from tinyemo.emoreason.prompts import reasoning_question
from tinyemo.emoreason.requests import draw_candidates
from tinyemo.features.encoders import ImageEncoder, read_pixels
from tinyemo.models.multimodal_lm import MultimodalLM
from tinyemo.models.projector import MetricProjector
from tinyemo.models.prompt import Sample, question_turns

Picture = str | Path | Image.Image


@dataclass(frozen=True, eq=False)
class Explainer:
    """The image encoder, the projector, the language model, and the labels to choose from.

    ValueError: labels and anchors, anchors and projector, or encoder and projector do not fit.
    """

    encoder: ImageEncoder
    projector: MetricProjector
    anchors: Tensor  # (C, D), of the language model that the projector was trained for
    labels: Sequence[str]  # C words, in the order of the anchors
    model: MultimodalLM  # trained to explain a given label

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

    def explain(
        self,
        images: Sequence[Picture],
        batch_size: int = 32,
        max_new_tokens: int = 128,
        temperature: float = 0.0,
        seed: int = 0,
    ) -> pd.DataFrame:
        """One row per image (a path or a PIL image), in their order.

        The columns are `pred`, `p_<label>` for each label, and `text`. At `temperature` 0 each
        token is the likeliest one; else tokens are drawn, depending on `seed` and the position of
        the image. FileNotFoundError or ValueError names an image that is missing or damaged.
        """
        rows = []
        for start in range(0, len(images), batch_size):
            probabilities, labels, samples = self._classify(images[start : start + batch_size])
            texts = self.model.generate(
                samples,
                max_new_tokens=max_new_tokens,
                temperature=temperature,
                seed=seed + start,
                batch_size=batch_size,
            )
            for label, row, text in zip(labels, probabilities.tolist(), texts, strict=True):
                rows.append((label, *row, text))
        columns = ["pred", *(f"p_{label}" for label in self.labels), "text"]
        return pd.DataFrame(rows, columns=columns)

    def stream(
        self, image: Picture, max_new_tokens: int = 128, temperature: float = 0.0, seed: int = 0
    ) -> tuple[str, Iterator[str]]:
        """The label of one image, and an iterator over the pieces of its explanation.

        The label is there at once, the pieces as they are generated. Errors as of `explain`.
        """
        _, (label,), (sample,) = self._classify([image])
        pieces = self.model.stream(
            sample, max_new_tokens=max_new_tokens, temperature=temperature, seed=seed
        )
        return label, pieces

    def _classify(self, images: Sequence[Picture]) -> tuple[Tensor, list[str], list[Sample]]:
        """Probabilities (B, C), the likeliest labels, and the language model's prompts."""
        pixels = [read_pixels(image, self.encoder.preprocess) for image in images]
        pooled, patches = self.encoder.encode(torch.stack(pixels))  # (B, d_vision), (B, T, D)
        probabilities = self.projector.classify(pooled.to(self.anchors.device), self.anchors).cpu()
        labels = [self.labels[place] for place in probabilities.argmax(dim=1).tolist()]
        samples = []
        for label, tokens in zip(labels, patches.float().cpu(), strict=True):
            turns = question_turns(self._question(label), ["image"])
            samples.append(Sample(turns, {"image": [tokens]}))
        return probabilities, labels, samples

    def _question(self, label: str) -> str:
        """The question that gives `label`; always the same one for a label.

        The candidates in it are drawn as for the training data. If there are at most three labels,
        the candidates are all of them.
        """
        candidates = self.labels
        if len(self.labels) > 3:
            anchors = self.anchors.float().cpu().numpy()
            candidates = draw_candidates(label, self.labels, anchors, np.random.default_rng(0))
        return reasoning_question(candidates, label)
