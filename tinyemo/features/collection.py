"""A collection: several datasets with their features and the duplicates among them.

Joint training starts from a collection. Owns the folder that notebook 09 writes for the others:

    records.parquet      the records of all datasets
    duplicates.parquet   pairs of items that are the same picture (tinyemo.data.duplicates)
    collection.json      the folder and the key of each dataset's feature store; the encoder that
                         filled the stores (name and pretrained; empty for imported features); the
                         datasets that are missing, with the reason
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

from tinyemo.data.records import read_records, write_records
from tinyemo.features.split_tensors import SplitTensors, split_tensors
from tinyemo.features.store import FeatureStore, open_reference, reference
from tinyemo.io import write_atomically
from tinyemo.paths import portable, resolved


@dataclass(frozen=True, eq=False)
class Collection:
    """Each dataset has one label set and one feature store."""

    records: pd.DataFrame
    stores: dict[str, FeatureStore]
    duplicates: pd.DataFrame
    absent: dict[str, str]  # missing dataset -> a sentence why
    encoder: dict[str, str | None]  # arguments of encoders.load_image_encoder

    @classmethod
    def open(cls, folder: str | Path) -> "Collection":
        """What `save` wrote. FileNotFoundError or ValueError names a missing or damaged file."""
        folder = Path(folder)
        index = folder / "collection.json"
        try:
            known = json.loads(index.read_text())
            stores = {}
            for name, recorded in known["stores"].items():
                stores[name] = open_reference(recorded, folder)
            absent, encoder = dict(known["absent"]), dict(known["encoder"])
            encoder |= _moved(encoder, folder, resolved)
        except FileNotFoundError as error:
            raise FileNotFoundError(f"{folder}: no collection of datasets: {error}") from error
        except (KeyError, AttributeError, TypeError, json.JSONDecodeError) as error:
            raise ValueError(
                f"{index}: expected JSON with stores, absent and encoder ({error!r})"
            ) from error
        duplicates = pd.read_parquet(folder / "duplicates.parquet")
        return cls(read_records(folder / "records.parquet"), stores, duplicates, absent, encoder)

    def save(self, folder: str | Path) -> Path:
        """Write the collection into `folder` and return it; the feature stores are not copied."""
        folder = Path(folder)
        write_records(self.records, folder / "records.parquet")
        write_atomically(
            folder / "duplicates.parquet",
            lambda path: self.duplicates.to_parquet(path, index=False),
        )
        stores = {name: reference(store, folder) for name, store in self.stores.items()}
        encoder = self.encoder | _moved(self.encoder, folder, portable)
        about = json.dumps({"stores": stores, "absent": self.absent, "encoder": encoder}, indent=1)
        write_atomically(folder / "collection.json", lambda path: path.write_text(about))
        return folder

    @cached_property
    def label_sets(self) -> dict[str, str]:
        """Dataset -> its label set."""
        return self.records.groupby("dataset", sort=False)["label_set"].first().to_dict()

    @cached_property
    def parts(self) -> dict[str, dict[str, SplitTensors]]:
        """Dataset -> split -> its tensors under the dataset's label set."""
        parts = {}
        for name, table in self.records.groupby("dataset", sort=False):
            parts[name] = split_tensors(table, self.stores[name], self.label_sets[name])
        return parts

    def require(self, names: list[str]) -> None:
        """ValueError names the first of `names` that the collection lacks, and how to get it."""
        for name in names:
            if name not in self.stores:
                reason = self.absent.get(name, f"expected one of {', '.join(self.stores)}")
                raise ValueError(f"dataset {name!r} is not in the collection: {reason}")


def _moved(encoder: dict, folder: Path, convert: Callable) -> dict[str, str]:
    """The names in an encoder's description that hold a path, with the path converted."""
    changed = {}
    for key, text in encoder.items():
        if text:
            kind, colon, path = text.rpartition(":")
            changed[key] = kind + colon + convert([path], folder)[0]
    return changed
