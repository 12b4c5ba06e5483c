"""Utterances -> one feature store per stream; an interrupted extraction resumes.

Owns the extraction of text, audio, video, face and image features of an utterance table
(tinyemo.data.utterances). Takes the table and one encoder per stream; gives one FeatureStore per
stream with the utterances that have it, and a table of what is missing and why.

Every stream is divided into shards of as many utterances. The key of a shard is a hash of the code,
the key of the encoder, and the id and content of each utterance: the text itself, or the content of
the media file and the fragment. The header of a shard holds the key, and which utterances have no
features for which reason. A shard is finished if its file is there with the right key. So a killed
extraction continues with the first missing shard, and a changed file or text recomputes only its
own shards.
"""

import hashlib
import json
import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pandas as pd
import torch
from safetensors.torch import save_file
from torch import Tensor
from tqdm import tqdm

from tinyemo.code_digest import PACKAGES, code_digest
from tinyemo.data.fragments import split_fragment
from tinyemo.features.media import MissingStream
from tinyemo.features.store import (
    FeatureStore,
    discard_index,
    shard_key,
    shard_name,
    store_key,
)
from tinyemo.hub import safetensors_metadata
from tinyemo.io import digests, write_atomically

# stream -> the column of the utterance table that it is computed from
STREAM_COLUMNS = {
    "text": "text",
    "audio": "audio",
    "video": "video",
    "face": "face",
    "image": "video",
}
MISSING = ("id", "stream", "reason", "detail")  # columns of the table of missing streams


class StreamEncoder(Protocol):
    """A frozen encoder of one stream, such as those of text, audio, video and faces here."""

    name: str
    key: str  # hash of what the features depend on besides the utterance
    width: int  # D
    batch_size: int  # utterances that are encoded together

    def read(self, source: str) -> Any:
        """A text, path or media fragment -> what `encode` takes. MissingStream: there is none."""

    def encode(self, items: list) -> Tensor:
        """n items -> (n, D) float32."""


@dataclass(frozen=True)
class _Shard:
    path: Path
    key: str
    ids: list[str]
    sources: list[str]  # texts, paths or media fragments; "" = missing


@dataclass(frozen=True)
class _Stream:
    """One stream of the table."""

    name: str
    encoder: StreamEncoder
    folder: Path
    shards: list[_Shard]

    @property
    def key(self) -> str:
        return hashlib.sha256("".join(shard.key for shard in self.shards).encode()).hexdigest()


def extract_streams(
    utterances: pd.DataFrame,
    encoders: dict[str, StreamEncoder],
    folder: str | Path,
    workers: int = 2,
    shard_size: int = 256,
) -> tuple[dict[str, FeatureStore], pd.DataFrame]:
    """({stream: its store in `folder`/<stream>}, table of missing streams).

    `encoders` maps streams (see STREAM_COLUMNS) to encoders. A store's `pooled` (N, D) float32 has
    one row per utterance that has the stream, in the order of the table. The second table has one
    row per utterance and stream that is missing, with the columns id, stream, reason (short, for
    counting) and detail (one sentence). A damaged file is a missing stream. `workers` threads
    decode while the encoder computes.

    ValueError: an unknown stream, no utterance, a repeated id, a missing column, or features that
    are not finite. FileNotFoundError: none of the media files of a column exists. OSError names a
    shard that cannot be written; finished shards stay, and the same call continues after them.
    """
    _check(utterances, encoders)
    contents = _contents(utterances, encoders)
    streams = [
        _plan(utterances, name, encoder, Path(folder) / name, shard_size, contents)
        for name, encoder in encoders.items()
    ]
    stores, missing = {}, []
    for stream in streams:
        with ThreadPoolExecutor(workers) as pool:
            stores[stream.name] = _extract(stream, pool)
        for shard in stream.shards:
            missing += [[row[0], stream.name, *row[1:]] for row in _missing_in(shard)]
    return stores, pd.DataFrame(missing, columns=list(MISSING))


def _check(utterances: pd.DataFrame, encoders: dict[str, StreamEncoder]) -> None:
    """ValueError about arguments that do not fit."""
    for name in encoders:
        if name not in STREAM_COLUMNS:
            raise ValueError(
                f"unknown stream {name!r}: expected one of {', '.join(STREAM_COLUMNS)}"
            )
        if STREAM_COLUMNS[name] not in utterances:
            raise ValueError(
                f"the utterance table has no column {STREAM_COLUMNS[name]!r}, which the stream "
                f"{name!r} is computed from"
            )
    if utterances.empty:
        raise ValueError("no utterances: expected at least one")
    if (repeated := utterances["id"].duplicated()).any():
        raise ValueError(f"two utterances have the id {utterances['id'][repeated].iloc[0]!r}")


def _contents(
    utterances: pd.DataFrame, encoders: dict[str, StreamEncoder]
) -> dict[str, str | None]:
    """Path of each media file that a stream needs -> SHA-256 of its content; None = no such file.

    FileNotFoundError: none of the files of a column exists.
    """
    files: dict[str, bool] = {}
    columns = {STREAM_COLUMNS[name] for name in encoders} - {"text"}
    for column in sorted(columns):
        named = {split_fragment(source)[0] for source in utterances[column] if source}
        found = {path: os.path.isfile(Path(path).expanduser()) for path in sorted(named)}
        if found and not any(found.values()):
            raise FileNotFoundError(
                f"none of the {len(found)} files of the column {column!r} exists, for one "
                f"{next(iter(found))}"
            )
        files |= found
    known = digests(str(Path(path).expanduser()) for path, there in files.items() if there)
    return {path: known.get(str(Path(path).expanduser())) for path in files}


