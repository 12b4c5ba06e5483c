"""What surrounds the text that a teacher was asked for: thoughts, code fences, chatter.

Takes a teacher's reply as it came; gives the text alone, or None if the two cannot be told apart.
Owns these rules for all readers of replies (reply_format.py, evaluation/judge.py):

- Thoughts stand between two tags, such as <think> and </think>. A closing tag alone ends a thought
  that began in the prompt. An opening tag alone begins a thought that was cut off: such a reply
  holds no answer.
- A code fence is removed if nothing but chatter stands outside it.
- An opening such as "Sure! Here is the caption:" and an ending such as "Let me know if you need
  more." are chatter and are removed. They are recognised by fixed phrases. A sentence about the
  image, such as "Here is a dog on a beach.", stays.
- Control characters and colours of a terminal are removed.
- Marks of this kind in the middle of a text, and thoughts without tags, cannot be removed safely:
  the whole text is refused.

Also finds texts that stop in the middle of a sentence.
"""

import re

_NAMES = r"think|thinking|thoughts?|reason|reasoning|reflection|scratchpad|analysis"
_OPENED = rf"(?:[<\[◁]\s*(?:\w+:)?(?:{_NAMES})\s*[>\]▷]|<\|begin_of_thought\|>)"
_CLOSED = rf"(?:[<\[◁]\s*/\s*(?:\w+:)?(?:{_NAMES})\s*[>\]▷]|<\|end_of_thought\|>)"
_TAG = re.compile(rf"(?P<opened>{_OPENED})|(?P<closed>{_CLOSED})", re.IGNORECASE)
# The channels of gpt-oss. The answer is in the channel "final".
_CHANNEL = re.compile(r"<\|channel\|>\s*(\w+)\s*<\|message\|>")
# The start of a thought without tags: a plan about the task, not about the image.
_PLAN = re.compile(
    r"(?:(?:okay|ok|alright|hmm|wait|well|so|first|now)\b[,.]*\s*)*"
    r"(?:the user (?:wants|asks|asked|is asking|has|gave|needs)|i (?:need|have) to|i should"
    r"|(?:let me|let's|let us) (?:think|see|start|begin|analy[sz]e)|we (?:need|have) to)\b",
    re.IGNORECASE,
)

# A tag around the answer, and the tokens that end a turn of a chat.
_ANSWER = re.compile(r"<(answer|output|response)>(.*)</\1>", re.IGNORECASE | re.DOTALL)
_TURN_END = re.compile(r"(?:\s*(?:<\|\w+\|>|</s>|<end_of_turn>|<eos>))+\s*$")
# A fence on lines of its own, or within a line. Without a second mark it reaches the text's end.
_FENCE = re.compile(r"(```|~~~)(?:[\w-]*[ \t]*\n)?(.*?)(?:\1|\Z)", re.DOTALL)

_TEXT = (
    r"(?:captions?|descriptions?|explanations?|answers?|questions?|conversations?|dialogues?"
    r"|responses?|reasoning|texts?|sentences?|paragraphs?|pairs?|versions?|examples?)"
)
_OPENINGS = (
    # a comma only before "here" or "I": "Certainly, the dog" may begin a sentence about the image
    r"(?:sure(?: thing)?|certainly|of course|absolutely|gladly|no problem|okay|ok|alright|got it)"
    r"\s*(?:[!.:]+|[,—–-]+\s*(?=here\b|i\b|i'))\s*",
    r"i(?:'d|'m| would| am)(?: be)? (?:happy|glad|pleased) to [^.!:\n]*[.!:]\s*",
    rf"(?:here(?:'s| is| are)|below is|the following is) [^.!?:\n]*?\b{_TEXT}\b[^.!?:\n]*"
    r"(?::|[.!]?\n)\s*",
    r"here (?:you go|it is|is one)\s*[!.:]+\s*",
    # a heading
    r"(?:#+[ \t]*)?[*_]*(?:caption|description|explanation|response|output|final answer)[*_]*:"
    r"[*_]*\s*",
    r"[-*_]{3,}[ \t]*\n\s*",
)
_ENDINGS = (
    r"(?:please )?let me know\b[^.!?\n]*",
    r"(?:i )?hope (?:this|that|it) (?:helps|is|meets|works)\b[^.!?\n]*",
    r"(?:please )?feel free to (?:ask|let|reach|modify|adjust|use|contact)\b[^.!?\n]*",
    r"(?:would you like|do you want|shall i|should i|can i help)\b[^.!?\n]*",
    r"is there anything else\b[^.!?\n]*",
    r"if you\b[^.!?\n]*\b(?:let me know|i can|i could|i'd|feel free|just ask|questions)\b[^.!?\n]*",
    r"i can (?:also )?(?:provide|write|adjust|expand|shorten|revise)\b[^.!?\n]*",
    r"[(\[*_]*(?:note|word count|disclaimer)\s*:[^\n]*",
    r"[-*_]{3,}",
)
_OPENING = re.compile("|".join(_OPENINGS), re.IGNORECASE)
_ENDING = re.compile(
    rf"(?:^|(?<=[.!?…)\"”'])\s+|\s*\n\s*)(?:{'|'.join(_ENDINGS)})[.!?…]*\s*$", re.IGNORECASE
)

