"""A Predictor: what a bundle answers about pictures.

Takes pictures (paths or PIL images) and a label set, or any words; gives Answers, in the order of
the pictures. Parts of the bundle are loaded when they are first needed, so that a prediction loads
no language model. Pictures are decoded by threads while the encoder works on others.

    import tinyemo

    predictor = tinyemo.load("emoscenes")
    predictor.predict(["a.png", "b.png"], labels=["awe", "boredom", "relief"])
    predictor.explain(["a.png"])
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property

import pandas as pd
import torch
from PIL import Image
from torch import Tensor

from tinyemo.classify import Classifier, Picture
from tinyemo.emotions import GROUPS, labels_of, own_label_set
from tinyemo.explain import Explainer
from tinyemo.features.encoders import ImageEncoder, load_image_encoder, read_pixels
from tinyemo.io import made_with
from tinyemo.models.anchors import load_anchors
from tinyemo.models.multimodal_lm import MultimodalLM
from tinyemo.models.projector import MetricProjector, load_projector
from tinyemo.predict.bundle import Bundle
from tinyemo.predict.models import find_bundle

THREADS = 4  # that decode pictures
Decoded = tuple[Tensor, str] | str  # of a picture: pixels and a note, or why it cannot be read
AHEAD = 2  # batches that are decoded while another one is encoded


@dataclass(frozen=True)
class Answer:
    """What is said about one picture; `label` is "" if it could not be read."""

    image: str
    label_set: str
    label: str = ""
    probabilities: dict[str, float] = field(default_factory=dict)  # in the order of the labels
    explanation: str | None = None
    note: str = ""  # why there is no explanation, or that the picture is unlike the training data
    error: str = ""  # why the picture could not be read


@dataclass(frozen=True, eq=False)
class Predictor:
    """Answers with the parts of `bundle`; `device` as of `load_image_encoder`."""

    bundle: Bundle
    device: str | None = None
    _classifiers: dict[str, Classifier] = field(default_factory=dict, repr=False)  # by label set

    def answers(
        self,
        images: Sequence[Picture],
        label_set: str = "ekman",
        explain: bool = False,
        batch_size: int = 32,
        withhold: bool = False,
    ) -> Iterator[Answer]:
        """One Answer per picture, as soon as its batch is done.

        `label_set` is a name of emotions.py, or words of one's own as `own_label_set` names them.
        With `explain`, an explanation is written for every label that the explainer was trained
        for, or that is a group of such labels; `note` says why there is none. With `withhold`, the
        explainer gets the label alone and does not see the picture. FileNotFoundError or
        ValueError: a part of the bundle cannot be loaded, or an unknown label set.
        """
        classifier = self._classifier(label_set)
        for batch, decoded in _decoded(images, self._read, batch_size):
            readable = [item[0] for item in decoded if not isinstance(item, str)]
            found = iter(self._found(classifier, label_set, readable, explain, withhold))
            for image, item in zip(batch, decoded, strict=True):
                name = _name(image)
                if isinstance(item, str):
                    yield Answer(name, label_set, error=item)
                    continue
                label, shares, text, about_text = next(found)
                note = "; ".join(filter(None, [item[1], about_text]))
                yield Answer(name, label_set, label, shares, text, note)

    def predict(
        self,
        images: Sequence[Picture],
        label_set: str = "ekman",
        labels: Sequence[str] | None = None,
    ) -> pd.DataFrame:
        """One row per picture: image, pred, p_<label>, note.

        `labels`: any words instead of a label set. ValueError names a picture that cannot be read;
        other errors as of `answers`.
        """
        return self._table(images, label_set, labels, explain=False)

    def explain(
        self,
        images: Sequence[Picture],
        label_set: str = "ekman",
        labels: Sequence[str] | None = None,
        withhold: bool = False,
    ) -> pd.DataFrame:
        """As `predict`, with the column text: the explanation, None where there is none.

        `withhold` as of `answers`: to see what the explanation owes to the picture.
        """
        return self._table(images, label_set, labels, explain=True, withhold=withhold)

    def _table(
        self,
        images: Sequence[Picture],
        label_set: str,
        labels: Sequence[str] | None,
        **options: bool,
    ) -> pd.DataFrame:
        label_set = own_label_set(labels) if labels is not None else label_set
        rows = []
        for answer in self.answers(images, label_set, **options):
            if answer.error:
                raise ValueError(answer.error)
            row = {"image": answer.image, "pred": answer.label}
            row |= {f"p_{label}": share for label, share in answer.probabilities.items()}
            row |= {"text": answer.explanation} if options["explain"] else {}
            rows.append(row | {"note": answer.note})
        return pd.DataFrame(rows)

    def _found(
        self,
        classifier: Classifier,
        label_set: str,
        pixels: Sequence[Tensor],
        explain: bool,
        withhold: bool,
    ) -> list[tuple[str, dict[str, float], str | None, str]]:
        """(label, probabilities, explanation, note about it) of each preprocessed picture."""
        if not pixels:
            return []
        pooled, patches = classifier.encoder.encode(torch.stack(pixels))
        probabilities = classifier.probabilities(pooled)  # (B, C)
        labels = classifier.likeliest(probabilities)
        texts: list[tuple[str | None, str]] = [(None, "")] * len(labels)
        if explain:
            texts = self._explanations(label_set, labels, pooled, None if withhold else patches)
        found = []
        for label, row, explanation in zip(labels, probabilities.tolist(), texts, strict=True):
            shares = dict(zip(classifier.labels, row, strict=True))
            found.append((label, shares, *explanation))
        return found

    def _explanations(
        self, label_set: str, labels: Sequence[str], pooled: Tensor, patches: Tensor | None
    ) -> list[tuple[str | None, str]]:
        """(explanation or None, note) of each picture, whose label is given.

        A label that is a group of the explainer's labels, as joy in Ekman's set, is explained by
        the likeliest of them.
        """
        if not self.bundle.explainer:
            return [(None, self.bundle.without_explainer)] * len(labels)
        finer = self._explainer.probabilities(pooled)  # (B, C of the explainer)
        words = []
        for label, row in zip(labels, finer.tolist(), strict=True):
            share = dict(zip(self.bundle.explained, row, strict=True))
            group = GROUPS.get(label_set, {}).get(label, ())
            members = [label] if label in share else [word for word in group if word in share]
            words.append(max(members, key=share.get, default=""))
        known = [row for row, word in enumerate(words) if word]
        seen = None if patches is None else patches[known]
        written = self._explainer.texts(seen, [words[row] for row in known])
        text_of = dict(zip(known, written, strict=True))
        found = []
        for row, (label, word) in enumerate(zip(labels, words, strict=True)):
            note = "" if word == label else f"explained as {word}, the likeliest kind of {label}"
            found.append((text_of.get(row), note if word else self._why_no_text(label)))
        return found

    def _why_no_text(self, label: str) -> str:
        return (
            f"no explanation: the explainer was not trained with {label!r}, but with "
            f"{', '.join(self.bundle.explained)}"
        )

    def _read(self, image: Picture) -> tuple[Tensor, str] | str:
        """A preprocessed picture and its note; or a sentence why it cannot be read."""
        try:
            return read_pixels(image, self._encoder.preprocess), self._note(image)
        except (FileNotFoundError, ValueError) as error:
            return str(error)

    def _note(self, image: Picture) -> str:
        """What is said about a picture that the parts were not trained for; "" about all others."""
        bundle = self.bundle
        if not bundle.domain or made_with(image) == bundle.software:
            return ""
        return (
            f"this model knows {bundle.domain} only, and this picture is not marked as one: its "
            "answer means nothing for a photograph; --model tinyemo-700m reads photographs"
        )

    def _classifier(self, label_set: str) -> Classifier:
        if label_set not in self._classifiers:
            self._classifiers[label_set] = Classifier(*self._parts(label_set, labels_of(label_set)))
        return self._classifiers[label_set]

    @cached_property
    def _explainer(self) -> Explainer:
        """With the labels that it was trained to explain."""
        parts = self._parts(self.bundle.other_words, self.bundle.explained)
        model = MultimodalLM.load(self.bundle.explainer, device=self._encoder.device)
        return Explainer(*parts, model)

    def _parts(
        self, label_set: str, labels: Sequence[str]
    ) -> tuple[ImageEncoder, MetricProjector, Tensor, Sequence[str]]:
        """What a Classifier is made of."""
        bundle, device = self.bundle, self._encoder.device
        projector = load_projector(bundle.projector_of(label_set)).to(device)
        anchors = load_anchors(bundle.lm, labels, bundle.template, bundle.tokenizer or None)
        return self._encoder, projector, anchors.to(device), labels

    @cached_property
    def _encoder(self) -> ImageEncoder:
        bundle = self.bundle
        return load_image_encoder(bundle.encoder, bundle.encoder_weights or None, self.device)


def load(model: str = "emoscenes", device: str | None = None) -> Predictor:
    """The Predictor of a bundle: "emoscenes" (shipped), a published one, a folder or a profile.

    FileNotFoundError, ValueError: as of `find_bundle`.
    """
    return Predictor(find_bundle(model), device)


def _name(image: Picture) -> str:
    if isinstance(image, Image.Image):
        return getattr(image, "filename", "") or "picture"
    return str(image)


def _decoded(
    images: Sequence[Picture], read: Callable[[Picture], Decoded], size: int
) -> Iterator[tuple[Sequence[Picture], list[Decoded]]]:
    """Batches of pictures with what `read` gives of each, which threads call ahead of time."""
    waiting: deque[tuple[Sequence[Picture], list[Future]]] = deque()
    with ThreadPoolExecutor(THREADS) as pool:
        for start in range(0, len(images), size):
            batch = images[start : start + size]
            waiting.append((batch, [pool.submit(read, image) for image in batch]))
            if len(waiting) > AHEAD:
                done, futures = waiting.popleft()
                yield done, [future.result() for future in futures]
        for done, futures in waiting:
            yield done, [future.result() for future in futures]
