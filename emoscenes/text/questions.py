"""Full captions of scenes, questions with answers, and questions about feeling.

Takes a scene's attributes (the seven of `scenes.ATTRIBUTES`, brightness and colorfulness in [0, 1])
and a numpy generator; gives English text in which every statement about them is true. A sentence
template is drawn first, then a phrase for each of its slots (questions.yaml).

Light and colour are named only where they are clear (below 0.35 or above 0.65) and do not
contradict the time and the weather. In rooms, the weather is seen through a window. Captions and
plain questions contain no emotion word. The only emotion word in answers about feeling is that of
the label.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml

from emoscenes.evidence import evidence
from emoscenes.scenes import ATTRIBUTES
from emoscenes.text.rationales import NOT_FELT

_PHRASES = yaml.safe_load((Path(__file__).parent / "questions.yaml").read_text("utf-8"))
_NAMES: dict[str, dict[str, list[str]]] = _PHRASES["names"]  # attribute -> value -> after "is"
_DOES: dict[str, list[str]] = _PHRASES["does"]
_HAS: dict[str, list[str]] = _PHRASES["has"]

INDOORS = ("bedroom", "office")
_IS = {"balloons": "are"}  # all other things are one
_MIN_WORDS, _MAX_WORDS = 15, 45  # of a full caption
# A level of light or colour within these bounds is not named.
_UNCLEAR = (0.35, 0.65)


@dataclass(frozen=True)
class Topic:
    """How to ask about one attribute: open questions, answers, claims to confirm or deny."""

    ask: list[str]
    answers: list[str]
    claims: list[str]


TOPICS = {attribute: Topic(**phrases) for attribute, phrases in _PHRASES["topics"].items()}


def _pick(rng: np.random.Generator, options: Sequence[str]) -> str:
    return options[int(rng.random() * len(options))]


def _sentence(text: str, stop: str = ".") -> str:
    return text[0].upper() + text[1:] + stop


def _light(attributes: Mapping[str, object]) -> dict[str, str]:
    """Words for light and colour where they are clear: "brightness" and "colorfulness" -> word."""
    # A word that contradicts the time or the weather is left out.
    out_of_place = ""
    if attributes["time"] == "night" or attributes["weather"] in ("rain", "storm"):
        out_of_place = "bright"
    elif attributes["weather"] == "snow":
        out_of_place = "dark"
    low, high = _UNCLEAR
    words = {}
    for name in ("brightness", "colorfulness"):
        level = attributes[name]
        if low <= level <= high:
            continue
        low_word, high_word = _NAMES[name]
        word = high_word if level > high else low_word
        if word != out_of_place:
            words[name] = word
    return words


def describe(attributes: Mapping[str, object], rng: np.random.Generator) -> str:
    """One to three sentences (15 to 45 words) on 4 to 8 attributes.

    Face, object and place are always named, the action mostly, the others by chance.
    """
    text = ""
    while not _MIN_WORDS <= len(text.split()) <= _MAX_WORDS:
        text = " ".join(map(_sentence, _Description(attributes, rng).sentences()))
    return text


class _Description:
    """One attempt at a full caption: which attributes it names, where, and in which words."""

    def __init__(self, attributes: Mapping[str, object], rng: np.random.Generator) -> None:
        self.attributes, self.rng = attributes, rng
        self.light = ", ".join(_light(attributes).values())
        extras = ["weather", "time", "style"]
        if self.light:
            extras.append("light")
        order = rng.permutation(extras)
        self.named = order[: 1 + int(rng.random() * len(extras))].tolist()
        # Whether each of these has its own sentence: object, time and weather, kind of picture.
        apart = rng.random(3) < (0.4, 0.5, 0.35)
        self.thing_apart, self.time_apart, self.look_apart = apart.tolist()
        self.slots = self._slots()

    def pick(self, options: Sequence[str]) -> str:
        return _pick(self.rng, options)

    def _slots(self) -> dict[str, str]:
        """A phrase for each slot of the sentence on the scene."""
        face, action = self.attributes["expression"], self.attributes["action"]
        place, thing = self.attributes["background"], self.attributes["object"]
        # "showing a blank face" does not fit into a caption, where the picture is what shows.
        faces = [way for way in _NAMES["expression"][face] if not way.startswith("showing")]
        slots = {
            "person": self.pick(_PHRASES["persons"]),
            "smiles": self.pick(_DOES[face]),
            "smiling": self.pick(faces),
            "grinning": self.pick([way for way in faces if "ing" in way]),
            "smile": self.pick(_HAS[face]),
            "beside": self.pick(_PHRASES["beside"]),
            "standing": self.pick(_NAMES["action"][action]),
            "stands": self.pick(_DOES[action]),
            "is": _IS.get(thing, "is"),
            "place": self.pick(_NAMES["background"][place]),
            "thing": self.pick(_NAMES["object"][thing]),
        }
        # "near the mountains beside a rose" would name two places, so "beside" needs another one.
        fits = self.rng.random() < 0.8 and slots["place"].startswith(
            ("in ", "on ", "at ", "among ")
        )
        near = " {beside} {thing}" if fits else " with {thing} nearby"
        slots["near"] = "" if self.thing_apart else near.format(**slots)
        return slots

    def sentences(self) -> list[str]:
        """The sentences in their order, without capitals and full stops."""
        before: list[str] = []
        after: list[str] = []
        if self.thing_apart:
            after.append(self.pick(_PHRASES["thing_sentences"]))
        joined, clauses = self._time_and_weather()
        if clauses and self.time_apart:
            (before if self.rng.random() < 0.4 else after).append(" and ".join(clauses))
            joined = []
        framed = self._name_the_look()  # does the sentence on the scene name the kind of picture?
        if framed and self.look_apart and len(before) + len(after) < 2:
            after.append(self.pick(_PHRASES["picture_sentences"]))
            framed = False
        scene = self._scene_sentence(framed, bool(before), joined)
        return [sentence.format(**self.slots) for sentence in (*before, scene, *after)]

    def _time_and_weather(self) -> tuple[list[str], list[str]]:
        """The time and the weather, if named: words that join a sentence, and clauses."""
        joined: list[str] = []
        clauses: list[str] = []
        time, weather = self.attributes["time"], self.attributes["weather"]
        indoors = self.attributes["background"] in INDOORS
        if "time" in self.named:
            joined.append(self.pick(_DOES[time]))
            clauses.append(f"it is {self.pick(_NAMES['time'][time])}")
        if "weather" in self.named:
            if indoors:
                outside = " outside the window"
                seen = _DOES[weather][0].split(" ", 1)[1].removeprefix("the ")
                joined.append(f"with {seen}{outside}")
            else:
                outside = ""
                link = "and " if joined else ""
                joined.append(link + self.pick(_DOES[weather]))
            subject = "the sky" if weather == "clear" else "it"
            clauses.append(f"{subject} is {self.pick(_NAMES['weather'][weather])}{outside}")
        return joined, clauses

    def _name_the_look(self) -> bool:
        """Fill the slot {look} ("a dark painting"); False if neither style nor light is named."""
        if "style" not in self.named and "light" not in self.named:
            return False
        kind = "a picture"
        if "style" in self.named:
            kind = self.pick(_NAMES["style"][self.attributes["style"]])
        words = kind.split(" ")[1:]
        if "light" in self.named:
            words.insert(0, self.light)
        phrase = " ".join(words)
        self.slots["look"] = f"an {phrase}" if phrase[0] in "aeiou" else f"a {phrase}"
        return True

    def _scene_sentence(self, framed: bool, follows: bool, joined: list[str]) -> str:
        """The template of the sentence on the scene. `follows`: another one comes before it."""
        if self.rng.random() < 0.5:
            if framed:
                # The first frame has no verb: it does not follow another sentence.
                frame = self.pick(_PHRASES["picture_noun_frames"][1 if follows else 0 :])
            else:
                frame = self.pick(_PHRASES["noun_frames"])
            scene = self.pick(_PHRASES["scene_as_noun"])
        else:
            clauses = _PHRASES["scene_as_clause"]
            if framed:
                frame = self.pick(_PHRASES["picture_clause_frames"][1 if follows else 0 :])
                scene = self.pick(clauses)
            else:
                frame = "{scene}"
                scene = self.pick(clauses + _PHRASES["clause_after_place"])
                if joined and scene in clauses and self.rng.random() < 0.5:
                    scene = f"{' '.join(joined)}, {scene}"
                    joined = []
        return frame.replace("{scene}", " ".join([scene, *joined]))


def question_about(attributes: Mapping[str, object], rng: np.random.Generator) -> tuple[str, str]:
    """A question on what is visible, and its answer.

    Half of the questions are open; the others ask for yes or no, or offer a choice of two values.
    """
    shown = {name: attributes[name] for name in ATTRIBUTES} | _light(attributes)
    name = _pick(rng, tuple(shown))
    value, topic = shown[name], TOPICS[name]
    # A second value of the attribute, which the picture clearly does not show.
    unasked = {value}
    for seen in shown.values():
        unasked.update(_PHRASES["nearly"].get(seen, ()))
    other = _pick(rng, [one for one in _NAMES[name] if one not in unasked])
    asked, left = (value, other) if rng.random() < 0.5 else (other, value)
    kind = rng.random()
    answer = _pick(rng, topic.answers)
    subject, rest = _pick(rng, topic.claims).split("|")
    is_asked = _IS.get(asked, "is")
    options = _NAMES[name][asked][0]  # what {x} stands for
    if kind < 0.5:
        question = _pick(rng, topic.ask)
    else:
        question = f"{is_asked} {subject} {rest}?"
        if kind < 0.65:
            options += f" or {_NAMES[name][left][0]}"
        elif asked == value:
            confirmed = answer if rng.random() < 0.4 else f"{subject} {is_asked} {rest}"
            answer = f"yes, {confirmed}"
        else:
            denied = rest.replace("{x}", f"no {asked}") if name == "object" else f"not {rest}"
            correction = f"; {answer}" if rng.random() < 0.7 else ""
            answer = f"no, {subject} {is_asked} {denied}{correction}"
    lead = _pick(rng, _PHRASES["leads"])
    if question.endswith("?"):
        question = lead + question
    plain = _NAMES[name][value][0]
    slots = {
        "x": options,
        "v": _pick(rng, _NAMES[name][value]),
        "plain": plain,
        "place": plain.split(" ", 1)[-1],
        "does": _pick(rng, _DOES.get(value, [""])),
        "has": _pick(rng, _HAS.get(value, [""])),
        "is_v": _IS.get(value, "is"),
        "picture": _pick(rng, _PHRASES["pictures"]),
        "outside": " outside the window" if shown["background"] in INDOORS else "",
    }
    return _sentence(question.format(**slots), ""), _sentence(answer.format(**slots))


def sentiment_question(
    attributes: Mapping[str, object], label: str, label_set: str, rng: np.random.Generator
) -> tuple[str, str]:
    """A question on the feeling or mood, and its answer.

    The answer names the label, whether it is pleasant, and mostly a piece of evidence.
    """
    pieces = evidence(attributes, label, label_set)
    reason = ""
    if pieces and rng.random() < 0.7:
        name, value = _pick(rng, pieces)
        noun = {"expression": " face", "action": " person"}.get(name, "")
        reason = _pick(rng, _PHRASES["reasons"]).format(thing=value + noun)
    slots = {
        "picture": _pick(rng, _PHRASES["pictures"]),
        "label": label,
        "pleasant": _pleasantness(label),
        "why": reason,
        "ahead": f"{reason.lstrip(', ')}, " if reason else "",
    }
    answers = _PHRASES["feeling_answers"]
    allowed = answers["evoked"]
    if label not in NOT_FELT:
        allowed = allowed + answers["felt"]
    answer = _pick(rng, allowed)
    question = _pick(rng, _PHRASES["feeling_questions"])
    return _sentence(question.format(**slots), ""), _sentence(answer.format(**slots))


def _pleasantness(label: str) -> str:
    for what, labels in _PHRASES["not_unpleasant"].items():
        if label in labels:
            return what
    return "unpleasant"