# The colours of a terminal, and control characters besides tabs and line ends.
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
# Marks that no sentence about an image holds.
_MARKUP = re.compile(rf"{_OPENED}|{_CLOSED}|```|~~~|<\|[^|\n]*\|>|</?[a-z]\w*\s*/?>", re.IGNORECASE)

# Punctuation that ends a sentence, also before quotation marks, brackets and emojis.
_END = re.compile(r"[.!?…。！？][^\w.,;:(]*$")
# The same within a text, not after short words such as "Mr."
_INNER_END = re.compile(r"(?<=\w{3})[.!?…][\"”'’)]*\s")
# A comma, or a word after which a sentence goes on.
_GOES_ON = re.compile(
    r"(?:[,;:(—–-]|\b(?:a|an|the|this|these|its|his|her|their|my|your|our|of|to|in|on|at|by|for"
    r"|from|with|into|onto|over|under|near|behind|between|through|and|or|but|because|while|as|than"
    r"|that|which|who|whose|if|when|where|is|are|was|were|be|been|has|have|very|so|such|like))$",
    re.IGNORECASE,
)
SENTENCE_WORDS = 8  # so many words without punctuation at their end are no phrase


def without_thoughts(text: str) -> str | None:
    """The text without a model's thoughts; None if it stops inside a thought.

    Thoughts may occur several times, one inside another, or without the opening tag.
    """
    if channels := list(_CHANNEL.finditer(text)):
        final = channels[-1]
        return text[final.end() :].strip() if final[1].lower() == "final" else None
    kept, position, depth = [], 0, 0
    for tag in _TAG.finditer(text):
        if tag["opened"]:
            if not depth:
                kept.append(text[position : tag.start()])
            depth += 1
        elif depth:
            depth -= 1
        else:  # a closing tag alone: all text before it is a thought
            kept.clear()
        position = tag.end()
    if depth:
        return None
    return "\n".join([*kept, text[position:]]).strip()


def clean(text: str) -> str | None:
    """The text that the teacher was asked for; None if it cannot be told from what surrounds it.

    A text in the form of JSON stays as it is.
    """
    text = without_thoughts(_CONTROL.sub("", text))
    if text is None or _PLAN.match(text):
        return None
    text = _TURN_END.sub("", text).strip()
    if answer := _ANSWER.fullmatch(text):
        text = answer[2]
    text = _without_chatter(text)
    fences = list(_FENCE.finditer(text))
    if len(fences) == 1:
        fence = fences[0]
        outside = text[: fence.start()].strip(), text[fence.end() :].strip()
        if not any(_without_chatter(part) for part in outside):
            text = _without_chatter(fence[2])
    return None if _MARKUP.search(text) else text


def _without_chatter(text: str) -> str:
    """The text without the usual openings and endings of chat models."""
    text = text.strip()
    while opening := _OPENING.match(text):
        text = text[opening.end() :].strip()
    while ending := _ENDING.search(text):
        text = text[: ending.start()].strip()
    return text


def is_unfinished(sentence: str) -> bool:
    """Whether a text stops in the middle of a sentence.

    It does so if no punctuation ends it and it has at least SENTENCE_WORDS words, or a finished
    sentence before its end, or a word at its end that another one must follow ("because").
    """
    sentence = sentence.strip()
    if not sentence or _END.search(sentence):
        return False
    is_long = len(sentence.split()) >= SENTENCE_WORDS
    return bool(is_long or _INNER_END.search(sentence) or _GOES_ON.search(sentence))


def is_cut_off(text: str) -> bool:
    """Whether a teacher's text stops inside a thought or a sentence."""
    if without_thoughts(text) is None:
        return True
    cleaned = clean(text)
    return cleaned is not None and not cleaned.endswith(("}", "]")) and is_unfinished(cleaned)
