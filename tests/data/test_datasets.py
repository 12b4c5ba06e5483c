"""Datasets named by a parameter: published, own folders, CSV files; broken images, leaks."""

from pathlib import Path

import pytest
from photo_layouts import make_layout
from PIL import Image

from tinyemo.data.datasets import (
    read_csv,
    read_datasets,
    read_datasets_without_leaks,
    readable_images,
)
from tinyemo.data.photos import read_photos
from tinyemo.data.records import check_records


def test_broken_images_are_an_error_or_reported(tmp_path):
    root = make_layout("UnbiasedEmo", tmp_path, per_class=2)
    cut, other, gone = (
        root / "images" / name for name in ("joy/dog/0.jpg", "fear/dog/0.jpg", "love/dog/0.jpg")
    )
    size = cut.stat().st_size
    Image.effect_noise((64, 64), 90).save(cut)
    cut.write_bytes(cut.read_bytes()[:size])  # cut off after a valid header
    other.write_text("<html>404</html>")
    records = read_photos("UnbiasedEmo", root)
    gone.unlink()
    with pytest.raises(
        ValueError, match="3 of 12 images cannot be read, .*fear/dog/0.jpg: its content is no pic"
    ):
        readable_images(records)
    readable, broken = readable_images(records, on_broken="skip")
    ids = [f"UnbiasedEmo/{word}/dog/0" for word in ("fear", "joy", "love")]
    assert broken["id"].tolist() == ids
    assert "truncated" in broken["reason"][1]
    assert list(broken) == ["id", "image", "reason"]
    assert not set(readable["id"]) & set(broken["id"])
    assert readable.index.tolist() == list(range(9))
    with pytest.raises(ValueError, match="'ignore'.*'skip'"):
        readable_images(records, "ignore")


