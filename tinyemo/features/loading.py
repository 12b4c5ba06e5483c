"""Features for a notebook, audited: from a run of notebook 01, or from a tree of TinyEmo's `.pt`
files.

Owns `load_features`, which reads, audits and repairs, and the pair of functions by which one
notebook passes on to the next which records and features it used.
"""

import json
from pathlib import Path

import pandas as pd

from tinyemo.data.audit import audit, audit_sentences, repair_splits
from tinyemo.data.records import read_records, write_records
from tinyemo.features.pt_trees import import_pt_tree
from tinyemo.features.store import FeatureStore, open_reference, reference
from tinyemo.io import write_atomically
from tinyemo.paths import made_dir

STORE_FILE = "store.json"  # in a run folder: the feature store that the run used, and its key


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
        records, store = import_pt_tree(folder, made_dir() / "features")
    found = audit(records, store.rows(list(records["id"])))
    sentences = audit_sentences(records, found)
    return repair_splits(records, found, validation_fraction, seed=0), store, found, sentences


def save_used_features(folder: Path, records: pd.DataFrame, store: FeatureStore) -> None:
    """Write the records that a run used, and where their features are, into its run folder.

    A later notebook reads both with `load_used_features`; the features themselves are not copied.
    """
    write_records(records, folder / "records.parquet")
    text = json.dumps(reference(store, folder))
    write_atomically(folder / STORE_FILE, lambda path: path.write_text(text))


def load_used_features(folder: Path) -> tuple[pd.DataFrame, FeatureStore]:
    """The records and the feature store that a run folder names.

    ValueError: the store holds other features now. Other errors as in the readers of both.
    """
    records = read_records(folder / "records.parquet")
    file = folder / STORE_FILE
    try:
        recorded = json.loads(file.read_text())
    except FileNotFoundError:
        raise FileNotFoundError(f"{file} is missing: make {folder} again") from None
    return records, open_reference(recorded, folder)