def _plan(
    utterances: pd.DataFrame,
    name: str,
    encoder: StreamEncoder,
    folder: Path,
    size: int,
    contents: dict[str, str | None],
) -> _Stream:
    """The shards of a stream with their keys. A shard without any utterance never exists."""
    ids = utterances["id"].tolist()
    sources = utterances[STREAM_COLUMNS[name]].tolist()
    items = []  # what the features of an utterance depend on
    for utterance, source in zip(ids, sources, strict=True):
        path, fragment = (source, "") if name == "text" else split_fragment(source)
        content = path if name == "text" else contents.get(path)
        items.append([utterance, content, fragment, source == ""])
    code = _code(encoder)
    shards = []
    for number, start in enumerate(range(0, len(items), size)):
        rows = slice(start, start + size)
        facts = json.dumps([code, encoder.key, encoder.batch_size, items[rows]])
        key = hashlib.sha256(facts.encode()).hexdigest()
        shards.append(_Shard(folder / shard_name(number), key, ids[rows], sources[rows]))
    return _Stream(name, encoder, folder, shards)


def _code(encoder: StreamEncoder) -> str:
    """Digest of the code that the features depend on: this module, and the encoder's."""
    modules = ["tinyemo.features.stream_extraction"]
    of_encoder = type(encoder).__module__
    if of_encoder.split(".")[0] in PACKAGES:
        modules.append(of_encoder)
    return code_digest(*modules)


def _extract(stream: _Stream, pool: ThreadPoolExecutor) -> FeatureStore:
    """Compute the shards that are not finished, and write the index."""
    if store_key(stream.folder) != stream.key:  # an index of other utterances, files or weights
        discard_index(stream.folder)
    todo = [shard for shard in stream.shards if shard_key(shard.path) != shard.key]
    total = sum(len(shard.ids) for shard in stream.shards)
    with tqdm(total=total, unit="utterance", desc=f"encoding {stream.name}") as bar:
        bar.update(total - sum(len(shard.ids) for shard in todo))
        for shard in todo:
            _extract_shard(shard, stream, pool, bar)
    _remove_leftovers(stream)
    meta = {
        "key": stream.key,
        "stream": stream.name,
        "encoder": stream.encoder.name,
        "encoder_key": stream.encoder.key,
        "rows": total - sum(len(_missing_in(shard)) for shard in stream.shards),
        "width": stream.encoder.width,
        "dtype": str(torch.float32),
    }
    return FeatureStore.finish(stream.folder, len(stream.shards), meta)


def _extract_shard(shard: _Shard, stream: _Stream, pool: ThreadPoolExecutor, bar: tqdm) -> None:
    """Encode the utterances of a shard and write it, with the reasons for those left out."""
    ids, vectors, missing = [], [], []
    for batch in _read_ahead(shard, stream, pool):
        items = []
        for utterance, item in batch:
            if isinstance(item, MissingStream):
                missing.append([utterance, item.reason, str(item)])
            else:
                ids.append(utterance)
                items.append(item)
        if items:
            vectors.append(stream.encoder.encode(items).float().cpu())
        bar.update(len(batch))
    pooled = torch.cat(vectors) if vectors else torch.empty(0, stream.encoder.width)
    _check_features(pooled, ids, stream)
    header = {"key": shard.key, "ids": json.dumps(ids), "missing": json.dumps(missing)}
    write_atomically(
        shard.path, lambda file: save_file({"pooled": pooled.contiguous()}, file, metadata=header)
    )


def _read_ahead(
    shard: _Shard, stream: _Stream, pool: ThreadPoolExecutor
) -> Iterator[list[tuple[str, Any]]]:
    """Batches of (id, item or MissingStream); the next batch is read while this one is encoded."""

    def read(source: str) -> Any:
        if not source:
            column = STREAM_COLUMNS[stream.name]
            return MissingStream(f"no {column}", f"the column {column!r} is empty")
        try:
            return stream.encoder.read(source)
        except MissingStream as error:
            return error

    size = stream.encoder.batch_size
    waiting: list[tuple[str, Future]] = []
    for start in range(0, len(shard.ids) + size, size):
        current = waiting
        rows = slice(start, start + size)
        sources = zip(shard.ids[rows], shard.sources[rows], strict=True)
        waiting = [(utterance, pool.submit(read, source)) for utterance, source in sources]
        if current:
            yield [(utterance, future.result()) for utterance, future in current]


def _check_features(pooled: Tensor, ids: list[str], stream: _Stream) -> None:
    """ValueError: not one row per utterance, or a feature that is NaN or infinite."""
    if pooled.shape != (len(ids), stream.encoder.width):
        raise ValueError(
            f"{stream.encoder.name} gave features of shape {tuple(pooled.shape)} for {len(ids)} "
            f"utterances, expected {(len(ids), stream.encoder.width)}"
        )
    finite = pooled.isfinite().all(dim=1)  # (n,)
    if not finite.all():
        raise ValueError(
            f"{ids[int(finite.int().argmin())]}: the {stream.name} features that "
            f"{stream.encoder.name} gives are not finite"
        )


def _missing_in(shard: _Shard) -> list[list[str]]:
    """[id, reason, detail] of the utterances of a finished shard that have no features."""
    return json.loads(safetensors_metadata(shard.path)["missing"])


def _remove_leftovers(stream: _Stream) -> None:
    """Delete shards and temporary files of killed or older extractions."""
    planned = {shard.path for shard in stream.shards}
    folder = stream.folder
    for file in [*folder.glob(".shard-*.tmp"), *folder.glob("shard-*.safetensors")]:
        if file not in planned:
            file.unlink(missing_ok=True)
