"""Every text that a model is asked with, in one place, and the reading of what it answers.

From top to bottom: what a person asks a small model about an image (what the instruction data hold, what
inference asks again), then what a teacher is told in order to write the answers, then the form in which a
teacher's questions come back. Strings and what puts them together: to change a prompt, change it here.

Published by TinyEmo (arXiv 2410.07062) are CAPTION_QUESTIONS[0], LABELS and CONDITIONING; all other
wordings are ours.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tinyemo.data.instructions import IMAGE_TOKEN

if TYPE_CHECKING:  # requests are planned with these prompts
    from tinyemo.emoreason.requests import Request

# --- what a person asks ---------------------------------------------------------------------------------

CAPTION_QUESTIONS = (
    "Describe the image.",
    "Describe this image in a sentence or two.",
    "What does the image show?",
    "What can be seen here?",
    "Give a short description of the picture.",
    "Tell me what is in this picture.",
    "What is in the image?",
    "Write a caption for this image.",
    "Say in a few words what the picture shows.",
    "How would you describe this picture to someone who cannot see it?",
    "What do you see?",
    "Summarise what is visible in the image.",
    "Provide a brief caption.",
)

REASONING_QUESTIONS = (
    "What does this image make people feel, and why? Reason from what can be seen.",
    "Explain which emotion the image evokes and what in it brings that emotion about.",
    "Look at the image and reason about the feeling that it gives and the reasons for it.",
    "Which feeling does this picture stir in a viewer? Explain it by what is visible.",
    "Reason from the things in the image to the emotion that they evoke.",
    "What would someone feel on seeing this picture, and what would make them feel so?",
    "Say which emotion fits the image and give your reasons.",
    "Describe the emotional effect of the picture and the visible details that cause it.",
    "Why does this image move its viewers the way it does? Name the feeling and its causes.",
    "Tell me what emotion this image carries and how its content leads to it.",
    "Consider the objects, people and place in the image. What feeling do they bring about, and why?",
    "Work out the emotion that viewers of the image are likely to feel, and justify it.",
    "What is the feeling behind this picture? Support your answer with what you see.",
    "Give an explanation of the emotion that this image awakens.",
    "How does the image make one feel? Point to the details that matter and say why.",
    "Choose the emotion that the image evokes and explain the choice by what the image shows.",
    "Analyse the image: which emotion arises in those who look at it, and from what?",
    "What emotion comes up when you look at this, and which parts of the picture are behind it?",
    "Think about how the picture would be felt. Name the emotion and explain where it comes from.",
    "Interpret the mood of this image for me, with reasons taken from the image itself.",
)

LABELS = "Labels: [{labels}]"
CONDITIONING = "Important: note that the correct label is {label}."


def reasoning_question(candidates: Sequence[str], label: str, wording: int = 0) -> str:
    """The human turn of emotional reasoning, without image token: the instruction, the candidates, the label.

    `wording` is a position in REASONING_QUESTIONS. In training `label` is the true one; at inference it is the one
    that the projector chose, and the model writes only the reasoning. ValueError: `label` is no candidate.
    """
    if label not in candidates:
        raise ValueError(f"label {label!r}: expected one of the candidates {', '.join(candidates)}")
    return "\n".join(
        (
            REASONING_QUESTIONS[wording],
            LABELS.format(labels=", ".join(candidates)),
            CONDITIONING.format(label=label),
        )
    )


# --- what a model is asked that finds the label itself --------------------------------------------------

SELF_LABELLED = "Label: {label}\n{text}"  # its answer
_REASONING = (
    re.compile(  # a `reasoning_question`, or one of another project's that has the published lines
        "(?P<wording>.*)\n"
        + re.escape(LABELS).replace(r"\{labels\}", ".*")
        + "\n"
        + re.escape(CONDITIONING).replace(r"\{label\}", "(?P<label>.+)"),
        re.DOTALL,
    )
)
_SELF_LABELLED = re.compile(
    r"\s*Label:[ \t]*(?P<label>[^\n]*?)[ \t.]*(?:\n(?P<text>.*))?", re.DOTALL | re.I
)


def self_labelling_question(labels: Sequence[str], wording: int | str = 0) -> str:
    """`reasoning_question` to a model that is told no label: all `labels` are candidates, no line gives one away.

    `wording` is a position in REASONING_QUESTIONS, or the instruction itself.
    """
    wording = wording if isinstance(wording, str) else REASONING_QUESTIONS[wording]
    return "\n".join((wording, LABELS.format(labels=", ".join(labels))))


def read_reasoning_question(question: str) -> tuple[str, str] | None:
    """The instruction of a `reasoning_question` and the label that it gives; None if it is another question."""
    found = _REASONING.fullmatch(question)
    return (found["wording"], found["label"]) if found else None


def read_self_labelled(answer: str, labels: Sequence[str]) -> tuple[str, str]:
    """The label of an answer in the form of SELF_LABELLED, and what follows it; ("", the whole answer) where its first
    line names none of `labels` (large and small letters are the same, a full stop after it is passed over)."""
    found = _SELF_LABELLED.fullmatch(answer)
    label = found["label"].lower() if found else ""
    return (label, (found["text"] or "").strip()) if label in labels else ("", answer.strip())


# --- what a teacher is told -----------------------------------------------------------------------------

SYSTEM = (
    "You write training texts for a small model that looks at images and explains what they make people feel. "
    "Speak only of what {source}. Never add an object, a person, a place or an event of your own, and do not guess "
    "at what happened before or after. Write in plain English, as someone who looks at the image: never mention a "
    "description, a caption, a list, a label, or that you were told anything."
)
SOURCES = {
    True: "can be seen in the image",
    False: "the description of the image names",
}  # by: it sees the image

KNOWN = {True: "What is known about the image:\n{facts}", False: "The image:\n{facts}"}

_FORM = "Use exactly this form, with nothing before or after it:\nQuestion: <the question>\nAnswer: <the answer>"

ASSIGNMENTS = {
    "caption": (
        "Describe the image in one to three sentences. Say what is visible and nothing else; name no emotion."
    ),
    "vqa": (
        "Write one question about something visible in the image (what, who, where, how many, what colour, what is "
        "being done), which the image answers beyond doubt, and its answer in one sentence. Name no emotion.\n"
        + _FORM
    ),
    "sentiment": (
        "The image makes people feel {label}. Write one question about the feeling that the image gives, without "
        "naming a feeling in it, and the answer in one or two sentences: it names {label}, no other emotion, and what "
        "in the image brings it about.\n" + _FORM
    ),
    "reasoning": (
        "The image makes people feel {label}. In two to four sentences, explain why: name two or three visible things "
        "that bring this feeling about, say of each how it leads to {label}, and draw the conclusion. Name no other "
        "emotion as felt."
    ),
    "conversation": (
        "The image makes people feel {label}. Write a conversation of three questions by someone curious about the "
        "image and three answers: first about what is visible, then about the feeling that the image gives, last about "
        "why. Questions name no emotion; answers name {label} and no other emotion as felt.\n"
        + _FORM
        + "\nand so on for all three."
    ),
}


def teacher_messages(request: "Request", sees_image: bool = False) -> list[dict[str, str]]:
    """What a teacher is told for `request`: OpenAI chat messages, one system and one user turn.

    `sees_image`: the teacher is shown the image beside these words. ValueError: it is not, and there is neither
    caption nor attribute to write from; or the request's task needs a label and has none.
    """
    facts = facts_of(request)
    if not (facts or sees_image):
        raise ValueError(
            f"request {request.id!r}: expected a caption or attributes, for the teacher does not see "
            "the image"
        )
    if "{label}" in ASSIGNMENTS[request.task] and not request.label:
        raise ValueError(f"request {request.id!r}: task {request.task!r} needs a label")
    known = [KNOWN[sees_image].format(facts=facts)] if facts else []
    return [
        {"role": "system", "content": SYSTEM.format(source=SOURCES[sees_image])},
        {
            "role": "user",
            "content": "\n\n".join([*known, ASSIGNMENTS[request.task].format(label=request.label)]),
        },
    ]


def facts_of(request: "Request") -> str:
    """What a teacher is told of the image of `request`; "" where neither caption nor attributes say anything."""
    return "\n".join(
        filter(None, (request.caption.strip(), describe_attributes(request.attributes)))
    )


def prompts_key() -> str:
    """Hash of all that teachers are told apart from the requests: answers to other prompts are other answers."""
    return hashlib.sha256(
        json.dumps([SYSTEM, KNOWN, SOURCES, ASSIGNMENTS, NAMES, LIGHT]).encode()
    ).hexdigest()[:16]


# --- attributes in words --------------------------------------------------------------------------------

NAMES = {  # of EmoSet's attributes and the scenes'; another attribute is called what its column is called
    "scene": "Place",
    "background": "Place",
    "weather": "Weather",
    "time": "Time of day",
    "object": "Things",
    "human_action": "What people do",
    "action": "What the person does",
    "facial_expression": "Facial expression",
    "expression": "Facial expression",
    "style": "Kind of picture",
}
LIGHT = {  # attribute in [0, 1] -> (up to this value, in words); "": not worth a word
    "brightness": (
        (0.15, "very dark"),
        (0.35, "dark"),
        (0.65, ""),
        (0.85, "bright"),
        (1.0, "very bright"),
    ),
    "colorfulness": (
        (0.15, "almost without colour"),
        (0.35, "pale"),
        (0.65, ""),
        (0.85, "colourful"),
        (1.0, "very colourful"),
    ),
}


def describe_attributes(attributes: Mapping[str, object]) -> str:
    """Attributes in words, a line each: "Things: alarm clock, dog". "" where there is nothing to say.

    Values are text or lists of text; of numbers only brightness and colorfulness are visible, all others (votes,
    valence, in lists too) are left out, and so is what is empty, None or NaN.
    """
    lines, light = [], []
    for name, value in attributes.items():
        if name in LIGHT and isinstance(value, (int, float)):
            light += [words for limit, words in LIGHT[name] if value <= limit][:1]  # none for NaN
        words = (
            [value] if isinstance(value, str) else value if isinstance(value, (list, tuple)) else []
        )
        words = [
            re.sub(r"[_/]+", " ", word).strip().lower() for word in words if isinstance(word, str)
        ]
        if any(words):
            lines.append(
                f"{NAMES.get(name, name.replace('_', ' ').capitalize())}: {', '.join(filter(None, words))}"
            )
    if any(light):
        lines.append(f"The picture is {' and '.join(filter(None, light))}")
    return "\n".join(lines)


# --- what comes back ------------------------------------------------------------------------------------

MOST_TURNS = {
    "vqa": 1,
    "sentiment": 1,
    "conversation": 5,
}  # of tasks whose questions the teacher writes
_STRAY = re.compile(
    f"{IMAGE_TOKEN}|[\ud800-\udfff]"
)  # JSON can say half of a character, a file cannot
_FENCE = re.compile(r"```\w*\n?(.*?)(?:```|\Z)", re.DOTALL)
_MARK = re.compile(  # "Question:", "**Q1:**", "2. Question:", "### Answer 2:" at a line's start, or after a sentence
    r"(?:^[ \t>#*_-]*(?:\d+\s*[.)]\s*)?[*_]*|(?<=[.?!]\s))(question|answer|q|a)\s*\d*\s*[*_]*:",
    re.I | re.M,
)


def parse_turns(task: str, question: str, text: str) -> tuple[tuple[str, str], ...] | None:
    """The (human, gpt) turns of a teacher's `text`; None if it is malformed.

    caption, reasoning: `question` and the whole text. vqa, sentiment: one pair, conversation: one to five pairs of
    "Question: ..." and "Answer: ..." in turn; JSON objects with these keys and the usual ornaments are read too.
    Turns without their other half, more of them than were asked for, stray image tokens and halves of a character are
    malformed. A text that is blank is an empty answer, for the filter of that name to count.
    """
    if not text.strip():
        return ((question, ""),)
    if task in MOST_TURNS:
        turns = _pairs(text)
        fits = 0 < len(turns) <= MOST_TURNS[task]
    else:
        turns, fits = [(question, text.strip())], True
    whole = all(all(turn) and not _STRAY.search("".join(turn)) for turn in turns)
    return tuple(turns) if fits and whole else None


def _pairs(text: str) -> list[tuple[str, str]]:
    """The pairs of a text in the teacher's form; [] where it does not have it."""
    fenced = _FENCE.search(text)
    text = (fenced[1] if fenced else text).strip()
    if text.startswith(("[", "{")):
        try:
            return _json_pairs(json.loads(text))
        except ValueError:
            return []
    _, *found = _MARK.split(text)  # what stands before the first mark, then kinds and texts in turn
    kinds, parts = (
        "".join(kind[0].lower() for kind in found[::2]),
        [_clean(part) for part in found[1::2]],
    )
    return (
        list(zip(parts[::2], parts[1::2], strict=True)) if kinds == "qa" * (len(kinds) // 2) else []
    )


def _json_pairs(value: object) -> list[tuple[str, str]]:
    """[{"question": ..., "answer": ...}, ...], one such object, or either under a single key."""
    if isinstance(value, dict) and len(value) == 1:
        (value,) = value.values()
    items = value if isinstance(value, list) else [value]
    lowered = [
        {str(key).lower(): said for key, said in item.items()}
        for item in items
        if isinstance(item, dict)
    ]
    pairs = [(item.get("question"), item.get("answer")) for item in lowered]
    whole = len(pairs) == len(items) and all(
        isinstance(said, str) for pair in pairs for said in pair
    )
    return [(_clean(question), _clean(answer)) for question, answer in pairs] if whole else []


def _clean(said: str) -> str:
    return said.replace("**", "").strip(" \t\n*").rstrip("-# \n")
