"""Requests to teachers, their replies, and the instruction records that replies become.

Owns the types Request, Reply and Teacher. Plans the requests for a table of records, and turns
each reply into an instruction record. Takes records (data/records.py) and label anchors. The
wordings of all questions are those of prompts.py. The random draws for a record depend on the seed
and its id, not on the other records.
"""

import os
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from zlib import crc32

import numpy as np
import pandas as pd

from tinyemo.data.instructions import IMAGE_TOKEN, Instruction
from tinyemo.emoreason.prompts import CAPTION_QUESTIONS, REASONING_QUESTIONS, reasoning_question
from tinyemo.emoreason.reply_format import parse_turns
from tinyemo.emotions import labels_of

# Backslashes and drive letters: instruction files refuse them (data/instructions.py), because on
# some systems such a path may lead out of the folder of images.
_UNSAFE_PATH = re.compile(r"\\|(?:^|/)[^/]:")

_PRETRAINING, _FINETUNING = 0, 1  # parts of `record_generator`; evaluation/conditions.py: 2 to 5


@dataclass(frozen=True)
class Request:
    """One text to be written about one image."""

    # unique: "<record id>#<task>", or "<record id>#<task>-<label>" if the label is not the record's
    id: str
    image: str  # path to open; "" if the teacher gets only text
    task: str  # one of instructions.TASKS
    label: str  # the emotion that is given; "" if none is given (caption, vqa)
    label_set: str
    question: str = ""  # the human turn; "" if the teacher writes it (vqa, sentiment, conversation)
    caption: str = ""  # what is known about the image in words
    attributes: dict = field(default_factory=dict)  # attribute -> text, number or list of texts


@dataclass(frozen=True)
class Reply:
    """A teacher's answer to one request, and its cost, failed attempts included."""

    id: str  # of the request
    text: str
    prompt_tokens: int = 0
    completion_tokens: int = 0
    dollars: float = 0.0
    refusal: str = ""  # why the server refuses this request, in its words; there is no text then
    failure: str = ""  # why all attempts failed, in words; there is no text, it is asked again
    # The text ended at the token limit. Not compared: replies in older caches do not say this.
    is_cut: bool = field(default=False, compare=False)


COSTS = ("prompt_tokens", "completion_tokens", "dollars")  # the costs in a Reply


class Teacher(Protocol):
    """Anything that writes replies.

    `name` goes into the records; `key` changes when the replies would change.
    """

    name: str
    key: str
    unanswered_reason: str  # the reason under which requests without a reply are counted
    note: str  # why requests have no reply, in one sentence; "" if there is nothing to report
    usage: dict[str, float]  # counts of this session, for the manifest; empty if nothing is counted

    def replies(
        self, requests: Sequence[Request], failed_before: Collection[str] = ()
    ) -> Iterator[Reply]:
        """Replies as they come, in any order. A request may stay without a reply.

        `failed_before`: ids of requests that got a `failure` in an earlier call. A teacher that
        gives no failures need not take it.
        """


def attributes_of(record: Mapping[str, object]) -> dict[str, object]:
    """A record's attr_ columns without the prefix, as text, numbers and lists.

    Empty values and NaN are left out.
    """
    attributes = {}
    for column, value in record.items():
        if not column.startswith("attr_"):
            continue
        if isinstance(value, (np.ndarray, np.generic)):
            value = value.tolist()
        is_empty = value in ("", []) if isinstance(value, (str, list)) else pd.isna(value)
        if not is_empty:
            attributes[column.removeprefix("attr_")] = value
    return attributes


def record_generator(seed: int, record: str, part: int) -> np.random.Generator:
    """A generator that depends on a record's id, not on others; `part` separates its uses."""
    return np.random.default_rng([seed, crc32(record.encode()), part])


def draw_candidates(
    label: str,
    labels: Sequence[str],
    anchors: np.ndarray,
    rng: np.random.Generator,
) -> tuple[str, ...]:
    """`label` and two distractors, in random order: one similar label and one dissimilar label.

    The other labels are sorted by the cosine of their anchors to that of `label`. One distractor
    comes from the nearer half (with an odd number, the middle label counts as near), one from the
    farther half. `anchors` (C, D) has one row per entry of `labels`. Their mean is subtracted
    first: word embeddings share a common direction, which carries no information about
    differences between emotions.

    Of two labels, both are candidates.

    ValueError: a single label, `label` is not one of them, or the number of anchors differs.
    """
    anchors = np.asarray(anchors, dtype=float)
    if label not in labels or len(labels) < 2 or len(anchors) != len(labels):
        raise ValueError(
            f"cannot choose answer options for label {label!r}: found {len(labels)} labels and "
            f"{len(anchors)} anchors, expected at least two labels, one of them {label!r}, and "
            "one anchor per label"
        )
    if len(labels) == 2:
        return tuple(labels[position] for position in rng.permutation(2))
    own = labels.index(label)
    offsets = anchors - anchors.mean(axis=0)  # (C, D)
    lengths = np.linalg.norm(offsets, axis=1)  # (C,)
    cosines = offsets @ offsets[own] / np.maximum(lengths * lengths[own], 1e-12)  # (C,)

    nearest_first = np.argsort(-cosines, kind="stable")
    others = [row for row in nearest_first if row != own]
    middle = (len(others) + 1) // 2
    near = labels[rng.choice(others[:middle])]
    far = labels[rng.choice(others[middle:])]

    candidates = (label, near, far)
    return tuple(candidates[position] for position in rng.permutation(3))


