"""One conversation to the emotion of its last turn: what a trained conversation model answers.

Owns the folder of such a model: a MultimodalLM (models/multimodal_folder.py) and
conversation.json, with all that its prompts depend on. Takes the turns as text and, if given, one
clip of the last turn; gives a label and probabilities.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from tinyemo.features.media import MissingStream
from tinyemo.features.stream_encoders import load_stream_encoders
from tinyemo.features.stream_extraction import StreamEncoder
from tinyemo.io import write_atomically
from tinyemo.models.conversation_prompt import (
    PLACE_WIDTH,
    WORDS,
    DialoguePrompts,
    PromptStyle,
    StreamVectors,
    label_question,
)
from tinyemo.models.label_scoring import label_log_likelihoods, label_probabilities
from tinyemo.models.multimodal_lm import MultimodalLM
from tinyemo.models.word_tokenizer import word_vectors
from tinyemo.training.conversation_training import ABOUT, read_about


@dataclass(frozen=True)
class ConversationAnswer:
    """The answer about the last turn."""

    label: str
    probabilities: dict[str, float]  # label -> probability, in the order of the label set
    missing: dict[str, str]  # stream that the model could read but was not given -> why


@dataclass(frozen=True, eq=False)
class ConversationModel:
    """A trained model with its encoders; `ConversationModel.load` reads one."""

    model: MultimodalLM
    encoders: Mapping[str, StreamEncoder]  # stream -> the frozen encoder that it was trained with
    style: PromptStyle
    labels: Sequence[str]
    prior: np.ndarray  # (C,) shares of the labels in training
    strength: float  # of the logit adjustment

    def __post_init__(self):
        for name, encoder in self.encoders.items():
            if name not in self.model.kinds:
                continue
            width = self.model.kinds[name].width - PLACE_WIDTH
            if encoder.width != width:
                raise ValueError(
                    f"stream {name!r}: the model takes vectors of width {width}, the encoder "
                    f"{encoder.name} gives {encoder.width}; expected the encoder of its training"
                )

    @classmethod
    def load(
        cls, folder: str | Path, device: str = "cpu", encoders: Mapping[str, str] | None = None
    ) -> "ConversationModel":
        """The model of a folder that `save_conversation_model` wrote.

        `encoders`: stream -> folder or hub id, where they are not at the place that they had in
        training. FileNotFoundError: no such model or encoder. ValueError: a damaged file.
        """
        folder = Path(folder)
        about = read_about(folder)
        names = {**about["encoders"], **(encoders or {})}
        style = {**about["style"], "streams": tuple(about["style"]["streams"])}
        return cls(
            MultimodalLM.load(folder, device=device),
            load_stream_encoders(names, device) if names else {},
            PromptStyle(**style),
            about["labels"],
            np.array(about["prior"]),
            about["strength"],
        )

    def answer(self, turns: Sequence[tuple[str, str]], clip: str = "") -> ConversationAnswer:
        """The emotion of the last of `turns`, (speaker, text) in the order of time.

        `clip`: a file of the last turn with sound, picture or both, or a media fragment of one. A
        stream without encoder, clip or content is missing, as it may have been in training.
        ValueError: no turn.
        """
        if not turns:
            raise ValueError("no turns: expected at least one (speaker, text)")
        table = pd.DataFrame(turns, columns=["speaker", "text"])
        table = table.assign(dialogue="conversation", turn=range(len(turns)))
        streams, missing = {}, {}
        words = None
        for name, connector in self.model.kinds.items():
            if name == WORDS:
                vectors = word_vectors(table["text"], self.model.tokenizer, connector.width)
                words = StreamVectors(vectors, vectors.any(dim=1).numpy())
                continue
            sources = table["text"].tolist()
            if name != "text":
                sources = [""] * (len(turns) - 1) + [clip]
            streams[name], reason = self._vectors(name, sources)
            if reason:
                missing[name] = reason
        prompts = DialoguePrompts(table, streams, words)
        question = label_question(self.style, self.labels)
        sample = prompts.sample(len(turns) - 1, self.style, question)
        scores = label_log_likelihoods(self.model, [sample], self.labels)
        prior = torch.as_tensor(self.prior) if self.strength else None
        probabilities = label_probabilities(scores.double(), prior, self.strength)[0].tolist()
        best = int(np.argmax(probabilities))
        by_label = dict(zip(self.labels, probabilities, strict=True))
        return ConversationAnswer(self.labels[best], by_label, missing)

    def _vectors(self, name: str, sources: Sequence[str]) -> tuple[StreamVectors, str]:
        """The vectors of a stream for all turns, and why the last turn lacks it ("": it does
        not)."""
        width = self.model.kinds[name].width - PLACE_WIDTH
        vectors = torch.zeros(len(sources), width)
        present = np.zeros(len(sources), dtype=bool)
        encoder = self.encoders.get(name)
        reason = "no encoder" if encoder is None else "not given"
        for row, source in enumerate(sources):
            if encoder is None or not source:
                continue
            try:
                item = encoder.read(source)
            except MissingStream as error:
                reason = str(error)
                continue
            vectors[row] = encoder.encode([item])[0].float().cpu()
            present[row] = True
        return StreamVectors(vectors, present), "" if present[-1] else reason


def save_conversation_model(
    folder: str | Path,
    model: MultimodalLM,
    style: PromptStyle,
    labels: Sequence[str],
    prior: np.ndarray,
    strength: float,
    encoders: Mapping[str, str],
    trained_on: Collection[str],
) -> Path:
    """Write a model that `ConversationModel.load` reads.

    `encoders`: stream -> folder or hub id. `trained_on`: the ids of its training utterances; a
    study that starts from this model refuses to test it on them.
    """
    folder = model.save(folder)
    about = {
        "style": asdict(style),
        "labels": list(labels),
        "prior": [float(share) for share in prior],
        "strength": float(strength),
        "encoders": dict(encoders),
        "trained_on": sorted(trained_on),
    }
    text = json.dumps(about, indent=1)
    write_atomically(folder / ABOUT, lambda path: path.write_text(text, encoding="utf-8"))
    return folder
