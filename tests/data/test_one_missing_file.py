"""One file of a dataset is missing: the dataset is there, and the file is named or counted."""

from pathlib import Path

import pytest
from photo_layouts import make_layout

from tinyemo.data.datasets import read_datasets, read_datasets_without_leaks, readable_images
from tinyemo.data.photos import PHOTO_SETS

# a file that a list of the dataset names
LISTED = {
    "EmoSet": "image/awe/awe_00003.jpg",
    "Emotion6": "images/fear/2.jpg",
    "EmotionROI": "images/joy/2.jpg",
    "Abstract": "testImages_abstract/abstract_0003.jpg",
}


@pytest.mark.parametrize("name", LISTED)
def test_one_missing_image_is_named_or_counted_and_nothing_else_changes(tmp_path, name):
    top = make_layout(name, tmp_path)
    whole, _ = read_datasets([name], tmp_path)
    gone = top / LISTED[name]
    gone.unlink()
    records, absent = read_datasets([name], tmp_path)
    assert absent == {}
    assert set(zip(records["id"], records["split"], records["label"], strict=True)) == set(
        zip(whole["id"], whole["split"], whole["label"], strict=True)
    )
    with pytest.raises(ValueError) as caught:
        readable_images(records)
    number = records["image"].tolist().index(str(gone)) + 1
    message = f"1 of {len(whole)} images cannot be read, the first is {gone} (image {number} of "
    assert str(caught.value).startswith(message + f"{name}): file not found; ")
    readable, broken = readable_images(records, on_broken="skip")
    assert broken[["image", "reason"]].to_numpy().tolist() == [[str(gone), "file not found"]]
    assert len(readable) == len(whole) - 1


def test_training_sets_treat_a_missing_image_in_the_same_way(tmp_path):
    gone = make_layout("EmoSet", tmp_path) / LISTED["EmoSet"]
    gone.unlink()
    with pytest.raises(ValueError, match="1 of .* images cannot be read.*awe_00003.jpg"):
        read_datasets_without_leaks(["EmoSet"], tmp_path)
    records, broken = read_datasets_without_leaks(["EmoSet"], tmp_path, "skip")
    assert broken["image"].tolist() == [str(gone)] and len(records)


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("EmoSet", "val.json"),
        ("EmoSet", "annotation/awe/awe_00003.json"),
        ("EmotionROI", "training_testing_split/testing.txt"),
        ("Abstract", "testImages_abstract/ABSTRACT_groundTruth.csv"),
    ],
)
def test_a_missing_list_of_a_dataset_that_is_there_is_an_error(tmp_path, name, file):
    gone = make_layout(name, tmp_path) / file
    gone.unlink()
    make_layout("FI", tmp_path)
    with pytest.raises(FileNotFoundError, match=f"{Path(file).name}.*how to get {name}"):
        read_datasets([name, "FI"], tmp_path)


def test_a_dataset_without_any_of_its_images_is_absent(tmp_path):
    top = make_layout("EmoSet", tmp_path)
    for image in (top / "image").rglob("*.jpg"):
        image.unlink()
    make_layout("FI", tmp_path)
    records, absent = read_datasets(["EmoSet", "FI"], tmp_path)
    assert set(records["dataset"]) == {"FI"} and list(absent) == ["EmoSet"]
    assert "train.json lists " in absent["EmoSet"] or "files are missing" in absent["EmoSet"]
    assert PHOTO_SETS["EmoSet"].get in absent["EmoSet"]


def own_csv(folder: Path, listed: list[str], present: list[str]) -> Path:
    for name in present:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    rows = [f"{name},{label}" for name, label in zip(listed, ["joy", "fear"] * 9, strict=False)]
    (folder / "own.csv").write_text("\n".join(["image,label", *rows]), encoding="utf-8")
    return folder / "own.csv"


def test_one_missing_image_of_an_own_csv_is_named(tmp_path):
    names = [f"{i}.jpg" for i in range(10)]
    path = own_csv(tmp_path, names, names[:-1])
    records, absent = read_datasets([str(path)], tmp_path)
    assert absent == {} and len(records) == 10
    with pytest.raises(ValueError, match="10 of 10 images"):  # the others are empty files
        readable_images(records)
    assert "file not found" in readable_images(records, "skip")[1]["reason"].tolist()


def test_an_own_csv_whose_paths_are_all_wrong_is_an_error(tmp_path):
    path = own_csv(tmp_path, ["a.jpg", "b.jpg"], [])
    make_layout("FI", tmp_path)
    with pytest.raises(FileNotFoundError, match="own.csv lists .*a.jpg.*2 of its 2 files"):
        read_datasets([str(path), "FI"], tmp_path)


@pytest.mark.parametrize(
    ("listed", "present"),
    [
        ("caf\u00e9/1.jpg", "cafe\u0301/1.jpg"),  # NFC in the file, NFD on the disk
        ("cafe\u0301.jpg", "caf\u00e9.jpg"),
        ("A.JPG", "a.jpg"),
        ("a.jpg ", "a.jpg"),
    ],
)
def test_a_name_that_differs_in_unicode_form_case_or_spaces_is_shown(tmp_path, listed, present):
    path = own_csv(tmp_path, [listed], [present])
    found, expected = (ascii(name.split("/")[0]).replace("\\", r"\\") for name in (present, listed))
    with pytest.raises(FileNotFoundError, match=f"own.csv.* found {found} there, exp.* {expected}"):
        read_datasets([str(path)], tmp_path)
