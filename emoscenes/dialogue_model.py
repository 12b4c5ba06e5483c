"""The model of EmoScenes' dialogues: how emotions, cues and votes depend on each other.

Takes `dialogues.yaml`; gives its numbers as arrays, the likelihood of cues, and the probability of
each label code. `emoscenes.dialogues` samples from the model, `emoscenes.dialogue_optimum` infers.

Two speakers talk. Each has a trait that never changes: open or guarded. In each turn:

1. The speaker's emotion e depends on the emotion of his or her own last turn and on that of the
   partner's last turn (inertia and response). Before the first turn both are drawn from the prior.
   The prior is stationary: p(e) is the same in every turn.
2. Two hidden events happen, each with a probability that depends on the trait. *Irony*: the words
   name the opposite of e. *Overflow* (tears of joy): the face shows the opposite of e.
3. Each of four streams shows a cue, given e, the events and the trait. Voice and body hint at e
   itself, and each has a marker: the voice sounds mocking in irony, the body trembles in overflow.
   The marker alone says little about e; it says how the words or the face must be read.
4. Three annotators each name a code, given e. The code that at least two name is the label of the
   utterance; if there is none, its code is "xxx".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from pathlib import Path

import numpy as np
import yaml

from tinyemo.emotions import LABEL_CODES

PATH = Path(__file__).parent / "dialogues.yaml"
UNSEEN = -1  # in place of a cue: the stream is missing or not looked at


@dataclass(frozen=True, eq=False)
class DialogueModel:
    """Probabilities of the model. E emotions, Z traits, S streams; all arrays are float64."""

    codes: tuple[str, ...]  # of the E emotions
    traits: tuple[str, ...]  # of speakers, equally frequent
    prior: np.ndarray  # p(emotion): (E,)
    inertia: float
    response: float
    response_table: np.ndarray  # p(emotion | the partner's last emotion, response): (E, E)
    same_speaker: float
    turns: tuple[int, int]  # shortest and longest dialogue
    irony: np.ndarray  # p(irony | trait, emotion): (Z, E)
    overflow: np.ndarray  # p(overflow | trait, emotion): (Z, E)
    # stream -> p(cue | trait, irony, overflow, emotion): (Z, 2, 2, E, cues of the stream)
    cues: dict[str, np.ndarray]
    widths: dict[str, int]  # stream -> number of values of a vector
    annotators: int
    votes: np.ndarray  # p(code named by one annotator | emotion): (E, E)

    @property
    def streams(self) -> tuple[str, ...]:
        return tuple(self.cues)

    @cached_property
    def transitions(self) -> np.ndarray:
        """p(emotion | own last emotion, the partner's last emotion): (E, E, E)."""
        count = len(self.codes)
        table = np.zeros((count, count, count))
        table += (1 - self.inertia - self.response) * self.prior
        table += self.response * self.response_table[None]
        own = np.arange(count)
        table[own, :, own] += self.inertia
        return table

    @cached_property
    def label_given_emotion(self) -> np.ndarray:
        """p(code of the utterance | emotion): (E, E + 1); the last column is "no majority"."""
        count = len(self.codes)
        table = np.zeros((count, count + 1))
        for named in product(range(count), repeat=self.annotators):
            probability = self.votes[:, named].prod(axis=1)  # (E,)
            table[:, majority(named, count)] += probability
        return table

    def likelihood(self, cues: np.ndarray) -> np.ndarray:
        """p(cues | trait, emotion) of each row, summed over the hidden events: (N, Z, E).

        cues: (N, S) int, one column per stream; UNSEEN where a stream is not seen.
        """
        total = np.zeros((len(cues), *self.irony.shape))
        for ironic, overflowing in product((0, 1), repeat=2):
            p_irony = self.irony if ironic else 1 - self.irony
            p_overflow = self.overflow if overflowing else 1 - self.overflow
            joint = np.repeat((p_irony * p_overflow)[None], len(cues), axis=0)  # (N, Z, E)
            for column, table in enumerate(self.cues.values()):
                seen = cues[:, column] != UNSEEN
                by_cue = table[:, ironic, overflowing].transpose(2, 0, 1)  # (cues, Z, E)
                joint[seen] *= by_cue[cues[seen, column]]
            total += joint
        return total


def majority(named: Sequence[int], codes: int) -> int:
    """The code that more than half of the annotators name; `codes` if there is none."""
    counts = np.bincount(named, minlength=codes)
    best = int(counts.argmax())
    return best if 2 * counts[best] > len(named) else codes


def label_codes(label_set: str) -> dict[str, list[str]]:
    """Label -> its codes, of a label set that the dialogues' codes can be mapped to.

    Labels that no dialogue has ("other") are left out. ValueError: another label set.
    """
    usable = [name for name, codes in LABEL_CODES.items() if set(MODEL.codes) & set(codes)]
    if label_set not in usable:
        raise ValueError(
            f"label set {label_set!r} does not fit the dialogues: expected {', '.join(usable)}"
        )
    found: dict[str, list[str]] = {}
    for code, label in LABEL_CODES[label_set].items():
        if code in MODEL.codes:
            found.setdefault(label, []).append(code)
    return found


def read_model(path: Path = PATH) -> DialogueModel:
    """The checked model of a YAML file. ValueError names the entry that does not fit."""
    table = yaml.safe_load(path.read_text(encoding="utf-8"))
    _check(table, path)
    codes = tuple(table["prior_weights"])
    prior = np.array(list(table["prior_weights"].values()))
    prior = prior / prior.sum()

    response = np.zeros((len(codes), len(codes)))
    for group in table["response_groups"]:
        own = _positions(codes, group)
        response[np.ix_(own, own)] = prior[own] / prior[own].sum()

    opposite = _opposites(codes, table["opposites"])
    may = opposite.diagonal() == 0  # (E,): the emotion has an opposite
    traits = table["traits"]
    return DialogueModel(
        codes=codes,
        traits=tuple(traits),
        prior=prior,
        inertia=table["inertia"],
        response=table["response"],
        response_table=response,
        same_speaker=table["same_speaker"],
        turns=tuple(table["turns"]),
        irony=np.array([may * trait["irony"] for trait in traits.values()]),
        overflow=np.array([may * trait["overflow"] for trait in traits.values()]),
        cues={name: _cue_table(codes, name, table) for name in table["streams"]},
        widths={name: stream["width"] for name, stream in table["streams"].items()},
        annotators=table["annotators"],
        votes=_vote_table(codes, table["votes"]),
    )


def _check(table: dict, path: Path) -> None:
    """ValueError about the first entry that contradicts the others."""
    codes = set(table["prior_weights"])

    def expect(condition: bool, entry: str, expected: str) -> None:
        if not condition:
            raise ValueError(f"{path.name}, {entry}: expected {expected}")

    groups = {"response_groups": table["response_groups"]}
    for name, stream in table["streams"].items():
        entry = f"streams, {name}"
        groups[f"{entry}, groups"] = stream["groups"]
        expect(stream["clear"] + stream["near"] < 1, entry, "clear + near below 1")
        expect(stream["marks"] in ("", "irony", "overflow"), entry, "an event that it marks, or ''")
    for entry, listed in groups.items():
        members = sorted(code for group in listed for code in group)
        expect(members == sorted(codes), entry, "each code in exactly one group")
    expect(table["inertia"] + table["response"] < 1, "inertia, response", "a sum below 1")
    expect(set(table["votes"]) == codes, "votes", "one row for each code")
    for code, others in table["votes"].items():
        expect(codes - {code} >= set(others), f"votes, {code}", "other codes than its own")
        expect(sum(others.values()) < 0.5, f"votes, {code}", "a sum below 0.5")


def _positions(codes: Sequence[str], chosen: Sequence[str]) -> list[int]:
    return [codes.index(code) for code in chosen]


def _opposites(codes: Sequence[str], pairs: Sequence[Sequence[str]]) -> np.ndarray:
    """p(shown emotion | emotion, irony or overflow): (E, E) of 0 and 1."""
    table = np.eye(len(codes))
    for pair in pairs:
        own = _positions(codes, pair)
        table[own] = table[own[::-1]]
    return table


def _hint_table(codes: Sequence[str], stream: dict, added: float) -> np.ndarray:
    """p(hint | shown emotion): (E, E). `added`: to the probability of the clear hint."""
    clear = stream["clear"] + added
    rest = 1 - clear - stream["near"]
    table = clear * np.eye(len(codes)) + rest / len(codes)
    for group in stream["groups"]:
        own = _positions(codes, group)
        table[np.ix_(own, own)] += stream["near"] / len(own)
    return table


def _cue_table(codes: Sequence[str], name: str, table: dict) -> np.ndarray:
    """p(cue | trait, irony, overflow, emotion) of one stream: (Z, 2, 2, E, cues).

    Without a marker a cue is the hint, with a marker it is 2 * hint + marker.
    """
    stream = table["streams"][name]
    opposite = _opposites(codes, table["opposites"])
    reliable = table["marker_reliability"]
    marker = np.array([[reliable, 1 - reliable], [1 - reliable, reliable]])  # (event, marker)
    rows = []
    for trait, ironic, overflowing in product(table["traits"].values(), (0, 1), (0, 1)):
        added = trait["voice"] if name == "audio" else 0.0
        hints = _hint_table(codes, stream, added)  # (shown, hint)
        turned = {"text": ironic, "face": overflowing}.get(name, 0)
        cues = opposite @ hints if turned else hints  # (E, hint)
        if stream["marks"]:
            event = ironic if stream["marks"] == "irony" else overflowing
            marked = cues[:, :, None] * marker[event]  # (E, hint, marker)
            cues = marked.reshape(len(codes), -1)
        rows.append(cues)
    return np.array(rows).reshape(len(table["traits"]), 2, 2, len(codes), -1)


def _vote_table(codes: Sequence[str], votes: dict[str, dict[str, float]]) -> np.ndarray:
    """p(code named by one annotator | emotion): (E, E), rows sum to 1."""
    table = np.zeros((len(codes), len(codes)))
    for row, code in enumerate(codes):
        for other, probability in votes[code].items():
            table[row, codes.index(other)] = probability
        table[row, row] = 1 - sum(votes[code].values())
    return table


MODEL = read_model()
STREAMS = MODEL.streams  # ("text", "audio", "video", "face")
