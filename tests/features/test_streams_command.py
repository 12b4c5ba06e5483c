"""`tinyemo streams`: a folder of clips, or conversations, to stores and a report of what lacks."""

import sys

import numpy as np
import pandas as pd
import pytest
from clips import face_frame, rotate_90_clockwise, write_clip
from iemocap_tree import avi_file, made_up_dialogues, wav_file, write_tree
from tiny_clip import save_tiny_clip
from tiny_encoders import (
    save_face_encoder,
    save_speech_encoder,
    save_text_encoder,
    save_video_encoder,
)

from tinyemo import cli
from tinyemo.data.conversation_sources import read_utterances
from tinyemo.features.store import FeatureStore
from tinyemo.features.stream_encoders import load_stream_encoders
from tinyemo.features.stream_extraction import STREAM_COLUMNS
from tinyemo.features.stream_folder import missing_lines

TALKING = [face_frame(100 + 2 * shift, 60) for shift in range(10)]


@pytest.fixture(scope="module")
def names(tmp_path_factory) -> dict[str, str]:
    """A small encoder per stream."""
    folder = tmp_path_factory.mktemp("encoders")
    save_text_encoder(folder / "text", longest=32)
    save_speech_encoder(folder / "audio", "hubert")
    save_video_encoder(folder / "video")
    save_face_encoder(folder / "face")
    save_tiny_clip(folder / "image")
    return {stream: str(folder / stream) for stream in STREAM_COLUMNS}


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """Clips as people have them, some of them faulty."""
    folder = tmp_path_factory.mktemp("around") / "Gespräche 1"
    write_clip(folder / "first.mp4", frames=TALKING, seconds=0.5)
    (folder / "first.mp4").rename(folder / "Müller, Tag 1.MP4")
    upright = np.stack(TALKING)
    sideways = list(np.rot90(upright, axes=(1, 2)))
    rotate_90_clockwise(write_clip(folder / "phone" / "portrait.mov", frames=sideways, seconds=0.5))
    late = np.cumsum([0.03, 0.1] * 5).tolist()
    write_clip(folder / "phone" / "variable.mkv", frames=TALKING, times=late, seconds=0.7)
    write_clip(folder / "mute.mp4", audio=None, frames=TALKING)
    (folder / "damaged.mp4").write_bytes((folder / "mute.mp4").read_bytes()[:2000])
    (folder / "notes.txt").write_text("Not a clip.")
    return folder


def streams(source, out, names, *more) -> int:
    """The exit code of the command with the encoders of `names`."""
    options = [part for stream, name in names.items() for part in (f"--{stream}", name)]
    return cli.main(["streams", str(source), "--out", str(out), *options, *more])


def stored(out, stream) -> list[str]:
    """The ids of a store, without the name of the dataset."""
    return [ident.split("/", 1)[1] for ident in FeatureStore.open(out / stream).ids]


def test_a_folder_of_clips_becomes_stores_and_what_lacks_is_named(clips, names, tmp_path, capsys):
    out = tmp_path / "out"
    assert streams(clips, out, names) == 0
    text = capsys.readouterr().out

    whole = ["Müller, Tag 1", "phone/portrait", "phone/variable"]
    assert stored(out, "text") == []
    assert stored(out, "audio") == whole
    for stream in ("video", "face", "image"):  # a face in `portrait` is found after turning it
        assert stored(out, stream) == ["Müller, Tag 1", "mute", *whole[1:]]
    table = read_utterances(out / "utterances.parquet")
    files = [name.removeprefix(f"{clips}/") for name in table["video"]]
    assert files == [
        "Müller, Tag 1.MP4",
        "damaged.mp4",
        "mute.mp4",
        "phone/portrait.mov",
        "phone/variable.mkv",
    ]

    rows = pd.read_csv(out / "missing.csv")
    damaged = rows[rows["reason"] == "damaged file"]
    assert damaged["stream"].tolist() == ["audio", "video", "face", "image"]
    assert damaged["detail"].str.contains(r"damaged\.mp4: cannot be decoded").all()
    assert len(rows) + sum(len(stored(out, stream)) for stream in names) == 5 * len(table)

    assert f"{clips}: 5 utterances in 5 dialogues (read as clips)" in text
    assert "left out or missing: not a clip (.txt): 1, such as notes.txt" in text
    assert "Gespräche 1/damaged: damaged file (audio, video, face, image)\n" in text
    assert "Gespräche 1/mute: no sound track (audio)\n" in text
    cells = [line.strip("| ").split("|") for line in text.splitlines() if line.startswith("|")]
    shown = {row[0].strip(): [cell.strip() for cell in row[2:]] for row in cells[2:]}
    assert shown == {
        "text": ["0", "32", "no text: 5"],
        "audio": ["3", "16", "damaged file: 1, no sound track: 1"],
        "video": ["4", "16", "damaged file: 1"],
        "face": ["4", "16", "damaged file: 1"],
        "image": ["4", "24", "damaged file: 1"],
    }


def test_the_same_command_again_computes_nothing(clips, names, tmp_path, capsys, monkeypatch):
    names = {stream: names[stream] for stream in ("text", "audio", "image")}
    assert streams(clips, tmp_path, names) == 0
    before = capsys.readouterr().out
    shards = {file: file.stat().st_mtime_ns for file in tmp_path.glob("*/shard-*")}
    monkeypatch.setattr("tinyemo.features.stream_extraction._extract_shard", pytest.fail)
    assert streams(clips, tmp_path, names) == 0
    assert capsys.readouterr().out == before
    assert len(shards) == 3
    assert {file: file.stat().st_mtime_ns for file in shards} == shards


