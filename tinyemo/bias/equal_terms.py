"""Parts of several datasets that can be compared with each other.

Their labels are common to all, each label has equally many items, and no item is in two datasets.
Takes a collection of datasets and a label set that their labels have in common. Gives parts for
`transfer` and `naming`.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import torch

from tinyemo.data.records import seeded_split
from tinyemo.emotions import GROUPS, labels_of
from tinyemo.features.collection import Collection
from tinyemo.features.split_tensors import SplitTensors, split_tensors


def common_labels(source: str, target: str) -> dict[str, str]:
    """Label of `source` -> the label of `target` that means or contains it.

    Labels without one are absent.

    If both label sets have groups in Parrott's taxonomy, the groups are compared: Mikels' awe
    belongs to Ekman's surprise, and Ekman's joy to none of Mikels' labels. Otherwise the words have
    to be equal.
    """
    if source not in GROUPS or target not in GROUPS:
        return {label: label for label in labels_of(source) if label in labels_of(target)}
    found = {}
    for label, fine in GROUPS[source].items():
        for candidate, group in GROUPS[target].items():
            if set(fine) <= set(group):
                found[label] = candidate
    return found


def common_parts(
    collection: Collection, datasets: Sequence[str], label_set: str, minimum: int
) -> tuple[tuple[str, ...], dict[str, dict[str, SplitTensors]]]:
    """Label words, and part ("train", "test") -> dataset -> its items under `label_set`.

    Validation items count as training items. In a dataset without a training part, half of the test
    part is used for training. Items that are also in another dataset are left out. Labels with
    fewer than `minimum` items in any part are left out too.

    ValueError: a dataset has no common label, or fewer than two labels are left.
    """
    collection.require(list(datasets))
    records = _without_shared_items(collection)
    parts = {"train": {}, "test": {}}
    for name in datasets:
        own = _relabelled(records, collection.label_sets[name], name, label_set)
        for split, part in split_tensors(own, collection.stores[name], label_set).items():
            parts[split][name] = part
    smallest = {word: _smallest_count(parts, datasets, word) for word in labels_of(label_set)}
    words = tuple(word for word, items in smallest.items() if items >= minimum)
    if len(words) < 2:
        raise ValueError(
            f"the smallest parts of {', '.join(datasets)} hold {smallest}: expected {minimum} "
            "items of at least two labels; leave a dataset out, or require fewer items"
        )
    return words, parts


def _without_shared_items(collection: Collection) -> pd.DataFrame:
    """Records without repeated items.

    An item that is in two datasets is left out of both. Of a pair of duplicates within a dataset,
    one is kept. Columns of annotators' votes are left out, because labels are mapped to another
    set.
    """
    pairs = collection.duplicates
    between = pairs[pairs["dataset_a"] != pairs["dataset_b"]]
    within = pairs[pairs["dataset_a"] == pairs["dataset_b"]]
    left_out = {*between["id_a"], *between["id_b"], *within["id_b"]}
    records = collection.records[~collection.records["id"].isin(left_out)]
    return records.drop(columns=[column for column in records if column.startswith("p_")])


def _relabelled(
    records: pd.DataFrame, own_label_set: str, dataset: str, label_set: str
) -> pd.DataFrame:
    """The records of one dataset under the common label set, split into "train" and "test"."""
    labels = common_labels(own_label_set, label_set)
    own = records[(records["dataset"] == dataset) & records["label"].isin(list(labels))]
    if own.empty:
        raise ValueError(
            f"dataset {dataset!r}: none of its labels has a counterpart in {label_set!r}, expected "
            "at least one"
        )
    split = own["split"].replace("validation", "train")
    own = own.assign(label=own["label"].map(labels), label_set=label_set, split=split)
    if not (own["split"] == "train").any():
        own["split"] = seeded_split(own, {"train": 0.5, "test": 0.5}, seed=0)
    return own


def _smallest_count(
    parts: Mapping[str, Mapping[str, SplitTensors]], datasets: Sequence[str], word: str
) -> int:
    """The number of items with a label in the part and dataset that has fewest."""
    counts = []
    for part in parts.values():
        for name in datasets:
            count = int((part[name].records["label"] == word).sum()) if name in part else 0
            counts.append(count)
    return min(counts)


def equal_parts(
    parts: Mapping[str, SplitTensors], words: Sequence[str], most: int | None = None
) -> dict[str, SplitTensors]:
    """Equally many items per label from every dataset, drawn with a fixed seed.

    For each of the `words`, the smallest dataset decides the number of items, and `most` is its
    upper bound. The labels `y` of the parts are positions in `words`.
    """
    rows = {}
    for name, part in parts.items():
        rows[name] = [np.flatnonzero(part.records["label"] == word) for word in words]
    sizes = []
    for k in range(len(words)):
        smallest = min(len(of_dataset[k]) for of_dataset in rows.values())
        sizes.append(min(smallest, most) if most else smallest)
    y = torch.arange(len(words)).repeat_interleave(torch.tensor(sizes))  # (N,)
    one_hot = torch.eye(len(words))[y]  # (N, C)

    rng = np.random.default_rng(0)
    drawn = {}
    for name, part in parts.items():
        chosen = [
            rng.choice(of_label, size, replace=False)
            for of_label, size in zip(rows[name], sizes, strict=True)
        ]
        kept = np.concatenate(chosen)
        records = part.records.iloc[kept].reset_index(drop=True)
        drawn[name] = SplitTensors(records, part.x[kept], y, one_hot)
    return drawn
