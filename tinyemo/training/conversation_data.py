"""The data of a study of conversations: utterances, their labels, and their vectors.

Takes an utterance table (data/utterances.py), a label set, and one feature store or array per
stream; gives ConversationData, which training and evaluation read.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from tinyemo.data.conversations import label_utterances, unlabelled_votes
from tinyemo.data.folds import positions
from tinyemo.emotions import CONVERSATION_LABEL_SETS, labels_of
from tinyemo.features.store import FeatureStore
from tinyemo.models.anchors import load_tokenizer
from tinyemo.models.conversation_prompt import DialoguePrompts, StreamVectors, fixed_texts
from tinyemo.models.word_tokenizer import word_tokenizer, word_vectors

LEAST = 3  # occurrences of a word in the transcripts that give it a token of its own


@dataclass(frozen=True, eq=False)
class ConversationData:
    """The data of a study with one label set.

    `utterances`: all turns, sorted by dialogue and turn. `records`: those with a label (see
    data/conversations.py), with p_<label> columns where votes are known. `undecided`: those with
    votes but without a majority; models predict them too, but they have no label. `streams`: one
    row per utterance. `tokenizer`: folder or hub id.
    """

    utterances: pd.DataFrame
    records: pd.DataFrame
    undecided: pd.DataFrame
    labels: tuple[str, ...]
    streams: Mapping[str, StreamVectors]
    tokenizer: str

    @cached_property
    def words(self) -> StreamVectors:
        """Which words of the tokenizer's each transcript has."""
        tokenizer = load_tokenizer(self.tokenizer)
        texts = self.utterances["text"]
        vectors = word_vectors(texts, tokenizer, len(tokenizer))
        return StreamVectors(vectors, vectors.any(dim=1).numpy())

    def dialogues(self, with_words: bool) -> DialoguePrompts:
        """The prompts of all utterances, with the words of their transcripts if they are needed."""
        return DialoguePrompts(self.utterances, self.streams, self.words if with_words else None)

    def rows(self, ids: Sequence[str]) -> np.ndarray:
        """The positions (n,) of utterances in the table."""
        return positions(ids, self.utterances["id"])

    def chosen(self, ids: Sequence[str]) -> pd.DataFrame:
        """The records with these ids, in their order."""
        return self.records.iloc[positions(ids, self.records["id"])]

    def shares(self, records: pd.DataFrame) -> np.ndarray:
        """The annotators' votes (n, C) of records; rows of NaN where there are none."""
        return records[[f"p_{label}" for label in self.labels]].to_numpy(dtype=float)

    def prior(self, ids: Sequence[str]) -> np.ndarray:
        """The shares (C,) of the labels among the records with these ids."""
        counts = self.chosen(ids)["label"].value_counts()
        counts = counts.reindex(self.labels, fill_value=0).to_numpy(dtype=float)
        return counts / counts.sum()

    @cached_property
    def key(self) -> str:
        """A hash of all that models get."""
        digest = hashlib.sha256(repr(self.labels).encode())
        # the content of a folder's tokenizer, so that a run that was moved keeps its models
        file = Path(self.tokenizer) / "tokenizer.json"
        digest.update(file.read_bytes() if file.is_file() else str(self.tokenizer).encode())
        for table in (self.utterances, self.records, self.undecided):
            columns = [name for name in table if not name.startswith("attr_")]
            digest.update(table[columns].to_json(orient="values").encode())
        for name, stream in self.streams.items():
            digest.update(name.encode() + stream.present.tobytes())
            digest.update(stream.vectors.contiguous().numpy().tobytes())
        return digest.hexdigest()


def conversation_data(
    utterances: pd.DataFrame,
    label_set: str,
    streams: Mapping[str, StreamVectors],
    tokenizer: str,
) -> tuple[ConversationData, pd.DataFrame]:
    """(the data with this label set, what was left out: reason, items, example).

    ValueError: as of `label_utterances`; or a stream that all scored utterances of a group lack.
    """
    records, left_out = label_utterances(utterances, label_set)
    undecided, _ = unlabelled_votes(utterances, label_set)
    data = ConversationData(
        utterances, records, undecided, labels_of(label_set), streams, str(tokenizer)
    )
    rows = data.rows(records["id"])
    for name, stream in streams.items():
        has_stream = pd.Series(stream.present[rows]).groupby(records["group"].to_numpy()).any()
        if not has_stream.all() and records["group"].nunique() < len(records) / 10:
            raise ValueError(
                f"stream {name!r}: no utterance of group {has_stream.idxmin()!r} has it; expected "
                "some in every group: leave the stream out, or complete its features"
            )
    return data, left_out


def default_tokenizer(utterances: pd.DataFrame, lm: str, folder: str | Path) -> str:
    """The language model, whose tokenizer is used; without one, a folder with a new tokenizer.

    The new one has the words of the prompts, and those that transcripts have often enough.
    """
    if lm:
        return str(lm)
    labels = [word for labels in CONVERSATION_LABEL_SETS.values() for word in labels]
    words = word_tokenizer(utterances["text"], fixed_texts(labels), LEAST)
    words.save_pretrained(folder)
    return str(folder)


def vectors_of_stores(
    utterances: pd.DataFrame, stores: Mapping[str, FeatureStore]
) -> dict[str, StreamVectors]:
    """Stream -> its vectors for all utterances; an utterance that is not in a store lacks it.

    ValueError: a store without any of the utterances.
    """
    found = {}
    for name, store in stores.items():
        ids = utterances["id"]
        present = ids.isin(store.ids).to_numpy()
        if not present.any():
            raise ValueError(
                f"{store.folder}: it has none of the {len(ids)} utterances, for example "
                f"{ids.iloc[0]!r}; expected the features of these utterances"
            )
        rows = store.rows(ids[present])  # (n, D)
        vectors = torch.zeros(len(ids), rows.shape[1])
        vectors[torch.from_numpy(present)] = torch.as_tensor(rows, dtype=torch.float32)
        found[name] = StreamVectors(vectors, present)
    return found


def vectors_of_arrays(
    arrays: Mapping[str, np.ndarray], present: Mapping[str, np.ndarray]
) -> dict[str, StreamVectors]:
    """Stream -> its vectors, from arrays (N, D) and where they are present (N,)."""
    found = {}
    for name, array in arrays.items():
        vectors = np.where(present[name][:, None], array, 0).astype(np.float32)
        found[name] = StreamVectors(torch.from_numpy(vectors), present[name])
    return found