def plan_pretraining(
    records: pd.DataFrame, seed: int, captions: Mapping[str, str] | None = None
) -> list[Request]:
    """Three requests per image, in random order: caption, vqa and sentiment.

    Images come in the order of the records. `captions`: record id -> what is known about the
    image in words; for other records, their text is used. Caption and vqa requests do not contain
    the label. ValueError: an image path that instruction files cannot hold.
    """
    requests = []
    for record in records.to_dict("records"):
        name, known = record["id"], _known(record, captions)
        rng = record_generator(seed, name, _PRETRAINING)
        question = CAPTION_QUESTIONS[rng.integers(len(CAPTION_QUESTIONS))]
        about_image = [
            Request(f"{name}#caption", task="caption", label="", question=question, **known),
            Request(f"{name}#vqa", task="vqa", label="", **known),
            Request(f"{name}#sentiment", task="sentiment", label=record["label"], **known),
        ]
        requests += [about_image[position] for position in rng.permutation(3)]
    return requests


def plan_finetuning(
    records: pd.DataFrame,
    anchors: Mapping[str, np.ndarray],
    seed: int,
    per_image: int = 1,
    conversations: float = 0.1,
    captions: Mapping[str, str] | None = None,
) -> list[Request]:
    """A reasoning request for each record's label, and a conversation for a share of the records.

    `anchors`: label set -> (C, D), in the order of `emotions.labels_of`. `per_image`: the most
    reasoning requests per image. Where annotators' shares are known, the labels with the next
    most votes are explained too: the same image then gets explanations of several emotions.
    `conversations`: share of the records that get a conversation. `captions` as in
    `plan_pretraining`.

    ValueError: as in `plan_pretraining`, or a label set without anchors.
    """
    requests = []
    for record in records.to_dict("records"):
        name, label_set = record["id"], record["label_set"]
        labels = labels_of(label_set)
        known = _known(record, captions)
        if label_set not in anchors:
            label_sets = ", ".join(sorted(set(records["label_set"])))
            raise ValueError(
                f"record {name!r}: no anchors for its label set {label_set!r}: expected anchors "
                f"for each of {label_sets}"
            )
        rng = record_generator(seed, name, _FINETUNING)
        has_conversation = rng.random() < conversations
        explained = [record["label"], *_other_labels_by_votes(record, labels)]
        for label in explained[:per_image]:
            suffix = "" if label == record["label"] else f"-{label}"
            candidates = draw_candidates(label, labels, anchors[label_set], rng)
            wording = int(rng.integers(len(REASONING_QUESTIONS)))
            question = reasoning_question(candidates, label, wording)
            request_id = f"{name}#reasoning{suffix}"
            requests.append(
                Request(request_id, task="reasoning", label=label, question=question, **known)
            )
        if has_conversation:
            label = record["label"]
            requests.append(
                Request(f"{name}#conversation", task="conversation", label=label, **known)
            )
    return requests


def to_instruction(
    request: Request, reply: Reply, image_root: str | Path, teacher: str
) -> Instruction | None:
    """The instruction record for a reply; None if it is malformed, cut off or refused.

    Its image path is relative to `image_root`. ValueError: the image is not in this folder.
    """
    turns = parse_turns(request.task, request.question, reply.text)
    if turns is None or reply.is_cut or reply.refusal:
        return None
    image = ""
    if request.image:
        image = Path(os.path.relpath(request.image, image_root)).as_posix()
        if image.startswith("../"):
            raise ValueError(
                f"request {request.id!r}: image {request.image} is outside the folder "
                f"{image_root}; expected it inside, because image paths are stored relative to it"
            )
        (human, gpt), *later_turns = turns
        turns = ((f"{IMAGE_TOKEN}\n{human}", gpt), *later_turns)
    return Instruction(request.id, image, turns, request.task, request.label, teacher)


def _other_labels_by_votes(record: Mapping[str, object], labels: Sequence[str]) -> list[str]:
    """The other labels that have votes, most votes first; empty if no votes are known."""
    shares = {label: record.get(f"p_{label}", 0) for label in labels}
    others = [label for label in shares if label != record["label"] and shares[label] > 0]
    return sorted(others, key=lambda label: -shares[label])


def _known(record: Mapping[str, object], captions: Mapping[str, str] | None) -> dict[str, object]:
    """The fields of a Request that all requests about a record share."""
    if _UNSAFE_PATH.search(record["image"]):  # checked before requests are sent and cost money
        raise ValueError(
            f"record {record['id']!r}: image {record['image']!r}: expected a path without "
            "backslashes and without a drive letter (a:), so that instruction files can name it"
        )
    return {
        "image": record["image"],
        "label_set": record["label_set"],
        "attributes": attributes_of(record),
        "caption": (captions or {}).get(record["id"], record.get("text", "")),
    }
