"""Import of feature folders with one `<name>.npy` per clip, as Emotion-LLaMA's -> feature store.

Owns the layout of mae_340_UTT, maeV_399_UTT and HL-UTT: an array (D,) per utterance, D = 1024.
Takes a folder and the ids of its clips, gives a store (`features.store`) and what was left out.
The files are read in blocks: memory holds one block, whatever the number of clips.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from tqdm import tqdm

from tinyemo.code_digest import code_digest
from tinyemo.data.left_out import LeftOut
from tinyemo.features.store import (
    FeatureStore,
    discard_index,
    shard_key,
    shard_name,
    store_key,
    write_shard,
)

WIDTH = 1024
BLOCK = 1024  # files per shard


def import_npy_folder(
    folder: str | Path, names: Mapping[str, str], out: str | Path, width: int = WIDTH
) -> tuple[FeatureStore, pd.DataFrame]:
    """(store of pooled (N, width) float32, what was left out: reason, items, example).

    `names`: id of an utterance -> name of its file without .npy. The rows are in the order of
    `names`; an utterance without a file is not in the store. Both those utterances and the files
    that no utterance names are counted. A file holds (width,) or (1, width). The store is written
    to the folder `out`; a second call with the same files reads it.

    FileNotFoundError: no such folder. ValueError names a file that is damaged, has another shape or
    dtype, or holds NaN or infinity, or says that no utterance has a file. All files are checked
    before the first is written, so an older store in `out` survives a bad file.
    """
    folder, out = Path(folder).expanduser().absolute(), Path(out)
    if not folder.is_dir():
        raise FileNotFoundError(f"folder of features not found: {folder}")
    files = {path.stem: path for path in sorted(folder.glob("*.npy")) if path.name[0] != "."}
    present = {name: files[stem] for name, stem in names.items() if stem in files}
    left_out = LeftOut()
    left_out.add_all("no feature file", [name for name in names if name not in present])
    left_out.add_all("feature file of no utterance", sorted(files.keys() - set(names.values())))
    if not present:
        raise ValueError(
            f"{folder}: none of its {len(files)} files <name>.npy belongs to one of the "
            f"{len(names)} utterances"
        )
    key = _key(present, width)
    if store_key(out) == shard_key(out / shard_name(0)) == key:
        return FeatureStore.open(out), left_out.table()
    for path in present.values():  # before an older store is touched
        _read(path, width)

    ids = list(present)
    discard_index(out)
    starts = range(0, len(ids), BLOCK)
    for number, start in enumerate(tqdm(starts, unit="shard", desc=f"importing {folder.name}")):
        block = ids[start : start + BLOCK]
        rows = [_read(present[name], width) for name in block]
        pooled = torch.from_numpy(np.stack(rows))  # (block, width)
        write_shard(out / shard_name(number), key, block, pooled)
    meta = {"key": key, "source": str(folder), "rows": len(ids), "width": width}
    return FeatureStore.finish(out, len(starts), meta), left_out.table()


def _key(files: Mapping[str, Path], width: int) -> str:
    """Hash of the code that imports, and of the ids, sizes and times of the files."""
    facts: list[object] = [code_digest("tinyemo.features.npy_folders"), width, BLOCK]
    for name, path in files.items():
        stat = path.stat()
        facts.append((name, path.name, stat.st_size, stat.st_mtime_ns))
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def _read(path: Path, width: int) -> np.ndarray:
    """The feature (width,), float32, of a file. ValueError: the file holds anything else."""
    try:
        array = np.load(path, allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise ValueError(f"{path}: not a readable .npy array: {error}") from error
    if not isinstance(array, np.ndarray):
        raise ValueError(f"{path}: an archive of arrays, expected one .npy array")
    fitting = array.shape in ((width,), (1, width))
    if not fitting or not np.issubdtype(array.dtype, np.floating):
        raise ValueError(
            f"{path}: holds an array {array.shape} of {array.dtype}, expected floating-point "
            f"numbers ({width},)"
        )
    feature = array.reshape(width).astype(np.float32)
    if not np.isfinite(feature).all():
        raise ValueError(f"{path}: the feature holds NaN or infinite values")
    return feature
