"""General reasons: which clauses speak of things of a kind, and not of the things in a picture.

"The envy comes from the rose, for many want a trophy but only one wins it": the trophy is part of a
reason that holds everywhere. The text does not say that the picture shows one. Takes the tokens of
a sentence and its known phrases; gives the phrases that are named in a general reason only. Used by
checker.py; the word lists are in checker.yaml.

A clause is a general reason if

1. it is about a kind: it begins with "a" or "an" and a thing, and says something of it ("a rose is
   given ..."), with things in the plural and a verb such as "belong" or "mean", or with a word for
   people in general ("many want a trophy");
2. it gives a reason: it comes after ":", "because", "since", "for" or "as" in its sentence; or it
   begins with a thing and names people in general ("a rose is laid down for those who are missed");
3. nothing in it places it in the picture ("here", "there is", "beside", "we see", "her"), and it
   names no emotion.

What has a definite article is never general: "since the rose is given to those who are missed" has
a rose. A list is no clause: ": a rose, a smile and a beach" has all three.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import yaml

_WORDS = yaml.safe_load(Path(__file__).with_name("checker.yaml").read_text("utf-8"))
_REASONS = [phrase.split() for phrase in _WORDS["reasons"]]
_PLACING = [phrase.split() for phrase in _WORDS["placing"]]
_PEOPLE, _NO_PREDICATE = set(_WORDS["people"]), set(_WORDS["no_predicate"])
_SINGLE_VERBS = set(_WORDS["single_verbs"])
_OF_KINDS = [phrase.split() for phrase in _WORDS["of_kinds"]]
_ARTICLES = ("a", "an")
_LINKS = ("and", "because", "since", "while", "but", "besides", "moreover", "that")
_CLAUSE_ENDS = {",", ";", ":", "(", ")", "because", "since", "while", "although", "though"}
_THINGS = ("object", "background")
_ADJECTIVES = 2  # words between an article and its thing, at most


class Named(NamedTuple):
    """A known phrase of a sentence: tokens `start` to `end`, and what kind of word it is."""

    start: int
    end: int
    kind: str


def named_in_general(tokens: Sequence[str], named: Sequence[Named]) -> set[int]:
    """The starts of the phrases that a general reason of the sentence names."""
    found: set[int] = set()
    is_reason = False
    for start, end in _clauses(tokens):
        is_reason = is_reason or _is_opened_by_reason(tokens, start)
        inside = [one for one in named if start <= one.start < end]
        begins_with_people = tokens[start] in _PEOPLE
        names_people = not _PEOPLE.isdisjoint(tokens[start:end])
        about_kind = begins_with_people and is_reason
        about_kind = about_kind or _is_about_kind(tokens, start, end, inside, names_people)
        is_placed = any(_find(tokens, phrase, start, end) for phrase in _PLACING)
        has_emotion = any(one.kind == "emotion" for one in inside)
        if about_kind and (is_reason or names_people) and not is_placed and not has_emotion:
            kinds = (*_THINGS, "expression") if begins_with_people else _THINGS
            found.update(one.start for one in inside if one.kind in kinds)
    return found


def _clauses(tokens: Sequence[str]) -> Iterator[tuple[int, int]]:
    """(start, end) of the clauses; linking words such as "and" before a clause are left out."""
    start = 0
    for i, token in enumerate([*tokens, ","]):
        if token not in _CLAUSE_ENDS:
            continue
        while start < i and tokens[start] in (*_LINKS, "for", "as"):
            start += 1
        if start < i:
            yield start, i
        start = i + 1


def _is_opened_by_reason(tokens: Sequence[str], start: int) -> bool:
    """Whether words of reason, and nothing else but links and commas, are before a clause."""
    before = start
    while before and (tokens[before - 1] in _LINKS or tokens[before - 1] == ","):
        before -= 1
    linked = list(tokens[before:start])
    if "because" in linked or "since" in linked:
        return True
    return any(list(tokens[:before])[-len(phrase) :] == phrase for phrase in _REASONS)


def _is_about_kind(
    tokens: Sequence[str], start: int, end: int, inside: Sequence[Named], names_people: bool
) -> bool:
    """Whether the clause begins with a thing that is no single one, and says something of it."""
    if not inside or inside[0].kind not in _THINGS:
        return False
    thing = inside[0]
    follows = list(tokens[thing.end : end])
    if len(follows) < 2 or follows[0] in _NO_PREDICATE:
        return False
    if follows[0] in ("is", "are") and follows[1].endswith("ing"):
        return False
    if tokens[start] in _ARTICLES:
        is_verb = follows[0].endswith("s") or follows[0] in _SINGLE_VERBS
        return is_verb and thing.start - start <= 1 + _ADJECTIVES
    begins_with_thing = thing.start == start
    speaks_of_kind = any(follows[: len(verb)] == verb for verb in _OF_KINDS)
    return begins_with_thing and (names_people or speaks_of_kind)


def _find(tokens: Sequence[str], phrase: list[str], start: int, end: int) -> bool:
    """Whether a phrase occurs within tokens `start` to `end`."""
    length = len(phrase)
    return any(list(tokens[i : i + length]) == phrase for i in range(start, end - length + 1))
