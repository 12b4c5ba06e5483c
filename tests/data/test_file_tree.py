"""Folders as they really are: split names, links, odd endings, what systems leave behind."""

import os
import shutil
import subprocess
import sys

import pytest
from PIL import Image

from tinyemo.data.datasets import read_datasets
from tinyemo.data.file_tree import PICTURES, files_under
from tinyemo.data.file_walk import READ_ANYWAY, SYSTEM, walk
from tinyemo.data.folders import read_folder
from tinyemo.data.left_out import LeftOut
from tinyemo.data.photos import read_photos
from tinyemo.data.split_names import splits_named
from tinyemo.runs import content


def make(root, *names):
    """Empty files, with their folders."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def splits_of(records):
    return records.groupby("split").size().to_dict()


def counts(left_out):
    table = left_out.table()
    return dict(zip(table["reason"], table["items"], strict=True))


# splits

VALIDATION = ["valid", "val", "dev", "Validation", "Val", "VALID", "eval"]


@pytest.mark.parametrize("word", VALIDATION)
@pytest.mark.parametrize("train", ["train", "Train", "training", "TRAINING"])
def test_every_usual_spelling_of_a_split_is_read(tmp_path, word, train):
    for split, number in ((train, 3), (word, 2), ("Test", 1)):
        for label in ("joy", "fear"):
            make(tmp_path, *(f"{split}/{label}/{i}.jpg" for i in range(number)))
    left_out = LeftOut()
    records = read_folder(tmp_path, left_out=left_out)
    assert splits_of(records) == {"train": 6, "validation": 4, "test": 2}
    assert counts(left_out) == {}


def test_eval_is_test_only_where_there_is_no_test():
    assert splits_named(["train", "eval"]) == {"train": "train", "eval": "test"}
    assert splits_named(["Eval", "testing"]) == {"Eval": "validation", "testing": "test"}
    assert splits_named(["train ", "joy", "Evaluation", "dev"]) == {
        "train ": "train",
        "Evaluation": "test",
        "dev": "validation",
    }


@pytest.mark.parametrize("second", ["valid", "Val", "dev"])
def test_two_folders_for_one_split_are_refused(tmp_path, second):
    make(tmp_path, "train/joy/1.jpg", "val/joy/2.jpg", f"{second}/joy/3.jpg")
    with pytest.raises(ValueError, match=f"two folders for validation: .*{second}.*one per split"):
        read_folder(tmp_path)


def test_eval_and_val_beside_a_test_are_two_folders_for_one_split(tmp_path):
    make(tmp_path, *(f"{split}/joy/1.jpg" for split in ("train", "val", "eval", "test")))
    with pytest.raises(ValueError, match="two folders for validation: (eval|val) and (eval|val)"):
        read_folder(tmp_path)


def test_without_a_test_folder_the_test_is_taken_from_train_and_that_is_said(tmp_path, caplog):
    for label in ("joy", "fear"):
        make(tmp_path, *(f"own/train/{label}/{i}.jpg" for i in range(10)))
        make(tmp_path, *(f"own/valid/{label}/{i}.jpg" for i in range(4)))
    left_out = LeftOut()
    records, _ = read_datasets([str(tmp_path / "own")], tmp_path, left_out=left_out)
    assert splits_of(records) == {"train": 16, "test": 4, "validation": 8}
    is_validation = records["image"].str.contains("/valid/")
    assert (records["split"][is_validation] == "validation").all()
    assert counts(left_out) == {"own: no test part is given: taken from train for it": 4}
    assert "own: no test part is given" in caplog.text


def test_classes_and_other_folders_beside_the_splits_are_counted(tmp_path, caplog):
    make(tmp_path, "own/train/joy/1.jpg", "own/test/joy/2.jpg", "own/fear/3.jpg", "own/fear/4.png")
    make(tmp_path, "own/extra/deep/5.jpg", "own/notes/readme.md", "own/stray.jpg")
    make(tmp_path, "own/train/6.jpg")
    left_out = LeftOut()
    records, _ = read_datasets([str(tmp_path / "own")], tmp_path, left_out=left_out)
    assert len(records) == 2
    assert counts(left_out) == {
        "own: file outside the class folders": 2,
        "own: picture in a folder beside the split folders": 3,
        "own: not a picture (.md)": 1,
        "own: folder without a picture beside the split folders": 1,
    }
    assert "picture in a folder beside the split folders: 3, such as " in caplog.text
    assert "5.jpg" in left_out.table()["example"][1]


@pytest.mark.parametrize("word", ["test", "Val", "eval"])
def test_a_split_inside_a_class_is_refused(tmp_path, word):
    make(tmp_path, "joy/train/1.jpg", f"joy/{word}/2.jpg", "fear/train/1.jpg")
    with pytest.raises(ValueError, match="a split folder inside a class folder; expected <split>/"):
        read_folder(tmp_path)


# endings


def picture(path, kind="PNG"):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 8), "red").save(path, kind)


def test_pictures_with_unusual_endings_or_none_are_read_by_content(tmp_path):
    kinds = {
        "a.jfif": "JPEG",
        "b.jpe": "JPEG",
        "c.avif": "AVIF",
        "d": "PNG",
        "e.dat": "GIF",
        "f.jpg_large": "JPEG",
        "g.JP2": "JPEG2000",
        "h.ppm": "PPM",
    }
    for name, kind in kinds.items():
        picture(tmp_path / "joy" / name, kind)
    (tmp_path / "joy" / "phone.HEIC").write_bytes(b"\0\0\0\x18ftypheic" + bytes(40))
    make(tmp_path, "joy/x.pth", "joy/y.npy", "joy/z.txt", "joy/LICENSE")
    left_out = LeftOut()
    records = read_folder(tmp_path, left_out=left_out)
    names = {os.path.basename(image) for image in records["image"]}
    assert names == {*kinds, "phone.HEIC"}
    assert counts(left_out) == {
        "not a picture (no ending)": 1,
        "not a picture (.pth)": 1,
        "not a picture (.npy)": 1,
        "not a picture (.txt)": 1,
    }


def test_what_systems_leave_behind_is_no_class_and_refuses_nothing(tmp_path):
    make(tmp_path, "joy/1.jpg", "joy/.DS_Store", "joy/._1.jpg", "joy/Thumbs.db", "Thumbs.db")
    make(tmp_path, "__MACOSX/joy/._1.jpg", "desktop.ini", "@eaDir/joy/1.jpg", ".git/config")
    make(tmp_path, "joy/__MACOSX/2.jpg", "$RECYCLE.BIN/3.jpg")
    left_out = LeftOut()
    assert len(read_folder(tmp_path, left_out=left_out)) == 1
    assert counts(left_out) == {"hidden, or left by the operating system": 10}


def test_an_archive_of_macos_does_not_hide_a_published_dataset(tmp_path):
    make(tmp_path, "__MACOSX/testImages_artphoto/._awe_1.jpg", "zip/testImages_artphoto/awe_1.jpg")
    assert read_photos("ArtPhoto", tmp_path)["id"].tolist() == ["ArtPhoto/awe_1"]


# links


def test_linked_folders_and_files_are_read(tmp_path):
    make(tmp_path, "elsewhere/joy/1.jpg", "elsewhere/more/2.jpg", "own/fear/3.jpg")
    (tmp_path / "own" / "joy").symlink_to(tmp_path / "elsewhere" / "joy")
    (tmp_path / "own" / "fear" / "linked").symlink_to(tmp_path / "elsewhere" / "more")
    (tmp_path / "own" / "fear" / "4.jpg").symlink_to(tmp_path / "elsewhere" / "joy" / "1.jpg")
    records = read_folder(tmp_path / "own")
    assert records["id"].tolist() == ["own/fear/3", "own/fear/4", "own/fear/linked/2", "own/joy/1"]


def test_a_linked_split_is_read(tmp_path):
    make(tmp_path, "elsewhere/joy/1.jpg", "own/train/joy/2.jpg")
    (tmp_path / "own" / "test").symlink_to(tmp_path / "elsewhere")
    assert splits_of(read_folder(tmp_path / "own")) == {"train": 1, "test": 1}


@pytest.mark.parametrize("target", [".", "..", "../..", "../../../..", "/"])
def test_a_link_that_leads_back_is_counted_and_not_followed(tmp_path, target):
    make(tmp_path, "own/joy/1.jpg", "own/joy/deep/2.jpg", "other/3.jpg")
    (tmp_path / "own" / "joy" / "deep" / "back").symlink_to(target)
    left_out = LeftOut()
    records = read_folder(tmp_path / "own", left_out=left_out)
    assert len(records) == 2
    assert counts(left_out) == {"link to a folder that is read anyway": 1}


def test_two_links_to_one_folder_are_read_once(tmp_path):
    make(tmp_path, "more/2.jpg", "own/joy/1.jpg")
    for name in ("a", "b"):
        (tmp_path / "own" / "joy" / name).symlink_to(tmp_path / "more")
    (tmp_path / "more" / "round").symlink_to(tmp_path / "own" / "joy")
    left_out = LeftOut()
    assert len(files_under(tmp_path / "own" / "joy", PICTURES, left_out)) == 2
    assert counts(left_out) == {"link to a folder that is read anyway": 2}


def test_a_dangling_link_and_a_pipe_are_counted(tmp_path):
    make(tmp_path, "joy/1.jpg")
    (tmp_path / "joy" / "2.jpg").symlink_to("nowhere.jpg")
    (tmp_path / "joy" / "3.jpg").symlink_to("3.jpg")
    os.mkfifo(tmp_path / "joy" / "4.jpg")
    left_out = LeftOut()
    assert len(read_folder(tmp_path, left_out=left_out)) == 1
    assert counts(left_out) == {"link that leads nowhere, or not a file": 3}


# names


@pytest.mark.parametrize("place", ["file", "class", "root"])
def test_a_name_that_is_not_utf_8_is_named(tmp_path, place):
    strange = os.fsdecode(b"caf\xe9")
    root = tmp_path / (strange if place == "root" else "own")
    folder = root / (strange if place == "class" else "joy")
    make(folder, (strange if place == "file" else "a") + ".jpg")
    with pytest.raises(ValueError, match=r"caf\\udce9.* not in UTF-8") as caught:
        read_folder(root, "own")
    str(caught.value).encode()


def test_the_order_of_files_is_that_of_their_folders(tmp_path):
    names = ["a b/1.jpg", "a/2.jpg", "a/b/3.jpg", "a.jpg", "a-/4.jpg", "B.jpg"]
    make(tmp_path / "joy", *names)
    expected = sorted(tmp_path.joinpath("joy", name) for name in names)
    found = files_under(tmp_path / "joy", PICTURES, LeftOut())
    assert [tmp_path / "joy" / name for name in found] == expected
    shutil.rmtree(tmp_path / "joy")


def test_everything_in_a_folder_beside_the_splits_is_counted(tmp_path):
    make(tmp_path, "train/joy/1.jpg", "test/joy/2.jpg", "extra/3.jpg", "extra/4.jpg")
    make(tmp_path, "extra/deep/clip.mp4", "extra/features.npy", "extra/Thumbs.db")
    left_out = LeftOut()
    assert len(read_folder(tmp_path, left_out=left_out)) == 2
    assert counts(left_out) == {
        "picture in a folder beside the split folders": 2,
        "not a picture (.mp4)": 1,
        "not a picture (.npy)": 1,
        "hidden, or left by the operating system": 1,
    }


def test_the_walk_and_the_digest_of_a_folder_see_the_same_files(tmp_path):
    """Links are read once where they really are; a folder that contains the top one is not read."""
    make(tmp_path, "top/b/1.jpg", "top/b/.DS_Store", "top/c/2.txt", "outside/3.jpg", "beside.jpg")
    top = tmp_path / "top"
    (top / "a").symlink_to(top / "b")  # sorted before the folder that it leads to
    (top / "d").symlink_to(tmp_path / "outside")
    (top / "e").symlink_to(tmp_path)
    (top / "f.jpg").symlink_to(tmp_path / "beside.jpg")
    passed_over = []
    found = {name for name, _ in walk(top, lambda *what: passed_over.append(what))}
    assert found == {"b/1.jpg", "c/2.txt", "d/3.jpg", "f.jpg"}
    expected = [(SYSTEM, "b/.DS_Store"), (READ_ANYWAY, "a"), (READ_ANYWAY, "e")]
    assert sorted(passed_over) == sorted((reason, str(top / name)) for reason, name in expected)
    digest = content.described(top)["sha256"]
    (top / "b" / "1.jpg").write_text("another picture")
    assert content.described(top)["sha256"] != digest
    digest = content.described(top)["sha256"]
    (tmp_path / "beside2.jpg").touch()
    assert content.described(top)["sha256"] == digest


def test_the_walk_does_not_import_pandas():
    code = "import sys, tinyemo.data.file_walk; print('pandas' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
