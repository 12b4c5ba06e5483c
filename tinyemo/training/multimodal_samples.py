"""The training data of the multimodal LM: instructions as Samples, and their order.

`Samples` reads the images of a batch at a time; `GroupedSampler` puts items of similar length into
one batch. The order of the items and the images that are withheld are functions of the seed, the
epoch and the id alone. So a training that was killed continues with exactly the items that were
next, and no state needs to be saved.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from typing import Protocol

import torch
from torch.utils.data import Dataset, Sampler

from tinyemo.data.instructions import Instruction
from tinyemo.features.patches import PatchSource
from tinyemo.models.prompt import PromptBuilder, Sample, build_samples

STREAM = "image"  # the stream of an instruction's image
POOL = 50  # batches whose items are sorted by length together


class TrainingItems(Protocol):
    """What a stage is trained on; training/multimodal_lm.py reads nothing else of it."""

    lengths: Sequence[int]  # number of tokens of each item
    key: str  # a hash of all that the model gets

    def __len__(self) -> int: ...

    def __getitems__(self, keys: Sequence[tuple[int, int]]) -> list[Sample]:
        """The Samples of items (epoch, row)."""


class Samples(Dataset):
    """Items (epoch, row) -> Sample, a whole batch at a time.

    All texts are encoded at the start, so that a text that is too long or has a wrong number of
    placeholders is refused before the training begins. `drop_stream` is the share of the items
    whose image is withheld in an epoch.
    """

    def __init__(
        self,
        items: Sequence[Instruction],
        source: PatchSource,
        prompts: PromptBuilder,
        drop_stream: float = 0.0,
        seed: int = 0,
    ):
        self.items, self.source = items, source
        self.drop_stream, self.seed = drop_stream, seed
        # all images have the same number of tokens, so the first one gives all lengths
        first_image = next((item.image for item in items if item.image), None)
        streams = {STREAM: source([first_image])} if first_image else {}
        digest = hashlib.sha256(source.key.encode())
        self.lengths: list[int] = []  # tokens of each item
        for item in items:
            sample = Sample(item.turns, streams if item.image else {})
            try:
                encoded = prompts.encode(sample)
            except ValueError as error:
                raise ValueError(f"instruction {item.id!r}: {error}") from error
            self.lengths.append(len(encoded.input_ids))
            facts = [item.id, item.image, encoded.input_ids, encoded.labels]
            digest.update(json.dumps(facts).encode())
        self.key = digest.hexdigest()  # of all inputs of the model

    def __len__(self) -> int:
        return len(self.items)

    def is_withheld(self, epoch: int, row: int) -> bool:
        """Whether the model is trained on the item without its image in this epoch."""
        digest = hashlib.sha256(f"{self.seed} {epoch} {self.items[row].id}".encode()).digest()
        return int.from_bytes(digest[:8]) < self.drop_stream * 2**64

    def __getitems__(self, keys: Sequence[tuple[int, int]]) -> list[Sample]:
        conversations = [self.items[row].turns for _, row in keys]
        images = []
        for epoch, row in keys:
            images.append("" if self.is_withheld(epoch, row) else self.items[row].image)
        return build_samples(conversations, {STREAM: images}, {STREAM: self.source})


class GroupedSampler(Sampler):
    """The items (epoch, row) of `steps` batches, epoch after epoch, as one sequence.

    A batch holds items of similar length, so that it needs little padding. An epoch is shuffled,
    sorted by length within pools of POOL batches, cut into batches, and the batches are shuffled.
    A random rest that is smaller than a batch is left out. ValueError: fewer items than a batch.
    """

    def __init__(self, lengths: Sequence[int], batch: int, steps: int, seed: int):
        if len(lengths) < batch:
            raise ValueError(
                f"a batch of {batch} was asked for, but there are only {len(lengths)} items"
            )
        self.lengths = torch.tensor(lengths)
        self.batch, self.steps, self.seed = batch, steps, seed

    def __len__(self) -> int:
        return self.steps * self.batch

    def __iter__(self) -> Iterator[tuple[int, int]]:
        per_epoch = len(self.lengths) // self.batch
        for step in range(0, self.steps, per_epoch):
            epoch = step // per_epoch
            for rows in self._batches(epoch)[: self.steps - step]:
                for row in rows:
                    yield epoch, row

    def _batches(self, epoch: int) -> list[list[int]]:
        """The rows of each batch of an epoch."""
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + epoch)
        order = torch.randperm(len(self.lengths), generator=generator)
        order = order[: len(order) // self.batch * self.batch]
        pools = []
        for pool in order.split(POOL * self.batch):
            by_length = self.lengths[pool].argsort(stable=True, descending=True)
            pools.append(pool[by_length])
        batches = torch.cat(pools).view(-1, self.batch)
        return batches[torch.randperm(len(batches), generator=generator)].tolist()
