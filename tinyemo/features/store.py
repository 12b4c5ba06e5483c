"""The feature store: a folder with the features of one dataset from one encoder.

    shard-00000.safetensors, ...   pooled (n, D), optional patches (n, T, D'); header: ids and key
    meta.json                      key, shards, rows, width, and what the writer adds (encoder,
                                   source)

Owns writing and reading of such folders. Every shard holds its own ids and is written whole, and
meta.json is written last, so a folder with a meta.json is a finished store. Tensors are
memory-mapped: they are read from the files when they are used.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from tinyemo.hub import safetensors_metadata
from tinyemo.io import write_atomically
from tinyemo.paths import portable, resolved


def shard_name(number: int) -> str:
    """File name of a shard; sorted by name, shards are in the order of their rows."""
    return f"shard-{number:05d}.safetensors"


def write_shard(
    path: Path, key: str, ids: list[str], pooled: Tensor, patches: Tensor | None = None
) -> None:
    """Write one shard: pooled (n, D), patches (n, T, D') or None, one row per id, any floating
    dtype.

    ValueError: another number of rows than ids, or another dtype.
    """
    for name, tensor in (("pooled", pooled), ("patches", patches)):
        if tensor is not None and (len(tensor) != len(ids) or not tensor.is_floating_point()):
            raise ValueError(
                f"{path}: {name} has shape {tuple(tensor.shape)} and dtype {tensor.dtype}, "
                f"expected floating-point rows for {len(ids)} ids"
            )
    tensors = {"pooled": pooled}
    if patches is not None:
        tensors["patches"] = patches
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    header = {"key": key, "ids": json.dumps(ids)}
    write_atomically(path, lambda temporary: save_file(tensors, temporary, metadata=header))


def shard_key(path: Path) -> str | None:
    """The key in the header of a shard; None where there is no such file or it is damaged."""
    return safetensors_metadata(path).get("key")


def store_key(folder: str | Path) -> str | None:
    """The key of the store in a folder; None where there is no finished store."""
    try:
        return json.loads((Path(folder) / "meta.json").read_text()).get("key")
    except (OSError, ValueError, AttributeError):
        return None


def reference(store: "FeatureStore", folder: str | Path) -> dict[str, str]:
    """What a file in `folder` records about a store: where it is, and its key."""
    return {"folder": portable([store.folder], Path(folder))[0], "key": store.meta.get("key", "")}


def open_reference(recorded: dict[str, str], folder: str | Path) -> "FeatureStore":
    """The store that a file in `folder` recorded.

    ValueError: other features are in its place now. Other errors as in `FeatureStore.open`.
    """
    store = FeatureStore.open(resolved([recorded["folder"]], Path(folder))[0])
    now, then = store.meta.get("key", ""), recorded["key"]
    if now != then:
        raise ValueError(
            f"{folder} used the features with key {then[:12]!r} of {store.folder}, which holds "
            f"those with key {now[:12]!r} now: make {folder} again"
        )
    return store


def discard_index(folder: Path) -> None:
    """Delete the index before shards change, so that it never describes other shards."""
    if (folder / "meta.json").exists():
        (folder / "meta.json").unlink()


@dataclass(frozen=True, eq=False)
class FeatureStore:
    """A finished store; `FeatureStore.open` opens one. `ids` are in the order of the rows."""

    folder: Path
    ids: list[str]
    meta: dict
    shards: list[
        dict[str, Tensor]
    ]  # mapped from the files; all but the last hold equally many rows

    @classmethod
    def open(cls, folder: str | Path) -> "FeatureStore":
        """Open the store in `folder`.

        FileNotFoundError: there is no finished store. ValueError names a missing or damaged file.
        """
        folder = Path(folder)
        index = folder / "meta.json"
        if not index.is_file():
            raise FileNotFoundError(
                f"no finished feature store in {folder}: expected {index}; extract the "
                "features first (an interrupted extraction resumes)"
            )
        try:
            meta = json.loads(index.read_text())
            names = list(meta["shards"])
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{index}: not the index of a feature store ({error!r})") from error
        ids, shards = [], []
        for name in names:
            try:
                with safe_open(folder / name, framework="pt") as shard:
                    ids += json.loads(shard.metadata()["ids"])
                    shards.append({key: shard.get_tensor(key) for key in shard.keys()})
            except (OSError, SafetensorError, KeyError, TypeError) as error:
                raise ValueError(
                    f"{folder / name}: missing or damaged shard ({error}); delete {index} and "
                    "extract the features again"
                ) from error
        return cls(folder, ids, meta, shards)

    @classmethod
    def write(
        cls,
        folder: str | Path,
        ids: Iterable[str],
        pooled: Tensor,
        patches: Tensor | None = None,
        meta: dict | None = None,
    ) -> "FeatureStore":
        """Write rows that are in memory as a store of one shard. `meta` may contain "key"."""
        folder, meta = Path(folder), meta or {}
        discard_index(folder)
        write_shard(folder / shard_name(0), meta.get("key", ""), list(ids), pooled, patches)
        return cls.finish(folder, 1, meta)

    @classmethod
    def finish(cls, folder: Path, shards: int, meta: dict) -> "FeatureStore":
        """Write the index of the first `shards` shards of a folder, and open the store."""
        meta = {**meta, "shards": [shard_name(number) for number in range(shards)]}
        write_atomically(
            folder / "meta.json", lambda path: path.write_text(json.dumps(meta, indent=2))
        )
        return cls.open(folder)

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def pooled(self) -> Tensor:
        """All rows (N, D) as stored: memory-mapped if there is one shard, else a copy."""
        parts = [shard["pooled"] for shard in self.shards]
        return parts[0] if len(parts) == 1 else torch.cat(parts)

    @cached_property
    def _row_of(self) -> dict[str, int]:
        return {name: row for row, name in enumerate(self.ids)}

    def _index(self, ids: Iterable[str]) -> list[int]:
        ids = list(ids)
        missing = [name for name in ids if name not in self._row_of]
        if missing:
            raise ValueError(
                f"{self.folder}: no features for id {missing[0]!r} "
                f"({len(missing)} of {len(ids)} ids are missing)"
            )
        return [self._row_of[name] for name in ids]

    def rows(self, ids: Iterable[str]) -> Tensor:
        """Pooled features of `ids` in their order: (n, D) float32. ValueError: an id is missing."""
        return self.pooled[self._index(ids)].float()

    def patch_rows(self, ids: Iterable[str]) -> Tensor:
        """Patch tokens of `ids`, in their order: (n, T, D') float32; only these rows are read.

        ValueError names a missing id, or says that the store was extracted without patch tokens.
        """
        if any("patches" not in shard for shard in self.shards):
            raise ValueError(
                f"{self.folder} holds no patch tokens: extract the features with patches=True"
            )
        index, size = self._index(ids), len(self.shards[0]["pooled"])
        return torch.stack(
            [self.shards[row // size]["patches"][row % size] for row in index]
        ).float()
