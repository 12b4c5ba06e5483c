"""The best possible UAR of EmoScenes' dialogues, for every subset of the four streams.

Takes the model of `emoscenes.dialogue_model`; gives the true posterior of the labels, the best
possible unweighted average recall (UAR) without and with earlier turns, and the best UAR of a model
that adds up one function per stream. `python -m emoscenes.dialogue_optimum` computes the stored
values again (a few minutes on one core).

What the optimum knows: the model and its numbers, the cues of the chosen streams in this utterance
and (with context) in all earlier utterances of the dialogue, and who spoke when. What it does not
know: emotions or labels of other utterances, hidden events, and the traits of the two speakers,
which are as in the model, independent and equally frequent (unseen speakers).

The rule that maximises the expected UAR chooses the label with the largest p(label | cues) /
p(label).

Without context the expectation is exact: all combinations of cues are enumerated. With context the
posterior is exact (a forward filter over both speakers' emotions and traits), and the expectation
over dialogues is a mean over sampled dialogues, whose standard error is stored beside it.
"""

from collections.abc import Sequence
from functools import cache
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from emoscenes.dialogue_additive import fitted_additive_uar
from emoscenes.dialogue_model import MODEL, STREAMS, UNSEEN, DialogueModel, label_codes
from emoscenes.dialogues import Dialogues, Turns, draw_lengths, sample_turns
from tinyemo.io import write_atomically

STORED = Path(__file__).parent / "best_uar.yaml"
LABEL_SETS = ("iemocap4", "iemocap6", "iemocap9")
SUBSETS = tuple(
    subset for size in range(1, len(STREAMS) + 1) for subset in combinations(STREAMS, size)
)
SEED = 90  # of the sampled dialogues
_UTTERANCES, _BATCHES = 100_000, 20  # sampled for the stored values; batches give the error


# ---- the stored values


def best_uar(
    label_set: str = "iemocap9", streams: Sequence[str] = STREAMS, context: bool = True
) -> float:
    """The best possible expected UAR with these streams, without or with earlier turns.

    ValueError: a label set or a stream that the dialogues do not have, or no stream.
    """
    row = _stored_row(label_set, streams)
    return row["context"] if context else row["alone"]


def additive_uar(label_set: str = "iemocap9", streams: Sequence[str] = STREAMS) -> float:
    """The best UAR without context of a score that is a sum of one function per stream.

    See `emoscenes.dialogue_additive`. What is missing to `best_uar(..., context=False)` comes from
    interactions between streams. ValueError: as `best_uar`.
    """
    return _stored_row(label_set, streams)["additive"]


@cache
def stored_values() -> pd.DataFrame:
    """The stored table: label_set, streams ("text+audio"), alone, context, context_se, additive."""
    rows = yaml.safe_load(STORED.read_text(encoding="utf-8"))["rows"]
    columns = ["label_set", "streams", "alone", "context", "context_se", "additive"]
    return pd.DataFrame(rows, columns=columns)


def _stored_row(label_set: str, streams: Sequence[str]) -> pd.Series:
    labels = label_codes(label_set)
    # Label sets that divide the codes in the same way have the same optimum (iemocap9, iemocap10).
    same = [name for name in LABEL_SETS if label_codes(name) == labels]
    name = "+".join(_chosen(streams))
    table = stored_values().set_index(["label_set", "streams"])
    return table.loc[(same[0], name)]


def _chosen(streams: Sequence[str]) -> list[str]:
    """The streams in fixed order. ValueError: an unknown stream, or none."""
    if not streams or not set(streams) <= set(STREAMS):
        raise ValueError(f"streams {list(streams)}: expected one or more of {', '.join(STREAMS)}")
    return [stream for stream in STREAMS if stream in streams]


# ---- the true posterior


def label_matrix(label_set: str, model: DialogueModel = MODEL) -> np.ndarray:
    """p(label | emotion): (E, C) float64. Rows sum to less than 1: other labels, no majority."""
    columns = []
    for codes in label_codes(label_set).values():
        own = [model.codes.index(code) for code in codes]
        columns.append(model.label_given_emotion[:, own].sum(axis=1))
    return np.stack(columns, axis=1)


def label_prior(label_set: str = "iemocap9") -> np.ndarray:
    """p(label) of an utterance that has a label of the set: (C,) float64, in fixed order."""
    mass = MODEL.prior @ label_matrix(label_set)
    return mass / mass.sum()


