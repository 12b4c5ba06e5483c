"""What a text says a picture shows, and whether a scene bears it out: the judge of texts about drawn scenes.

Takes English text and a scene's attributes (place, weather, hour, object, face, posture, style, light), gives mentions
and faults in words. Its words are in `vocabulary`, what ambiguous ones need about them in `contexts`; nothing there or
here knows how any text was made. What is denied, supposed, asked or merely compared with is
no mention (see `data.assertions`), nor are idioms, what things do ("a lamp stands beside her"), what viewers do,
or the colour of a thing. A part stands for its whole (tombstones: a graveyard).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

from emoscenes.assertions import Hit, around, assertions, lexicon
from emoscenes.checker_vocabulary import (
    BARE,
    DRAWN,
    HEAPS,
    LEVELS,
    LIGHT,
    OF_WHICH,
    OUTSIDE,
    SHOWN,
    WASTE,
    WORDS,
)
from emoscenes.contexts import IDIOMS, NEEDS, UNLESS
from emoscenes.felt import contradictions


@dataclass(frozen=True)
class Mention:
    """One thing that a text says the picture shows. `values`: all values of the attribute that its word fits."""

    attribute: str  # of the scene; "object" for things that no scene contains
    values: frozenset[str]
    text: str  # the words, as read


# who is called bright or dark, pale or colourful, when the picture is
_ALL = (
    r"picture|image|scene|photo\w*|painting|shot|frame|place|setting|surroundings|everything|view|canvas|snapshot|"
    r"composition|backdrop|background|room|atmosphere|it|beach|seaside|forest|woods|park|street|office|bedroom|"
    r"graveyard|cemetery|desert|dump|landfill|mountains?|interior|landscape|city|world|tableau|vista|"
    r"depiction|artwork|surrounding|environment|work"
)
_HEADS = {
    "brightness": rf"{_ALL}|light|lighting|day|illumination|tones?|palette|exposure|hour",
    "colorfulness": rf"{_ALL}|colors?|palette|tones?|hues?|shades?",
}
_OF_LIGHT = {
    attribute: re.compile(
        r"@ (?:(?!(?:in|of|on|the|an?|with|at|about|for|from|smile)\b)(?:\w+|,) ){0,2}(?!it\b)"
        rf"(?:{heads})\b|\b(?:{heads}) (?:\w+ )?(?:is|are|looks?|seems?|feels?|appears?|was|stays|remains|turns|'s)"
        r"(?: \w+ly| very| quite| rather| so| too| all| \w+ (?:,|and))* @|^@ [,.]|, @$|"
        rf"\b(?:{heads}) (?:is|are) not (?:\w+ ){{1,4}}but (?:\w+ )?@"
    )
    for attribute, heads in _HEADS.items()
}
_MISTAKEN = re.compile(
    r"\b(?:mistak\w+|mistook|taken?|takes|took|pass|passes|passed) (?:\w+ ){1,5}for an? (?:\w+ )?@"
)
_COLORED = re.compile(
    r"@ (?:red|green|yellow|orange|brown|white|blue|pink|purple|gray|colored|tinted|hued)\b"
)
_CLAUSE_ENDS = {
    *".,;:!?()\n",
    "while",
    "although",
    "though",
    "whereas",
    "because",
    "since",
    "when",
    "where",
}
_PERSON = re.compile(
    r"\b(?:persons?|people|m[ae]n|wom[ae]n|boys?|girls?|child|children|kid|someone|somebody|one|figure|he|she|they|who|"
    r"individual|guy|lady|face|character|hiker|visitor|walker|stranger|soul|subject|protagonist|youth|fellow|loner|"
    r"wanderer|mouth|eyes|teenager|adult|human|nobody|everyone)\b"
)
_OFTEN_OF_THINGS = {
    "running",
    "lying",
    "sleeping",
    "swimming",
    "dancing",
}  # even where a person is near
_ARTICLES = {"a", "an", "the", "one", "his", "her", "their", "another"}
_AFTER_A_THING = re.compile(
    r"(?:(?:is|are|was|were|that|which|also|just|now|still|'s|\w+ly) ){0,2}"
)
_BEFORE_A_THING = re.compile(r"(?:an?|the|two|three|another|some|his|her|their)(?: \w+){0,2}")
_PLACES = {
    "in",
    "on",
    "at",
    "by",
    "beside",
    "behind",
    "near",
    "under",
    "next",
    "among",
    "between",
    "before",
    "inside",
}
_PLURALS = {
    "knife": "knives",
    "wolf": "wolves",
    "scarf": "scarves",
    "loaf": "loaves",
    "mouse": "mice",
    "goose": "geese",
    "sheep": "sheep",
    "ox": "oxen",
    "snowman": "snowmen",
}


def _plural(noun: str) -> str:
    """The plural of a noun or the third person of a verb; in "bottle of wine" of the bottle."""
    head, of, rest = noun.partition(" of ")
    if of:
        return _plural(head) + of + rest
    first, space, last = noun.rpartition(" ")
    if last in _PLURALS:
        return first + space + _PLURALS[last]
    if re.search("[^aeiou]y$", noun):
        return noun[:-1] + "ies"
    return noun + ("es" if re.search("(?:s|x|ch|sh|[^aeiou]o)$", noun) else "s")


def _forms(verb: str) -> set[str]:
    """All forms of a regular verb; of an irregular one some forms that nobody writes."""
    stem = verb.removesuffix("e")
    if re.search("^[^aeiou]*(?:qu)?[aeiou][^aeiouwxy]$", verb):
        stem += verb[-1]
    return {
        verb,
        _plural(verb),
        stem + "ing",
        verb[:-1] + "ied" if verb.endswith("y") else stem + "ed",
    }


@dataclass(frozen=True)
class _Sense:
    """What a word may show, and what must and must not stand about it for that."""

    attribute: str
    values: frozenset[str]
    marked: bool  # a verb; of light: an adjective that must be said of the picture
    needs: re.Pattern | None
    unless: re.Pattern | None


def _senses() -> dict[str, list[_Sense]]:
    """Phrase -> its senses, the first that fits its surroundings counting; none: an idiom."""
    table: dict[str, list[_Sense]] = {idiom.replace("_", " "): [] for idiom in IDIOMS.split()}
    outside = {word.replace("_", " ") for word in OUTSIDE.split()}
    rows = [
        (attribute, *entry.split(":"))
        for attribute, entries in (WORDS | LIGHT).items()
        for entry in entries.split(";")
    ] + [("object", word, word) for word in OUTSIDE.split()]
    rows += [
        ("background", "dump", f"{heap}_of_{what} {heap}s_of_{what} {what}_{heap}")
        for heap in HEAPS.split()
        for what in WASTE.split()
    ]
    rows += [
        ("background", "dump|trash can", f"{what}_bag bags_of_{what} bag_of_{what}")
        for what in WASTE.split()
    ]
    rows += [
        ("expression", "neutral", "_".join(f"{bare} {which} {what}".split()))
        for bare in BARE.split("|")
        for which in OF_WHICH.split("|")
        for what in SHOWN.split()
    ]
    for attribute, values, words in rows:
        fits = frozenset(" ".join(values.replace("_", " ").split()).split("|"))
        for word in [word.replace("_", " ") for word in words.split()]:
            base = word.removeprefix("~")
            marked = word != base
            forms = (
                {base, _plural(base)} if attribute in ("object", "background", "time") else {base}
            )
            forms |= _forms(base) if marked and attribute not in LIGHT else set()
            keys = NEEDS.get(f"{base}/{values.strip()}", NEEDS.get(base)), UNLESS.get(base)
            needs, unless = (re.compile(key) if key else None for key in keys)
            unless = unless or (_COLORED if word in outside else None)
            for form in forms:
                table.setdefault(form, []).append(_Sense(attribute, fits, marked, needs, unless))
    return table


_LEXICON = lexicon(_senses())


def _sense(tokens: list[str], hit: Hit) -> _Sense | None:
    """The sense in which a word shows something here; None: it shows nothing."""
    surroundings = around(tokens, hit)
    for sense in hit.meaning:
        adjective = sense.attribute in LIGHT and sense.marked
        if (
            not (sense.attribute == "object" and _MISTAKEN.search(surroundings))
            and not (sense.needs and not sense.needs.search(surroundings))
            and not (sense.unless and sense.unless.search(surroundings))
            and not (adjective and not _OF_LIGHT[sense.attribute].search(surroundings))
        ):
            return sense
    return None


def _of_a_thing(
    tokens: list[str], hit: Hit, sense: _Sense, read: list[tuple[Hit, _Sense]], later: list[Hit]
) -> bool:
    """Whether a posture or face is some thing's: "a lamp stands", "beside her sits a gift"."""
    rare = sense.values <= _OFTEN_OF_THINGS
    if rare and not _PERSON.search(" ".join(tokens[max(hit.start - 4, 0) : hit.start])):
        return True
    if tokens[hit.start - 1 : hit.start] == ["what"]:  # "what stands there is a piano"
        return True
    verbs = [earlier.end for earlier, its in read if its.marked]
    begin = max(
        [
            i + 1
            for i in range(hit.start)
            if tokens[i] in _CLAUSE_ENDS or (tokens[i] == "and" and verbs and i >= verbs[-1])
        ],
        default=0,
    )
    things = [thing for thing, its in read if not its.marked and thing.start >= begin]
    if things:
        adjacent = _AFTER_A_THING.fullmatch(" ".join([*tokens[things[-1].end : hit.start], ""]))
        somebody = _PERSON.search(" ".join(tokens[begin : hit.start]))
        inverted = tokens[begin] in _PLACES and _PERSON.search(
            " ".join(tokens[hit.end : hit.end + 4])
        )
        if (
            adjacent
            and not inverted
            and (rare or not _PERSON.search(" ".join(tokens[begin : things[-1].start])))
        ):
            return True
        if (
            sense.attribute == "action"
            and not somebody
            and tokens[hit.start - 1] not in _ARTICLES
            and tokens[begin] in _ARTICLES
            and _BEFORE_A_THING.fullmatch(" ".join(tokens[begin : things[0].start]))
        ):  # "a can filled with slime stands"
            return True
    return bool(
        later
        and tokens[hit.start][0] in "sl"
        and any(its.attribute == "object" for its in later[0].meaning)
        and _BEFORE_A_THING.fullmatch(" ".join(tokens[hit.end : later[0].start]))
    )


