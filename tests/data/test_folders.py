"""Folders of classes: records, label sets and what is refused."""

import pandas as pd
import pytest

from tinyemo.data.folders import read_folder
from tinyemo.data.labels import infer_label_set
from tinyemo.data.photos import read_photos
from tinyemo.data.records import relabel
from tinyemo.emotions import LABEL_SETS


def test_a_folder_of_classes_becomes_records(tmp_path):
    for name in (
        "train/cheerfullness/a.JPG",
        "train/rage/b.png",
        "test/rage/b.png",
        "test/zest/d.jpeg",
        "test/zest/notes.txt",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    records = read_folder(tmp_path, "web")
    assert records[["id", "split", "label"]].to_numpy().tolist() == [
        ["web/test/rage/b", "test", "rage"],
        ["web/test/zest/d", "test", "zest"],
        ["web/train/cheerfullness/a", "train", "cheerfulness"],
        ["web/train/rage/b", "train", "rage"],
    ]
    assert set(records["label_set"]) == {"parrott"} and records["image"][3].endswith(
        "train/rage/b.png"
    )
    assert read_folder(tmp_path / "test", "web")["split"].tolist() == ["train", "train"]
    (tmp_path / "test/spleen").mkdir()
    with pytest.raises(ValueError, match="test/spleen: empty class"):
        read_folder(tmp_path)
    (tmp_path / "test/spleen/e.jpg").touch()
    assert set(read_folder(tmp_path)["label_set"]) == {"labels: cheerfullness, rage, spleen, zest"}
    with pytest.raises(ValueError, match="unknown label spleen.*'parrott'"):
        read_folder(tmp_path, label_set="parrott")
    with pytest.raises(ValueError, match="unknown label.*'ekman'"):
        read_folder(tmp_path, label_set="ekman")
    with pytest.raises(FileNotFoundError, match="nowhere"):
        read_folder(tmp_path / "nowhere")


def test_the_new_label_set_changes_no_guess_of_an_old_one():
    for words in (("anger", "fear", "joy"), ("sadness",)):
        assert infer_label_set(set(words)) == "ekman"
    for name, words in LABEL_SETS.items():
        assert infer_label_set(set(words)) == name
    assert infer_label_set({"love", "fear"}) == "unbiasedemo"
    with pytest.raises(ValueError, match="no map from Parrott's labels to 'unbiasedemo'"):
        relabel(pd.DataFrame(), "unbiasedemo")
    with pytest.raises(ValueError, match="unknown dataset 'Emotion7'.*WEBEmo"):
        read_photos("Emotion7", "here")


def test_a_name_that_is_the_short_name_of_another_file_stays_whole(tmp_path):
    names = ("a.jpg", "a.png", "a.png.webp", "b.png")
    for name in names:
        (tmp_path / "joy" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "joy" / name).touch()
    records = read_folder(tmp_path, "own")
    assert records["id"].tolist() == [
        "own/joy/a.jpg",
        "own/joy/a.png",
        "own/joy/a.png.webp",
        "own/joy/b",
    ]
