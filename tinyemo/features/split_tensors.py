"""Records and features -> tensors of each split under one label set: what training and scoring
take.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.nn.functional import one_hot

from tinyemo.data.records import SPLITS, relabel
from tinyemo.emotions import labels_of
from tinyemo.features.store import FeatureStore


@dataclass(frozen=True)
class SplitTensors:
    """The tensors of one split, with the labels of one label set.

    Classes are in the order of `emotions.labels_of`.
    """

    records: pd.DataFrame  # N rows
    x: Tensor  # features (N, D) float32
    y: Tensor  # labels (N,) int64
    soft_labels: Tensor  # (N, C) float32: annotators' shares, one-hot labels where there are none


def split_tensors(
    records: pd.DataFrame, store: FeatureStore, label_set: str
) -> dict[str, SplitTensors]:
    """The non-empty splits of `records`, by name; Parrott's labels are first mapped to `label_set`.

    ValueError names a record without features, or one whose labels cannot be mapped.
    """
    words = labels_of(label_set)
    if not (records["label_set"] == label_set).all():
        records = relabel(records, label_set)
    splits = {}
    for split in SPLITS:
        part = records[records["split"] == split].reset_index(drop=True)
        if part.empty:
            continue
        y = torch.tensor([words.index(label) for label in part["label"]])  # (N,)
        columns = part.reindex(columns=[f"p_{word}" for word in words])
        shares = torch.from_numpy(columns.to_numpy(dtype=np.float32, copy=True))  # (N, C)
        given = ~shares.isnan().any(dim=1)  # (N,)
        soft_labels = one_hot(y, len(words)).float()
        soft_labels[given] = shares[given]
        splits[split] = SplitTensors(part, store.rows(part["id"]), y, soft_labels)
    return splits


def concatenated(*parts: SplitTensors) -> SplitTensors:
    """Several splits under one label set as one, in their order."""
    return SplitTensors(
        pd.concat([part.records for part in parts], ignore_index=True),
        torch.cat([part.x for part in parts]),
        torch.cat([part.y for part in parts]),
        torch.cat([part.soft_labels for part in parts]),
    )


def known_items(
    parts: Mapping[str, Mapping[str, SplitTensors]],
    label_sets: Mapping[str, str],
    datasets: Iterable[str],
) -> dict[str, SplitTensors]:
    """Label set -> the items of train and validation of all `datasets` that have this label set.

    `parts`: dataset -> split -> items; a dataset may lack one of the two splits. `label_sets`:
    dataset -> its label set. The datasets are in their given order.
    """
    found: dict[str, list[SplitTensors]] = {}
    for name in dict.fromkeys(datasets):
        for split in ("train", "validation"):
            if split in parts[name]:
                found.setdefault(label_sets[name], []).append(parts[name][split])
    return {label_set: concatenated(*own) for label_set, own in found.items()}
