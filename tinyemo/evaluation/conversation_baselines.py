"""Baselines for conversations on the folds of a study, with the columns of its predictions.

Takes ConversationData and folds; gives the predictions of the majority class and of logistic
regression on the same vectors, without and with those of earlier turns. Their settings are chosen
on inner folds of the training part (evaluation/conversation_probe.py). Finished folds are read
back.
"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import sklearn
from joblib import Parallel, delayed
from sklearn.preprocessing import normalize
from tqdm import tqdm

from tinyemo.code_digest import code_digest
from tinyemo.data.folds import Fold, inner_folds, positions
from tinyemo.evaluation.conversation_folds import (
    read_predictions,
    tested_utterances,
    write_predictions,
)
from tinyemo.evaluation.conversation_probe import context_features, fit_conversation_probe
from tinyemo.training.conversation_data import ConversationData

MAJORITY, BASELINE, BASELINE_CONTEXT = "majority", "baseline", "baseline_context"
BASELINE_WORDS = "baseline_words"  # as with context, and with the words of the utterance


def predict_baselines(
    data: ConversationData,
    folds: Sequence[Fold],
    folder: str | Path,
    inner: int | None = None,
    processes: int = 1,
    with_words: bool = False,
) -> pd.DataFrame:
    """The predictions of the baselines: one row per utterance and baseline.

    Columns as of `predict_folds`, with the chosen settings in `text`. `inner`: number of inner
    folds; None: one per group of the training part. `with_words` adds BASELINE_WORDS, for a model
    that gets the words of transcripts too.
    """
    names = [MAJORITY, BASELINE, BASELINE_CONTEXT]
    names += [BASELINE_WORDS] if with_words else []
    jobs = []
    for fold in folds:
        for run in names:
            out = Path(folder, run, fold.name)
            jobs.append(delayed(_predict_fold)(data, fold, run, out, inner))
    found = Parallel(n_jobs=processes, return_as="generator")(jobs)
    parts = list(tqdm(found, total=len(jobs), desc="baselines"))
    return pd.concat(parts, ignore_index=True)


def stream_features(data: ConversationData) -> np.ndarray:
    """The vectors of all streams side by side (N, sum of D), and where a stream is missing.

    A missing vector is zero; a stream that some utterances lack has one more column, 1 where it is
    present.
    """
    blocks = []
    for stream in data.streams.values():
        present = stream.present[:, None]
        blocks.append(np.where(present, stream.vectors.numpy(), 0))
        if not present.all():
            blocks.append(present.astype(float))
    return np.concatenate(blocks, axis=1).astype(np.float32)


def word_features(data: ConversationData) -> np.ndarray:
    """Which words each transcript has (N, V), as vectors of length 1.

    Columns are standardised before the regression, so they need no document frequencies.
    """
    return normalize(data.words.vectors.numpy())


def _predict_fold(
    data: ConversationData, fold: Fold, run: str, out: Path, inner: int | None
) -> pd.DataFrame:
    """The predictions of one baseline for the test part of a fold."""
    ids = [[*fold.train, *fold.validation], list(fold.test)]
    parts = [code_digest(__name__), sklearn.__version__, data.key, ids, run, inner]
    key = hashlib.sha256(repr(parts).encode()).hexdigest()
    stored = read_predictions(out, key)
    if stored is not None:
        return stored
    train = np.array(ids[0], dtype=object)
    asked = tested_utterances(data, fold)
    settings = {}
    if run == MAJORITY:
        prior = data.prior(train)
        probabilities = np.tile(prior, (len(asked), 1))
    else:
        x = stream_features(data)
        if run != BASELINE:
            x = context_features(data.utterances, x)
        if run == BASELINE_WORDS:
            x = np.concatenate([x, word_features(data)], axis=1)
        y = pd.Index(data.labels).get_indexer(data.chosen(train)["label"])
        whole = Fold(fold.name, train, train[:0], fold.test)
        divisions = []
        for part in inner_folds(whole, data.records, inner):
            divisions.append((positions(part.train, train), positions(part.validation, train)))
        probe = fit_conversation_probe(x[data.rows(train)], y, divisions, len(data.labels))
        probabilities = probe.predict_proba(x[data.rows(asked["id"])])
        settings = probe.parameters
    table = asked[["id", "dialogue", "label"]].reset_index(drop=True)
    table = table.assign(condition="main", strength=0.0, threshold=np.nan, set="")
    table["pred"] = np.array(data.labels)[probabilities.argmax(axis=1)]
    table[[f"p_{label}" for label in data.labels]] = probabilities
    table["text"] = json.dumps(settings)
    table = table.assign(run=run, fold=fold.name, seed=0, seconds=0.0)
    return write_predictions(table, out, key)
