"""What a teacher is asked, and what it gives back: the seam between images and who writes about them.

Owns: requests and replies, which requests a table of records gives rise to, and how a reply becomes an
instruction record. Takes records (data/records.py) and label anchors; the words of all questions are those of
data/prompts.py. What is drawn for a record depends on the seed and its id, not on the records around it.
"""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from zlib import crc32

import numpy as np
import pandas as pd

from tinyemo.data.instructions import IMAGE_TOKEN, Instruction
from tinyemo.emoreason.prompts import (
    CAPTION_QUESTIONS,
    REASONING_QUESTIONS,
    parse_turns,
    reasoning_question,
)
from tinyemo.emotions import labels_of

_UNNAMEABLE = re.compile(
    r"\\|(?:^|/)[^/]:"
)  # what may lead out of a folder somewhere: data/instructions.py


@dataclass(frozen=True)
class Request:
    """One thing to be written about one image."""

    id: str  # unique: "<record id>#<task>", for any but the record's own label "<record id>#<task>-<label>"
    image: str  # path to open; "" where a teacher works from words alone
    task: str  # one of instructions.TASKS
    label: str  # the emotion that is given; "" where none is (caption, vqa)
    label_set: str
    question: str = ""  # the human turn, where we ask (caption, reasoning); "" where the teacher asks (vqa, ...)
    caption: str = ""  # what is known of the image in words
    attributes: dict = field(default_factory=dict)  # attribute -> value, number or list of words


@dataclass(frozen=True)
class Reply:
    """What a teacher wrote to one request, and what that cost, attempts that came to nothing included."""

    id: str  # of the request
    text: str
    prompt_tokens: int = 0
    completion_tokens: int = 0
    dollars: float = 0.0


class Teacher(Protocol):
    """Whoever writes answers. `name` goes into the records, `key` changes when its answers would."""

    name: str
    key: str
    silence: str  # the reason under which the requests that it leaves unanswered are counted
    note: str  # why requests stayed unanswered, in one sentence; "" where there is nothing to say
    usage: dict[
        str, float
    ]  # counts of this session's work, for the manifest; empty where nothing is counted

    def replies(self, requests: Sequence[Request]) -> Iterator[Reply]:
        """Replies as they come, in any order; a request without one stays unanswered."""


def attributes_of(record: Mapping[str, object]) -> dict[str, object]:
    """A record's attr_ columns without the prefix, as text, numbers and lists of them; empty and NaN left out."""
    found = {
        name.removeprefix("attr_"): value.tolist()
        if isinstance(value, (np.ndarray, np.generic))
        else value
        for name, value in record.items()
        if name.startswith("attr_")
    }
    return {
        name: value
        for name, value in found.items()
        if (value not in ("", []) if isinstance(value, (str, list)) else not pd.isna(value))
    }


def draw_candidates(
    label: str,
    labels: Sequence[str],
    anchors: np.ndarray,
    rng: np.random.Generator,
) -> tuple[str, str, str]:
    """`label` and two distractors in random order: one from the half of the other labels that lies nearer to it in
    the space of anchors, one from the farther half (the middle one of an odd number counts as near).

    `anchors` (C, D) are those of `labels`, row by row. Nearness is the cosine after their mean is subtracted: the
    embeddings of words share a direction, which says nothing of how one emotion differs from another.
    ValueError: fewer than three labels, `label` not among them, or not one anchor a label.
    """
    anchors = np.asarray(anchors, dtype=float)
    if label not in labels or len(labels) < 3 or len(anchors) != len(labels):
        raise ValueError(
            f"cannot draw candidates for {label!r} from {len(labels)} labels and {len(anchors)} anchors: "
            "expected it among at least three labels, and an anchor for each"
        )
    own = labels.index(label)
    offsets = anchors - anchors.mean(axis=0)
    lengths = np.linalg.norm(offsets, axis=1)
    cosines = offsets @ offsets[own] / np.maximum(lengths * lengths[own], 1e-12)  # (C,)
    others = [row for row in np.argsort(-cosines, kind="stable") if row != own]  # nearest first
    middle = (len(others) + 1) // 2
    drawn = [label, labels[rng.choice(others[:middle])], labels[rng.choice(others[middle:])]]
    return tuple(drawn[place] for place in rng.permutation(3))


