"""Instructions as a language model trains on them: encoded once, images fetched by the batch, lengths grouped.

Owns: what an epoch's items are (which images are withheld, in which order they come), as functions of seed, epoch and
id alone, so that a training which was killed goes on with the very items that were due, with no state to keep.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence

import torch
from torch.utils.data import Dataset, Sampler

from tinyemo.data.instructions import Instruction
from tinyemo.features.patches import PatchSource
from tinyemo.models.prompt import PromptBuilder, Sample

STREAM = "image"  # the name of the stream that an instruction's image is
POOL = 50  # batches that are sorted by length together


class Samples(Dataset):
    """Items (epoch, row) -> Sample, a whole batch at a time.

    All texts are encoded at the start, so that what is too long or carries a wrong number of placeholders is refused
    before training begins. `drop_stream` is the share of the items whose image is withheld in an epoch.
    """

    def __init__(
        self,
        items: Sequence[Instruction],
        source: PatchSource,
        prompts: PromptBuilder,
        drop_stream: float = 0.0,
        seed: int = 0,
    ):
        self.items, self.source, self.drop_stream, self.seed = items, source, drop_stream, seed
        probe = next((item.image for item in items if item.image), None)
        streams = {STREAM: source([probe])} if probe else {}
        digest, self.lengths = hashlib.sha256(source.key.encode()), []
        for item in items:
            try:
                encoded = prompts.encode(Sample(item.turns, streams if item.image else {}))
            except ValueError as error:
                raise ValueError(f"instruction {item.id!r}: {error}") from error
            self.lengths.append(len(encoded.input_ids))
            digest.update(
                json.dumps([item.id, item.image, encoded.input_ids, encoded.labels]).encode()
            )
        self.key = digest.hexdigest()  # of all that the model gets to see

    def __len__(self) -> int:
        return len(self.items)

    def withheld(self, epoch: int, row: int) -> bool:
        """Whether the item trains without its image in this epoch."""
        digest = hashlib.sha256(f"{self.seed} {epoch} {self.items[row].id}".encode()).digest()
        return int.from_bytes(digest[:8]) < self.drop_stream * 2**64

    def __getitems__(self, keys: Sequence[tuple[int, int]]) -> list[Sample]:
        shown = [
            bool(self.items[row].image) and not self.withheld(epoch, row) for epoch, row in keys
        ]
        tokens = iter(
            self.source(
                [self.items[row].image for (_, row), one in zip(keys, shown, strict=True) if one]
            )
        )
        return [
            Sample(self.items[row].turns, {STREAM: [next(tokens)]} if one else {})
            for (_, row), one in zip(keys, shown, strict=True)
        ]


class GroupedSampler(Sampler):
    """The items (epoch, row) of `steps` batches, epoch after epoch, one long sequence.

    A batch holds items of similar length: an epoch is shuffled, sorted by length within pools of POOL batches, cut
    into batches, and these are shuffled; a random rest smaller than a batch is left out. ValueError: fewer items
    than a batch takes.
    """

    def __init__(self, lengths: Sequence[int], batch: int, steps: int, seed: int):
        if len(lengths) < batch:
            raise ValueError(
                f"a batch of {batch} was asked for, but there are only {len(lengths)} items"
            )
        self.lengths, self.batch, self.steps, self.seed = torch.tensor(lengths), batch, steps, seed

    def __len__(self) -> int:
        return self.steps * self.batch

    def __iter__(self) -> Iterator[tuple[int, int]]:
        per_epoch = len(self.lengths) // self.batch
        for step in range(0, self.steps, per_epoch):
            epoch = step // per_epoch
            for rows in self._batches(epoch)[: self.steps - step]:
                yield from ((epoch, row) for row in rows)

    def _batches(self, epoch: int) -> list[list[int]]:
        draw = torch.Generator().manual_seed(self.seed * 1_000_003 + epoch)
        order = torch.randperm(len(self.lengths), generator=draw)
        order = order[: len(order) // self.batch * self.batch]
        pools = order.split(POOL * self.batch)
        rows = torch.cat(
            [pool[self.lengths[pool].argsort(stable=True, descending=True)] for pool in pools]
        )
        batches = rows.view(-1, self.batch)
        return batches[torch.randperm(len(batches), generator=draw)].tolist()
