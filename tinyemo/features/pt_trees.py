"""Import of TinyEmo's precomputed features: one `.pt` file per image -> records and one feature
store.

Owns the layouts of TinyEmo's repository ("upstream"),

    <root>/Emotion6/Emotion6/images/{train,validation,test}/<class>/<stem>.pt
    <root>/<Dataset>/{train,validation,test}/<class>/<stem>.pt

where each file is a tensor (D,), fp16 (.pth is read like .pt). The splits are taken as they are on
disk;
`features.loading` audits and repairs them.
"""

import hashlib
import json
import os
from pathlib import Path
from pickle import UnpicklingError

import pandas as pd
import torch
from torch import Tensor
from tqdm import tqdm

from tinyemo.code_digest import code_digest
from tinyemo.data.file_tree import Kind, files_under, folders_in
from tinyemo.data.folders import read_folder
from tinyemo.data.left_out import LeftOut
from tinyemo.data.photos import PHOTO_SETS
from tinyemo.data.records import check_records, read_records, write_records
from tinyemo.data.split_names import splits_named
from tinyemo.features.store import FeatureStore, shard_key, shard_name, store_key

FEATURES = Kind("feature", (".pt", ".pth"))
DEEPEST = 5  # folders between the root of a tree and its split folders
_LAYOUT = "[<Dataset>/...]{train,validation,test}/<class>/<stem>.pt"


def import_pt_tree(
    root: str | Path, stores: str | Path, left_out: LeftOut | None = None
) -> tuple[pd.DataFrame, FeatureStore]:
    """Records and features of every dataset under `root`, written to a folder in `stores`.

    The column `image` stays empty, because the tree has no photographs. `left_out` counts what is
    passed over. The folder is named after `root` and a hash of its path, of the name, size and
    times of each file, and of the code that imports. So another tree, or a changed one, has another
    folder, and what a run recorded stays as it is. A second call only reads.

    FileNotFoundError or ValueError names the folder or file: missing, empty class, unknown label,
    pickled code, not a tensor, wrong shape or width, NaN or infinity.
    """
    root = Path(root).expanduser().absolute()
    if not root.is_dir():
        raise FileNotFoundError(
            f"folder of upstream features not found: {root}: expected {_LAYOUT} under it"
        )
    left_out = left_out or LeftOut()
    tables = []
    for top in _datasets(root, left_out):
        name = _dataset_name(top)
        label_set = PHOTO_SETS[name].label_set if name in PHOTO_SETS else ""
        tables.append(read_folder(top, name, label_set, kind=FEATURES, left_out=left_out))
    records = check_records(pd.concat(tables), root)
    files = records["image"].tolist()
    records["image"] = ""
    facts: list[object] = [code_digest("tinyemo.features.pt_trees"), str(root)]
    for name, file in zip(records["id"], files, strict=True):
        stat = os.stat(file)
        facts.append((name, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns))
    key = hashlib.sha256(json.dumps(facts).encode()).hexdigest()
    out = Path(stores) / f"{root.name}-{key[:12]}"
    table = out / "records.parquet"
    if table.is_file() and store_key(out) == shard_key(out / shard_name(0)) == key:
        return read_records(table), FeatureStore.open(out)
    features = [
        _read_feature(Path(path))
        for path in tqdm(files, unit="file", desc=f"importing {root.name}")
    ]
    for path, feature in zip(files, features, strict=True):
        if feature.shape != features[0].shape:
            raise ValueError(
                f"{path}: shape {tuple(feature.shape)}, expected {tuple(features[0].shape)} "
                f"as in {files[0]}"
            )
    write_records(records, table)
    meta = {"key": key, "source": str(root), "rows": len(files), "width": len(features[0])}
    return records, FeatureStore.write(out, records["id"], torch.stack(features), meta=meta)


def _datasets(root: Path, left_out: LeftOut) -> list[Path]:
    """The folders nearest to `root` that contain split folders; features elsewhere are counted."""
    tops, level = [], [root]
    for _ in range(DEEPEST):
        children = []
        for folder in level:
            names = [child.name for child in folders_in(folder, LeftOut())]
            if splits_named(names):
                tops.append(folder)
            else:
                children += folders_in(folder, left_out)
        level = sorted(children)
    for folder in level:
        deeper = [folder / name for name in files_under(folder, FEATURES, LeftOut())]
        left_out.add_all(f"feature more than {DEEPEST} folders deep", deeper)
    if not tops:
        raise ValueError(f"{root}: no dataset found: expected {_LAYOUT} under it")
    return tops


def _dataset_name(top: Path) -> str:
    return top.parent.name if top.name == "images" else top.name


def _read_feature(path: Path) -> Tensor:
    """The feature (D,) in one file. ValueError names a file that holds anything else."""
    try:
        feature = torch.load(path, map_location="cpu", weights_only=True)
    except (UnpicklingError, RuntimeError, EOFError, OSError) as error:
        raise ValueError(
            f"{path}: not a tensor saved by torch.save: it is damaged, or it contains pickled "
            "code, which is never run"
        ) from error
    if not isinstance(feature, Tensor) or feature.ndim != 1 or not feature.is_floating_point():
        got = (
            f"a tensor {tuple(feature.shape)} of {feature.dtype}"
            if isinstance(feature, Tensor)
            else f"a {type(feature).__name__}"
        )
        raise ValueError(f"{path}: holds {got}, expected one feature: a floating-point tensor (D,)")
    if not feature.isfinite().all():
        raise ValueError(f"{path}: the feature holds NaN or infinite values")
    return feature
