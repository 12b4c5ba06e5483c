"""A folder with the streams of conversations: what `tinyemo streams` writes and prints.

    utterances.parquet   the utterance table (tinyemo.data.conversation_sources reads it)
    <stream>/            one feature store per stream
    missing.csv          id, stream, reason, detail: one row per utterance and missing stream

Owns these files and the summary of an extraction. Takes a source of conversations and the names of
encoders. Streams may be added by later calls. An interrupted call resumes.
"""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from tinyemo.data.conversation_sources import kind_of, read_conversations, write_utterances
from tinyemo.data.text_files import read_table
from tinyemo.features.store import FeatureStore
from tinyemo.features.stream_encoders import load_stream_encoders
from tinyemo.features.stream_extraction import (
    MISSING,
    STREAM_COLUMNS,
    StreamEncoder,
    extract_streams,
)
from tinyemo.io import write_atomically

TABLE = "utterances.parquet"
MISSING_FILE = "missing.csv"
SHOWN = 20  # utterances of which the summary says what they lack


def extract_stream_folder(
    utterances: pd.DataFrame, encoders: dict[str, StreamEncoder], folder: str | Path
) -> tuple[dict[str, FeatureStore], pd.DataFrame]:
    """As `extract_streams`, and the table and what is missing are written into `folder` too.

    Rows of missing.csv about streams that were extracted by earlier calls stay. ValueError: such a
    stream has other utterances than the table.
    """
    folder = Path(folder).expanduser()
    earlier = _missing_earlier(utterances, list(encoders), folder)
    stores, missing = extract_streams(utterances, encoders, folder)
    write_utterances(utterances, folder / TABLE)
    rows = pd.concat([earlier, missing])
    write_atomically(folder / MISSING_FILE, lambda file: rows.to_csv(file, index=False))
    return stores, missing


def _missing_earlier(utterances: pd.DataFrame, streams: list[str], folder: Path) -> pd.DataFrame:
    """The rows of missing.csv about the finished streams of the folder besides `streams`."""
    file, rows = folder / MISSING_FILE, pd.DataFrame(columns=list(MISSING))
    if file.is_file():
        rows = read_table(file, dtype=str).fillna("")
        if tuple(rows.columns) != MISSING:
            raise ValueError(f"{file}: expected the columns {', '.join(MISSING)}")
    others = [
        stream
        for stream in STREAM_COLUMNS
        if stream not in streams and (folder / stream / "meta.json").is_file()
    ]
    for stream in others:
        missing = rows["id"][rows["stream"] == stream]
        known = {*FeatureStore.open(folder / stream).ids, *missing}
        if known != set(utterances["id"]):
            raise ValueError(
                f"{folder / stream}: extracted from other utterances than those of the source "
                "now; name its encoder too, delete it, or choose another folder"
            )
    return rows[rows["stream"].isin(others)]


def streams_table(stores: Mapping[str, FeatureStore], missing: pd.DataFrame) -> pd.DataFrame:
    """One row per stream: stream, encoder, utterances (with features), width, missing by reason."""
    rows = []
    for stream, store in stores.items():
        counts = missing["reason"][missing["stream"] == stream].value_counts()
        reasons = [f"{reason}: {number}" for reason, number in counts.items()]
        rows.append(
            {
                "stream": stream,
                "encoder": store.meta["encoder"],
                "utterances": len(store),
                "width": store.meta["width"],
                "missing": ", ".join(reasons) or "none",
            }
        )
    return pd.DataFrame(rows)


def missing_lines(missing: pd.DataFrame, shown: int = SHOWN) -> list[str]:
    """One line per utterance and reason, at most `shown`: "clips/a: damaged file (audio, video)".

    What the source itself does not have (an empty column of the utterance table) is left to the
    counts.
    """
    in_source = ~missing["reason"].isin({f"no {column}" for column in STREAM_COLUMNS.values()})
    lines = []
    for (utterance, reason), rows in missing[in_source].groupby(["id", "reason"], sort=False):
        lines.append(f"{utterance}: {reason} ({', '.join(rows['stream'])})")
    if len(lines) > shown:
        lines[shown:] = [f"and {len(lines) - shown} more, see {MISSING_FILE}"]
    return lines


def print_streams(
    source: str | Path, names: Mapping[str, str | None], folder: str | Path, **options
) -> None:
    """Extract the streams of `source` (see `read_conversations`) and print what came out.

    `names` and `options` are those of `load_stream_encoders`. Errors as there and as of
    `extract_stream_folder`; the source is read first.
    """
    found = read_conversations(source)
    dialogues = found.utterances[["dataset", "dialogue"]].drop_duplicates()
    numbers = f"{len(found.utterances)} utterances in {len(dialogues)} dialogues"
    print(f"{source}: {numbers} (read as {kind_of(source)})")
    for row in found.left_out.itertuples():
        print(f"left out or missing: {row.reason}: {row.items}, such as {row.example}")

    encoders = load_stream_encoders(names, **options)
    stores, missing = extract_stream_folder(found.utterances, encoders, folder)
    print(f"\n{streams_table(stores, missing).to_markdown(index=False)}")
    if lines := missing_lines(missing):
        print("\nmissing:", *lines, sep="\n  ")
    print(f"\nwritten: {TABLE}, {MISSING_FILE} and {', '.join(stores)} in {folder}")
