"""Features for a notebook, audited: from a run of notebook 01, or from a tree of TinyEmo's `.pt`
files.

Owns `load_features`, which reads, audits and repairs, and the pair of functions by which one
notebook passes on to the next which records and features it used.
"""

from pathlib import Path

import pandas as pd

from tinyemo.data.audit import audit, audit_sentences, repair_splits
from tinyemo.data.records import read_records, write_records
from tinyemo.features.pt_trees import import_pt_tree
from tinyemo.features.store import FeatureStore
from tinyemo.paths import data_dir

STORE_FILE = "store.txt"  # in a run folder: the path of the feature store that the run used


def load_features(
    folder: Path, validation_fraction: float = 0.1
) -> tuple[pd.DataFrame, FeatureStore, pd.DataFrame, list[str]]:
    """(records with repaired splits, their features, the audit's table, the audit in sentences).

    The audit compares the features themselves, so it finds an item that is in two splits whatever
    its name. Such an item is kept in one split only: in test, otherwise in validation. If no
    validation part is left, a seeded share of train becomes one. An imported tree is kept under the
    data folder.

    Errors name the file or folder, as those of `import_pt_tree` and `read_records`.
    """
    if (folder / "records.parquet").is_file():
        records = read_records(folder / "records.parquet")
        store = FeatureStore.open(folder / "features")
    else:
        records, store = import_pt_tree(folder, data_dir() / "features" / folder.name)
    found = audit(records, store.rows(list(records["id"])))
    sentences = audit_sentences(records, found)
    return repair_splits(records, found, validation_fraction, seed=0), store, found, sentences


def save_used_features(folder: Path, records: pd.DataFrame, store: FeatureStore) -> None:
    """Write the records that a run used, and where their features are, into its run folder.

    A later notebook reads both with `load_used_features`; the features themselves are not copied.
    """
    write_records(records, folder / "records.parquet")
    (folder / STORE_FILE).write_text(str(store.folder))


def load_used_features(folder: Path) -> tuple[pd.DataFrame, FeatureStore]:
    """The records and the feature store that a run folder names. Errors as in their readers."""
    records = read_records(folder / "records.parquet")
    return records, FeatureStore.open((folder / STORE_FILE).read_text())
