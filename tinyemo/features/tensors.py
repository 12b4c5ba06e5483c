"""Records and features -> the tensors of one label set, split by split: what training and scoring take."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from tinyemo.data.records import SPLITS, relabel
from tinyemo.emotions import labels_of
from tinyemo.features.store import FeatureStore


@dataclass(frozen=True)
class Part:
    """One split under one label set: its records, features (N, D) float32 and labels (N,) int64.

    `votes` (N, C) float32 are the annotators' shares, one-hot labels where nobody voted. Labels and votes
    count the words of `emotions.labels_of` in their order.
    """

    records: pd.DataFrame
    x: Tensor
    y: Tensor
    votes: Tensor


def parts_of(records: pd.DataFrame, store: FeatureStore, label_set: str) -> dict[str, Part]:
    """The non-empty splits of `records`, relabelled to `label_set` where they carry Parrott's labels."""
    words = labels_of(label_set)
    records = records if (records["label_set"] == label_set).all() else relabel(records, label_set)
    parts = {}
    for split in SPLITS:
        part = records[records["split"] == split].reset_index(drop=True)
        if part.empty:
            continue
        y = torch.tensor([words.index(label) for label in part["label"]])
        votes = torch.nn.functional.one_hot(y, len(words)).float()
        shares = part.reindex(columns=[f"p_{word}" for word in words]).to_numpy(
            dtype=np.float32, copy=True
        )
        voted = torch.from_numpy(~np.isnan(shares).any(axis=1))
        votes[voted] = torch.from_numpy(shares)[voted]
        parts[split] = Part(part, store.rows(part["id"]), y, votes)
    return parts


def joined(*parts: Part) -> Part:
    """Several parts of one label set as one, in their order."""
    return Part(
        pd.concat([part.records for part in parts], ignore_index=True),
        *(torch.cat([getattr(part, name) for part in parts]) for name in ("x", "y", "votes")),
    )
