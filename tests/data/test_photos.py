"""Photo datasets: every layout becomes records with its quirks understood, and what is wrong is named."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from photo_layouts import make_layout

from tinyemo.data.datasets import readable_images
from tinyemo.data.photos import PHOTO_SETS, read_photos
from tinyemo.data.records import check_records, read_records, write_records
from tinyemo.emotions import TEMPLATES, labels_of

# dataset -> items a split, of a layout with two images a class
ITEMS = {
    "Emotion6": {"train": 8, "test": 4},
    "EmotionROI": {"train": 6, "test": 6},
    "WEBEmo": {"train": 50, "validation": 50, "test": 50},
    "FI": {"train": 14, "test": 3},
    "EmoSet": {"train": 16, "validation": 16, "test": 16},
    "ArtPhoto": {"test": 16},
    "Abstract": {"test": 16},
    "UnbiasedEmo": {"test": 12},
}


@pytest.fixture
def layout(tmp_path):
    return lambda name, **options: make_layout(name, tmp_path, per_class=2, **options)


@pytest.mark.parametrize("name", PHOTO_SETS)
def test_every_layout_becomes_records_with_sound_images_and_all_labels(layout, name):
    root = layout(name)
    records = read_photos(name, root)
    assert check_records(records).equals(records) and set(records["dataset"]) == {name}
    assert set(records["label_set"]) == {PHOTO_SETS[name].label_set}
    assert set(records["label"]) == set(labels_of(PHOTO_SETS[name].label_set))
    assert records["split"].value_counts().to_dict() == ITEMS[name]
    sound, broken = readable_images(records)
    assert sound.equals(records) and broken.empty
    root.rename(root.parent / "within")  # an archive that wraps a folder around the dataset
    shutil.move(root.parent / "within", root / "anything")
    assert read_photos(name, root)[["id", "split", "label"]].equals(
        records[["id", "split", "label"]]
    )


def test_the_registry_is_complete_and_overlaps_are_mutual():
    for name, source in PHOTO_SETS.items():
        assert (
            source.name == name
            and source.licence
            and source.get
            and set(source.templates) <= set(TEMPLATES)
        )
        assert all(
            name in PHOTO_SETS[other].shares_images_with for other in source.shares_images_with
        )


def test_emotion6_has_distribution_valence_and_arousal(layout):
    root = layout("Emotion6")
    truth = root / "ground_truth.txt"
    lines = truth.read_text().splitlines()
    lines[1] = (
        "anger/1.jpg\t2.5\t3.8\t0.133333\t0.4\t0\t0.0666667\t0.1\t0\t0.3"  # fifteen voters, six decimals
    )
    lines[2] = "anger/2.jpg\t5\t1\t0\t0\t0\t0\t0\t0\t1"  # nobody feels anything
    truth.write_text("\n".join(lines))
    records = read_photos("Emotion6", root).set_index("id")
    row = records.loc["Emotion6/anger/1"]
    np.testing.assert_allclose(
        row[["p_anger", "p_disgust", "p_fear", "p_joy", "p_sadness", "p_surprise"]].astype(float),
        np.array([2, 6, 0, 1, 1.5, 0]) / 10.5,
        atol=1e-5,
    )
    assert (row["attr_valence"], row["attr_arousal"], row["attr_neutral"]) == (2.5, 3.8, 0.3)
    neutral = records.loc["Emotion6/anger/2"]
    assert neutral.filter(like="p_").isna().all() and neutral["attr_neutral"] == 1
    assert records.loc["Emotion6/joy/1", "image"].endswith("joy/1.JPG")  # listed as 1.jpg
    names = [
        "filename",
        "prob_joy",
        "Neutral",
        "disgust",
        "fear",
        "anger",
        "sadness",
        "surprise",
        "arousal",
        "valence",
    ]
    moved = [[line.split("\t")[i] for i in (0, 6, 9, 4, 5, 3, 7, 8, 2, 1)] for line in lines[1:]]
    truth.write_text(
        "\n".join(",".join(cells) for cells in [names, *moved])
    )  # another form and order of columns
    pd.testing.assert_frame_equal(
        read_photos("Emotion6", root).set_index("id")[records.columns], records
    )
    truth.unlink()
    assert not [
        column for column in read_photos("Emotion6", root) if column.startswith(("p_", "attr_"))
    ]


def test_a_split_that_nobody_published_depends_on_the_seed_alone(layout):
    root = make_layout("FI", layout("FI").parent / "large", per_class=10)
    split = read_photos("FI", root, seed=3)["split"]
    assert split.equals(read_photos("FI", root, seed=3)["split"])
    assert not split.equals(read_photos("FI", root, seed=4)["split"])
    assert (split == "test").sum() == 16


def test_abstract_counts_votes_as_numbers_and_drops_ties(layout):
    records = read_photos("Abstract", layout("Abstract"))
    assert (
        records["label"].tolist() == [*labels_of("mikels")] * 2
    )  # as text 9 is more than 10; number 16 is a tie
    shares = records[[f"p_{label}" for label in labels_of("mikels")]].to_numpy()
    best = shares[np.arange(16), [labels_of("mikels").index(label) for label in records["label"]]]
    np.testing.assert_allclose(best * records["attr_votes"], 10)
    assert PHOTO_SETS["Abstract"].templates == ("evoking-viewers",)


def test_emoset_reads_both_record_forms_and_attributes(layout, tmp_path):
    records = read_photos("EmoSet", layout("EmoSet"))
    records = read_records(write_records(records, tmp_path / "records.parquet")).set_index("id")
    row = records.loc["EmoSet/image/awe/awe_00005"]
    assert row["split"] == "test" and row["attr_scene"] == "alley" and row["attr_colorfulness"] == 1
    assert [
        list(row[f"attr_{name}"]) for name in ("object", "human_action", "facial_expression")
    ] == [["Person", "Alarm clock"], ["abseiling"], ["happy"]]
    row = records.loc["EmoSet/image/awe/awe_00000"]
    assert row["split"] == "train" and row["attr_scene"] == "" and len(row["attr_object"]) == 0


def test_emoset_reads_the_real_lists(tmp_path, test_data):
    folder = test_data / "emoset"
    if not folder.is_dir():
        pytest.skip(f"no {folder}")
    real = json.loads((folder / "val.json").read_text())
    for name in ("train", "test"):
        only = ["fear", f"image/fear/{name}.jpg", f"annotation/fear/{name}.json"]
        (tmp_path / f"{name}.json").write_text(json.dumps([only]))
    shutil.copy(folder / "val.json", tmp_path)
    for label in labels_of("mikels"):
        (tmp_path / "image" / label).mkdir(parents=True)
    for name in [image for _, image, _ in real] + ["image/fear/train.jpg", "image/fear/test.jpg"]:
        (tmp_path / name).touch()
    records = read_photos("EmoSet", tmp_path)  # without annotations there are no attributes
    assert not [column for column in records if column.startswith("attr_")]
    validation = records[records["split"] == "validation"]
    assert len(validation) == len(real) == 5905
    assert validation["label"].tolist() == [label for label, *_ in real]
    info = json.loads((folder / "info.json").read_text())
    assert set(info["emotion"]["label2idx"]) == set(labels_of("mikels"))
    for name, word in {
        "object": "Alarm clock",
        "scene": "alley",
        "human_action": "abseiling",
    }.items():
        assert (
            word in info[name]["label2idx"]
        )  # what the layout of the tests uses is what EmoSet knows


def test_names_that_differ_in_their_ending_only_are_two_items(layout):
    ids = set(read_photos("FI", layout("FI"))["id"])
    assert {"FI/awe/awe_0000.jpg", "FI/awe/awe_0000.png", "FI/awe/awe_0001"} <= ids


def test_emotion_roi_shows_the_images_of_emotion6(layout):
    one, other = (
        read_photos(name, layout(name)).sort_values("id")["image"]
        for name in ("Emotion6", "EmotionROI")
    )
    assert [Path(image).read_bytes() for image in one] == [
        Path(image).read_bytes() for image in other
    ]


def replace(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


@pytest.mark.parametrize(
    ("name", "spoil", "error", "words"),
    [
        (
            "Emotion6",
            lambda top: shutil.rmtree(top),
            FileNotFoundError,
            "Emotion6/images; how to get Emotion6: .*cornell",
        ),
        (
            "Emotion6",
            lambda top: (top / "images/fear/2.jpg").unlink(),
            FileNotFoundError,
            "lists .*fear/2.jpg.*1 of its 1",
        ),
        (
            "Emotion6",
            lambda top: replace(top / "ground_truth.txt", "fear/2.jpg", ""),
            ValueError,
            "line 7: .* 7 shares",
        ),
        (
            "Emotion6",
            lambda top: replace(top / "ground_truth.txt", "fear/2.jpg", "fear/1.jpg"),
            ValueError,
            "no line for fear/2.jpg",
        ),
        (
            "Emotion6",
            lambda top: replace(top / "ground_truth.txt", "\t3.8\t", "\t9.5\t"),
            ValueError,
            "line 2: .*1 to 9",
        ),
        (
            "Emotion6",
            lambda top: replace(top / "ground_truth.txt", "prob. joy", "bliss"),
            ValueError,
            "line 1: .*joy",
        ),
        (
            "EmotionROI",
            lambda top: (top / "images/joy/2.jpg").unlink(),
            FileNotFoundError,
            "testing.txt lists .*joy/2.jpg",
        ),
        (
            "EmotionROI",
            lambda top: replace(top / "training_testing_split/testing.txt", "joy/2", "joy/1"),
            ValueError,
            "joy/1.*earlier row",
        ),
        (
            "EmotionROI",
            lambda top: (top / "training_testing_split/testing.txt").unlink(),
            FileNotFoundError,
            "not found: .*testing.txt",
        ),
        (
            "WEBEmo",
            lambda top: (top / "train/rage").rename(top / "train/spleen"),
            ValueError,
            "unknown label spleen",
        ),
        (
            "EmoSet",
            lambda top: replace(top / "val.json", '["awe", ', '["awe", "x", "y", '),
            ValueError,
            "val.json: record 4: .*'y'",
        ),
        (
            "EmoSet",
            lambda top: replace(top / "val.json", '["awe", ', '["bliss", '),
            ValueError,
            "unknown label bliss",
        ),
        (
            "EmoSet",
            lambda top: (top / "val.json").write_text("["),
            ValueError,
            "val.json: not readable as JSON",
        ),
        (
            "EmoSet",
            lambda top: (top / "val.json").write_text("{}"),
            ValueError,
            "val.json: holds a dict, expected a list",
        ),
        (
            "EmoSet",
            lambda top: (top / "annotation/awe/awe_00003.json").unlink(),
            FileNotFoundError,
            "awe_00003.json",
        ),
        (
            "EmoSet",
            lambda top: replace(top / "annotation/awe/awe_00003.json", "0.3", '"dim"'),
            ValueError,
            "awe_00003.json: brightness.*dim",
        ),
        ("FI", lambda top: shutil.rmtree(top / "emotion_dataset/awe"), None, ""),
        (
            "ArtPhoto",
            lambda top: (top / "testImages_artphoto/odd.jpg").touch(),
            ValueError,
            "unknown label odd.jpg",
        ),
        ("ArtPhoto", lambda top: (top / "testImages_artphoto/notes.txt").touch(), None, ""),
        (
            "Abstract",
            lambda top: replace(
                top / "testImages_abstract/ABSTRACT_groundTruth.csv", ",10,", ",ten,"
            ),
            ValueError,
            "csv: row 1: .*ten",
        ),
        (
            "Abstract",
            lambda top: replace(
                top / "testImages_abstract/ABSTRACT_groundTruth.csv", "'Awe'", "'Bliss'"
            ),
            ValueError,
            "csv: header: .*bliss",
        ),
        (
            "Abstract",
            lambda top: (top / "testImages_abstract/abstract_0003.jpg").unlink(),
            FileNotFoundError,
            "csv lists .*abstract_0003.jpg",
        ),
    ],
)
def test_what_is_wrong_with_a_dataset_is_named(layout, name, spoil, error, words):
    root = layout(name)
    spoil(root)
    if error is None:
        assert len(read_photos(name, root))
        return
    with pytest.raises(error, match=words) as caught:
        read_photos(name, root)
    assert "\n" not in str(caught.value)