def test_any_csv_becomes_records(tmp_path):
    for name in ("one two/a.JPG", "b.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    table = tmp_path / "mine.csv"
    table.write_text(
        "\ufeffimage, label, split, p_joy, p_sadness, attr_place, group\n"
        '"one two/a.JPG", Joy, val, 0.75, 0.25, "sea, shore", \nb.png, sad, test, , , null, g\n'
    )
    records = read_csv(table)
    assert records[
        ["id", "dataset", "split", "label", "label_set", "group"]
    ].to_numpy().tolist() == [
        ["mine/one two/a", "mine", "validation", "joy", "ekman", ""],
        ["mine/b", "mine", "test", "sadness", "ekman", "g"],
    ]
    assert records["attr_place"].tolist() == ["sea, shore", "null"]
    assert records["p_joy"].isna().tolist() == [False, True]
    for text, words in {
        "image,emotion\nb.png,joy": "column 'label' is missing",
        "image,label\nb.png,": "row 1: .*'label'",
        "image,label\nc.png,joy": "mine.csv lists .*c.png",
        "image,label\nb.png,joy ": "mine.csv: row 1: label 'joy ' has white space",
        "image,label,split\nb.png,joy,holdout": "'holdout'",
        "image,label,colour\nb.png,joy,3": "'colour'",
        "": "not readable as CSV",
    }.items():
        table.write_text(text)
        with pytest.raises((ValueError, FileNotFoundError), match=words):
            read_csv(table)


@pytest.fixture
def own(tmp_path):
    """A folder with two classes of ten images without splits, and a CSV of the same images."""
    lines = ["image,label,attr_place"]
    for label, places in {"joy": ["beach", "street"] * 5, "fear": ["street"] * 10}.items():
        (tmp_path / "mine.v2" / label).mkdir(parents=True)
        for number, place in enumerate(places):
            lines.append(f"mine.v2/{label}/{number}.png,{label},{place}")
            (tmp_path / "mine.v2" / label / f"{number}.png").touch()
    (tmp_path / "listed.csv").write_text("\n".join(lines))
    return tmp_path


def test_own_folder_and_csv_are_read_with_a_published_dataset(own, monkeypatch):
    monkeypatch.setenv("TINYEMO_DATA", str(own))  # where relative paths are looked for
    make_layout("UnbiasedEmo", own / "photos", per_class=2)
    entries = ["mine.v2", "UnbiasedEmo", str(own / "listed.csv"), "FI", "later/gone.csv"]
    records, absent = read_datasets(entries, own / "photos", seed=3)
    check_records(records)
    parts = {
        name: table.reset_index(drop=True) for name, table in records.groupby("dataset", sort=False)
    }
    assert list(parts) == ["mine.v2", "UnbiasedEmo", "listed"] and list(absent) == ["FI", "gone"]
    assert "how to get FI" in absent["FI"]
    assert "later/gone.csv: expected a CSV file with the columns image and label" in absent["gone"]
    for name in ("mine.v2", "listed"):
        assert parts[name].groupby(["label", "split"]).size().to_dict() == {
            ("fear", "test"): 2,
            ("fear", "train"): 8,
            ("joy", "test"): 2,
            ("joy", "train"): 8,
        }
    assert parts["listed"].groupby(["label", "attr_place"]).size().to_dict() == {
        ("fear", "street"): 10,
        ("joy", "beach"): 5,
        ("joy", "street"): 5,
    }
    assert "mine.v2/joy/0" in set(parts["mine.v2"]["id"])
    assert parts["UnbiasedEmo"]["split"].eq("test").all()
    again, _ = read_datasets(entries, own / "photos", seed=4)
    assert not again["split"].equals(records["split"])


def test_a_given_split_of_own_images_is_kept(own):
    lines = (own / "listed.csv").read_text().splitlines()
    (own / "listed.csv").write_text(
        "\n".join(
            [
                lines[0] + ",split",
                *(f"{line},train" for line in lines[1:-2]),
                lines[-2] + ",Dev",
                lines[-1] + ",test",
            ]
        )
    )
    records, _ = read_datasets([str(own / "listed.csv")], own)
    assert records["split"].tolist() == ["train"] * 18 + ["validation", "test"]


def test_two_datasets_of_one_name_are_refused(own):
    (own / "mine.v2").rename(own / "listed")
    (own / "FI.csv").write_text("image,label\nlisted/joy/0.png,joy")
    for entries in (
        [str(own / "listed"), str(own / "listed.csv")],
        [str(own / "FI.csv")],
        ["FI", "FI"],
    ):
        with pytest.raises(
            ValueError, match="would be called '(listed|FI)', as another dataset is: rename"
        ):
            read_datasets(entries, own)
    with pytest.raises(
        FileNotFoundError, match="none of the datasets is there. not found: /nowhere"
    ):
        read_datasets(["/nowhere"], own)


def test_test_images_of_one_dataset_are_no_training_images_of_another(tmp_path):
    for name in ("EmotionROI", "Emotion6"):  # the same images
        make_layout(name, tmp_path)
    roi, _ = read_datasets_without_leaks(["EmotionROI"], tmp_path)
    emotion6, _ = read_datasets_without_leaks(["Emotion6"], tmp_path)
    (_, roi_tested), (trained, tested) = contents(roi), contents(emotion6)
    assert trained & roi_tested  # a leak to find
    records, broken = read_datasets_without_leaks(["EmotionROI", "Emotion6"], tmp_path)
    assert broken.empty and set(records["dataset"]) == {"EmotionROI", "Emotion6"}
    both_trained, both_tested = contents(records)
    assert both_tested == roi_tested | tested
    assert both_trained and not both_trained & both_tested


def contents(records):
    """The contents of the files (to train on, to test on)."""
    files = [Path(path).read_bytes() for path in records["image"]]
    is_test = records["split"] == "test"
    tested = {file for file, test in zip(files, is_test, strict=True) if test}
    trained = {file for file, test in zip(files, is_test, strict=True) if not test}
    return trained, tested


def test_a_broken_image_of_a_training_set_is_an_error_or_reported(tmp_path):
    make_layout("EmoSet", tmp_path)
    victim = next(tmp_path.rglob("*.jpg"))
    victim.write_bytes(b"no picture")
    with pytest.raises(ValueError, match=victim.name):
        read_datasets_without_leaks(["EmoSet"], tmp_path)
    records, broken = read_datasets_without_leaks(["EmoSet"], tmp_path, "skip")
    assert broken["image"].tolist() == [str(victim)] and str(victim) not in set(records["image"])
