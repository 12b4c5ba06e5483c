"""Rationales: sentences that explain why a scene evokes an emotion.

Takes a scene's attributes and a label of any set that Parrott's 25 labels map to. Gives a rationale
(one text) or a conversation (questions and answers).

A text names only evidence (`evidence.evidence`: attributes that raise the log-odds of the label),
the heaviest first. Each piece comes with a meaning that connects it with the emotion
(meanings.yaml). The only emotion that a text names is the label itself.

A *sentence pattern* is a sentence with open slots (sentences.yaml). One pattern in ten is never
used in training text. The checksum of a pattern decides which (`is_held_out`).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from zlib import crc32

import numpy as np
import yaml

from emoscenes.evidence import evidence, weight_of_evidence

_FOLDER = Path(__file__).parent
_SENTENCES = yaml.safe_load((_FOLDER / "sentences.yaml").read_text("utf-8"))
_MEANINGS = yaml.safe_load((_FOLDER / "meanings.yaml").read_text("utf-8"))

# Names of things that are plural; all other names are singular.
_PLURAL = {"balloons", "tears", "eyes"}
# Viewers do not feel these emotions themselves. A sentence may name them only after "of".
NOT_FELT = ("neglect", "shame", "suffering")
_LABEL_WITHOUT_OF = re.compile(r"(?<!of )\{label\}")
# How many of the heaviest pieces of evidence a rationale names: p(1), p(2), p(3).
_PIECES = (0.03, 0.72, 0.25)

Meaning = tuple[str, str]  # a clause, and the same as a noun phrase (its sense)
Families = dict[str, list[list[str]]]  # role of a sentence -> families -> patterns


def _with_article(name: str) -> str:
    """A name with the indefinite article that it takes."""
    if _PLURAL & set(name.split()):
        return name
    return f"an {name}" if name[0] in "aeiou" else f"a {name}"


def _read_meanings() -> dict[tuple[str, str], list[Meaning]]:
    """(value, label or "other labels") -> meanings."""
    table = {}
    for value, entry in _MEANINGS.items():
        for labels, meanings in entry["meanings"].items():
            keys = [labels] if labels == "other labels" else labels.split()
            for label in keys:
                table[value, label] = list(meanings.items())
    return table


NAMES: dict[str, list[str]] = {value: entry["names"] for value, entry in _MEANINGS.items()}
MEANINGS = _read_meanings()


def _expand(template: str, parts: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """All sentences of a template: every <part> replaced by each of its alternatives in turn."""
    pieces = re.split(r"<([^>]+)>", template)  # literal text and names of parts take turns
    choices = []
    for i, piece in enumerate(pieces):
        choices.append(parts[piece] if i % 2 else [piece])
    for chosen in product(*choices):
        yield "".join(chosen) + "."


def _read_families() -> Families:
    parts = dict(_SENTENCES["parts"])
    for name, (verb, ending) in _SENTENCES["verbs"].items():
        parts[name] = [phrase.replace("{s1}", ending) for phrase in parts[verb]]
    families: Families = {}
    for role, written in _SENTENCES["families"].items():
        families[role] = []
        for templates in written:
            family = [pattern for one in templates for pattern in _expand(one, parts)]
            families[role].append(family)
    return families


FAMILIES = _read_families()


def patterns() -> list[str]:
    """Every sentence pattern, each once."""
    return [pattern for role in FAMILIES.values() for family in role for pattern in family]


def is_held_out(pattern: str) -> bool:
    """Whether a pattern is never used in training text: one in ten, chosen by its checksum."""
    return crc32(pattern.encode()) % 10 == 0


def _allowed(held_out: bool, felt: bool) -> Families:
    """The families with only the patterns that a text may use; questions are never held out.

    `held_out`: only held-out patterns, else none of them. `felt`: viewers can feel the label.
    """
    allowed: Families = {}
    for role, families in FAMILIES.items():
        kept = [[s for s in family if is_held_out(s) == held_out] for family in families]
        allowed[role] = kept
    for role, questions in _SENTENCES["questions"].items():
        allowed[role] = [questions]
    if not felt:
        for role, families in allowed.items():
            allowed[role] = [
                [s for s in family if not _LABEL_WITHOUT_OF.search(s)] for family in families
            ]
    return {role: [family for family in families if family] for role, families in allowed.items()}


_ALLOWED = {
    (held_out, felt): _allowed(held_out, felt)
    for held_out in (False, True)
    for felt in (False, True)
}


class _Writer:
    """The state while one text is written: its evidence, allowed patterns, and what was used."""

    def __init__(
        self,
        attributes: Mapping[str, object],
        label: str,
        label_set: str,
        rng: np.random.Generator,
        held_out: bool,
    ) -> None:
        self.label, self.rng = label, rng
        self.families = _ALLOWED[held_out, label not in NOT_FELT]
        self.named: set[str] = set()  # values that the text has named
        self.senses: set[str] = set()  # senses of the meanings that it has given
        pairs = evidence(attributes, label, label_set)
        if not pairs:
            raise ValueError(
                f"no evidence for {label!r} ({label_set}) in the scene {dict(attributes)}: "
                "expected at least one attribute that raises its log-odds"
            )
        # value -> weight, the heaviest first
        self.weights = {
            value: weight_of_evidence(name, value, label, label_set) for name, value in pairs
        }

    def pick(self, options: Sequence):
        return options[int(self.rng.random() * len(options))]

    def sentence(self, role: str, *values: str) -> str:
        """A sentence on these values.

        The first mention of a value in a text varies its name, later ones use the plainest.
        """
        pattern = self.pick(self.pick(self.families[role]))
        slots = {"label": self.label}
        listed: list[str] = []
        senses: set[str] = set()  # given in this sentence
        for i, value in enumerate(values, start=1):
            name = NAMES[value][0] if value in self.named else self.pick(NAMES[value])
            clause, sense = self._meaning(value, senses)
            if f"{{why{i}}}" in pattern or f"{{sense{i}}}" in pattern:
                senses.add(sense)
            some = _with_article(name)
            listed.append(some)
            is_plural = name == some
            slots[f"the{i}"] = f"the {name}"
            slots[f"a{i}"] = some
            slots[f"why{i}"] = clause
            slots[f"sense{i}"] = sense
            slots[f"s{i}"] = "" if is_plural else "s"
            slots[f"is{i}"] = "are" if is_plural else "is"
            slots[f"it{i}"] = "they" if is_plural else "it"
        slots["list"] = _joined(listed)
        self.named.update(values)
        self.senses |= senses
        text = pattern.format_map(slots)
        return text[0].upper() + text[1:]

    def _meaning(self, value: str, senses: set[str]) -> Meaning:
        """A meaning of a value that is new in the sentence and, if possible, new in the text."""
        meanings = MEANINGS.get((value, self.label)) or MEANINGS[value, "other labels"]
        new_in_sentence = [meaning for meaning in meanings if meaning[1] not in senses]
        new_in_text = [meaning for meaning in new_in_sentence if meaning[1] not in self.senses]
        return self.pick(new_in_text or new_in_sentence)

    def reasons(self, values: Sequence[str]) -> list[str]:
        """Sentences that name every value and its meaning.

        The heaviest comes first, except that the two values of a pair may change places.
        """
        if len(values) == 1 or self.rng.random() < 0.4:
            texts = [self.sentence("lead", values[0])]
            rest = values[1:]
        else:
            pair = values[:2] if self.rng.random() < 0.7 else values[1::-1]
            roles = ("leads",) if self.rng.random() < 0.5 else ("pair", "means")
            texts = [self.sentence(role, *pair) for role in roles]
            rest = values[2:]
        return texts + [self.sentence("more", value) for value in rest]


def _joined(names: Sequence[str]) -> str:
    """Names in a row, as in "a rose, a smile and a beach": commas, and "and" before the last."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def rationale(
    attributes: Mapping[str, object],
    label: str,
    label_set: str,
    rng: np.random.Generator,
    held_out: bool = False,
    full: bool = False,
) -> str:
    """Why the scene evokes the label: 1 to 4 sentences on its heaviest evidence, mostly two pieces.

    `attributes` as for `evidence.evidence`. `full`: all its evidence, at greater length.
    `held_out`: held-out patterns only, else none of them. ValueError if the scene has no evidence
    for the label.
    """
    writer = _Writer(attributes, label, label_set, rng, held_out)
    values = list(writer.weights)
    if full:
        texts = [writer.sentence("seen", *values), *writer.reasons(values)]
    else:
        pieces = 1 + int(rng.choice(3, p=_PIECES))
        texts = writer.reasons(values[:pieces])
    if full or rng.random() < 0.5:
        texts.append(writer.sentence("end"))
    return " ".join(texts)


