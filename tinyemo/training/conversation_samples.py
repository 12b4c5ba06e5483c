"""The training data of a conversation model: utterances as Samples, with their targets.

Takes DialoguePrompts, the rows of the training utterances with their labels or vote shares, and a
ConversationRecipe; gives Samples (epoch, item) in the form that training/multimodal_lm.py reads.
Whatever is drawn for an item (its style of prompt, the withheld streams, the voted label) is a
function of the seed, the epoch and the utterance's id alone. So a training that was killed
continues with exactly the same items.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from torch.utils.data import Dataset

from tinyemo.models.conversation_prompt import (
    DialoguePrompts,
    PromptStyle,
    label_question,
    set_question,
    yes_no_question,
)
from tinyemo.models.prompt import PromptBuilder, Sample

TARGETS = ("majority", "soft", "multi")
# how the weight of an item depends on the frequency of its label: weight = frequency ** exponent
EXPONENTS = {"none": 0.0, "sampling": 0.0, "weights": -1.0, "root_weights": -0.5}
YES, NO = "yes", "no"


@dataclass(frozen=True)
class ConversationRecipe:
    """What the items of a training are."""

    styles: tuple[PromptStyle, ...] = (PromptStyle(),)  # one is drawn for each item and epoch
    # majority: the utterance's label. soft: a label drawn from the annotators' votes in each epoch,
    # so that the expected loss is the cross-entropy with their distribution. multi: in half of the
    # epochs all voted labels as a list, otherwise yes or no for one label.
    target: str = "majority"
    # Probability that a stream is withheld, drawn for each item and stream (modality dropout). One
    # stream, chosen at random, is always kept.
    drop_stream: float = 0.0
    # none: all items alike. sampling: items of an epoch are drawn so that all labels are equally
    # frequent. weights: the loss of an item is divided by the frequency of its label. root_weights:
    # it is divided by the square root of the frequency, which favours rare labels less.
    balance: str = "none"

    def __post_init__(self):
        if self.target not in TARGETS:
            raise ValueError(f"target {self.target!r}: expected one of {', '.join(TARGETS)}")
        if self.balance not in EXPONENTS:
            raise ValueError(f"balance {self.balance!r}: expected one of {', '.join(EXPONENTS)}")
        if not self.styles:
            raise ValueError("styles: expected at least one style of prompt")
        if not 0 <= self.drop_stream < 1:
            raise ValueError(f"drop_stream {self.drop_stream}: expected a share from 0 to below 1")


def label_weights(count: Mapping[str, int], exponent: float) -> dict[str, float]:
    """Label -> weight of each of its items: count ** exponent, scaled to a mean of 1 over items."""
    powers = {label: number**exponent for label, number in count.items()}
    total = sum(number * powers[label] for label, number in count.items())
    mean = total / sum(count.values())
    return {label: power / mean for label, power in powers.items()}


class ConversationSamples(Dataset):
    """Items (epoch, item) -> Sample, a whole batch at a time.

    rows: (n,) positions of the utterances in the table of `dialogues`; `ids` and `answers` belong
    to them. shares: (n, C) vote shares in the order of `labels`, needed for the targets soft and
    multi. All prompts are encoded at the start, so that one that is too long is refused before the
    training begins. ValueError: such a prompt; a label that is not in `labels`; an utterance
    without votes, if the target needs them.
    """

    def __init__(
        self,
        dialogues: DialoguePrompts,
        prompts: PromptBuilder,
        rows: Sequence[int],
        ids: Sequence[str],
        answers: Sequence[str],
        labels: Sequence[str],
        recipe: ConversationRecipe = ConversationRecipe(),
        shares: np.ndarray | None = None,
        seed: int = 0,
    ):
        self.dialogues, self.rows = dialogues, list(rows)
        self.ids, self.answers, self.labels = list(ids), list(answers), tuple(labels)
        self.recipe, self.seed = recipe, seed
        self.shares = None if shares is None else np.asarray(shares, dtype=float)
        self._check()
        positions = {label: [] for label in self.labels}
        for item, answer in enumerate(self.answers):
            positions[answer].append(item)
        self._items_of = [items for items in positions.values() if items]
        count = {label: len(items) for label, items in positions.items() if items}
        self._weights = label_weights(count, EXPONENTS[recipe.balance])
        digest = hashlib.sha256(repr((recipe, self.labels)).encode())
        for item in range(len(self.rows)):
            for style in recipe.styles:
                sample = self._sample(item, style, self.answers[item], ())
                encoded = self._encode(prompts, sample, item)
                digest.update(json.dumps(encoded).encode())
            votes = None if self.shares is None else self.shares[item].tolist()
            digest.update(json.dumps([self.ids[item], self.answers[item], votes]).encode())
        for name, stream in dialogues.streams.items():
            digest.update(name.encode() + stream.present.tobytes())
            digest.update(stream.vectors.contiguous().numpy().tobytes())
        self.key = digest.hexdigest()  # of all inputs of the model
        # All alike, so that batches are random. The length of a prompt depends on the place of its
        # turn in the dialogue: batches of equal lengths would have similar labels, which costs
        # accuracy, and save little padding.
        self.lengths = [1] * len(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitems__(self, keys: Sequence[tuple[int, int]]) -> list[Sample]:
        return [self.sample(epoch, item) for epoch, item in keys]

    def sample(self, epoch: int, item: int) -> Sample:
        """The item of an epoch: its prompt with the answer that it is trained on."""
        if self.recipe.balance == "sampling":
            # item k of an epoch has class k modulo C, and is a random utterance of that class
            rng = self._generator(epoch, f"balanced {item}")
            members = self._items_of[item % len(self._items_of)]
            item = members[rng.integers(len(members))]
        rng = self._generator(epoch, self.ids[item])
        style = self.recipe.styles[rng.integers(len(self.recipe.styles))]
        withheld = self._withheld(rng, style)
        if self.recipe.target == "majority":
            return self._sample(item, style, self.answers[item], withheld)
        if self.recipe.target == "soft":
            voted = self.labels[rng.choice(len(self.labels), p=self.shares[item])]
            return self._sample(item, style, voted, withheld)
        return self._multi_sample(rng, item, style, withheld)

    def _multi_sample(
        self, rng: np.random.Generator, item: int, style: PromptStyle, withheld: Sequence[str]
    ) -> Sample:
        """All voted labels as a list, or yes or no for one label; yes in half of the cases."""
        row = self.rows[item]
        is_voted = self.shares[item] > 0
        if rng.random() < 0.5:
            answer = ", ".join(np.array(self.labels)[is_voted])
            return self.dialogues.sample(row, style, set_question(self.labels), answer, withheld)
        wants_yes = rng.random() < 0.5 or is_voted.all()
        candidates = np.flatnonzero(is_voted == wants_yes)
        label = self.labels[rng.choice(candidates)]
        answer = YES if wants_yes else NO
        return self.dialogues.sample(row, style, yes_no_question(label), answer, withheld)

    def _sample(
        self, item: int, style: PromptStyle, answer: str, withheld: Sequence[str]
    ) -> Sample:
        question = label_question(style, self.labels)
        sample = self.dialogues.sample(self.rows[item], style, question, answer, withheld)
        return replace(sample, weight=self._weights[self.answers[item]])

    def _withheld(self, rng: np.random.Generator, style: PromptStyle) -> list[str]:
        """The streams that are withheld; never all of them."""
        draws = rng.random(len(style.streams))
        kept = rng.integers(len(draws))
        withheld = []
        for place, name in enumerate(style.streams):
            if place != kept and draws[place] < self.recipe.drop_stream:
                withheld.append(name)
        return withheld

    def _generator(self, epoch: int, name: str) -> np.random.Generator:
        digest = hashlib.sha256(f"{self.seed} {epoch} {name}".encode()).digest()
        return np.random.default_rng(int.from_bytes(digest[:8]))

    def _encode(self, prompts: PromptBuilder, sample: Sample, item: int) -> list[int]:
        try:
            return prompts.encode(sample).input_ids
        except ValueError as error:
            raise ValueError(f"utterance {self.ids[item]!r}: {error}") from error

    def _check(self) -> None:
        """ValueError about the first label or vote that cannot be used."""
        for name, answer in zip(self.ids, self.answers, strict=True):
            if answer not in self.labels:
                raise ValueError(
                    f"utterance {name!r}: label {answer!r}, expected one of "
                    f"{', '.join(self.labels)}"
                )
        if self.recipe.target == "majority":
            return
        if self.shares is None:
            raise ValueError(f"target {self.recipe.target!r}: expected the annotators' votes")
        for name, row in zip(self.ids, self.shares, strict=True):
            if not abs(np.nansum(row) - 1) < 1e-3:
                raise ValueError(
                    f"utterance {name!r}: it has no votes for {', '.join(self.labels)}, which "
                    f"target {self.recipe.target!r} needs"
                )
        self.shares = np.nan_to_num(self.shares)
        self.shares = self.shares / self.shares.sum(axis=1, keepdims=True)
