"""Images -> feature store, in batches; an interrupted extraction resumes.

Owns the extraction. Takes records with image paths and a frozen encoder; gives a FeatureStore. The
records are divided into shards of fixed size. The key of a shard is a hash of the code, the key of
the encoder, and the id and file content of each record. The key is stored in the header of the
shard. A shard is finished if its file is there with the right key. So a killed extraction continues
with the first missing shard, a changed image recomputes only its own shard, and outdated features
are never read. Several processes or hosts share the work by `part=(i, n)`.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm

from tinyemo.code_digest import code_digest
from tinyemo.features.encoders import ImageEncoder, read_pixels
from tinyemo.features.store import (
    FeatureStore,
    discard_index,
    shard_key,
    shard_name,
    store_key,
    write_shard,
)
from tinyemo.io import digests


@dataclass(frozen=True)
class _Shard:
    path: Path
    key: str
    start: int  # its rows are the records start .. stop - 1
    stop: int

    def batches(self, size: int) -> list[list[int]]:
        """Row numbers by batch. A batch never crosses shards, so a resumed run has the same
        batches.
        """
        starts = range(self.start, self.stop, size)
        return [list(range(row, min(row + size, self.stop))) for row in starts]


class _Images(Dataset):
    """Row -> preprocessed image (3, H, W), or a sentence why the image cannot be read.

    An exception would reach the user as the traceback of a worker process.
    """

    def __init__(self, paths: list[str], preprocess: Callable[[Image.Image], Tensor]):
        self.paths, self.preprocess = paths, preprocess

    def __getitem__(self, row: int) -> Tensor | str:
        try:
            return read_pixels(self.paths[row], self.preprocess)
        except (FileNotFoundError, ValueError) as error:
            return str(error)


def _collate(items: list[Tensor | str]) -> Tensor | str:
    """The images of a batch as one tensor (B, 3, H, W), or the first sentence about one of them."""
    sentences = [item for item in items if isinstance(item, str)]
    return sentences[0] if sentences else torch.stack(items)


def _plan(
    records: pd.DataFrame, encoder: ImageEncoder, out: Path, size: int, patches: bool
) -> list[_Shard]:
    """The shards of an extraction with their keys. FileNotFoundError names a missing image."""
    if records.empty:
        raise ValueError("no records: expected at least one with an image")
    empty = records["image"] == ""
    if empty.any():
        raise ValueError(f"record {records['id'][empty].iloc[0]!r} has no image")
    contents = digests(records["image"])
    items = [
        (name, contents[path]) for name, path in zip(records["id"], records["image"], strict=True)
    ]
    code = code_digest("tinyemo.features.extract")  # decoding and preprocessing determine features
    shards = []
    for number, start in enumerate(range(0, len(items), size)):
        part = items[start : start + size]
        facts = json.dumps([code, encoder.key, patches, part])
        key = hashlib.sha256(facts.encode()).hexdigest()
        shards.append(_Shard(out / shard_name(number), key, start, start + len(part)))
    return shards


def extract(
    records: pd.DataFrame,
    encoder: ImageEncoder,
    out: str | Path,
    batch_size: int = 64,
    workers: int = 2,
    shard_size: int = 1024,
    patches: bool = False,
    part: tuple[int, int] = (0, 1),
) -> FeatureStore | None:
    """Encode the images of `records` into the store `out`: pooled (N, D) float32, patches float16.

    `workers` processes decode images. `part=(i, n)` computes every n-th shard from the i-th on. The
    call that finishes last writes the index and returns the store. All other calls return None.

    ValueError names an image that cannot be read or whose features are not finite. OSError names a
    shard that cannot be written; finished shards stay, and the same call continues after them.
    """
    out = Path(out)
    ids, paths = records["id"].tolist(), records["image"].tolist()
    plan = _plan(records, encoder, out, shard_size, patches)
    key = hashlib.sha256("".join(shard.key for shard in plan).encode()).hexdigest()
    if store_key(out) != key:  # an index of other records, images or weights
        discard_index(out)
    first, step = part
    todo = [shard for shard in plan[first::step] if shard_key(shard.path) != shard.key]
    loader = _loader(paths, encoder, todo, batch_size, workers)
    try:
        with tqdm(total=len(paths), unit="image", desc=f"encoding {out.name}") as bar:
            bar.update(len(paths) - sum(shard.stop - shard.start for shard in todo))
            for shard in todo:
                encoded = []
                for _ in shard.batches(batch_size):
                    encoded.append(_encode(next(loader), encoder, patches, bar))
                # pooled and, if wanted, patches, each (rows of the shard, ...)
                outputs = [torch.cat(parts) for parts in zip(*encoded, strict=True)]
                rows = slice(shard.start, shard.stop)
                _check_finite(outputs, paths[rows], encoder)
                write_shard(shard.path, shard.key, ids[rows], *outputs)
    finally:
        del loader  # stops the workers now; after an error the traceback would keep them alive
    if any(shard_key(shard.path) != shard.key for shard in plan):
        return None  # another part is not finished
    _remove_leftovers(out, plan)
    meta = {
        "key": key,
        "encoder": encoder.name,
        "encoder_key": encoder.key,
        "rows": len(ids),
        "width": encoder.width,
        "dtype": str(encoder.dtype),
        "patch_layer": encoder.layer if patches else None,
    }
    return FeatureStore.finish(out, len(plan), meta)


def _loader(
    paths: list[str], encoder: ImageEncoder, todo: list[_Shard], batch_size: int, workers: int
) -> Iterator[Tensor | str]:
    """The batches of the shards `todo`, in their order."""
    batches = [batch for shard in todo for batch in shard.batches(batch_size)]
    loader = DataLoader(
        _Images(paths, encoder.preprocess),
        batch_sampler=batches,
        num_workers=workers if todo else 0,
        collate_fn=_collate,
        pin_memory=encoder.device.type == "cuda",
    )
    return iter(loader)


def _encode(
    batch: Tensor | str, encoder: ImageEncoder, patches: bool, bar: tqdm
) -> tuple[Tensor, ...]:
    """A batch -> pooled (B, D) float32 and, if wanted, patches (B, T, D') float16, on the CPU."""
    if isinstance(batch, str):
        raise ValueError(batch)
    pooled, tokens = encoder.encode(batch)
    bar.update(len(batch))
    if patches:
        return pooled.cpu(), tokens.to(torch.float16).cpu()
    return (pooled.cpu(),)


def _check_finite(outputs: list[Tensor], paths: list[str], encoder: ImageEncoder) -> None:
    """ValueError names the first image with a feature that is NaN or infinite."""
    for output in outputs:
        finite = output.flatten(1).isfinite().all(dim=1)  # (rows,)
        if not finite.all():
            raise ValueError(
                f"{paths[int(finite.int().argmin())]}: the features that {encoder.name} gives "
                f"are not finite in {encoder.dtype}"
            )


def _remove_leftovers(out: Path, plan: list[_Shard]) -> None:
    """Delete shards and temporary files of killed or older extractions."""
    planned = {shard.path for shard in plan}
    for file in [*out.glob(".shard-*.tmp"), *out.glob("shard-*.safetensors")]:
        if file not in planned:
            file.unlink(missing_ok=True)
