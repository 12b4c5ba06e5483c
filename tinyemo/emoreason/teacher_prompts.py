"""The messages that a teacher gets: what is known about the image, and the assignment.

Owns the wordings (teacher_prompts.yaml), the words for attributes, and a hash of both. Takes
requests (requests.py); gives OpenAI chat messages.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path

import yaml

from tinyemo.emoreason.requests import Request

_FILE = Path(__file__).with_name("teacher_prompts.yaml")
_TEXTS = yaml.safe_load(_FILE.read_text(encoding="utf-8"))

SYSTEM = _TEXTS["system"]
SOURCES = _TEXTS["sources"]  # whether the teacher sees the image -> what it may write about
FACTS_HEADING = _TEXTS["facts_heading"]  # likewise -> how the facts are introduced
ASSIGNMENTS = {
    task: text.replace("{form}", _TEXTS["answer_form"])
    for task, text in _TEXTS["assignments"].items()
}
ATTRIBUTE_NAMES = _TEXTS["attribute_names"]  # attribute -> what it is called
LIGHT_WORDS = _TEXTS["light_words"]  # attribute in [0, 1] -> [upper limit, words] in rising order


def teacher_messages(request: Request, sees_image: bool = False) -> list[dict[str, str]]:
    """OpenAI chat messages for `request`: one system turn and one user turn.

    `sees_image`: the teacher gets the image beside these messages. ValueError: the teacher does
    not see the image and the request has neither caption nor attributes; or the request's task
    needs a label and has none.
    """
    facts = facts_of(request)
    if not (facts or sees_image):
        raise ValueError(
            f"request {request.id!r}: expected a caption or attributes, because the teacher does "
            "not see the image"
        )
    assignment = ASSIGNMENTS[request.task]
    if "{label}" in assignment and not request.label:
        raise ValueError(
            f"request {request.id!r}: no label, expected one for task {request.task!r}"
        )
    user = assignment.format(label=request.label)
    if facts:
        user = FACTS_HEADING[sees_image].format(facts=facts) + "\n\n" + user
    return [
        {"role": "system", "content": SYSTEM.format(source=SOURCES[sees_image])},
        {"role": "user", "content": user},
    ]


def facts_of(request: Request) -> str:
    """What is known about the image in words: caption and attributes; "" if there is neither."""
    parts = (request.caption.strip(), describe_attributes(request.attributes))
    return "\n".join(part for part in parts if part)


def prompts_key() -> str:
    """Hash of all texts of a teacher's messages that do not come from the request."""
    texts = [SYSTEM, FACTS_HEADING, SOURCES, ASSIGNMENTS, ATTRIBUTE_NAMES, LIGHT_WORDS]
    return hashlib.sha256(json.dumps(texts).encode()).hexdigest()[:16]


def describe_attributes(attributes: Mapping[str, object]) -> str:
    """Attributes in words, one line per attribute, such as "Things: alarm clock, dog".

    The text is "" if nothing can be described.

    Values are text or lists of text. Of numbers, only brightness and colorfulness are visible.
    All other numbers (votes, valence; also in lists) are left out, and so are empty values, None
    and NaN.
    """
    lines = []
    light = []
    for name, value in attributes.items():
        if name in LIGHT_WORDS and isinstance(value, (int, float)):
            light.append(_light_word(name, value))
        if words := _words(value):
            lines.append(f"{_attribute_name(name)}: {', '.join(words)}")
    if any(light):
        lines.append("The picture is " + " and ".join(word for word in light if word))
    return "\n".join(lines)


def _light_word(name: str, value: float) -> str:
    """The word for a value of brightness or colorfulness; "" for a middle value, and for NaN."""
    for limit, word in LIGHT_WORDS[name]:
        if value <= limit:
            return word
    return ""


def _words(value: object) -> list[str]:
    """The texts in an attribute's value, in lower case, with spaces for underscores and slashes."""
    values = value if isinstance(value, (list, tuple)) else [value]
    texts = [one for one in values if isinstance(one, str)]
    cleaned = [re.sub(r"[_/]+", " ", text).strip().lower() for text in texts]
    return [text for text in cleaned if text]


def _attribute_name(name: str) -> str:
    return ATTRIBUTE_NAMES.get(name, name.replace("_", " ").capitalize())
