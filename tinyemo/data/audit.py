"""The audit: what the parts of a dataset, and different datasets, share.

Owns: the search for items that stand in two splits, its verdict in words, and the repair of the splits.
Takes records (data/records.py) and features, row by row; gives tables of pairs.
"""

import hashlib

import numpy as np
import pandas as pd

from tinyemo.data.files import digests
from tinyemo.data.records import FILES, SPLITS, carve_validation

DUPLICATES = ("kind", "split_a", "split_b", "id_a", "id_b")


def audit(records: pd.DataFrame, features: np.ndarray | None = None) -> pd.DataFrame:
    """What two splits share: items with the same file content, or the same feature row, whatever their names.

    `features` (N, D), array or CPU tensor: row i belongs to row i of the records. Gives a table with the
    columns kind ("files" or "features"), split_a, split_b, id_a, id_b: one row for every item of split_a
    that stands in split_b too (its first match), where split_b is the later of train, validation, test.
    """
    contents = []  # (kind, a digest a row or None)
    for column in FILES:
        known = digests(path for path in records[column] if path)
        contents.append(("files", [known.get(path) for path in records[column]]))
    if features is not None:
        rows = np.ascontiguousarray(features)
        if len(rows) != len(records):
            raise ValueError(f"{len(rows)} feature rows for {len(records)} records: expected one a record")
        contents.append(("features", [hashlib.sha256(row.tobytes()).digest() for row in rows]))
    found = [pd.DataFrame(columns=DUPLICATES)]
    for kind, content in contents:
        table = records[["split", "id"]].assign(content=content).dropna(subset="content")
        for a, b in ((a, b) for i, a in enumerate(SPLITS) for b in SPLITS[i + 1:]):
            later = table[table["split"] == b].drop_duplicates("content")
            pairs = table[table["split"] == a].merge(later, on="content", suffixes=("_a", "_b"))
            found.append(pairs.assign(kind=kind)[list(DUPLICATES)])
    return pd.concat([part for part in found if len(part)] or found[:1], ignore_index=True).drop_duplicates(
        ["kind", "id_a", "id_b"], ignore_index=True)


def audit_verdict(records: pd.DataFrame, duplicates: pd.DataFrame) -> list[str]:
    """The audit in words: a sentence for each pair of splits that share items, or one that none do."""
    sentences = []
    for (a, b), pairs in duplicates.groupby(["split_a", "split_b"]):
        total, shared = int((records["split"] == a).sum()), pairs["id_a"].nunique()
        kinds = " and ".join(sorted(set(pairs["kind"])))
        verb = f"{a} repeats {b}" if shared == total else f"{a} shares items with {b}"
        sentences.append(f"{verb}: {shared} of {total} {a} items have identical {kinds} in {b}")
    return sentences or ["no item of one split is identical to an item of another"]


def repair_splits(
    records: pd.DataFrame, duplicates: pd.DataFrame, validation_fraction: float = 0.1, seed: int = 0
) -> pd.DataFrame:
    """The table without what `audit` found, and with a validation part.

    A repeated item stays where it weighs most: in test rather than validation, in either rather than
    train. If no validation item is left, a seeded stratified fraction of train becomes validation.
    """
    kept = records[~records["id"].isin(duplicates["id_a"])].reset_index(drop=True)
    if (kept["split"] == "validation").any():
        return kept
    return carve_validation(kept, validation_fraction, seed)