def true_posterior(
    dialogues: Dialogues,
    label_set: str = "iemocap9",
    streams: Sequence[str] = STREAMS,
    context: bool = True,
) -> np.ndarray:
    """p(label | cues of this and, with context, of earlier turns) of each utterance: (N, C).

    Given that the label is one of the set; labels in the order of `label_codes(label_set)`. The
    label with the largest value divided by `label_prior` is that of the best possible rule. Streams
    that an utterance lacks are marginalised. ValueError: as `best_uar`.
    """
    chosen = _chosen(streams)
    cues = np.full((len(dialogues.truth), len(STREAMS)), UNSEEN)
    for stream in chosen:
        cues[:, STREAMS.index(stream)] = dialogues.truth[f"cue_{stream}"]
    likelihood = MODEL.likelihood(cues)  # (N, Z, E)
    if context:
        emotion = _filtered_rows(dialogues.utterances, likelihood)
    else:
        emotion = likelihood.mean(axis=1) * MODEL.prior
    mass = emotion @ label_matrix(label_set)  # (N, C)
    return mass / mass.sum(axis=1, keepdims=True)


def _filtered_rows(utterances: pd.DataFrame, likelihood: np.ndarray) -> np.ndarray:
    """p(emotion | cues so far) of each row: (N, E), from likelihoods (N, Z, E)."""
    dialogue, names = pd.factorize(utterances["dialogue"])
    turn = utterances["turn"].to_numpy()
    first = utterances.groupby("dialogue", sort=False)["speaker"].transform("first")
    shape = (len(names), turn.max() + 1)
    speaker = np.zeros(shape, int)
    speaker[dialogue, turn] = utterances["speaker"] != first
    padded = np.ones((*shape, *likelihood.shape[1:]))
    padded[dialogue, turn] = likelihood
    return filtered(speaker, padded)[dialogue, turn]


def filtered(
    speaker: np.ndarray, likelihood: np.ndarray, model: DialogueModel = MODEL
) -> np.ndarray:
    """p(emotion of the turn | cues of this and earlier turns): (M, T, E), exact.

    speaker: (M, T), 0 or 1. likelihood: p(cues of the turn | trait, emotion): (M, T, Z, E). The
    hidden state is (own last emotion, partner's last emotion, own trait, partner's trait), seen
    from the person who speaks: (M, E, E, Z, Z).
    """
    emotions, traits = len(model.prior), len(model.traits)
    start = np.outer(model.prior, model.prior)[:, :, None, None]  # (E, E, 1, 1)
    start = np.repeat(np.repeat(start, traits, axis=2), traits, axis=3) / traits**2
    belief = np.repeat(start[None], len(speaker), axis=0)
    # p(new emotion, it is not the speaker's last one | the partner's last emotion): (new, partner)
    drawn = model.response * model.response_table.T
    drawn = drawn + (1 - model.inertia - model.response) * model.prior[:, None]

    found = np.zeros((*speaker.shape, emotions))
    for turn in range(speaker.shape[1]):
        if turn:
            changed = speaker[:, turn] != speaker[:, turn - 1]
            belief[changed] = belief[changed].transpose(0, 2, 1, 4, 3)
        partner = belief.sum(axis=1)  # (M, E, Z, Z)
        belief = model.inertia * belief + drawn[None, :, :, None, None] * partner[:, None]
        seen = likelihood[:, turn].transpose(0, 2, 1)  # (M, E, Z)
        belief *= seen[:, :, None, :, None]
        belief /= belief.sum(axis=(1, 2, 3, 4), keepdims=True)
        found[:, turn] = belief.sum(axis=(2, 3, 4))
    return found


# ---- the expected UAR


def enumerated_joint(streams: Sequence[str], model: DialogueModel = MODEL) -> np.ndarray:
    """p(cues, emotion) of all combinations of the streams' cues: (cues of 1st, 2nd, ..., E)."""
    counts = [model.cues[stream].shape[-1] for stream in streams]
    grid = np.indices(counts).reshape(len(counts), -1)  # (streams, combinations)
    cues = np.full((grid.shape[1], len(model.streams)), UNSEEN)
    for stream, values in zip(streams, grid, strict=True):
        cues[:, model.streams.index(stream)] = values
    joint = model.likelihood(cues).mean(axis=1) * model.prior
    return joint.reshape(*counts, -1)


