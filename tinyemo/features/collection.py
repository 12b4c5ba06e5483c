"""A collection: several datasets, their features, and what the audit found in them; what joint training starts from.

Owns the folder that notebook 09 leaves for the others:

    records.parquet      the records of all datasets
    duplicates.parquet   pairs of items that are the same picture (tinyemo.data.audit)
    collection.json      where each dataset's feature store lies, the encoder that filled them (name and pretrained,
                         or nothing for imported features), and the datasets that are absent, with the reason
"""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

from tinyemo.data.records import read_records, write_records
from tinyemo.features.store import FeatureStore
from tinyemo.features.tensors import Part, parts_of
from tinyemo.io import write_atomically


@dataclass(frozen=True, eq=False)
class Collection:
    """Each dataset has one label set, and its features in one store; absent ones have a sentence instead."""

    records: pd.DataFrame
    stores: dict[str, FeatureStore]
    duplicates: pd.DataFrame
    absent: dict[str, str]
    encoder: dict[str, str | None]  # arguments of encoders.load_image_encoder

    @classmethod
    def open(cls, folder: str | Path) -> "Collection":
        """What `save` wrote. FileNotFoundError or ValueError names what is missing or damaged."""
        folder = Path(folder)
        index = folder / "collection.json"
        try:
            known = json.loads(index.read_text())
            stores = {name: FeatureStore.open(where) for name, where in known["stores"].items()}
            absent, encoder = dict(known["absent"]), dict(known["encoder"])
        except FileNotFoundError as error:
            raise FileNotFoundError(f"{folder}: no collection of datasets: {error}") from error
        except (KeyError, AttributeError, TypeError, json.JSONDecodeError) as error:
            raise ValueError(
                f"{index}: expected JSON with stores, absent and encoder ({error!r})"
            ) from error
        duplicates = pd.read_parquet(folder / "duplicates.parquet")
        return cls(read_records(folder / "records.parquet"), stores, duplicates, absent, encoder)

    def save(self, folder: str | Path) -> Path:
        """Write the collection into a folder; the features stay where they are."""
        folder = Path(folder)
        write_records(self.records, folder / "records.parquet")
        write_atomically(
            folder / "duplicates.parquet",
            lambda path: self.duplicates.to_parquet(path, index=False),
        )
        stores = {name: str(store.folder) for name, store in self.stores.items()}
        about = json.dumps(
            {"stores": stores, "absent": self.absent, "encoder": self.encoder}, indent=1
        )
        write_atomically(folder / "collection.json", lambda path: path.write_text(about))
        return folder

    @cached_property
    def label_sets(self) -> dict[str, str]:
        """Dataset -> its label set."""
        return self.records.groupby("dataset", sort=False)["label_set"].first().to_dict()

    @cached_property
    def parts(self) -> dict[str, dict[str, Part]]:
        """Dataset -> split -> its items under the dataset's label set."""
        tables = self.records.groupby("dataset", sort=False)
        return {
            name: parts_of(table, self.stores[name], self.label_sets[name])
            for name, table in tables
        }

    def require(self, names: list[str]) -> None:
        """ValueError names the first dataset that is not here, with the sentence how to get it."""
        for name in names:
            if name not in self.stores:
                reason = self.absent.get(name, f"expected one of {', '.join(self.stores)}")
                raise ValueError(f"dataset {name!r} is not in the collection: {reason}")
