"""The task [reason]: utterances with captions become instructions, and these training items.

Takes the utterance table of MERR (data/merr.py), or any with captions in a column, and one feature
store per stream (features/npy_folders.py or features/stream_extraction.py). Gives instruction
records, and items in the form that training/multimodal_lm.py reads:

    merr = read_merr(list_file, transcripts_csv, captions)
    records, left_out = reason_records(merr.utterances, stores)
    items = StreamSamples(records, stores, model.prompts)
    fit_stage(model, items, None, recipe, out)
    model.generate(items.questions([0, 1]))
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.utils.data import Dataset

from tinyemo.data.instructions import Instruction
from tinyemo.data.left_out import LeftOut
from tinyemo.features.store import FeatureStore
from tinyemo.models.prompt import PromptBuilder, Sample, Source, build_samples

# The form of Emotion-LLaMA's prompt and the first of its instructions for this task
# (https://github.com/ZebangCheng/Emotion-LLaMA, minigpt4/datasets/datasets/first_face.py), with its
# full stop after the transcript and its two spaces. The placeholders stand where it has
# <video>...</video> <feature>...</feature>: here, <video> is itself the placeholder of a stream.
PROMPT = "{streams} {transcript}[reason] {instruction}"
TRANSCRIPT = "The person in video says: {text}.  "
INSTRUCTION = (
    "Please analyze all the clues in the video and reason out the emotional label of the person in "
    "the video."
)


def reason_records(
    utterances: pd.DataFrame,
    streams: Iterable[str],
    column: str = "attr_reason",
    instruction: str = INSTRUCTION,
) -> tuple[list[Instruction], pd.DataFrame]:
    """(one record per utterance with a caption, what was left out: reason, items, example).

    The answer is the text in `column`: "attr_reason" (MERR's fine-grained captions, Emotion-LLaMA's
    second stage) or "attr_caption" (the coarse-grained ones, its first stage). The question has a
    placeholder for each of `streams`, also where an utterance lacks the stream, and the transcript,
    if there is one. The id is the utterance's; `label` is its code. Records without the stream
    "image" can be written by data/instructions.py.

    ValueError: no such column, or no utterance with a caption.
    """
    if column not in utterances:
        raise ValueError(
            f"the utterance table has no column {column!r}, which holds the answers: expected a "
            "table with captions"
        )
    placeholders = "".join(f"<{name}>" for name in streams)
    left_out, records = LeftOut(), []
    rows = zip(*(utterances[name] for name in ("id", "text", "code", column)), strict=True)
    for name, text, code, answer in rows:
        if not answer.strip():
            left_out.add(f"no {column}", name)
            continue
        transcript = TRANSCRIPT.format(text=text) if text else ""
        question = PROMPT.format(
            streams=placeholders, transcript=transcript, instruction=instruction
        )
        turns = ((question.strip(), answer.strip()),)
        records.append(Instruction(name, "", turns, task="reasoning", label=code))
    if not records:
        raise ValueError(f"column {column!r}: none of the {len(utterances)} utterances has a text")
    return records, left_out.table()


class StreamSamples(Dataset):
    """Items (epoch, row) -> Sample: records whose streams are in feature stores, by their ids.

    A stream is one token, the utterance's vector in the store; for the streams `patches` it is all
    its patch tokens. A record that is not in a store lacks this stream: the model's embedding for
    it is trained, and `missing` counts it (columns reason, items, example). `drop_stream` is the
    probability that a stream is withheld in an epoch, drawn for each record and stream; one that is
    there is always kept. All texts are encoded at the start. ValueError: a text that is too long
    or has other placeholders than the stores' streams, or a store that has none of the records.
    """

    def __init__(
        self,
        records: Sequence[Instruction],
        stores: Mapping[str, FeatureStore],
        prompts: PromptBuilder,
        patches: Collection[str] = (),
        drop_stream: float = 0.0,
        seed: int = 0,
    ):
        self.records, self.stores = list(records), dict(stores)
        self.patches, self.drop_stream, self.seed = frozenset(patches), drop_stream, seed
        self._ids = {name: frozenset(store.ids) for name, store in self.stores.items()}
        self.missing = self._count_missing()
        digest = hashlib.sha256(repr((sorted(patches), drop_stream, seed)).encode())
        self.lengths: list[int] = []  # tokens of each item
        for record in self.records:
            try:
                encoded = prompts.encode(Sample(record.turns, self._stand_ins(record)))
            except ValueError as error:
                raise ValueError(f"instruction {record.id!r}: {error}") from error
            self.lengths.append(len(encoded.input_ids))
            facts = [record.id, encoded.input_ids, encoded.labels]
            digest.update(json.dumps(facts).encode())
        for name, store in self.stores.items():
            digest.update(f"{name} {store.meta.get('key', '')}".encode())
            digest.update(_bytes(store.pooled))
            if name in self.patches and not store.meta.get("key"):
                for shard in store.shards:
                    digest.update(_bytes(shard["patches"]))
        self.key = digest.hexdigest()  # of all inputs of the model

    def __len__(self) -> int:
        return len(self.records)

    def __getitems__(self, keys: Sequence[tuple[int, int]]) -> list[Sample]:
        records = [self.records[row] for _, row in keys]
        withheld = [self._withheld(epoch, self.records[row]) for epoch, row in keys]
        return self._samples(records, withheld)

    def questions(self, rows: Iterable[int]) -> list[Sample]:
        """The records without their last answer, which is to be generated; with all streams."""
        asked = []
        for row in rows:
            *earlier, (question, _) = self.records[row].turns
            asked.append(replace(self.records[row], turns=(*earlier, (question, ""))))
        return self._samples(asked, [()] * len(asked))

    def _samples(
        self, records: Sequence[Instruction], withheld: Sequence[Collection[str]]
    ) -> list[Sample]:
        """The Samples of records, without the streams that are withheld from each."""
        ids = {}  # stream -> the id of each record, "" where the stream is missing
        for name in self.stores:
            ids[name] = []
            for record, without in zip(records, withheld, strict=True):
                is_given = name not in without and record.id in self._ids[name]
                ids[name].append(record.id if is_given else "")
        turns = [record.turns for record in records]
        return build_samples(turns, ids, {name: self._reader(name) for name in self.stores})

    def _reader(self, name: str) -> Source:
        """A function: ids -> one tensor (T, D) per id."""
        store = self.stores[name]

        def read(ids: Sequence[str]) -> Tensor:
            if name in self.patches:
                return store.patch_rows(ids)  # (n, T, D)
            return store.rows(ids)[:, None]  # (n, 1, D)

        return read

    def _present(self, record: Instruction) -> list[str]:
        return [name for name in self.stores if record.id in self._ids[name]]

    def _withheld(self, epoch: int, record: Instruction) -> list[str]:
        """A function of the seed, the epoch and the id alone, so that a training can resume."""
        present = self._present(record)
        digest = hashlib.sha256(f"{self.seed} {epoch} {record.id}".encode()).digest()
        rng = np.random.default_rng(int.from_bytes(digest[:8]))
        kept = present[rng.integers(len(present))] if present else ""
        is_drawn = rng.random(len(present)) < self.drop_stream
        return [
            name for name, drawn in zip(present, is_drawn, strict=True) if drawn and name != kept
        ]

    def _stand_ins(self, record: Instruction) -> dict[str, list[Tensor]]:
        """Tensors of the right length, for counting the tokens of a prompt."""
        stand_ins = {}
        for name in self._present(record):
            tokens = 1
            if name in self.patches:
                tokens = self.stores[name].shards[0]["patches"].shape[1]
            stand_ins[name] = [torch.empty(tokens, 0)]
        return stand_ins

    def _count_missing(self) -> pd.DataFrame:
        """Reason, items, example for each stream. ValueError: no record has a stream."""
        counts = LeftOut()
        for name, store in self.stores.items():
            absent = [record.id for record in self.records if record.id not in self._ids[name]]
            if len(absent) == len(self.records):
                raise ValueError(
                    f"{store.folder}: none of the {len(absent)} records is in the store of the "
                    f"stream {name!r}: expected ids such as {absent[0]!r}"
                )
            counts.add_all(f"no {name}: trained as a missing stream", absent)
        return counts.table()


def _bytes(tensor: Tensor) -> np.ndarray:
    return tensor.contiguous().view(torch.uint8).numpy()