def mentions(text: str) -> list[Mention]:
    """What the text asserts to be in the picture, in the order of reading.

    A generic word is left out where a finer one of its attribute stands in the text (a flower beside a rose).
    """
    tokens, hits = assertions(text, _LEXICON)
    read: list[tuple[Hit, _Sense]] = []
    for i, hit in enumerate(hits, start=1):
        sense = _sense(tokens, hit)
        acts = sense and sense.marked and sense.attribute in ("action", "expression")
        if sense and not (acts and _of_a_thing(tokens, hit, sense, read, hits[i:])):
            read.append((hit, sense))
    # "a church clock" is a clock, "a guitar case" a case
    modifiers = {
        hit.start
        for (hit, its), (following, whole) in pairwise(read)
        if hit.end == following.start
        and its.attribute == whole.attribute == "object"
        and len(whole.values) == 1
        and not its.needs
    }
    read = [(hit, its) for hit, its in read if hit.start not in modifiers]
    found = [
        Mention(its.attribute, its.values, " ".join(tokens[hit.start : hit.end]))
        for hit, its in read
    ]
    finest = {
        m.values: m
        for m in found
        if not any(m.attribute == o.attribute and o.values < m.values for o in found)
    }
    return list(finest.values())


def faults(text: str, attributes: Mapping[str, object], label: str = "") -> list[str]:
    """What is wrong with a text about a scene, a sentence each; nothing: it is faithful.

    `attributes`: all nine of a scene, brightness and colorfulness in [0, 1]; KeyError without one. Given a label, the
    emotions that the text names as felt must agree with it.
    """
    levels = {name: words[float(attributes[name]) >= 0.5] for name, words in LEVELS.items()}
    shown = {name: str(value) for name, value in {**attributes, **levels}.items()}
    seen = {extra for value in shown.values() for extra in (value, *DRAWN.get(value, ()))}
    return [
        f"{m.attribute} {' or '.join(sorted(m.values))} ({m.text!r}): the scene has {shown[m.attribute]}"
        for m in mentions(text)
        if m.values.isdisjoint(seen) and m.text not in seen
    ] + [
        f"felt {word}: the label is {label}"
        for word in sorted(contradictions(text, label) if label else ())
    ]


def named(text: str, pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Those of the (attribute, value) pairs that the text names, in their order.

    A generic word names a pair when no other value that it fits is among the pairs.
    """
    pairs = list(pairs)
    meant = [[pair for pair in pairs if pair[1] in m.values] for m in mentions(text)]
    return [pair for pair in pairs if [pair] in meant]
