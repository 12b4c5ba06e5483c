"""Tables of a study of conversations: from predictions to scores, with intervals over dialogues.

Takes the predictions of evaluation/conversation_folds.py and conversation_baselines.py; gives
tables with one row per run, and the flat metrics that a run records.

Shapes: n utterances, C labels.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from tinyemo.evaluation.calibration import expected_calibration_error
from tinyemo.evaluation.confusion_scores import SCORES
from tinyemo.evaluation.cross_validation import (
    difference_table,
    recalls,
    score_table,
)
from tinyemo.evaluation.distributions import distances
from tinyemo.evaluation.multi_label import generated_table, set_scores, voted_labels

# What the adaptation of Emotion-LLaMA to IEMOCAP reports, from its repository
# https://github.com/othsueh/Emotion-llama-scratch: all streams, a language model of 7 billion
# parameters, and another split: utterances at random, so that the same speakers and dialogues are
# in training and test. It is no comparison on equal terms.
PUBLISHED_IEMOCAP = pd.DataFrame(
    {
        "published": ["Emotion-LLaMA on IEMOCAP"],
        "label set": ["9 classes"],
        "accuracy": [0.5284],
        "macro_f1": [0.4070],
        "remark": ["another split (random utterances), all streams, LM of 7 billion parameters"],
    }
)


def labelled(predictions: pd.DataFrame) -> pd.DataFrame:
    """The rows with a label: without undecided utterances and generated texts."""
    return predictions[(predictions["label"] != "") & (predictions["pred"] != "")]


def averaged(predictions: pd.DataFrame, labels: Sequence[str]) -> pd.DataFrame:
    """The mean probabilities of the seeds' models, as the predictions of one model.

    One row per run, condition and utterance; `seed` is 0 (deep ensemble, Lakshminarayanan et al.
    2017, arXiv 1612.01474). With one seed these are its own predictions.
    """
    columns = [f"p_{label}" for label in labels]
    keys = ["run", "condition", "fold", "id", "dialogue", "label"]
    likelihood = predictions[predictions["pred"] != ""]
    table = likelihood.groupby(keys, sort=False)[columns].mean().reset_index()
    table["pred"] = np.array(labels)[table[columns].to_numpy().argmax(axis=1)]
    return table.assign(seed=0)


def run_table(runs: dict[str, pd.DataFrame], labels: Sequence[str], seed: int = 0) -> pd.DataFrame:
    """All SCORES of runs, one row per run: <score>, <score>_low, <score>_high, <score>_sd.

    `runs`: name -> predictions; undecided utterances are left out. `<score>_sd` is over seeds, NaN
    for one seed.
    """
    rows = []
    for name, predictions in runs.items():
        row: dict[str, object] = {"run": name}
        for entry in score_table(labelled(predictions), labels, seed).to_dict("records"):
            score = entry["score"]
            row |= {score: entry["value"], f"{score}_low": entry["low"]}
            row |= {f"{score}_high": entry["high"], f"{score}_sd": entry["sd"]}
        rows.append(row)
    return pd.DataFrame(rows)


def differences_to(
    runs: dict[str, pd.DataFrame], other: str, labels: Sequence[str], seed: int = 0
) -> pd.DataFrame:
    """Each run minus the run `other` on the same utterances: run, score, difference, low, high."""
    parts = []
    for name, predictions in runs.items():
        if name != other:
            table = difference_table(labelled(predictions), labelled(runs[other]), labels, seed)
            table.insert(0, "run", name)
            parts.append(table)
    return pd.concat(parts, ignore_index=True)


def rarest_label(predictions: pd.DataFrame) -> str:
    """The label with the fewest utterances, at least one; ties: the first in the alphabet."""
    once = labelled(predictions).drop_duplicates("id")
    counts = once["label"].value_counts()
    return min(counts.index, key=lambda label: (counts[label], label))


def rarest_recall(runs: dict[str, pd.DataFrame], labels: Sequence[str]) -> pd.DataFrame:
    """The recall of the rarest label: run, label, items, recall, low, high."""
    parts = []
    for name, predictions in runs.items():
        table = recalls(labelled(predictions), labels)
        rarest = rarest_label(predictions)
        row = table[table["label"] == rarest].drop(columns=["precision", "f1"])
        parts.append(row.assign(run=name))
    table = pd.concat(parts, ignore_index=True)
    return table[["run", "label", "items", "recall", "low", "high"]]


def vote_table(
    runs: dict[str, pd.DataFrame], votes: pd.DataFrame, labels: Sequence[str]
) -> pd.DataFrame:
    """How far predicted distributions are from the annotators' votes: run, utterances, kl, ...

    `votes`: records with p_<label>; only their utterances are compared. Means over utterances and
    seeds, KL(votes || predicted) in nats. An empty table if no run predicts any of them.
    """
    columns = [f"p_{label}" for label in labels]
    shares = votes.set_index("id")[columns].dropna()
    rows = []
    for name, predictions in runs.items():
        part = predictions[predictions["id"].isin(shares.index)].dropna(subset=columns)
        if part.empty:
            continue
        found = distances(shares.loc[part["id"]].to_numpy(), part[columns].to_numpy())
        row = {"run": name, "utterances": part["id"].nunique()}
        rows.append(row | found.mean().to_dict())
    return pd.DataFrame(rows, columns=["run", "utterances", "kl", "chebyshev", "cosine"])


def label_set_scores(
    runs: dict[str, pd.DataFrame], votes: pd.DataFrame, labels: Sequence[str]
) -> pd.DataFrame:
    """Scores of label sets against all voted labels: run, utterances, jaccard, micro_f1, ...

    A run's sets are its column `set`. Means over seeds; see `set_scores`.
    """
    columns = [f"p_{label}" for label in labels]
    shares = votes.set_index("id")[columns].dropna()
    rows = []
    for name, predictions in runs.items():
        by_seed = []
        for _, part in predictions.groupby("seed"):
            part = part[part["id"].isin(shares.index)]
            true = voted_labels(shares.loc[part["id"]].to_numpy(), labels)
            chosen = [set(text.split(", ")) - {""} for text in part["set"]]
            by_seed.append(set_scores(true, chosen, labels))
        means = pd.DataFrame(by_seed).mean().to_dict()
        rows.append({"run": name, "utterances": predictions["id"].nunique(), **means})
    return pd.DataFrame(rows)


def generation_table(predictions: pd.DataFrame, labels: Sequence[str]) -> pd.DataFrame:
    """Free generation beside likelihood: run, condition, parse_failures, accuracy, ..."""
    generated = predictions[(predictions["text"] != "") & (predictions["label"] != "")]
    generated = generated[generated["pred"] == ""]
    rows = []
    for (run, condition), part in generated.groupby(["run", "condition"], sort=False):
        found = generated_table(part["text"].tolist(), part["label"].tolist(), labels)
        rows.append({"run": run, "condition": condition, **found})
    return pd.DataFrame(rows)


def calibration_error(predictions: pd.DataFrame) -> float:
    """The expected calibration error of labelled utterances, mean over seeds."""
    return expected_calibration_error(labelled(predictions))


def metrics_of(table: pd.DataFrame, prefixes: dict[str, str]) -> dict[str, float]:
    """Rows of `run_table` as metrics: `prefixes` maps a run to the beginning of its keys."""
    found = {}
    for row in table.to_dict("records"):
        prefix = prefixes.get(row["run"])
        if prefix is None:
            continue
        for score in SCORES:
            found[f"{prefix}{score}"] = row[score]
        for end in ("uar_low", "uar_high", "weighted_f1_low", "weighted_f1_high"):
            found[f"{prefix}{end}"] = row[end]
    return found
