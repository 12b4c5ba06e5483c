"""What a sentence asserts of the words it holds: neither what it denies, supposes or compares with, nor what it asks.

Owns the cues of denial, supposition, comparison and choice, and how far each reaches. Takes English text and a
lexicon of phrases, gives the phrases that the text asserts. Reads words and their order alone.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

# what opens, closes or bends the reach of a denial, a supposition, a comparison or a list of choices
_KINDS: dict[str, str] = {
    "deny": "not yet|less|has stopped|have stopped|stopped|no|not|never|without|neither|nor|nobody|none|nothing|"
    "rather than|instead of|far from|free of|free from|lack of|lacks|lacking|absence of|devoid of|no longer|"
    "hardly|scarcely|as opposed to|unlike|anything but|in place of|fails to|refuses to|void of|bereft of|"
    "empty of|clear of|in lieu of|gone is|gone are|gone the|rules out|ruled out|excludes|excluding|minus|sans|"
    "zero|lacked|has run out of|seldom|rarely|could not|wrong to|mistake to|misleading to",
    "suppose": "if|as if|as though|imagine|imagines|imagining|suppose|supposing|whether|may be|may have|perhaps|maybe|"
    "possibly|wish|wishes|wished|wishing|dream of|dreams of|dreaming of|dreamed of|dreamt of|think of|"
    "thinks of|thinking of|memory of|memories of|waiting for|waits for|mistaken for|compared to|compared with|"
    "than|expect|expects|expected|expecting|wants|want|longs for|remembers|remembering|misses|missing|"
    "hopes for|hoping for|looks for|looking for|searching for|searches for|afraid of a|ought to|about to|"
    "some will|some might|some would|invites|invite|had she|had he|had they|had there|were there|were she|"
    "were he|reason to|used to|every reason|can imagine|going to|will soon|tomorrow|is coming|threatens|"
    "promises|nightmare of|nightmares of|poster of|song about|songs about|book about|books about|hoping to|"
    "hope to|hopes to|plans to|planning to|wonder if|wonders if|wondering if|could use|could do with|once had|"
    "once stood|once was|was once|were once|former|yesterday|forecast|in case of|for fear of|taken for|"
    "mistake for|mistook|confused with|talk of|talks of|talking about",
    "would": "'d think|'d say|'d expect|, perhaps ,|, maybe ,|, say ,|would|might|could be|could have|could almost be|"
    "could hear|could imagine|could think|should have been",
    "like": "like|resembles|resemble|resembling|reminiscent of|reminds me of|reminds us of|reminds one of|"
    "reminds you of|remind us of|symbol of|metaphor for|similar to|worthy of|as in|where one would expect|"
    "where you would expect|where one expects|where you expect|as one does|as one would|as you do|"
    "as people do|the way a|the way an|the size of a|the color of a|the shape of a|akin to|comparable to|"
    "evocative of",
    "list": "labels :|label :|options :|choices :|candidates :|emotions :|categories :|choose|select from|pick from|"
    "one of the following|[",
    "close": "turns out to be|proves to be|in fact|actually|in reality|in truth|but|yet|though|although|however|while|"
    "whereas|because|since|, so|so that|instead|except|apart from|other than|save for|which|who|when|where|"
    "why|how|;|:|(|)|]|—|–|-",
    "place": "in|on|at|beside|behind|near|under|by|against|over|across|along|next|around|amid|among|before|above|"
    "below|beneath|inside|outside|during|through|throughout|with|is|are|has|holds|wears|carries|looks|shows|"
    "seems|can",
    "": "were it not for|not only|not just|not merely|not simply|no doubt|no wonder|no matter|not to mention|"
    "nothing but|no less|nothing more than|nothing less than|can not help but|can not help|could not help|"
    "can not stop|not without|not clear|nothing says|none other than|nothing if not|such as|if anything|"
    "things like|as far as|as well as|as long as|as soon as|no mistaking|no denying|no ordinary|no mere|"
    "no small|no little|not just any|not far from|can not contain|could not contain|can not hide|"
    "could not hide|can not conceal|could not conceal|not hide|does not hide|not stop|never stops|not stopped|"
    "never fails to|not fail to|no shortage of|no end of|not least|could not be|could hardly be|can hardly be|"
    "why would anyone|more or less|could not look more|could not seem more|hard not to|impossible not to|"
    "difficult not to|if you look|if one looks|if we look|no question|without question|without doubt|"
    "without a doubt|no longer alone|unable to hide|nothing short of|not unlikely|may feel|might feel|"
    "i would say|i 'd say|i would call|i 'd call|i would describe|i like|we like|not expect|never expected|"
    "not expected|who would not|who could not|who could resist|has stopped to|stopped to|more than",
    "back": "is absent|are absent|is missing|are missing|is nowhere|are nowhere|nowhere|is gone|are gone|has left|"
    "has vanished|has disappeared|is over ,|should be|has gone|have gone|has lifted|has cleared|has ceased|"
    "has melted|are over ,|has given way to|gives way to|gave way to|is replaced by|has been replaced by|"
    "was replaced by|have vanished|have disappeared|are over|is over|is no more|are no more|"
    "nowhere to be seen|nowhere in sight|nowhere to be found|is out of the picture",
    "stop": ".|!|\n|answer :",
    "ask": "?",
    "comma": ",",
    "and": "and",
    "as": "as",
}
_MODALS = "may might could would can".split()
_EFFECTS = [
    "evoke",
    "elicit",
    "inspire",
    "arouse",
    "trigger",
    "provoke",
    "instill",
    "suggest",
    "indicate",
    "convey",
    "reflect",
    "express",
    "signal",
    "unsettle",
    "come across",
    "make viewers",
    "make the viewer",
    "make one feel",
    "make you feel",
    "leave viewers",
    "leave the viewer",
    "fill viewers",
    "fill the viewer",
]
_NEAR = (
    "visible|present|there|here|shown|seen|depicted|pictured|to be seen|to be found|in sight|part of the picture|"
    "part of the scene|in the picture|in the scene|in the image|in the photo|in this picture|in this image"
)
CUES = {phrase: kind for kind, phrases in _KINDS.items() for phrase in phrases.split("|")}
CUES |= {
    f"{modal}{also} {effect}": ""
    for modal in _MODALS
    for also in ("", " well", " also", " easily")
    for effect in _EFFECTS
}
CUES |= {f"{verb} not {near}": "back" for verb in ("is", "are") for near in _NEAR.split("|")}
_DEFINITE = {"the", "this", "that", "these", "those", "his", "her", "their", "its"}
_WEAK = {
    "not",
    "never",
    "no",
    "nobody",
    "nothing",
}  # what follows with a definite article exists, unless ...
_SHOWING = re.compile(
    r"$|(?:in|on|at|by|from|inside)\b|.*\b(?:sign|trace|hint|evidence|set|place|located|shows?|"
    r"depicts?|see|seen|contain|include|feature|find)\b"
)
_CLOSED = {
    "a",
    "an",
    "of",
    "no",
    "more",
    "most",
    "very",
    "so",
    "less",
    "picture",
    "image",
    "scene",
    "be",
    "feel",
    *CUES,
}
_SOMEBODY = {"he", "she", "they", "who", "person", "man", "woman", "figure", "boy", "girl"}
_TAKEN = {
    "read",
    "seen",
    "taken",
    "interpreted",
    "understood",
    "regarded",
}  # "might be read as fear"
_TO_COME = {"ought", "about", "going", "used", "hoping", "hopes", "planning", "plans", "waiting"}
_COMPARED = set(
    """big blank blind brave bright calm cold cool dark dry empty flat free fresh gentle green happy hard
    heavy hot light lonely motionless old pale pretty quick quiet red rigid round sick silent small soft stiff still
    strong tall wet white""".split()
)
_TOKEN = re.compile(r"[a-z]+|'(?:s|re|m|ll|ve|d)\b|[.!?;:,()\[\]\n—–]|(?<= )-+(?= )")
_LIKENESS = re.compile(r"\w+(?<!and)-(?:like|shaped|sized|free|white|pale)\b")
_PLAIN = {
    "’": "'",
    "can't": "can not",
    "won't": "will not",
    "n't": " not",
    "cannot": "can not",
    "é": "e",
    "grey": "gray",
    "centre": "center",
    "theatre": "theater",
    "jewellery": "jewelry",
}  # American, in full
_PLAIN |= {f"{stem}our": f"{stem}or" for stem in "col hum vig hon fav neighb harb splend".split()}
_PLAIN |= {f"{stem}is": f"{stem}iz" for stem in "mesmer hypnot energ agon sympath empath".split()}
_LIST_GOES_ON = re.compile(
    r"(?:(?!(?:is|are|it|he|she|they|the|this|there|just|only|but|who|and|with|has) )"
    r"(?:[a-z]+|,) ){1,9}?n?or "
)

Phrases = dict[tuple[str, ...], tuple[bool, object]]  # words -> is it a cue, meaning
Lexicon = dict[
    str, tuple[list[int], Phrases]
]  # first word -> lengths of the phrases, the longest first; the phrases


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
    for is_cue, entries in ((True, CUES), (False, meanings)):  # the caller's over the cues
        for phrase, meaning in entries.items():
            words = tuple(phrase.split(" "))
            table.setdefault(words[0], ([], {}))[1][words] = is_cue, meaning
    for lengths, phrases in table.values():
        lengths += sorted({len(words) for words in phrases}, reverse=True)
    return table


def _is_definite(tokens: list[str], start: int) -> bool:
    """Whether the noun that starts there has a definite article, itself not one of a list ("nor the rose")."""
    for i in range(start - 1, max(start - 4, -1), -1):
        if tokens[i] in _DEFINITE:
            return tokens[i - 1] not in ("or", "nor", "and", ",")
        if tokens[i] in _CLOSED:
            break
    return tokens[start - 2 : start - 1] == ["such"]


def assertions(text: str, table: Lexicon) -> tuple[list[str], list[Hit]]:
    """The tokens of a text (lower case, signs included) and those phrases of the lexicon that it asserts, in order.

    A denial reaches to the end of its clause, or to the next preposition once it has met a phrase ("no ghost on the
    beach" has a beach); a supposition spares what has a definite article ("as if a snake were in his office" has an
    office); a question asserts nothing.
    """
    text = text.lower()
    for written, plain in _PLAIN.items():
        text = text.replace(written, plain)
    tokens = _TOKEN.findall(_LIKENESS.sub(" ", text))
    asserted: list[Hit] = []
    sentence: list[Hit] = []  # of the sentence that is being read
    clause = position = opened = met = (
        0  # where the clause began; where we are; phrases met since the scope opened
    )
    scope = opener = ""
    rhetorical = False  # "who would not ...?"
    subject: list[str] = []  # the words before the opener
    while position < len(tokens):
        lengths, phrases = table.get(tokens[position], ((), {}))
        for length in lengths:
            words = tuple(tokens[position : position + length])
            if words in phrases:
                is_cue, meaning = phrases[words]
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
                    or opener == "without"
                    and (tokens[opened].endswith("ing") or "would" in tokens[start : start + 12])
                    or scope == "deny"
                    and (
                        met > 1
                        or opener in _WEAK
                        and (
                            not _SHOWING.match(" ".join(tokens[opened : start - 1]))
                            or not _SOMEBODY.isdisjoint(subject)
                            and "see" in tokens[opened : start - 1]
                        )
                    )
                )
                if not scope or spared:
                    sentence.append(Hit(start, position, meaning))
            rhetorical = rhetorical or words[0] in ("who", "why")
            continue
        if words == ("than",) and opener == "less":  # "less angry than ashamed"
            meaning = "close"
        if words == ("less",) and "than" not in tokens[position : position + 5]:
            continue
        if words[-1] == "stopped" and not " ".join(tokens[position : position + 1]).endswith("ing"):
            continue  # "a car has stopped"
        if meaning == "as":
            compares = (
                tokens[start - 2 : start - 1] == ["as"] or tokens[max(start - 1, 0)] in _COMPARED
            )
            going_on = (
                tokens[start + 2 : start + 3] == ["as"] or tokens[max(start - 1, 0)] in _TAKEN
            )
            meaning = "suppose" if compares else "" if going_on or scope == "suppose" else "close"
        if meaning in ("stop", "ask"):
            answer = [
                token
                for token in tokens[position : position + 4]
                if token not in ("\n", "answer", ":")
            ]
            asserted += sentence if meaning == "stop" or rhetorical or answer[:1] == ["yes"] else []
            sentence, scope, clause, rhetorical = [], "", position, False
        elif meaning in ("deny", "suppose", "would", "like", "list"):
            if (
                meaning == "would"
            ):  # "a rose would help": neither what follows nor an indefinite subject
                sentence = [
                    hit
                    for hit in sentence
                    if hit.start < clause
                    or tokens[hit.start - 1] not in ("a", "an")
                    or not _SOMEBODY.isdisjoint(tokens[hit.end : start])
                ]
            if scope not in ("list", "deny"):
                scope, opener, opened = meaning, words[0], position
                subject = tokens[max(start - 3, 0) : start]
            met = 0
        elif meaning == "back":
            sentence = sentence[:-1] if sentence and sentence[-1].end == start else sentence
        elif scope == "list":
            scope = "" if words[0] == "]" else scope
        elif meaning == "close" or (
            meaning == "place"
            and (
                met
                and (
                    scope == "deny" or scope == "like" and tokens[position : position + 1] != ["a"]
                )
                or opener in _TO_COME
                and words[0] in ("is", "are", "has")
            )
        ):
            scope, clause = "", position
        elif meaning == "comma":
            ahead = " ".join(tokens[position : position + 12]) + " "
            if not (
                scope == "deny" and _LIST_GOES_ON.match(ahead) or scope and ahead.startswith("or ")
            ):
                scope, clause = "", position
        elif meaning == "and":
            upcoming = tokens[position] if position < len(tokens) else ""
            joined = {
                "deny": opener != "not" and upcoming in table,
                "like": upcoming in ("a", "an"),
                "suppose": True,
                "would": True,
            }
            if not joined.get(scope):
                scope, clause = "", position
    return tokens, asserted + sentence


def around(tokens: list[str], hit: Hit, reach: int = 8) -> str:
    """The words about a hit within its sentence, with "@" in its place."""
    before, after = tokens[max(hit.start - reach, 0) : hit.start], tokens[hit.end : hit.end + reach]
    for sign in ".!?;\n":
        before = before[len(before) - before[::-1].index(sign) :] if sign in before else before
        after = after[: after.index(sign)] if sign in after else after
    return " ".join([*before, "@", *after])
