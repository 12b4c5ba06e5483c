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

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from tinyemo.classify import Classifier, Picture
from tinyemo.emoreason.prompts import reasoning_question
from tinyemo.emoreason.requests import draw_candidates
from tinyemo.features.encoders import read_pixels
from tinyemo.models.multimodal_lm import MultimodalLM
from tinyemo.models.prompt import Sample, question_turns


@dataclass(frozen=True, eq=False)
class Explainer(Classifier):
    """A classifier, and the language model that explains its labels. ValueError: as there."""

    model: MultimodalLM  # trained to explain a given label

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
            probabilities, labels, patches = self._classify(images[start : start + batch_size])
            texts = self.texts(patches, labels, max_new_tokens, temperature, seed + start)
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
        _, labels, patches = self._classify([image])
        (sample,) = self._samples(patches, labels)
        pieces = self.model.stream(
            sample, max_new_tokens=max_new_tokens, temperature=temperature, seed=seed
        )
        return labels[0], pieces

    def texts(
        self,
        patches: Tensor | None,
        labels: Sequence[str],
        max_new_tokens: int = 128,
        temperature: float = 0.0,
        seed: int = 0,
    ) -> list[str]:
        """Explanations of given labels, one per image, from its patch tokens (B, T, D).

        None in place of the patch tokens withholds the images: what the model then writes follows
        from the label alone.
        """
        return self.model.generate(
            self._samples(patches, labels),
            max_new_tokens=max_new_tokens,
            temperature=temperature,
            seed=seed,
            batch_size=max(len(labels), 1),
        )

    def _classify(self, images: Sequence[Picture]) -> tuple[Tensor, list[str], Tensor]:
        """Probabilities (B, C), the likeliest labels, and the patch tokens (B, T, D)."""
        pixels = [read_pixels(image, self.encoder.preprocess) for image in images]
        pooled, patches = self.encoder.encode(torch.stack(pixels))  # (B, d_vision), (B, T, D)
        probabilities = self.probabilities(pooled)
        return probabilities, self.likeliest(probabilities), patches

    def _samples(self, patches: Tensor | None, labels: Sequence[str]) -> list[Sample]:
        """The language model's prompts, each with its image and its label."""
        images = [None] * len(labels) if patches is None else patches.float().cpu()
        samples = []
        for label, tokens in zip(labels, images, strict=True):
            turns = question_turns(self._question(label), ["image"])
            samples.append(Sample(turns, {"image": [tokens]}))
        return samples

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
