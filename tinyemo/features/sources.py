"""Where a notebook's features come from: notebook 01's run, or a tree of upstream's `.pt` files. Audited on arrival."""

from pathlib import Path

import pandas as pd

from tinyemo.data.audit import audit, audit_sentences, repair_splits
from tinyemo.data.records import read_records, write_records
from tinyemo.features.store import FeatureStore
from tinyemo.features.upstream import import_pt_tree
from tinyemo.paths import data_dir

STORE_FILE = "store.txt"  # in a run folder: the path of the feature store that the run used


def load_features(
    folder: Path, validation_fraction: float = 0.1
) -> tuple[pd.DataFrame, FeatureStore, pd.DataFrame, list[str]]:
    """Records with splits to trust, their features, what two splits shared, and the same in sentences.

    The audit compares the features themselves, so it finds an item that stands in two splits whatever its name; it
    stays where it weighs most (in test). If no validation part is left, a seeded share of train becomes one.
    An imported tree is kept under the data folder. Errors name the file or folder, as `import_pt_tree` and
    `read_records` say.
    """
    if (folder / "records.parquet").is_file():
        records, store = (
            read_records(folder / "records.parquet"),
            FeatureStore.open(folder / "features"),
        )
    else:
        records, store = import_pt_tree(folder, data_dir() / "features" / folder.name)
    found = audit(records, store.rows(list(records["id"])))
    verdict = audit_sentences(records, found)
    return repair_splits(records, found, validation_fraction, seed=0), store, found, verdict


def save_used_features(folder: Path, records: pd.DataFrame, store: FeatureStore) -> None:
    """Write the records that a run used, and where their features are, into its run folder.

    A later notebook reads both with `load_used_features`; the features themselves are not copied.
    """
    write_records(records, folder / "records.parquet")
    (folder / STORE_FILE).write_text(str(store.folder))


def load_used_features(folder: Path) -> tuple[pd.DataFrame, FeatureStore]:
    """The records and the feature store that a run folder names. Errors as of their readers."""
    records = read_records(folder / "records.parquet")
    return records, FeatureStore.open((folder / STORE_FILE).read_text())
