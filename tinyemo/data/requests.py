"""What a teacher is asked, and what it gives back: the seam between images and who writes about them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class Request:
    """One thing to be written about one image."""

    id: str  # unique: "<record id>#<task>", with "-<label>" where an image has several of a task
    image: str  # path to open; "" where a teacher works from words alone
    task: str  # one of instructions.TASKS
    label: str  # the emotion that is given
    label_set: str
    question: str = ""  # the human turn, where we ask (caption, reasoning); "" where the teacher asks (vqa, ...)
    caption: str = ""  # what is known of the image in words
    attributes: dict = field(default_factory=dict)  # attribute -> value, number or list of words


@dataclass(frozen=True)
class Reply:
    """What a teacher wrote to one request, and what it cost in tokens."""

    id: str  # of the request
    text: str
    prompt_tokens: int = 0
    completion_tokens: int = 0


class Teacher(Protocol):
    """Whoever writes answers. `name` goes into the records, `key` changes when its answers would."""

    name: str
    key: str

    def replies(self, requests: Sequence[Request]) -> Iterator[Reply]:
        """Replies as they come, in any order; a request without one stays unanswered."""
