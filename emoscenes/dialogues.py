"""EmoScenes' dialogues: conversations with text, audio, video and face, and known ground truth.

Takes a number of utterances and a seed; gives the utterance table of `tinyemo.data.utterances`
with transcripts and annotators' votes, one vector per utterance and stream, and the hidden truth
behind them. The model is explained in `emoscenes.dialogue_model`.

Five sessions; in each, the same two speakers talk in many dialogues. No speaker is in two sessions,
so leaving a session out tests on unseen speakers.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from emoscenes.dialogue_model import MODEL, STREAMS, UNSEEN, DialogueModel, majority
from emoscenes.dialogue_vectors import vectors
from emoscenes.text.utterances import OPENERS, PHRASES_PER_CODE, transcripts
from tinyemo.data.utterances import NO_MAJORITY, check_utterances

DATASET = "dialogues"
SESSIONS = 5
LEAST = 100  # utterances of a dataset
PROTOTYPES = 6  # per cue of audio, video and face; the text has one per phrase

# Second parts of the seeds
TRAITS, TURNS, VOTES, PHRASES, TEXTS, VARIANTS, VECTORS, MISSING = range(80, 88)

_SECONDS_PER_WORD, _PAUSE = 0.35, 0.6
_HIDDEN = ("emotion", "trait", "irony", "overflow")


@dataclass(frozen=True, eq=False)
class Turns:
    """Sampled turns of M dialogues, padded to the longest: arrays (M, T) of int."""

    inside: np.ndarray  # bool: False behind the end of a dialogue
    speaker: np.ndarray  # 0 or 1
    emotion: np.ndarray  # position in the model's codes
    trait: np.ndarray  # of the speaker; position in the model's traits
    irony: np.ndarray  # 1 where the words name the opposite
    overflow: np.ndarray  # 1 where the face shows the opposite
    cues: np.ndarray  # (M, T, S)


@dataclass(frozen=True, eq=False)
class Dialogues:
    """A dataset of N utterances, in order of session, dialogue and turn."""

    utterances: pd.DataFrame  # columns of tinyemo.data.utterances; group = session
    streams: dict[str, np.ndarray]  # stream -> vectors (N, D) float32; NaN where it is missing
    present: dict[str, np.ndarray]  # stream -> (N,) bool: False where it is missing
    truth: pd.DataFrame  # one row per utterance: emotion, trait, irony, overflow, cue_<stream>


def make_dialogues(n: int = 10_000, seed: int = 0, missing: float = 0.0) -> Dialogues:
    """Sample a dataset of `n` utterances. The same seed gives the same dataset.

    missing: share of the utterances whose audio, video or face is missing, independently for each
    of the three. There are no media files: the columns audio, video and face of the table are
    empty, and `present` tells which vectors exist. A missing cue is -1 in `truth`. ValueError:
    fewer than LEAST utterances, or a share outside [0, 1).
    """
    if n < LEAST:
        raise ValueError(f"n={n}: expected at least {LEAST} utterances")
    if not 0 <= missing < 1:
        raise ValueError(f"missing={missing}: expected a share from 0 to below 1")
    traits = _balanced_traits(seed)
    parts = []
    for number in range(SESSIONS):
        part = _session(number, n, traits[number], seed)
        parts.append(part)
    turns = pd.concat(parts, ignore_index=True)
    phrases = np.random.default_rng([seed, PHRASES]).integers(PHRASES_PER_CODE, size=n)
    utterances = _utterance_table(turns, phrases, seed)

    streams, present = {}, {}
    speakers, _ = pd.factorize(turns["speaker"])
    for position, stream in enumerate(STREAMS):
        variants, count = phrases, PHRASES_PER_CODE
        kept = np.ones(n, dtype=bool)
        if stream != "text":
            count = PROTOTYPES
            variants = np.random.default_rng([seed, VARIANTS, position]).integers(count, size=n)
            kept = np.random.default_rng([seed, MISSING, position]).random(n) >= missing
        cues = turns[f"cue_{stream}"].to_numpy()
        own_seed = [seed, VECTORS, position]
        streams[stream] = vectors(stream, cues, variants, count, speakers, own_seed)
        streams[stream][~kept] = np.nan
        turns[f"cue_{stream}"] = np.where(kept, cues, UNSEEN)
        present[stream] = kept
    truth = turns[[*_HIDDEN, *(f"cue_{stream}" for stream in STREAMS)]]
    return Dialogues(utterances, streams, present, truth)


# ---- turns


def sample_turns(
    lengths: np.ndarray, traits: np.ndarray, rng: np.random.Generator, model: DialogueModel = MODEL
) -> Turns:
    """Sample M dialogues. lengths: (M,) int. traits: of the two speakers, (M, 2) int."""
    count, longest = len(lengths), int(lengths.max())
    dialogues = np.arange(count)
    names = ("speaker", "emotion", "trait", "irony", "overflow")
    sampled = {name: np.zeros((count, longest), int) for name in names}
    cues = np.zeros((count, longest, len(model.streams)), int)
    before = np.broadcast_to(model.prior, (count, 2, len(model.prior)))
    last = draw(before, rng)  # last emotion of each speaker: (M, 2)
    speaker = rng.integers(2, size=count)
    for turn in range(longest):
        if turn:
            stays = _happens(np.full(count, model.same_speaker), rng)
            speaker = np.where(stays == 1, speaker, 1 - speaker)
        own = last[dialogues, speaker]
        partner = last[dialogues, 1 - speaker]
        emotion = draw(model.transitions[own, partner], rng)  # (M,)
        last[dialogues, speaker] = emotion
        trait = traits[dialogues, speaker]
        irony = _happens(model.irony[trait, emotion], rng)
        overflow = _happens(model.overflow[trait, emotion], rng)
        for column, table in enumerate(model.cues.values()):
            given = table[trait, irony, overflow, emotion]  # (M, cues)
            cues[:, turn, column] = draw(given, rng)
        sampled["speaker"][:, turn] = speaker
        sampled["emotion"][:, turn] = emotion
        sampled["trait"][:, turn] = trait
        sampled["irony"][:, turn] = irony
        sampled["overflow"][:, turn] = overflow
    inside = np.arange(longest) < lengths[:, None]
    return Turns(inside=inside, cues=cues, **sampled)


def draw(probabilities: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One category from each distribution (..., K): (...) int."""
    thresholds = np.cumsum(probabilities, axis=-1)
    total = thresholds[..., -1:]
    level = rng.random(total.shape) * total
    return (thresholds <= level).sum(axis=-1)


