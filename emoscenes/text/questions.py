"""Scenes -> full captions, questions with answers, and questions about feeling, in plain written English.

Takes a scene's attributes (the seven of `scenes.ATTRIBUTES`, brightness and colorfulness in [0, 1]) and a numpy
generator; gives text whose every statement is true of them: a skeleton is drawn, then a way to say each thing in it.
Light and colour are spoken of only where they are clear (below .35, above .65) and hour and weather agree; rooms show
their weather through a window. Captions and plain questions hold no emotion word; answers about feeling the label's.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from emoscenes.evidence import evidence
from emoscenes.scenes import ATTRIBUTES
from emoscenes.text.captions import WORDS
from emoscenes.text.rationales import NOT_FELT

Phrases = tuple[str, ...]
INDOORS = ("bedroom", "office")
IS = {"balloons": "are"}  # all else is one
LIGHT = {
    "brightness": ("dark", "bright"),
    "colorfulness": ("faded", "colourful"),
}  # said below .35, above .65


def _a(phrase: str) -> str:
    return (
        phrase
        if phrase == "balloons"
        else f"an {phrase}"
        if phrase[0] in "aeiou"
        else f"a {phrase}"
    )


# words of the small CLIP's captions that would here claim a light, a weather, a sound or another thing
_LEFT_OUT = {"colourful", "pale", "dark", "snowy", "ringing", "along", "houses", "school", "dry"}
SAID: dict[str, dict[str, Phrases]] = (
    {  # attribute -> value -> ways to say it after "is", the plainest first
        attribute: {
            value: tuple(
                way.replace(" the tongue", " their tongue").replace(" the cheeks", " their cheeks")
                for way in ways
                if not _LEFT_OUT & set(way.split())
            )
            for value, ways in table.items()
        }
        for attribute, table in WORDS.items()
    }
    | {
        "weather": {
            "clear": ("clear",),
            "cloudy": ("cloudy",),
            "rain": ("rainy", "raining"),
            "snow": ("snowy", "snowing"),
            "fog": ("foggy",),
            "storm": ("stormy",),
        },
        "time": {
            "day": ("day", "daytime"),
            "sunset": ("sunset", "evening"),
            "night": ("night", "nighttime"),
        },
        "style": {
            "photo": ("a photo", "a photograph"),
            "painting": ("a painting",),
            "abstract": ("an abstract picture",),
        },
    }
    | {name: {word: (word,) for word in words} for name, words in LIGHT.items()}
)
SAID["object"] = {thing: (_a(thing), *ways) for thing, ways in SAID["object"].items()}
SAID["expression"]["neutral"] = (
    "showing a blank face",
    "looking straight ahead",
)  # who smiles may look ahead as well
DONE: dict[str, Phrases] = {  # value -> what the person does; when or in what weather that is
    "smiling": ("smiles", "grins", "smiles broadly"),
    "crying": ("cries", "weeps", "sheds tears"),
    "scowling": ("scowls", "frowns hard"),
    "wide-eyed": ("stares wide-eyed", "stares with wide eyes"),
    "grimacing": ("grimaces", "sticks out their tongue"),
    "open-mouthed": ("gasps", "gapes", "gasps with round eyes"),
    "neutral": ("looks straight ahead", "has a blank face"),
    "standing": ("stands", "stands still", "stands upright"),
    "sitting": ("sits", "sits on a stool"),
    "walking": ("walks", "takes a step"),
    "waving": ("waves", "waves a hand"),
    "jumping": ("jumps", "leaps", "jumps with raised arms"),
    "crouching": ("crouches", "squats", "crouches low"),
    "clear": ("under a clear sky", "in clear weather"),
    "cloudy": ("under a cloudy sky", "in cloudy weather"),
    "rain": ("in the rain", "in rainy weather"),
    "snow": ("in falling snow", "in snowy weather"),
    "fog": ("in the fog", "in foggy weather"),
    "storm": ("in a storm", "in stormy weather"),
    "day": ("by day", "in daylight"),
    "sunset": ("at sunset", "in the evening"),
    "night": ("at night", "by night"),
}
FACE: dict[str, Phrases] = {  # what the person has
    "smiling": ("a broad smile", "a wide grin"),
    "crying": ("tears on their cheeks", "a crying face"),
    "scowling": ("a deep scowl", "a red, scowling face"),
    "wide-eyed": ("wide, staring eyes", "a wide-eyed stare"),
    "grimacing": ("a twisted grimace", "a green, grimacing face"),
    "neutral": ("a blank face", "a neutral face"),
    "open-mouthed": ("a wide-open mouth", "a gaping mouth"),
}
_NEARLY = {  # value -> what its picture might be said to show as well: nobody is asked about that
    "storm": "rain cloudy",
    "rain": "cloudy storm",
    "snow": "cloudy",
    "fog": "cloudy",
    "open-mouthed": "wide-eyed",
    "smiling": "open-mouthed",
    "crying": "open-mouthed",
    "scowling": "grimacing",
    "wide-eyed": "grimacing",
    "grimacing": "open-mouthed",
    "waving": "standing",
    "jumping": "waving",
    "sitting": "chair",
    "bedroom": "lamp",
    "city street": "lamp",
    "abstract": "painting",
}


@dataclass(frozen=True)
class Topic:
    """How one attribute is asked about: open questions, their answers, claims to be confirmed or denied.

    A claim reads "subject|rest": said as "subject is rest", asked as "is subject rest?". {x} is the value asked about,
    {v} the true one, {plain} its plainest words, {does} and {has} others; {place} lacks the preposition.
    """

    ask: Phrases
    answers: Phrases
    claims: Phrases


_LOOKS = (
    (
        "the {picture} is {v}",
        "it is a {v} {picture}",
        "the {picture} looks {v}",
        "this is a {v} {picture}",
    ),
    ("the {picture}|{x}", "this|a {x} {picture}", "the whole {picture}|{x}"),
)
_LEADS = ("", "", "", "tell me: ", "look closely: ", "look at the {picture}: ")  # before a question
_PERSON_IS = ("the person|{x}", "the person in the {picture}|{x}", "the person we see|{x}")
TOPICS: dict[str, Topic] = {
    "object": Topic(
        (
            "what object is in the {picture}?",
            "what is next to the person?",
            "what thing does the {picture} show?",
            "what can be seen beside the person?",
            "name the object in this {picture}.",
            "what else is in the {picture}?",
        ),
        (
            "there {is_v} {v} in the {picture}",
            "the {picture} shows {v}",
            "{v} {is_v} next to the person",
            "there {is_v} {v} beside the person",
            "next to the person {is_v} {v}",
            "the person is next to {v}",
        ),
        ("there|{x} in the {picture}", "there|{x} beside the person", "there|{x} to be seen"),
    ),
    "expression": Topic(
        (
            "what face does the person make?",
            "what expression does the person have?",
            "how does the face look?",
        ),
        (
            "the person is {v}",
            "the person {does}",
            "the person has {has}",
            "the {picture} shows someone with {has}",
            "we see a person with {has}",
            "one sees that the person {does}",
        ),
        _PERSON_IS,
    ),
    "action": Topic(
        (
            "what is the person doing?",
            "what does the person do in the {picture}?",
            "in what posture is the person?",
            "describe what the person is doing.",
            "what pose is the person in?",
            "what action does the {picture} show?",
        ),
        (
            "the person is {v}",
            "the person {does}",
            "the {picture} shows the person {v}",
            "we see the person {v}",
            "one sees that the person {does}",
        ),
        _PERSON_IS,
    ),
    "background": Topic(
        (
            "where is the person?",
            "where does the scene take place?",
            "what place is this?",
            "what is the setting?",
        ),
        (
            "the person is {v}",
            "the scene takes place {v}",
            "the scene is set {v}",
            "the background shows {place}",
            "we see the person {v}",
        ),
        ("the person|{x}", "the scene|set {x}", "the person we see|{x}"),
    ),
    "weather": Topic(
        (
            "what is the weather like{outside}?",
            "how is the weather{outside}?",
            "what weather is it{outside}?",
        ),
        (
            "it is {v}{outside}",
            "the weather{outside} is {plain}",
            "the {picture} shows {plain} weather{outside}",
        ),
        ("it|{x}{outside}", "the weather{outside}|{x}", "the weather we see{outside}|{x}"),
    ),
    "time": Topic(
        (
            "what time of day is it?",
            "at what time of day is the scene set?",
            "is it day, sunset or night?",
        ),
        (
            "it is {v}",
            "it is {v} in this {picture}",
            "the scene takes place {does}",
            "the scene is set {does}",
        ),
        ("it|{x}", "it|{x} here", "it|{x} in the {picture}"),
    ),
    "style": Topic(
        (
            "what kind of picture is this?",
            "what is the style?",
            "is this a photo, a painting or an abstract picture?",
        ),
        (
            "this is {v}",
            "it is {v}",
            "what we see here is {v}",
            "we see {v}",
            "one can see that it is {v}",
        ),
        ("this|{x}", "what we see here|{x}", "what is shown|{x}"),
    ),
    "brightness": Topic(
        ("how bright is the {picture}?", "how much light is there in the {picture}?"), *_LOOKS
    ),
    "colorfulness": Topic(
        ("how colourful is the {picture}?", "what are the colours of the {picture} like?"), *_LOOKS
    ),
}

NOT_UNPLEASANT = {  # what a label is like -> labels; every other label of every set is unpleasant
    "pleasant": (
        "affection",
        "cheerfulness",
        "contentment",
        "enthrallment",
        "gratitude",
        "lust",
        "optimism",
        "pride",
        "relief",
        "zest",
        "joy",
        "love",
        "amusement",
        "awe",
        "excitement",
    ),
    "neither pleasant nor unpleasant": ("confusion", "surprise", "sympathy"),
}
_FEELING = (
    "which feeling does this {picture} evoke?",
    "what emotion does this {picture} bring up?",
    "what does one feel when looking at this {picture}?",
    "which emotion fits this {picture} best?",
    "what might a viewer feel in front of this {picture}?",
    "what mood does the {picture} create?",
    "is the mood of the {picture} pleasant or unpleasant?",
    "what is it like to look at this {picture}?",
)
_FELT = (
    "the {picture} evokes {label}{why}. This feeling is {pleasant}",
    "{ahead}the feeling is {label}. It is {pleasant}",
    "the mood is one of {label}{why}. That is {pleasant}",
    "{ahead}the {picture} calls up {label}, which is {pleasant}",
    "{ahead}the {picture} suggests {label}, a feeling that is {pleasant}",
    "{ahead}the {picture} speaks of {label}. That is {pleasant}",  # from here on viewers feel it
    "it is {pleasant}: what one feels is {label}{why}",
    "a viewer may well feel {label}{why}. That is {pleasant}",
    "{ahead}one feels {label}, which is {pleasant}",
)
_WHY = (
    " because of the {thing}",
    ", given the {thing}",
    ", in view of the {thing}",
    " on account of the {thing}",
)

_SHOWN = (  # the scene as a thing, to follow "a photo of"
    "{person} {grinning} and {standing} {place}{near}",
    "{person} with {smile} {standing} {place}{near}",
    "{person} {grinning} {place}{near}",
    "{person}, {smiling} and {standing} {place}{near}",
    "{person} who {smiles} while {standing} {place}{near}",
)
_TOLD = (  # the scene as a clause
    "{person} {stands} {place}{near} and {smiles}",
    "{person} with {smile} {stands} {place}{near}",
    "{person} is {smiling} and {standing} {place}{near}",
    "{person} {smiles} while {standing} {place}{near}",
    "{person}, {smiling}, {stands} {place}{near}",
    "{person} {smiles} {place}{near}",
)
_PLACED = (
    "{place}{near}, {person} is {standing} and {smiling}",
    "{place}, {person} with {smile} {stands}{near}",
)
_FRAMES = ("there is {scene}", "we see {scene}", "here we see {scene}", "this shows {scene}")
_LOOK_FRAMES = (
    "{look} of {scene}",
    "this is {look} of {scene}",
    "{look} shows {scene}",
    "we see {look} of {scene}",
)
_LOOK_CLAUSES = (
    "{look} in which {scene}",
    "this is {look} in which {scene}",
    "in {look}, {scene}",
)  # 1st: no sentence
_THING = (
    "{beside} them {is} {thing}",
    "there {is} {thing} {beside} the person",
    "{thing} {is} {beside} them",
)
_LOOK = ("this is {look}", "the whole scene is shown in {look}", "what we see is {look}")


def _pick(rng: np.random.Generator, options: Phrases) -> str:
    return options[int(rng.random() * len(options))]


def _sentence(text: str, stop: str = ".") -> str:
    return text[0].upper() + text[1:] + stop


def _light(attributes: Mapping[str, object]) -> dict[str, str]:
    """The words that light and colour deserve where they are clear: "brightness" and "colorfulness" -> word."""
    hour, weather = attributes["time"], attributes["weather"]
    belied = (
        "bright"
        if hour == "night" or weather in ("rain", "storm")
        else "dark"
        if weather == "snow"
        else ""
    )
    said = {
        name: words[x > 0.5]
        for name, words in LIGHT.items()
        if not 0.35 <= (x := attributes[name]) <= 0.65
    }
    return {name: word for name, word in said.items() if word != belied}


def describe(attributes: Mapping[str, object], rng: np.random.Generator) -> str:
    """One to three sentences, 15 to 45 words, on 4 to 8 attributes: face, object, place, mostly the action, others."""
    text = ""
    while not 15 <= len(text.split()) <= 45:
        text = " ".join(map(_sentence, _sentences(attributes, rng)))
    return text


def _sentences(attributes: Mapping[str, object], rng: np.random.Generator) -> list[str]:
    place, weather, time, thing, face, action, style = (attributes[name] for name in ATTRIBUTES)
    light = ", ".join(_light(attributes).values())
    extras = ("weather", "time", "style", *(["light"] if light else []))
    named = rng.permutation(extras)[: 1 + int(rng.random() * len(extras))].tolist()
    thing_apart, hour_apart, look_apart = (
        rng.random(3) < (0.4, 0.5, 0.35)
    ).tolist()  # in sentences of their own?
    faces = [
        way for way in SAID["expression"][face] if not way.startswith("showing")
    ]  # pictures show, in captions
    slots = {
        "person": _pick(rng, ("a person", "someone", "somebody", "one person")),
        "smiles": _pick(rng, DONE[face]),
        "smiling": _pick(rng, faces),
        "grinning": _pick(rng, [way for way in faces if "ing" in way]),
        "smile": _pick(rng, FACE[face]),
        "beside": _pick(rng, ("beside", "right beside", "close to")),
        "standing": _pick(rng, SAID["action"][action]),
        "stands": _pick(rng, DONE[action]),
        "is": IS.get(thing, "is"),
        "place": _pick(rng, SAID["background"][place]),
        "thing": _pick(rng, SAID["object"][thing]),
    }
    beside = rng.random() < 0.8 and slots["place"].startswith(
        ("in ", "on ", "at ", "among ")
    )  # none after "near"
    slots["near"] = (" {beside} {thing}" if beside else " with {thing} nearby").format(**slots) * (
        not thing_apart
    )
    before, after = [], [_pick(rng, _THING)] if thing_apart else []
    joined, told = [], []  # the hour and the weather, as words that join a sentence and as clauses
    if "time" in named:
        joined.append(_pick(rng, DONE[time]))
        told.append(f"it is {_pick(rng, SAID['time'][time])}")
    if "weather" in named:
        outside = " outside the window" if place in INDOORS else ""
        seen = DONE[weather][0].split(" ", 1)[1].removeprefix("the ")
        joined.append(
            f"with {seen}{outside}"
            if outside
            else f"{'and ' * len(joined)}{_pick(rng, DONE[weather])}"
        )
        told.append(
            f"{'the sky' if weather == 'clear' else 'it'} is {_pick(rng, SAID['weather'][weather])}{outside}"
        )
    if told and hour_apart:
        (before if rng.random() < 0.4 else after).append(" and ".join(told))
        joined = []
    framed = (
        "style" in named or "light" in named
    )  # does the scene's own sentence say what kind of picture it is?
    if framed:
        kind = _pick(rng, SAID["style"][style]) if "style" in named else "a picture"
        slots["look"] = _a(" ".join([light] * ("light" in named) + kind.split(" ")[1:]))
    if framed and look_apart and len(before + after) < 2:
        after, framed = [*after, _pick(rng, _LOOK)], False
    if rng.random() < 0.5:
        frame, skeleton = (
            _pick(rng, _LOOK_FRAMES[bool(before) :] if framed else _FRAMES),
            _pick(rng, _SHOWN),
        )
    else:
        frame = _pick(rng, _LOOK_CLAUSES[bool(before) :]) if framed else "{scene}"
        skeleton = _pick(rng, _TOLD if framed else _TOLD + _PLACED)
        if joined and not framed and skeleton in _TOLD and rng.random() < 0.5:
            skeleton, joined = f"{' '.join(joined)}, {skeleton}", []
    scene = " ".join([skeleton, *joined])
    return [part.format(**slots) for part in (*before, frame.replace("{scene}", scene), *after)]


def question_about(attributes: Mapping[str, object], rng: np.random.Generator) -> tuple[str, str]:
    """A question on what is visible and its answer: open (half of them), to be answered by yes or no, or a choice."""
    shown = {name: attributes[name] for name in ATTRIBUTES} | _light(attributes)
    name = _pick(rng, tuple(shown))
    value, topic, said = shown[name], TOPICS[name], SAID[name]
    unasked = {one for seen in shown.values() for one in _NEARLY.get(seen, "").split()} | {value}
    other = _pick(rng, tuple(one for one in said if one not in unasked))
    asked, left = (value, other) if rng.random() < 0.5 else (other, value)
    x, is_x, kind, answer = (
        said[asked][0],
        IS.get(asked, "is"),
        rng.random(),
        _pick(rng, topic.answers),
    )
    subject, rest = _pick(rng, topic.claims).split("|")
    question = _pick(rng, topic.ask) if kind < 0.5 else f"{is_x} {subject} {rest}?"
    if 0.5 <= kind < 0.65:
        x += f" or {said[left][0]}"
    elif 0.65 <= kind and asked == value:
        answer = f"yes, {answer if rng.random() < 0.4 else f'{subject} {is_x} {rest}'}"
    elif 0.65 <= kind:
        denied = rest.replace("{x}", f"no {asked}") if name == "object" else f"not {rest}"
        answer = f"no, {subject} {is_x} {denied}" + (f"; {answer}" if rng.random() < 0.7 else "")
    question = _pick(rng, _LEADS) * question.endswith("?") + question
    slots = {
        "x": x,
        "v": _pick(rng, said[value]),
        "plain": said[value][0],
        "place": said[value][0].split(" ", 1)[-1],
        "does": _pick(rng, DONE.get(value, ("",))),
        "has": _pick(rng, FACE.get(value, ("",))),
        "is_v": IS.get(value, "is"),
        "picture": _pick(rng, ("picture", "image", "scene")),
        "outside": " outside the window" if shown["background"] in INDOORS else "",
    }
    return _sentence(question.format(**slots), ""), _sentence(answer.format(**slots))


def sentiment_question(
    attributes: Mapping[str, object], label: str, label_set: str, rng: np.random.Generator
) -> tuple[str, str]:
    """A question on the feeling or mood; the answer names the label, what it is like and mostly a piece of evidence."""
    reasons, why = evidence(attributes, label, label_set), ""
    if reasons and rng.random() < 0.7:
        name, value = _pick(rng, reasons)
        why = _pick(rng, _WHY).format(
            thing=value + {"expression": " face", "action": " person"}.get(name, "")
        )
    pleasant = next(
        (what for what, labels in NOT_UNPLEASANT.items() if label in labels), "unpleasant"
    )
    slots = {
        "picture": _pick(rng, ("picture", "image", "scene")),
        "label": label,
        "pleasant": pleasant,
        "why": why,
        "ahead": f"{why.lstrip(', ')}, " if why else "",
    }
    felt = _pick(rng, _FELT[:6] if label in NOT_FELT else _FELT)
    return _sentence(_pick(rng, _FEELING).format(**slots), ""), _sentence(felt.format(**slots))
