"""Pictures in a dataset's folder that are not read: the lists do not name them, or its layout."""

import shutil

import pytest
from photo_layouts import make_layout

from tinyemo.data.datasets import read_datasets
from tinyemo.data.left_out import LeftOut
from tinyemo.data.photos import read_photos

# a dataset with lists, a picture that they name, and where pictures without a line are put
LISTED = [
    ("EmoSet", "image/awe/awe_00003.jpg", ["image/awe/new.jpg", "image/x/1.png", "more/2.jpg"]),
    ("EmotionROI", "images/joy/1.jpg", ["images/joy/new.jpg", "images/awe/3.jpg"]),
    ("Abstract", "testImages_abstract/abstract_0003.jpg", ["testImages_abstract/new.jpg"]),
]
# a dataset without lists, a picture of it, and one in a folder beside those that are read
UNLISTED = [
    ("Emotion6", "images/joy/2.jpg", "old/joy/2.jpg"),
    ("EmotionROI", "images/joy/1.jpg", "maps/joy/1.jpg"),
    ("FI", "emotion_dataset/awe/awe_0001.jpg", "second/awe/awe_0001.jpg"),
    ("ArtPhoto", "testImages_artphoto/awe_0001.jpg", "more/awe_0001.jpg"),
    ("Abstract", "testImages_abstract/abstract_0003.jpg", "more/abstract_0003.jpg"),
    ("UnbiasedEmo", "images/joy/dog/1.jpg", "more/joy/dog/1.jpg"),
    ("WEBEmo", "train/rage/001.jpg", "more/rage/001.jpg"),
]
TIED = ["Abstract: no emotion has the most votes", 1, "abstract_0032.jpg"]


def read(root, name):
    left_out = LeftOut()
    records, _ = read_datasets([name], root, left_out=left_out)
    found = left_out.table().to_numpy().tolist()
    if name == "Abstract":
        found.remove(TIED)
    return records, found


@pytest.mark.parametrize(("name", "picture", "others"), LISTED)
def test_pictures_that_no_list_names_are_counted(tmp_path, caplog, name, picture, others):
    top = make_layout(name, tmp_path)
    before, found = read(tmp_path, name)
    assert found == []
    for other in others:
        (top / other).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(top / picture, top / other)
    (top / others[0]).with_name("notes.txt").write_text("not a picture")
    (top / others[0]).with_name(".DS_Store").touch()
    records, found = read(tmp_path, name)
    assert records.equals(before)
    counts = {reason: (items, example) for reason, items, example in found}
    items, example = counts[f"{name}: picture that no list names"]
    assert items == len(others) and example in {str(top / other) for other in others}
    assert counts[f"{name}: not a picture (.txt)"][0] == 1
    assert counts[f"{name}: hidden, or left by the operating system"][0] == 1
    assert len(counts) == 3
    assert f"{name}: picture that no list names: {len(others)}, such as " in caplog.text


@pytest.mark.parametrize(("name", "picture", "other"), UNLISTED)
def test_pictures_beside_the_folder_that_is_read_are_counted(tmp_path, name, picture, other):
    top = make_layout(name, tmp_path)
    before, found = read(tmp_path, name)
    assert [row for row in found if "beside" in row[0]] == []
    (top / other).parent.mkdir(parents=True)
    shutil.copy(top / picture, top / other)
    records, found = read(tmp_path, name)
    assert records.equals(before)
    ((reason, items, example),) = [row for row in found if "beside" in row[0]]
    assert reason.startswith(f"{name}: picture in a folder beside the ")
    assert (items, example) == (1, str(top / other))


def test_datasets_beside_a_folder_of_pictures_are_not_counted(tmp_path):
    """The parameter may name the folder of the pictures itself."""
    moved = make_layout("FI", tmp_path / "a") / "emotion_dataset"
    make_layout("Emotion6", tmp_path)
    moved.rename(tmp_path / "emotion_dataset")
    left_out = LeftOut()
    assert len(read_photos("FI", tmp_path / "emotion_dataset", left_out=left_out))
    assert left_out.table().empty


def test_names_in_a_list_may_be_spelled_with_dots(tmp_path):
    top = make_layout("EmoSet", tmp_path)
    lists = top / "val.json"
    lists.write_text(lists.read_text().replace('"image/', '"./image/'))
    _, found = read(tmp_path, "EmoSet")
    assert found == []
