"""How near simple learners come to the best possible UAR of EmoScenes' dialogues.

    python benchmarks/dialogue_learners.py [--utterances 10000] [--label-set iemocap9] [--seed 0]

Leaves one session out. Learners without context, on the vectors of the chosen streams: logistic
regression, and a perceptron with one hidden layer. With context: logistic regression on the
perceptron's log probabilities of this turn, of the last turn of each speaker, and on their running
means; for training, the perceptron's probabilities come from sessions that it was not trained on.
All choose the label with the largest p(label | vectors) / p(label). Prints the UAR, and in brackets
its share of the best possible: (UAR - chance) / (best - chance).
"""

import argparse
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from emoscenes.dialogue_model import STREAMS, label_codes
from emoscenes.dialogue_optimum import best_uar
from emoscenes.dialogues import Dialogues, make_dialogues

KEPT = 0.7  # of the running mean, when a speaker says something new


def regression():
    return make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=300))


def perceptron():
    network = MLPClassifier(
        (128,), alpha=3.0, max_iter=25, learning_rate_init=2e-3, batch_size=128, random_state=0
    )
    return make_pipeline(StandardScaler(), network)


def fitted(make, rows: np.ndarray, features: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Probabilities (N, C) of a learner that is trained on `rows` that have a label."""
    train = rows & (labels >= 0)
    return make().fit(features[train], labels[train]).predict_proba(features)


def chosen(p: np.ndarray, rows: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The label with the largest p / prior, with the prior of the labels of `rows`: (N,)."""
    prior = np.bincount(labels[rows & (labels >= 0)], minlength=p.shape[1])
    return (p / prior).argmax(axis=1)


def with_context(p: np.ndarray, dialogues: Dialogues) -> np.ndarray:
    """Log probabilities of this turn, of both speakers' last turns, and running means: (N, 5C)."""
    table, logs = dialogues.utterances, np.log(p + 1e-3)
    features = np.zeros((5, *logs.shape))
    features[0] = logs
    state: dict[str, tuple[np.ndarray, np.ndarray]] = {}  # speaker -> (last turn, running mean)
    for row, (turn, speaker) in enumerate(zip(table["turn"], table["speaker"], strict=True)):
        if turn == 0:
            state = {}
        for name, (last, mean) in state.items():
            place = 1 if name == speaker else 3
            features[place, row], features[place + 1, row] = last, mean
        before = state[speaker][1] if speaker in state else logs[row]
        state[speaker] = (logs[row], KEPT * before + (1 - KEPT) * logs[row])
    return np.concatenate(list(features), axis=1)


def uar(labels: np.ndarray, found: np.ndarray) -> float:
    return float(np.mean([np.mean(found[labels == k] == k) for k in range(labels.max() + 1)]))


def compare(dialogues: Dialogues, labels: np.ndarray, streams: tuple[str, ...]) -> dict[str, float]:
    """UAR of each learner, pooled over the sessions left out."""
    features = np.concatenate([dialogues.streams[stream] for stream in streams], axis=1)
    session = dialogues.utterances["group"].to_numpy()
    found = {name: np.zeros(len(labels), int) for name in ("regression", "perceptron", "context")}
    for test in sorted(set(session)):
        train, tested = session != test, session == test
        linear = fitted(regression, train, features, labels)
        layered = fitted(perceptron, train, features, labels)
        for inner in sorted(set(session[train])):
            others = train & (session != inner)
            layered[session == inner] = fitted(perceptron, others, features, labels)[
                session == inner
            ]
        context = fitted(regression, train, with_context(layered, dialogues), labels)
        for name, p in zip(found, (linear, layered, context), strict=True):
            found[name][tested] = chosen(p, train, labels)[tested]
    return {name: uar(labels, labels_found) for name, labels_found in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--utterances", type=int, default=10_000)
    parser.add_argument("--label-set", default="iemocap9")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    warnings.filterwarnings("ignore", category=ConvergenceWarning)

    dialogues = make_dialogues(options.utterances, options.seed)
    words = list(label_codes(options.label_set).values())
    position = {code: k for k, codes in enumerate(words) for code in codes}
    labels = dialogues.utterances["code"].map(position).fillna(-1).to_numpy(dtype=int)
    chance = 1 / len(words)
    print("| streams | best alone | regression | perceptron | best with context | context |")
    print("|---|---|---|---|---|---|")
    for streams in (STREAMS, *((stream,) for stream in STREAMS)):
        best = [best_uar(options.label_set, streams, context) for context in (False, True)]
        cells = []
        for name, value in compare(dialogues, labels, streams).items():
            share = (value - chance) / (best[name == "context"] - chance)
            cells.append(f"{value:.3f} ({share:.2f})")
        row = ["+".join(streams), f"{best[0]:.3f}", *cells[:2], f"{best[1]:.3f}", cells[2]]
        print(f"| {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    main()
