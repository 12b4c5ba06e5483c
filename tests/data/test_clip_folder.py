"""A folder of clips as an utterance table."""

import os

import pytest

from tinyemo.data.clip_folder import utterances_of_folder
from tinyemo.data.utterances import COLUMNS


def test_each_clip_is_an_utterance_and_the_rest_is_counted(tmp_path):
    names = "b.MP4 a.wav sub/c.mov notes.txt more.txt .hidden.mp4 .cache/d.mp4 LICENSE"
    for name in names.split():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = utterances_of_folder(tmp_path, "talks")
    table = found.utterances
    assert table["id"].tolist() == ["talks/a", "talks/b", "talks/sub/c"]
    assert table["audio"].tolist() == [
        str(tmp_path / name) for name in ("a.wav", "b.MP4", "sub/c.mov")
    ]
    assert table["video"].tolist() == ["", *table["audio"][1:]]
    assert table["face"].equals(table["video"])
    assert (
        table["dialogue"].is_unique and (table["turn"] == 0).all() and (table["text"] == "").all()
    )
    assert tuple(table.columns) == COLUMNS
    assert found.left_out.to_numpy().tolist() == [
        ["hidden file", 2, ".cache/d.mp4"],
        ["not a clip (no suffix)", 1, "LICENSE"],
        ["not a clip (.txt)", 2, "more.txt"],
    ]


def test_clips_that_differ_in_the_suffix_only_keep_it(tmp_path):
    for name in ("a.mp4", "a.wav", "b.mp4"):
        (tmp_path / name).touch()
    table = utterances_of_folder(tmp_path).utterances
    assert [ident.split("/")[1] for ident in table["id"]] == ["a.mp4", "a.wav", "b"]
    assert table["dataset"].unique().tolist() == [tmp_path.name]


def test_a_missing_and_an_empty_folder_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="folder not found: .*nowhere"):
        utterances_of_folder(tmp_path / "nowhere")
    (tmp_path / "a.txt").touch()
    with pytest.raises(ValueError, match=f"{tmp_path}: no clip in it; expected files that end in"):
        utterances_of_folder(tmp_path)


def test_links_and_names_that_cannot_be_used_are_counted(tmp_path):
    folder = tmp_path / "two words"
    (folder / "tag 1").mkdir(parents=True)
    for name in ("tag 1/Müller (1).MTS", "part #t=3.mp4"):
        (folder / name).touch()
    open(os.fsencode(folder) + b"/M\xfcller.mp4", "wb").close()  # a name in Latin-1
    (folder / "gone.mp4").symlink_to(tmp_path / "nowhere.mp4")
    (folder / "linked").symlink_to(folder / "tag 1")
    found = utterances_of_folder(folder / "tag 1" / "..")
    assert found.utterances["id"].tolist() == ["two words/tag 1/Müller (1)"]
    assert found.utterances["video"].tolist() == [str(folder / "tag 1" / "Müller (1).MTS")]
    assert found.left_out.to_numpy().tolist() == [
        ["link to a folder", 1, "linked"],
        ["name that is not in UTF-8", 1, "M\\udcfcller.mp4"],
        ["link to a file that is not there, or not a file", 1, "gone.mp4"],
        ["name with #t= or #xywh=, which stand for a part of a file", 1, "part #t=3.mp4"],
    ]
