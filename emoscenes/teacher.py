"""The scene grammar as a teacher: EmoReason's texts on embedded scenes, true of them by construction.

Takes requests whose attributes are those of a scene (the seven of `scenes.ATTRIBUTES`, brightness and colorfulness
in [0, 1]); gives captions and questions of worlds/questions.py, rationales and conversations of
worlds/rationales.py. What is written for a request depends on the seed and its id, not on the others around it.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from zlib import crc32

import numpy as np

from emoscenes.evidence import evidence
from emoscenes.scenes import ATTRIBUTES, CONTINUOUS
from emoscenes.text.questions import describe, question_about, sentiment_question
from emoscenes.text.rationales import conversation, rationale
from tinyemo.code_digest import code_digest
from tinyemo.emoreason.requests import Reply, Request
from tinyemo.emotions import GROUPS

EXPLAINED = ("reasoning", "conversation")  # tasks that need evidence


class GrammarTeacher:
    """Implements `data.requests.Teacher`; a request whose label has no evidence in its scene gets no reply.

    `held_out`: rationales and conversations in the sentence skeletons kept out of training, else in all others.
    `full`: rationales name all the evidence.
    """

    unanswered_reason, note = "no evidence", ""

    def __init__(self, seed: int, held_out: bool = False, full: bool = False) -> None:
        self.seed, self.held_out, self.full = seed, held_out, full
        self.name = "scene grammar" + ", in full" * full + ", held-out wordings" * held_out
        self.usage: dict[str, float] = {}
        digest = hashlib.sha256(f"{seed} {held_out} {full}".encode())
        digest.update(code_digest(__name__).encode())
        self.key = digest.hexdigest()[:16]

    def replies(self, requests: Sequence[Request]) -> Iterator[Reply]:
        """A reply for each request, in order. ValueError names the request and what is wrong with it."""
        for request in requests:
            _check(request)
            if request.task in EXPLAINED and not evidence(
                request.attributes, request.label, request.label_set
            ):
                continue
            rng = np.random.default_rng((self.seed, crc32(request.id.encode())))
            yield Reply(request.id, _WRITE[request.task](self, request, rng))


def _turns(*turns: tuple[str, str]) -> str:
    return "\n".join(f"Question: {question}\nAnswer: {answer}" for question, answer in turns)


_WRITE: dict[str, Callable[[GrammarTeacher, Request, np.random.Generator], str]] = {
    "caption": lambda _, r, rng: describe(r.attributes, rng),
    "vqa": lambda _, r, rng: _turns(question_about(r.attributes, rng)),
    "sentiment": lambda _, r, rng: _turns(
        sentiment_question(r.attributes, r.label, r.label_set, rng)
    ),
    "reasoning": lambda t, r, rng: rationale(
        r.attributes, r.label, r.label_set, rng, t.held_out, t.full
    ),
    "conversation": lambda t, r, rng: _turns(
        *conversation(r.attributes, r.label, r.label_set, rng, t.held_out)
    ),
}


def _check(request: Request) -> None:
    def refuse(key: str, found: object, expected: str) -> None:
        raise ValueError(f"request {request.id!r}: {key} is {found!r}, expected {expected}")

    attributes: Mapping[str, object] = request.attributes
    if request.task not in _WRITE:
        refuse("task", request.task, f"one of {', '.join(_WRITE)}")
    for key in (*ATTRIBUTES, *CONTINUOUS):
        if key not in attributes:
            raise ValueError(
                f"request {request.id!r}: attribute {key!r} is missing, expected those of a scene: "
                f"{', '.join((*ATTRIBUTES, *CONTINUOUS))}"
            )
    for key, values in ATTRIBUTES.items():
        if attributes[key] not in values:
            refuse(f"attribute {key!r}", attributes[key], f"one of {', '.join(values)}")
    for key in CONTINUOUS:
        if not isinstance(attributes[key], (int, float)) or not 0 <= attributes[key] <= 1:
            refuse(f"attribute {key!r}", attributes[key], "a number in [0, 1]")
    if request.task not in ("caption", "vqa") and request.label not in GROUPS.get(
        request.label_set, ()
    ):
        refuse("label", f"{request.label_set}:{request.label}", f"a label of {', '.join(GROUPS)}")
