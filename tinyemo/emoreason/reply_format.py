"""The form of a teacher's reply, and how it is parsed: a text -> (human, gpt) turns.

Teachers write "Question: ..." and "Answer: ..." (see `answer_form` in teacher_prompts.yaml).
Models vary this form, so the usual variants are accepted too: numbers, bold type, headings, JSON.
What models put around a text (thoughts, code fences, chatter) is removed by reply_cleaning.py.
"""

import json
import re

from tinyemo.data.instructions import IMAGE_TOKEN
from tinyemo.emoreason.reply_cleaning import clean, is_unfinished

# The tasks whose questions the teacher writes too -> the most pairs of question and answer.
MOST_TURNS = {"vqa": 1, "sentiment": 1, "conversation": 5}

# Image tokens, and halves of a surrogate pair. JSON can encode such a half, a UTF-8 file cannot.
_FORBIDDEN = re.compile(f"{IMAGE_TOKEN}|[\ud800-\udfff]")
# "Question:", "**Q1:**", "2. Question:", "### Answer 2:" at a line's start or after a sentence.
_MARK = re.compile(
    r"(?:^[ \t>#*_-]*(?:\d+\s*[.)]\s*)?[*_]*|(?<=[.?!]\s))(question|answer|q|a)\s*\d*\s*[*_]*:",
    re.IGNORECASE | re.MULTILINE,
)


def parse_turns(task: str, question: str, text: str) -> tuple[tuple[str, str], ...] | None:
    """The (human, gpt) turns of a teacher's `text`; None if the text is malformed.

    caption, reasoning: one turn, `question` and the whole text, which may also be the only value
    of a JSON object. vqa, sentiment: one pair of "Question: ..." and "Answer: ...". conversation:
    one to five such pairs. JSON objects with these two keys are read too.

    A text is malformed if a question has no answer (or the reverse), if there are more pairs than
    the task allows, if it holds an image token or half a surrogate pair, if thoughts or other marks
    cannot be removed from it, or if it stops in the middle of a sentence. A blank text is not
    malformed: it gives an empty answer, which the filter "empty" counts.
    """
    text = clean(text)
    if text is None:
        return None
    if not text:
        return ((question, ""),)
    if task in MOST_TURNS:
        turns = _pairs(text)
        if not 0 < len(turns) <= MOST_TURNS[task]:
            return None
    else:
        turns = [(question, _whole_text(text))]
    for human, gpt in turns:
        if not (human and gpt) or _FORBIDDEN.search(human + gpt):
            return None
    if is_unfinished(turns[-1][1]):
        return None
    return tuple(turns)


def _whole_text(text: str) -> str:
    """The text, or the text that is the only value of a JSON object; "" for any other JSON."""
    if not text.startswith(("[", "{")):
        return text
    try:
        value = json.loads(text)
    except ValueError:
        return ""
    if isinstance(value, dict) and len(value) == 1:
        (value,) = value.values()
    return value.strip() if isinstance(value, str) else ""


def _pairs(text: str) -> list[tuple[str, str]]:
    """The pairs of question and answer in a text; [] if the text does not have the form."""
    if text.startswith(("[", "{")):
        try:
            return _json_pairs(json.loads(text))
        except ValueError:
            return []
    # the text before the first mark, then mark, text, mark, text, ...
    _, *pieces = _MARK.split(text)
    kinds = "".join(mark[0].lower() for mark in pieces[::2])  # such as "qaqa"
    contents = [_clean(piece) for piece in pieces[1::2]]
    if kinds != "qa" * (len(kinds) // 2):
        return []
    return list(zip(contents[::2], contents[1::2], strict=True))


def _json_pairs(value: object) -> list[tuple[str, str]]:
    """The pairs in a list of {"question": ..., "answer": ...}, or in one such object.

    Either may be the value of a single key.
    """
    if isinstance(value, dict) and len(value) == 1:
        (value,) = value.values()
    pairs = []
    for item in value if isinstance(value, list) else [value]:
        if not isinstance(item, dict):
            return []
        fields = {str(key).lower(): content for key, content in item.items()}
        question, answer = fields.get("question"), fields.get("answer")
        if not (isinstance(question, str) and isinstance(answer, str)):
            return []
        pairs.append((_clean(question), _clean(answer)))
    return pairs


def _clean(text: str) -> str:
    """The text without bold marks, and without the next pair's list mark or heading at its end."""
    return text.replace("**", "").strip(" \t\n*").rstrip("-# \n")