def plan_pretraining(
    records: pd.DataFrame, seed: int, captions: Mapping[str, str] | None = None
) -> list[Request]:
    """Three requests an image: caption, vqa and sentiment in random order, images in the order of the records.

    `captions`: what is known of images in words, by record id; of others it is the record's text. Caption and vqa
    are asked for without the label. ValueError: an image whose path instruction files cannot hold.
    """
    requests = []
    for record in records.to_dict("records"):
        rng = _generator(seed, record["id"], 0)
        known = _known(record, captions)
        question = CAPTION_QUESTIONS[rng.integers(len(CAPTION_QUESTIONS))]
        three = [
            Request(
                f"{record['id']}#caption", task="caption", label="", question=question, **known
            ),
            Request(f"{record['id']}#vqa", task="vqa", label="", **known),
            Request(f"{record['id']}#sentiment", task="sentiment", label=record["label"], **known),
        ]
        requests += [three[place] for place in rng.permutation(3)]
    return requests


def plan_finetuning(
    records: pd.DataFrame,
    anchors: Mapping[str, np.ndarray],
    seed: int,
    per_image: int = 1,
    conversations: float = 0.1,
    captions: Mapping[str, str] | None = None,
) -> list[Request]:
    """A reasoning request for each record's label, and conversations for a share of the records.

    `anchors`: label set -> (C, D), in the order of `emotions.labels_of`. Where annotators' shares are known, up to
    `per_image` reasoning requests an image: the same picture under the labels most voted for next asks for another
    explanation. `captions` as above. ValueError: as above, or a label set without anchors.
    """
    requests = []
    for record in records.to_dict("records"):
        labels, name, known = (
            labels_of(record["label_set"]),
            record["label_set"],
            _known(record, captions),
        )
        if name not in anchors:
            raise ValueError(
                f"record {record['id']!r}: no anchors for its label set {name!r}: expected some for "
                f"each of {', '.join(sorted(set(records['label_set'])))}"
            )
        rng = _generator(seed, record["id"], 1)
        talks = rng.random() < conversations
        shares = {
            label: record.get(f"p_{label}", 0) for label in labels if label != record["label"]
        }
        voted = sorted(
            (label for label in shares if shares[label] > 0), key=lambda label: -shares[label]
        )
        for label in [record["label"], *voted][:per_image]:
            suffix = "" if label == record["label"] else f"-{label}"
            candidates = draw_candidates(label, labels, anchors[name], rng)
            question = reasoning_question(
                candidates, label, int(rng.integers(len(REASONING_QUESTIONS)))
            )
            requests.append(
                Request(
                    f"{record['id']}#reasoning{suffix}",
                    task="reasoning",
                    label=label,
                    question=question,
                    **known,
                )
            )
        if talks:
            requests.append(
                Request(
                    f"{record['id']}#conversation",
                    task="conversation",
                    label=record["label"],
                    **known,
                )
            )
    return requests


def to_instruction(
    request: Request, reply: Reply, image_root: str | Path, teacher: str
) -> Instruction | None:
    """The record that a reply makes, its image relative to `image_root`; None if the reply is malformed.

    ValueError: the image does not lie under `image_root`.
    """
    turns = parse_turns(request.task, request.question, reply.text)
    if turns is None:
        return None
    image = ""
    if request.image:
        image = Path(os.path.relpath(request.image, image_root)).as_posix()
        if image.startswith("../"):
            raise ValueError(
                f"request {request.id!r}: image {request.image} lies outside the folder {image_root}, "
                "relative to which images are named"
            )
        turns = ((f"{IMAGE_TOKEN}\n{turns[0][0]}", turns[0][1]), *turns[1:])
    return Instruction(request.id, image, turns, request.task, request.label, teacher)


def _generator(seed: int, record: str, part: int) -> np.random.Generator:
    return np.random.default_rng([seed, crc32(record.encode()), part])


def _known(record: Mapping[str, object], captions: Mapping[str, str] | None) -> dict[str, object]:
    if _UNNAMEABLE.search(record["image"]):  # said here, before a teacher is paid
        raise ValueError(
            f"record {record['id']!r}: image {record['image']!r}: expected a path without backslashes and "
            "without a drive letter (a:), so that instruction files can name it"
        )
    return {
        "image": record["image"],
        "label_set": record["label_set"],
        "attributes": attributes_of(record),
        "caption": (captions or {}).get(record["id"], record.get("text", "")),
    }