def _happens(probabilities: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """1 with the given probability, else 0."""
    return (rng.random(len(probabilities)) < probabilities).astype(int)


def draw_lengths(total: int, rng: np.random.Generator) -> np.ndarray:
    """Lengths of as many dialogues as are needed for at least `total` turns: (M,) int."""
    shortest, longest = MODEL.turns
    lengths = rng.integers(shortest, longest + 1, size=total // shortest + 1)
    needed = np.searchsorted(lengths.cumsum(), total) + 1
    return lengths[:needed]


def _balanced_traits(seed: int) -> np.ndarray:
    """Traits of the two speakers of each session (5, 2): each trait has five of the ten."""
    traits = np.arange(2 * SESSIONS) % len(MODEL.traits)
    shuffled = np.random.default_rng([seed, TRAITS]).permutation(traits)
    return shuffled.reshape(SESSIONS, 2)


def _session(number: int, n: int, traits: np.ndarray, seed: int) -> pd.DataFrame:
    """The turns of one session, with the truth about them. The last dialogue is cut to fit `n`."""
    size = n * (number + 1) // SESSIONS - n * number // SESSIONS
    rng = np.random.default_rng([seed, TURNS, number])
    lengths = draw_lengths(size, rng)
    turns = sample_turns(lengths, np.tile(traits, (len(lengths), 1)), rng)
    inside = turns.inside
    dialogue, turn = np.nonzero(inside)  # in order of dialogue and turn
    session = number + 1
    speakers = np.array([f"s{session}a", f"s{session}b"])
    emotions, trait_names = np.array(MODEL.codes), np.array(MODEL.traits)
    table = {
        "group": f"session{session}",
        "dialogue": [f"s{session}d{one:03d}" for one in dialogue],
        "turn": turn,
        "speaker": speakers[turns.speaker[inside]],
        "emotion": emotions[turns.emotion[inside]],
        "trait": trait_names[turns.trait[inside]],
        "irony": turns.irony[inside] == 1,
        "overflow": turns.overflow[inside] == 1,
    }
    cues = turns.cues[inside]  # (utterances, S)
    for position, stream in enumerate(STREAMS):
        table[f"cue_{stream}"] = cues[:, position]
    return pd.DataFrame(table)[:size]


# ---- the utterance table


def _utterance_table(turns: pd.DataFrame, phrases: np.ndarray, seed: int) -> pd.DataFrame:
    """The table of tinyemo.data.utterances: transcripts, votes, codes and times."""
    votes, codes = _annotated(turns["emotion"], np.random.default_rng([seed, VOTES]))
    rng = np.random.default_rng([seed, TEXTS])
    speakers, _ = pd.factorize(turns["speaker"])
    favourites = rng.integers(len(OPENERS), size=2 * SESSIONS)
    said = np.array(MODEL.codes)[turns["cue_text"]]
    texts = transcripts(said, phrases, favourites[speakers], rng)
    start, end = _times(texts, turns["dialogue"])
    names = turns["dialogue"] + turns["turn"].map("_{:02d}".format)
    table = turns[["group", "dialogue", "turn", "speaker"]].assign(
        id=f"{DATASET}/" + names,
        dataset=DATASET,
        split="train",
        text=texts,
        code=codes,
        votes=votes,
        self_votes=[[] for _ in texts],
        attr_start=start,
        attr_end=end,
    )
    for column in ("audio", "video", "face"):
        table[column] = ""
    for column in ("attr_valence", "attr_activation", "attr_dominance"):
        table[column] = np.nan
    return check_utterances(table, "EmoScenes' dialogues")


def _annotated(
    emotions: Sequence[str], rng: np.random.Generator
) -> tuple[list[list[list[str]]], list[str]]:
    """(votes: for each annotator the one code that he or she names, code of the utterance)."""
    words = [*MODEL.codes, NO_MAJORITY]
    positions = [MODEL.codes.index(code) for code in emotions]
    rows = MODEL.votes[positions]  # (N, E)
    named = np.stack([draw(rows, rng) for _ in range(MODEL.annotators)], axis=1)
    votes, codes = [], []
    for choices in named:
        votes.append([[words[choice]] for choice in choices])
        codes.append(words[majority(choices, len(MODEL.codes))])
    return votes, codes


def _times(texts: Sequence[str], dialogues: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Start and end of each utterance in seconds from the start of its dialogue: (N,) each."""
    words = [len(text.split()) for text in texts]
    length = pd.Series(words) * _SECONDS_PER_WORD
    until = (length + _PAUSE).groupby(dialogues).cumsum()
    end = until - _PAUSE
    start = end - length
    return start.round(2).to_numpy(), end.round(2).to_numpy()