def test_streams_that_are_added_later_keep_what_was_missing_before(clips, names, tmp_path, capsys):
    audio, video = ({stream: names[stream]} for stream in ("audio", "video"))
    for chosen in (audio, video, video):
        assert streams(clips, tmp_path, chosen) == 0
    rows = pd.read_csv(tmp_path / "missing.csv")
    assert rows["stream"].tolist() == ["audio", "audio", "video"]

    other = tmp_path / "other"
    write_clip(other / "b.mp4", seconds=0.3)
    capsys.readouterr()
    assert streams(other, tmp_path, video) == 1
    error = capsys.readouterr().err
    assert f"{tmp_path / 'audio'}: extracted from other utterances than those" in error
    assert len(read_utterances(tmp_path / "utterances.parquet")) == 5  # unchanged


def test_a_tree_of_iemocap_with_sound_and_picture_becomes_stores(names, tmp_path, capsys):
    spoken = made_up_dialogues(sessions=2, dialogues=1, turns=1)
    root = write_tree(tmp_path / "release", spoken)
    for utterance in spoken:
        write_clip(wav_file(root, utterance), None, "pcm_s16le", seconds=0.3, rate=16000)
    both = np.concatenate([TALKING[0], TALKING[5]], axis=1)  # an actor on either side
    for dialogue in dict.fromkeys(utterance.dialogue for utterance in spoken):
        end = max(utterance.end for utterance in spoken if utterance.dialogue == dialogue)
        frames = [both] * round(5 * end + 1)
        write_clip(avi_file(root, dialogue), "mpeg4", None, frames=frames, fps=5)
    assert streams(root, tmp_path / "out", names) == 0
    ids = [utterance.id for utterance in spoken]
    for stream in names:
        assert stored(tmp_path / "out", stream) == ids, stream
    assert pd.read_csv(tmp_path / "out" / "missing.csv").empty
    assert "2 utterances in 2 dialogues (read as iemocap)" in capsys.readouterr().out


def test_a_damaged_list_of_what_is_missing_is_named(tmp_path, capsys, names):
    (tmp_path / "talk.csv").write_text("dialogue,text\na,hello\n")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "missing.csv").write_bytes(bytes(range(256)))
    assert streams(tmp_path / "talk.csv", tmp_path / "out", {"text": names["text"]}) == 1
    assert str(tmp_path / "out" / "missing.csv") in capsys.readouterr().err


def test_options_reach_the_loaders(names):
    encoders = load_stream_encoders(
        {"image": names["image"], "audio": names["audio"], "text": ""},
        "cpu",
        audio_layers=2,
        frame="first",
    )
    assert list(encoders) == ["audio", "image"]  # in the order of the streams
    assert encoders["audio"].layers == 2 and encoders["image"].policy == "first"


def test_bad_input_is_one_sentence_with_exit_code_1(clips, names, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "opensmile", None)  # as if it were not installed
    (tmp_path / "none").mkdir()
    cases = [
        (
            tmp_path / "nowhere",
            {"audio": names["audio"]},
            (),
            "nowhere; expected a folder of clips",
        ),
        (tmp_path / "none", {"audio": names["audio"]}, (), "none: no clip in it; expected files"),
        (clips / "notes.txt", {"audio": names["audio"]}, (), "notes.txt: a file that is no CSV"),
        (clips, {}, (), "no encoder is named: expected one for at least one of text, audio, video"),
        (clips, {"audio": "no/such-model"}, (), "no/such-model: neither a folder here nor a repo"),
        (clips, {"audio": "opensmile:eGeMAPSv02"}, (), "needs the package opensmile, which is no"),
        (clips, {"image": "hf-hub:no/such-model"}, (), "cannot load the image encoder hf-hub:no/s"),
        (clips, {"video": names["audio"]}, (), "model_type is 'hubert', expected one of videomae"),
        (clips, {"audio": names["audio"]}, ("--device", "gpu"), "unknown device 'gpu': expected c"),
        (clips, {"audio": names["audio"]}, ("--audio-layers", "9"), "layers=9: expected 1 to 3"),
    ]
    for source, chosen, more, words in cases:
        assert streams(source, tmp_path / "out", chosen, *more) == 1
        error = capsys.readouterr().err.strip().splitlines()[-1]
        assert words in error
    assert not (tmp_path / "out").exists()
    (tmp_path / "out").write_text("a file where the folder should be")
    assert streams(clips, tmp_path / "out", {"text": names["text"]}) == 1
    assert "cannot write" in capsys.readouterr().err


def test_many_faulty_clips_are_summed_up():
    rows = [[f"d/{n}", "audio", "silence", "the sound is silent"] for n in range(5)]
    rows.append(["d/9", "video", "no video", "the column 'video' is empty"])
    missing = pd.DataFrame(rows, columns=["id", "stream", "reason", "detail"])
    assert missing_lines(missing, shown=2) == [
        "d/0: silence (audio)",
        "d/1: silence (audio)",
        "and 3 more, see missing.csv",
    ]


def test_the_options_of_the_command_are_the_streams():
    assert tuple(cli.STREAMS) == tuple(STREAM_COLUMNS)
