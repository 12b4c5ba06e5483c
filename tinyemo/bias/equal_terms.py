"""Equal terms, on which datasets can be compared: common labels, as many items of each, none that two of them share.

Takes a collection of datasets and a label set that their labels have in common; gives parts of equal make-up, for
`transfer` and `naming`.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import torch

from tinyemo.data.records import seeded_split
from tinyemo.emotions import GROUPS, labels_of
from tinyemo.features.collection import Collection
from tinyemo.features.tensors import Part, parts_of


def common_labels(source: str, target: str) -> dict[str, str]:
    """Label of `source` -> the label of `target` that means or holds it; labels without one are absent.

    By Parrott's taxonomy where both sets have a place in it (Mikels' awe falls under Ekman's surprise, Ekman's joy
    under none of Mikels' labels), else by the word itself.
    """
    if source in GROUPS and target in GROUPS:
        return {
            label: found
            for label, fine in GROUPS[source].items()
            for found, group in GROUPS[target].items()
            if set(fine) <= set(group)
        }
    return {label: label for label in labels_of(source) if label in labels_of(target)}


def common_parts(
    collection: Collection, datasets: Sequence[str], label_set: str, least: int
) -> tuple[tuple[str, ...], dict[str, dict[str, Part]]]:
    """Words, and part -> dataset -> its items under `label_set`: "train" (with validation) and "test".

    A dataset without a training part gives half of its test part for it. Items that also stand in another dataset
    are left out, and labels of which some part has fewer than `least` items. ValueError: no two labels are left.
    """
    collection.require(list(datasets))
    pairs = collection.duplicates
    across = pairs[pairs["dataset_a"] != pairs["dataset_b"]]
    within = pairs[pairs["dataset_a"] == pairs["dataset_b"]]  # of these one item stays
    gone = {*across["id_a"], *across["id_b"], *within["id_b"]}
    records = collection.records[~collection.records["id"].isin(gone)]
    records = records.drop(columns=[column for column in records if column.startswith("p_")])
    parts = {"train": {}, "test": {}}
    for name in datasets:
        labels = common_labels(collection.label_sets[name], label_set)
        own = records[(records["dataset"] == name) & records["label"].isin(list(labels))]
        if own.empty:
            raise ValueError(f"dataset {name!r}: none of its labels has a place in {label_set!r}")
        own = own.assign(
            label=own["label"].map(labels),
            label_set=label_set,
            split=own["split"].replace("validation", "train"),
        )
        if not (own["split"] == "train").any():
            own["split"] = seeded_split(own, {"train": 0.5, "test": 0.5}, seed=0)
        for split, part in parts_of(own, collection.stores[name], label_set).items():
            parts[split][name] = part
    held = {
        word: min(
            int((part[name].records["label"] == word).sum()) if name in part else 0
            for part in parts.values()
            for name in datasets
        )
        for word in labels_of(label_set)
    }
    words = tuple(word for word, items in held.items() if items >= least)
    if len(words) < 2:
        raise ValueError(
            f"the smallest parts of {', '.join(datasets)} hold {held}: expected {least} items of at least "
            "two labels; leave a dataset out, or ask for fewer items"
        )
    return words, parts


def equal_parts(
    parts: Mapping[str, Part], words: Sequence[str], most: int | None = None
) -> dict[str, Part]:
    """As many items of each of the `words` from every dataset, at most `most`, drawn by seed; y counts the `words`."""
    rng, drawn = np.random.default_rng(0), {}
    rows = {
        name: [np.flatnonzero(part.records["label"] == word) for word in words]
        for name, part in parts.items()
    }
    sizes = [
        min([most or 10**9, *(len(one[k]) for one in rows.values())]) for k in range(len(words))
    ]
    y = torch.arange(len(words)).repeat_interleave(torch.tensor(sizes))
    for name, part in parts.items():
        kept = np.concatenate(
            [rng.choice(own, n, replace=False) for own, n in zip(rows[name], sizes, strict=True)]
        )
        drawn[name] = Part(
            part.records.iloc[kept].reset_index(drop=True),
            part.x[kept],
            y,
            torch.eye(len(words))[y],
        )
    return drawn