def conversation(
    attributes: Mapping[str, object],
    label: str,
    label_set: str,
    rng: np.random.Generator,
    held_out: bool = False,
) -> list[tuple[str, str]]:
    """Two or three (question, answer) turns on what is seen, why it evokes the label, and weights.

    The last turn asks either which piece weighs most or what the feeling would be without one
    piece; the answer follows from the weights of evidence. Arguments as for `rationale`.
    """
    writer = _Writer(attributes, label, label_set, rng, held_out)
    values = list(writer.weights)
    turns = []
    if rng.random() < 0.7:
        turns.append((writer.sentence("seen?"), writer.sentence("seen", *values)))
    turns.append((writer.sentence("why?"), " ".join(writer.reasons(values[:2]))))
    if len(values) > 1 and rng.random() < 0.5:
        turns.append((writer.sentence("most?"), writer.sentence("most", *values[:2])))
    else:
        turns.append(_without_a_piece(writer, values))
    return turns


def _without_a_piece(writer: _Writer, values: list[str]) -> tuple[str, str]:
    """A question on the feeling without one piece of evidence, answered by its weight."""
    missing = writer.pick(values)
    share = writer.weights[missing] / sum(writer.weights.values())
    if share == 1:
        role = "gone"
    elif share > 0.5:
        role = "weaker"
    else:
        role = "kept"
    question = writer.sentence("without?", missing)
    heaviest_other = [value for value in values if value != missing][:1]
    return question, writer.sentence(role, missing, *heaviest_other)
