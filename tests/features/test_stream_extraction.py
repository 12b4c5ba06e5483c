"""Streams of an utterance table: one store each, what is missing with its reason, resumable."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from clips import face_frame, tone, write_clip
from noise_encoder import Noise
from tiny_clip import save_tiny_clip
from tiny_encoders import (
    save_face_encoder,
    save_speech_encoder,
    save_text_encoder,
    save_video_encoder,
)

from tinyemo.data.clip_folder import utterances_of_folder
from tinyemo.features.audio import load_audio_encoder
from tinyemo.features.faces import load_face_encoder
from tinyemo.features.media import MissingStream, read_audio
from tinyemo.features.store import FeatureStore
from tinyemo.features.stream_extraction import extract_streams
from tinyemo.features.text import load_text_encoder
from tinyemo.features.video import load_frame_encoder, load_video_encoder

TESTS = Path(__file__).parents[1]
COLUMNS = ("id", "text", "audio", "video", "face")


class WordLengths:
    """An encoder of texts that counts letters; it notes what it encodes."""

    name, key, width, batch_size = "lengths", "lengths-1", 2, 4

    def __init__(self):
        self.encoded = []

    def read(self, text):
        if text == "...":
            raise MissingStream("no text", f"{text}: no word in it")
        return text

    def encode(self, texts):
        self.encoded.append(list(texts))
        return torch.tensor([[len(text), text.count("a")] for text in texts]).float()


class Loudness:
    """The mean square of the sound; it notes what it reads."""

    name, key, width, batch_size = "loudness", "loudness-1", 1, 2

    def __init__(self):
        self.read_sources = []

    def read(self, source):
        self.read_sources.append(source)
        return read_audio(source)

    def encode(self, sounds):
        return torch.tensor([[float((sound**2).mean())] for sound in sounds])


def utterances(n: int, **columns) -> pd.DataFrame:
    empty = {column: [""] * n for column in COLUMNS}
    texts = ["a" * row + "b" for row in range(n)]
    ids = [f"toy/{row}" for row in range(n)]
    return pd.DataFrame({**empty, "id": ids, "text": texts, **columns})


# ---- all streams, from a folder of clips


@pytest.fixture(scope="module")
def encoders(tmp_path_factory) -> dict:
    folder = tmp_path_factory.mktemp("encoders")
    save_text_encoder(folder / "text")
    save_speech_encoder(folder / "audio", "hubert")
    save_video_encoder(folder / "video")
    save_face_encoder(folder / "face")
    return {
        "text": load_text_encoder(folder / "text"),
        "audio": load_audio_encoder(folder / "audio"),
        "video": load_video_encoder(folder / "video"),
        "face": load_face_encoder(folder / "face", frames=2),
        "image": load_frame_encoder(save_tiny_clip(folder / "clip")),
    }


def test_a_folder_of_clips_becomes_stores_and_a_table_of_what_is_missing(tmp_path, encoders):
    folder = tmp_path / "clips"
    talking = {"frames": [face_frame(100 + 2 * shift, 60) for shift in range(10)], "seconds": 0.5}
    for name, video, audio in (("a.mp4", "libx264", "aac"), ("b.avi", "mpeg4", "libmp3lame")):
        write_clip(folder / name, video, audio, **talking)
    write_clip(folder / "c.mp4", audio=None, **talking)
    write_clip(folder / "deep" / "d.mp4", seconds=0.2)  # grey: no face
    write_clip(folder / "e.wav", None, "pcm_s16le")
    write_clip(folder / "f.mp4", samples=np.zeros(22050, np.float32), **talking)
    (folder / "g.mp4").write_bytes((folder / "a.mp4").read_bytes()[:3000])
    table = utterances_of_folder(folder).utterances

    stores, missing = extract_streams(table, encoders, tmp_path / "out")
    names = {
        name: [ident.split("/", 1)[1] for ident in store.ids] for name, store in stores.items()
    }
    assert names == {
        "text": [],
        "audio": ["a", "b", "deep/d", "e"],
        "video": ["a", "b", "c", "deep/d", "f"],
        "face": ["a", "b", "c", "f"],
        "image": ["a", "b", "c", "deep/d", "f"],
    }
    assert list(missing.columns) == ["id", "stream", "reason", "detail"]
    reasons = {
        (row.id.split("/", 1)[1], row.stream): row.reason
        for row in missing.itertuples()
        if row.stream != "text"
    }
    assert reasons == {
        ("c", "audio"): "no sound track",
        ("f", "audio"): "silence",
        ("g", "audio"): "damaged file",
        ("e", "video"): "no video",
        ("g", "video"): "damaged file",
        ("deep/d", "face"): "no face found",
        ("e", "face"): "no face",
        ("g", "face"): "damaged file",
        ("e", "image"): "no video",
        ("g", "image"): "damaged file",
    }
    assert sum(map(len, stores.values())) + len(missing) == 5 * len(table)
    damaged = missing[missing["reason"] == "damaged file"]["detail"]
    assert damaged.str.contains("g.mp4: cannot be decoded: ").all()

    for stream, store in stores.items():
        encoder = encoders[stream]
        assert store.pooled.shape == (len(store.ids), encoder.width)
        assert store.meta["encoder_key"] == encoder.key
    by_id = table.set_index("id")
    for stream, column in (("audio", "audio"), ("face", "face"), ("image", "video")):
        store, encoder = stores[stream], encoders[stream]
        for ident in store.ids:  # each alone
            expected = encoder.encode([encoder.read(by_id.loc[ident, column])])
            torch.testing.assert_close(store.rows([ident]), expected, atol=1e-5, rtol=0)


# ---- caching, resuming


def test_rows_are_in_the_order_of_the_table_and_nothing_is_encoded_twice(tmp_path):
    table = utterances(10)
    table.loc[[3, 8], "text"] = ["", "..."]
    encoder = WordLengths()
    options = {"folder": tmp_path, "shard_size": 5}
    stores, missing = extract_streams(table, {"text": encoder}, **options)
    store = stores["text"]
    kept = [row for row in range(10) if row not in (3, 8)]
    assert store.ids == [f"toy/{row}" for row in kept]
    assert store.pooled.tolist() == [[row + 1, row] for row in kept]
    assert missing.to_numpy().tolist() == [
        ["toy/3", "text", "no text", "the column 'text' is empty"],
        ["toy/8", "text", "no text", "...: no word in it"],
    ]
    assert [len(batch) for batch in encoder.encoded] == [3, 1, 3, 1]  # batches of four are read

    encoder.encoded.clear()
    again, same = extract_streams(table, {"text": encoder}, **options)
    assert encoder.encoded == [] and same.equals(missing)
    assert again["text"].meta == store.meta and torch.equal(again["text"].pooled, store.pooled)

    table.loc[9, "text"] = "changed"  # only the second shard is computed
    changed, _ = extract_streams(table, {"text": encoder}, **options)
    assert encoder.encoded == [["aaaaab", "aaaaaab", "aaaaaaab"], ["changed"]]
    assert changed["text"].rows(["toy/9"]).tolist() == [[7, 1]]

    encoder.encoded.clear()
    fewer, _ = extract_streams(table[:5], {"text": encoder}, **options)
    assert encoder.encoded == [] and len(fewer["text"]) == 4
    files = sorted(file.name for file in (tmp_path / "text").iterdir())
    assert files == ["meta.json", "shard-00000.safetensors"]
    encoder.key = "lengths-2"
    extract_streams(table[:5], {"text": encoder}, **options)
    assert len(encoder.encoded) == 2


def test_a_changed_file_or_fragment_recomputes_only_its_shard(tmp_path):
    paths = []
    for number in range(4):
        path = tmp_path / f"{number}.wav"
        samples = tone(0.5, 16000) * (number + 1) / 4
        paths.append(str(write_clip(path, None, "pcm_s16le", samples=samples, rate=16000)))
    sources = [paths[0], f"{paths[0]}#t=0,0.2", *paths[1:], str(tmp_path / "later.wav")]
    table = utterances(6, audio=sources)
    encoder = Loudness()

    def extracted():
        encoder.read_sources.clear()
        stores, missing = extract_streams(table, {"audio": encoder}, tmp_path / "out", shard_size=2)
        return stores["audio"], missing, sorted(encoder.read_sources)

    store, missing, read = extracted()
    assert len(read) == 6 and missing["reason"].tolist() == ["file missing"]
    assert store.pooled[2].item() == pytest.approx(0.125 / 4, rel=0.02)  # (0.5 / 2)^2 / 2
    assert extracted()[2] == []

    write_clip(Path(paths[1]), None, "pcm_s16le", samples=tone(0.5, 16000), rate=16000)
    store, _, read = extracted()
    assert read == paths[1:3] and store.pooled[2].item() == pytest.approx(0.125, rel=0.02)

    table.loc[1, "audio"] = f"{paths[0]}#t=0,0.3"
    assert extracted()[2] == sources[:1] + [f"{paths[0]}#t=0,0.3"]

    write_clip(tmp_path / "later.wav", None, "pcm_s16le")  # a file that was missing
    store, missing, read = extracted()
    assert read == [paths[3], sources[5]] and len(store) == 6 and missing.empty


def test_a_cut_off_shard_is_computed_again(tmp_path):
    encoder = WordLengths()
    options = {"folder": tmp_path, "shard_size": 4}
    whole = extract_streams(utterances(8), {"text": encoder}, **options)[0]["text"].pooled.clone()
    torn = tmp_path / "text" / "shard-00001.safetensors"
    torn.write_bytes(torn.read_bytes()[:-4])
    encoder.encoded.clear()
    store = extract_streams(utterances(8), {"text": encoder}, **options)[0]["text"]
    assert torch.equal(store.pooled, whole) and len(encoder.encoded) == 1


KILLED = """
import sys
import pandas as pd
from noise_encoder import Noise
from tinyemo.features.stream_extraction import extract_streams
encoder = Noise()
encoder.pause = 0.1
extract_streams(pd.read_parquet(sys.argv[1]), {"text": encoder}, sys.argv[2], shard_size=5)
"""


def test_a_killed_extraction_resumes_bit_for_bit(tmp_path):
    table = utterances(60)
    table.to_parquet(tmp_path / "table.parquet")
    out = tmp_path / "out"
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, tmp_path / "table.parquet", out],
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        cwd=TESTS.parent,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 120
    third = out / "text" / "shard-00002.safetensors"
    while not third.exists() and process.poll() is None:
        assert time.monotonic() < deadline, "the extraction did not get as far as its third shard"
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    with pytest.raises(FileNotFoundError, match="no finished feature store"):
        FeatureStore.open(out / "text")
    shards = (out / "text").glob("shard-*.safetensors")
    finished = {file: file.stat().st_mtime_ns for file in shards}
    assert 3 <= len(finished) < 12
    (out / "text" / ".shard-00009.safetensors.1.tmp").write_bytes(b"half a shard")

    encoders = {"text": Noise()}
    resumed = extract_streams(table, encoders, out, shard_size=5)[0]["text"]
    assert {file: file.stat().st_mtime_ns for file in finished} == finished  # none was redone
    other = extract_streams(table, encoders, tmp_path / "undisturbed", shard_size=5)[0]["text"]
    assert torch.equal(resumed.pooled, other.pooled) and resumed.meta == other.meta
    assert not list((out / "text").glob(".*.tmp"))


# ---- bad input


def test_bad_arguments_are_named_in_one_sentence(tmp_path):
    encoder = WordLengths()
    with pytest.raises(ValueError, match="unknown stream 'words': expected one of text, audio"):
        extract_streams(utterances(2), {"words": encoder}, tmp_path)
    with pytest.raises(ValueError, match="no column 'face', which the stream 'face' is"):
        extract_streams(utterances(2).drop(columns="face"), {"face": encoder}, tmp_path)
    with pytest.raises(ValueError, match="no utterances"):
        extract_streams(utterances(0), {"text": encoder}, tmp_path)
    with pytest.raises(ValueError, match="two utterances have the id 'toy/0'"):
        extract_streams(utterances(2).assign(id="toy/0"), {"text": encoder}, tmp_path)
    with pytest.raises(FileNotFoundError, match="none of the 2 files of the column 'audio' exists"):
        table = utterances(2, audio=["/nowhere/0.wav", "/nowhere/1.wav#t=0,1"])
        extract_streams(table, {"audio": Loudness()}, tmp_path)
    assert not list(tmp_path.iterdir())


def test_features_that_are_not_finite_or_of_another_width_are_refused(tmp_path):
    class Broken(WordLengths):
        def encode(self, texts):
            return super().encode(texts) / 0

    with pytest.raises(ValueError, match="toy/0: the text features that lengths gives are not fin"):
        extract_streams(utterances(2), {"text": Broken()}, tmp_path)
    wide = WordLengths()
    wide.width = 3
    with pytest.raises(ValueError, match=r"shape \(2, 2\) for 2 utterances, expected \(2, 3\)"):
        extract_streams(utterances(2), {"text": wide}, tmp_path)
    assert not list(tmp_path.iterdir())