def recall_shares(joint: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """p(cues | label) / C: (..., C) from p(cues, emotion) (..., E) and p(label | emotion) (E, C).

    The expected UAR of a rule is the sum of these shares over the cells (cues, chosen label).
    """
    mass = joint @ labels
    cells = tuple(range(mass.ndim - 1))
    return mass / mass.sum(axis=cells) / mass.shape[-1]


def best_of_shares(shares: np.ndarray) -> float:
    """The best possible UAR, from `recall_shares`: each cell chooses its best label."""
    return float(shares.max(axis=-1).sum())


def sampled_uar(
    streams: Sequence[str], utterances: int, seed: int = SEED
) -> dict[str, tuple[float, float]]:
    """Label set -> (best possible UAR with context, its standard error), from sampled dialogues.

    For the recall of a label, every utterance counts with its posterior probability of that label,
    not with a drawn label. This has the same expectation and a smaller error.
    """
    hidden = [position for position, stream in enumerate(STREAMS) if stream not in streams]
    hits: dict[str, list[np.ndarray]] = {label_set: [] for label_set in LABEL_SETS}
    mass: dict[str, list[np.ndarray]] = {label_set: [] for label_set in LABEL_SETS}
    for batch in range(_BATCHES):
        turns = _sampled_batch(utterances // _BATCHES, seed, batch)
        cues = turns.cues.copy()
        cues[:, :, hidden] = UNSEEN
        flat = MODEL.likelihood(cues.reshape(-1, len(STREAMS)))
        likelihood = flat.reshape(*turns.speaker.shape, *flat.shape[1:])  # (M, T, Z, E)
        emotion = filtered(turns.speaker, likelihood)[turns.inside]  # (N, E)
        for label_set in LABEL_SETS:
            of_batch = _hits(emotion, label_matrix(label_set))
            hits[label_set].append(of_batch[0])
            mass[label_set].append(of_batch[1])
    found = {}
    for label_set in LABEL_SETS:
        per_label = np.sum(hits[label_set], axis=0) / np.sum(mass[label_set], axis=0)
        per_batch = np.mean(np.divide(hits[label_set], mass[label_set]), axis=1)  # (batches,)
        error = per_batch.std(ddof=1) / np.sqrt(_BATCHES)
        found[label_set] = (float(per_label.mean()), float(error))
    return found


@cache
def _sampled_batch(utterances: int, seed: int, batch: int) -> Turns:
    """Dialogues with independent traits; every subset of streams is measured on the same ones."""
    rng = np.random.default_rng([seed, batch])
    lengths = draw_lengths(utterances, rng)
    traits = rng.integers(len(MODEL.traits), size=(len(lengths), 2))
    return sample_turns(lengths, traits, rng)


def _hits(emotion: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Expected hits of the best rule, and expected utterances, of each label: (C,) each."""
    mass = emotion @ labels  # (N, C)
    chosen = (mass / (MODEL.prior @ labels)).argmax(axis=1)
    hits = np.zeros(labels.shape[1])
    np.add.at(hits, chosen, mass[np.arange(len(mass)), chosen])
    return hits, mass.sum(axis=0)


# ---- making the stored values


def measure(utterances: int = _UTTERANCES) -> list[list]:
    """The rows of the stored table, one per label set and subset of streams."""
    rows = []
    for streams in SUBSETS:
        with_context = sampled_uar(streams, utterances)
        joint = enumerated_joint(streams)
        for label_set in LABEL_SETS:
            shares = recall_shares(joint, label_matrix(label_set))
            alone = best_of_shares(shares)
            additive = fitted_additive_uar(shares) if len(streams) > 1 else alone
            values = (alone, *with_context[label_set], additive)
            rounded = [round(value, 4) for value in values]
            rows.append([label_set, "+".join(streams), *rounded])
    return sorted(rows, key=lambda row: row[0])


_HEADER = """\
# The best possible UAR of EmoScenes' dialogues, made by `python -m emoscenes.dialogue_optimum`.
# Label set, streams, best without context, best with causal context, standard error of the latter,
# best additive model without context.
rows:
"""


def main() -> None:
    """Measure, and write the stored values."""
    lines = []
    for row in measure():
        print(*row)
        lines.append(f"  - [{', '.join(map(str, row))}]\n")
    text = _HEADER + "".join(lines)
    write_atomically(STORED, lambda path: path.write_text(text, encoding="utf-8"))


if __name__ == "__main__":
    main()
