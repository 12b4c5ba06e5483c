"""Images -> feature store: batched, resumable, never twice.

Owns: the extraction. Takes records with image paths and a frozen encoder, gives a FeatureStore. The
records are cut into shards of fixed size; a shard's key hashes the encoder's key and each record's id
and file content, and stands in its header. A shard is done if its file is there with the right key: so a
killed extraction goes on where it stopped, a changed image redoes its own shard only, and nothing stale
is read. Several processes or hosts share the work by `part=(i, n)`.
"""

import hashlib
import json
from collections.abc import Callable
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
    start: int  # its rows are records start .. stop - 1
    stop: int

    def batches(self, size: int) -> list[list[int]]:
        """Batches end with the shard, so that a resumed run forms the same ones, bit for bit."""
        return [
            list(range(row, min(row + size, self.stop)))
            for row in range(self.start, self.stop, size)
        ]


class _Images(Dataset):
    """Row -> preprocessed image (3, H, W), or the sentence that says why it cannot be read: an exception
    would reach the user as a worker's traceback."""

    def __init__(self, paths: list[str], preprocess: Callable[[Image.Image], Tensor]):
        self.paths, self.preprocess = paths, preprocess

    def __getitem__(self, row: int) -> Tensor | str:
        try:
            return read_pixels(self.paths[row], self.preprocess)
        except (FileNotFoundError, ValueError) as error:
            return str(error)


def _collate(items: list[Tensor | str]) -> Tensor | str:
    return next((item for item in items if isinstance(item, str)), None) or torch.stack(items)


def _plan(
    records: pd.DataFrame, encoder: ImageEncoder, out: Path, size: int, patches: bool
) -> list[_Shard]:
    """The shards of an extraction with their keys. FileNotFoundError names a missing image."""
    empty = records["image"] == ""
    if empty.any() or records.empty:
        raise ValueError(
            f"record {records['id'][empty].iloc[0]!r} has no image"
            if len(records)
            else "no records: expected at least one with an image"
        )
    contents = digests(records["image"])
    items = [
        (name, contents[path]) for name, path in zip(records["id"], records["image"], strict=True)
    ]
    shards = []
    code = code_digest("tinyemo.features.extract")  # decoding and preprocessing determine features
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

    `workers` processes decode. `part=(i, n)` does every n-th shard from the i-th on; the call that finds
    the shards of all parts done finishes the store, the others give None. ValueError names an image that
    cannot be read or whose features are not finite; OSError a shard that cannot be written (finished
    shards stay, and the same call goes on from them).
    """
    out = Path(out)
    ids, paths = records["id"].tolist(), records["image"].tolist()
    plan = _plan(records, encoder, out, shard_size, patches)
    key = hashlib.sha256("".join(shard.key for shard in plan).encode()).hexdigest()
    if store_key(out) != key:  # an index of other records, images or weights
        discard_index(out)
    todo = [shard for shard in plan[part[0] :: part[1]] if shard_key(shard.path) != shard.key]
    loader = iter(
        DataLoader(
            _Images(paths, encoder.preprocess),
            batch_sampler=[batch for shard in todo for batch in shard.batches(batch_size)],
            num_workers=workers if todo else 0,
            collate_fn=_collate,
            pin_memory=encoder.device.type == "cuda",
        )
    )
    try:
        with tqdm(total=len(paths), unit="image", desc=f"encoding {out.name}") as bar:
            bar.update(len(paths) - sum(shard.stop - shard.start for shard in todo))
            for shard in todo:
                batches = shard.batches(batch_size)
                encoded = [_encode(next(loader), encoder, patches, bar) for _ in batches]
                outputs = [
                    torch.cat(parts) for parts in zip(*encoded, strict=True)
                ]  # pooled, patches
                _check_finite(outputs, paths[shard.start : shard.stop], encoder)
                write_shard(shard.path, shard.key, ids[shard.start : shard.stop], *outputs)
    finally:
        del loader  # stops the workers now: after an error the traceback would keep them
    if any(shard_key(shard.path) != shard.key for shard in plan):
        return None  # another part is still at work
    return _finish(
        out,
        plan,
        {
            "key": key,
            "encoder": encoder.name,
            "encoder_key": encoder.key,
            "rows": len(ids),
            "width": encoder.width,
            "dtype": str(encoder.dtype),
            "patch_layer": encoder.layer if patches else None,
        },
    )


def _encode(
    batch: Tensor | str, encoder: ImageEncoder, patches: bool, bar: tqdm
) -> tuple[Tensor, ...]:
    """A batch -> pooled (B, D) float32 and, if wanted, patch tokens (B, T, D') float16, on the CPU."""
    if isinstance(batch, str):
        raise ValueError(batch)
    pooled, tokens = encoder.encode(batch)
    bar.update(len(batch))
    return (pooled.cpu(), tokens.to(torch.float16).cpu()) if patches else (pooled.cpu(),)


def _check_finite(outputs: list[Tensor], paths: list[str], encoder: ImageEncoder) -> None:
    for output in outputs:
        finite = output.flatten(1).isfinite().all(dim=1)
        if not finite.all():
            raise ValueError(
                f"{paths[int(finite.int().argmin())]}: the features that {encoder.name} gives "
                f"are not finite in {encoder.dtype}"
            )


def _finish(out: Path, plan: list[_Shard], meta: dict) -> FeatureStore:
    """Drop what killed or older extractions left behind, then write the index."""
    ours = {shard.path for shard in plan}
    for leftover in [*out.glob(".shard-*.tmp"), *out.glob("shard-*.safetensors")]:
        if leftover not in ours:
            leftover.unlink(missing_ok=True)
    return FeatureStore.finish(out, len(plan), meta)
