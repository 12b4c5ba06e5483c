"""What a sentence asserts of the words it holds: neither what it denies, supposes or compares with, nor what it asks.

Owns the cues of denial, supposition, comparison and choice, and how far each reaches. Takes English text and a
lexicon of phrases, gives the phrases that the text asserts. Reads words and their order alone.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

# what opens, closes or bends the reach of a denial, a supposition, a comparison or a list of choices
_KINDS: dict[str, str] = {
    "deny": "has stopped|have stopped|stopped|no|not|never|without|neither|nor|nobody|none|nothing|rather than|"
            "instead of|far from|free of|free from|lack of|lacks|lacking|absence of|devoid of|no longer|hardly|"
            "scarcely|as opposed to|unlike|anything but|in place of|fails to|refuses to",
    "suppose": "if|as if|as though|imagine|imagines|imagining|suppose|supposing|whether|may be|may have|perhaps|maybe|"
            "possibly|wish|wishes|wished|wishing|dream of|dreams of|dreaming of|dreamed of|dreamt of|think of|"
            "thinks of|thinking of|memory of|memories of|waiting for|waits for|mistaken for|compared to|compared with|"
            "than|expect|expects|expected|expecting|wants|want|longs for|remembers|remembering|misses|missing|"
            "hopes for|hoping for|looks for|looking for|searching for|searches for|afraid of a|ought to|about to|"
            "invites|invite|had she|had he|had they|had there|were there|were she|were he|reason to|used to|"
            "every reason|can imagine",
    "would": "'d think|'d say|'d expect|, perhaps ,|, maybe ,|, say ,|would|might|could be|could have|could almost be|"
            "could hear|could imagine|could think|should have been",
    "like": "like|resembles|resemble|resembling|reminiscent of|reminds me of|reminds us of|reminds one of|"
            "reminds you of|remind us of|symbol of|metaphor for|similar to|worthy of|the way a|the way an",
    "list": "labels :|label :|options :|choices :|candidates :|emotions :|categories :|choose|select from|pick from|"
            "one of the following|[",
    "close": "but|yet|though|although|however|while|whereas|because|since|, so|so that|instead|except|apart from|"
            "other than|save for|which|who|when|where|why|how|;|:|(|)|]|—|–|-",
    "place": "in|on|at|beside|behind|near|under|by|against|over|across|along|next|around|amid|among|before|above|"
            "below|beneath|inside|outside|during|through|throughout|with|is|are|has|holds|wears|carries|looks|shows|"
            "seems|can",
    "": "were it not for|not only|not just|not merely|not simply|no doubt|no wonder|no matter|not to mention|"
            "nothing but|no less|nothing more than|nothing less than|can not help but|can not help|could not help|"
            "can not stop|not without|not clear|nothing says|none other than|nothing if not|such as|if anything|"
            "things like|as far as|as well as|as long as|as soon as|no mistaking|no denying",
    "back": "is absent|are absent|is missing|are missing|is nowhere|are nowhere|nowhere|is gone|are gone|"
            "has left|has vanished|has disappeared|is over ,|should be",
    "stop": ".|!|\n|answer :", "ask": "?", "comma": ",", "and": "and", "as": "as",
}
_NEAR = ("visible|present|there|here|shown|seen|depicted|pictured|to be seen|to be found|in sight|part of the picture|"
         "part of the scene|in the picture|in the scene|in the image|in the photo|in this picture|in this image")
CUES = {phrase: kind for kind, phrases in _KINDS.items() for phrase in phrases.split("|")}
CUES |= {f"{verb} not {near}": "back" for verb in ("is", "are") for near in _NEAR.split("|")}
_DEFINITE = {"the", "this", "that", "these", "those", "his", "her", "their", "its"}
_WEAK = {"not", "never", "no", "nobody", "nothing"}  # what follows with a definite article exists, unless ...
_SHOWING = re.compile(r"$|(?:in|on|at|by|from|inside)\b|.*\b(?:sign|trace|hint|evidence|set|place|located|shows?|"
                      r"depicts?|see|seen|contain|include|feature|find)\b")
_CLOSED = {"a", "an", "of", "no", *CUES}
_COMPARED = {"pale", "white", "red", "cold", "hot", "quiet", "still", "bright", "dark", "big", "light", "free", "cool"}
_TOKEN = re.compile(r"[a-z]+|'(?:s|re|m|ll|ve|d)\b|[.!?;:,()\[\]\n—–]|(?<= )-+(?= )")
_LIKENESS = re.compile(r"\w+(?<!and)-(?:like|shaped|sized|free|white|pale)\b")
_LIST_GOES_ON = re.compile(r"(?:(?!(?:is|are|it|he|she|they|the|this|there|just|only|but|who|and|with|has) )"
                           r"(?:[a-z]+|,) ){1,9}?n?or ")

Lexicon = dict[str, list[tuple[tuple[str, ...], bool, object]]]  # first word -> (all words, is it a cue, meaning)


class Hit(NamedTuple):
    """A phrase of a lexicon that a text asserts: tokens[start:end]."""

    start: int
    end: int
    meaning: object


def lexicon(meanings: Mapping[str, object]) -> Lexicon:
    """Phrases (lower case, American spelling, no hyphens) and the cues of assertion, ready to be looked up.

    An empty meaning makes a phrase that is passed over: it hides the words within it.
    """
    table: Lexicon = {}
    for is_cue, entries in ((True, CUES), (False, meanings)):
        for phrase, meaning in entries.items():
            words = tuple(phrase.split(" "))
            table.setdefault(words[0], []).append((words, is_cue, meaning))
    for entries in table.values():
        entries.sort(key=lambda entry: (-len(entry[0]), entry[1]))  # the longest first, the caller's before the cues
    return table


def _is_definite(tokens: list[str], start: int) -> bool:
    """Whether the noun that starts there has a definite article, itself not one of a list ("nor the rose")."""
    for i in range(start - 1, max(start - 4, -1), -1):
        if tokens[i] in _DEFINITE:
            return tokens[i - 1] not in ("or", "nor", "and", ",")
        if tokens[i] in _CLOSED:
            break
    return tokens[start - 2:start - 1] == ["such"]


def assertions(text: str, table: Lexicon) -> tuple[list[str], list[Hit]]:
    """The tokens of a text (lower case, signs included) and those phrases of the lexicon that it asserts, in order.

    A denial reaches to the end of its clause, or to the next preposition once it has met a phrase ("no ghost on the
    beach" has a beach); a supposition spares what has a definite article ("as if a snake were in his office" has an
    office); a question asserts nothing.
    """
    text = text.lower().replace("’", "'").replace("can't", "cannot").replace("n't", " not").replace("cannot", "can not")
    tokens = _TOKEN.findall(_LIKENESS.sub(" ", text.replace("colour", "color").replace("grey", "gray")))
    asserted: list[Hit] = []
    sentence: list[Hit] = []  # of the sentence that is being read
    clause = position = opened = met = 0  # where the clause began; where we are; phrases met since the scope opened
    scope = opener = ""
    while position < len(tokens):
        for words, is_cue, meaning in table.get(tokens[position], ()):  # noqa: B007
            if len(words) == 1 or tuple(tokens[position:position + len(words)]) == words:
                break
        else:
            position += 1
            continue
        start, position = position, position + len(words)
        if not is_cue or not meaning:
            if meaning:
                met += 1
                spared = _is_definite(tokens, start) and (
                    scope in ("suppose", "would")
                    or scope == "deny" and (met > 1 or opener in _WEAK and not _SHOWING.match(
                        " ".join(tokens[opened:start - 1]))))
                if not scope or spared:
                    sentence.append(Hit(start, position, meaning))
            continue
        if meaning == "as":
            compares = tokens[start - 2:start - 1] == ["as"] or tokens[max(start - 1, 0)] in _COMPARED
            meaning = "suppose" if compares else "" if tokens[start + 2:start + 3] == ["as"] else "close"
        if meaning in ("stop", "ask"):
            answer = [token for token in tokens[position:position + 4] if token not in ("\n", "answer", ":")]
            asserted += sentence if meaning == "stop" or answer[:1] == ["yes"] else []
            sentence, scope, clause = [], "", position
        elif meaning in ("deny", "suppose", "would", "like", "list"):
            if meaning == "would":  # "a rose would help": neither what follows nor an indefinite subject
                sentence = [hit for hit in sentence if hit.start < clause or tokens[hit.start - 1] not in ("a", "an")]
            if scope not in ("list", "deny"):
                scope, opener, opened = meaning, words[0], position
            met = 0
        elif meaning == "back":
            sentence = sentence[:-1] if sentence and sentence[-1].end == start else sentence
        elif scope == "list":
            scope = "" if words[0] == "]" else scope
        elif meaning == "close" or (meaning == "place" and met and (
                scope == "deny" or scope == "like" and tokens[position:position + 1] != ["a"])):
            scope, clause = "", position
        elif meaning == "comma":
            ahead = " ".join(tokens[position:position + 12]) + " "
            if not (scope == "deny" and _LIST_GOES_ON.match(ahead) or scope and ahead.startswith("or ")):
                scope, clause = "", position
        elif meaning == "and":
            upcoming = tokens[position] if position < len(tokens) else ""
            joined = {"deny": opener != "not" and upcoming in table, "like": upcoming in ("a", "an"), "suppose": True,
                      "would": True}
            if not joined.get(scope):
                scope, clause = "", position
    return tokens, asserted + sentence


def around(tokens: list[str], hit: Hit, reach: int = 8) -> str:
    """The words about a hit within its sentence, with "@" in its place."""
    before, after = tokens[max(hit.start - reach, 0):hit.start], tokens[hit.end:hit.end + reach]
    for sign in ".!?;\n":
        before = before[len(before) - before[::-1].index(sign):] if sign in before else before
        after = after[:after.index(sign)] if sign in after else after
    return " ".join([*before, "@", *after])
