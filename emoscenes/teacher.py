"""The scene grammar as a teacher: EmoReason's texts on EmoScenes, true of the scenes by
construction.

Takes requests whose attributes are those of a scene (the seven of `scenes.ATTRIBUTES`, and
brightness and colorfulness in [0, 1]); gives captions and questions of `text.questions`, rationales
and conversations of `text.rationales`. The text for a request depends on the seed and on its id,
not on the other requests.
"""

import hashlib
from collections.abc import Collection, Iterator, Sequence
from zlib import crc32

import numpy as np

from emoscenes.evidence import evidence
from emoscenes.scenes import ATTRIBUTES, CONTINUOUS
from emoscenes.text.questions import describe, question_about, sentiment_question
from emoscenes.text.rationales import conversation, rationale
from tinyemo.code_digest import code_digest
from tinyemo.emoreason.requests import Reply, Request
from tinyemo.emotions import GROUPS

TASKS = ("caption", "vqa", "sentiment", "reasoning", "conversation")
WITHOUT_LABEL = ("caption", "vqa")
EXPLAINED = ("reasoning", "conversation")  # tasks that need evidence


class GrammarTeacher:
    """Implements `tinyemo.emoreason.requests.Teacher`.

    A request for an explanation gets no reply where nothing in the scene is evidence for its label.

    held_out: rationales and conversations use the sentence patterns that are kept out of training;
        else they use all others.
    full: rationales name all the evidence.
    """

    unanswered_reason, note = "no evidence", ""

    def __init__(self, seed: int, held_out: bool = False, full: bool = False) -> None:
        self.seed, self.held_out, self.full = seed, held_out, full
        self.name = "scene grammar" + ", in full" * full + ", held-out wordings" * held_out
        self.usage: dict[str, float] = {}
        digest = hashlib.sha256(f"{seed} {held_out} {full}".encode())
        digest.update(code_digest(__name__).encode())
        self.key = digest.hexdigest()[:16]

    def replies(
        self, requests: Sequence[Request], failed_before: Collection[str] = ()
    ) -> Iterator[Reply]:
        """The replies, in the order of the requests.

        A request to explain a label without evidence in the scene gets no reply. ValueError names
        the request and what is wrong.
        """
        for request in requests:
            _check(request)
            if request.task in EXPLAINED and not evidence(
                request.attributes, request.label, request.label_set
            ):
                continue
            rng = np.random.default_rng((self.seed, crc32(request.id.encode())))
            yield Reply(request.id, self._write(request, rng))

    def _write(self, request: Request, rng: np.random.Generator) -> str:
        scene = request.attributes
        label = (request.label, request.label_set)
        if request.task == "caption":
            return describe(scene, rng)
        if request.task == "reasoning":
            return rationale(scene, *label, rng, self.held_out, self.full)
        if request.task == "vqa":
            turns = [question_about(scene, rng)]
        elif request.task == "sentiment":
            turns = [sentiment_question(scene, *label, rng)]
        else:
            turns = conversation(scene, *label, rng, self.held_out)
        return "\n".join(f"Question: {question}\nAnswer: {answer}" for question, answer in turns)


def _check(request: Request) -> None:
    """ValueError: an unknown task, label or attribute value, or a missing attribute."""

    def refuse(key: str, found: object, expected: str) -> None:
        raise ValueError(f"request {request.id!r}: {key} is {found!r}, expected {expected}")

    if request.task not in TASKS:
        refuse("task", request.task, f"one of {', '.join(TASKS)}")
    names = (*ATTRIBUTES, *CONTINUOUS)
    for name in names:
        if name not in request.attributes:
            raise ValueError(
                f"request {request.id!r}: attribute {name!r} is missing, expected those of a "
                f"scene: {', '.join(names)}; for other pictures, choose a teacher "
                "local:<checkpoint> or api:<model>"
            )
    for name, values in ATTRIBUTES.items():
        value = request.attributes[name]
        if value not in values:
            refuse(f"attribute {name!r}", value, f"one of {', '.join(values)}")
    for name in CONTINUOUS:
        value = request.attributes[name]
        if not isinstance(value, (int, float)) or not 0 <= value <= 1:
            refuse(f"attribute {name!r}", value, "a number in [0, 1]")
    if request.task not in WITHOUT_LABEL and request.label not in GROUPS.get(request.label_set, ()):
        refuse("label", f"{request.label_set}:{request.label}", f"a label of {', '.join(GROUPS)}")
