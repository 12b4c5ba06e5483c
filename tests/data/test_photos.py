"""Photo datasets: every layout becomes records with its quirks understood, and what is wrong is named."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from photo_layouts import make_layout
from PIL import Image

from tinyemo.data.folders import infer_label_set
from tinyemo.data.own_images import read_datasets
from tinyemo.data.photos import PHOTO_SETS, read_csv, read_photos, sound_images
from tinyemo.data.records import check_records, read_records, relabel, write_records
from tinyemo.emotions import LABEL_SETS, TEMPLATES, labels_of

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
    sound, broken = sound_images(records)
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


def test_broken_images_are_an_error_or_reported(layout):
    root = layout("UnbiasedEmo")
    cut, other, gone = (
        root / "images" / name for name in ("joy/dog/0.jpg", "fear/dog/0.jpg", "love/dog/0.jpg")
    )
    size = cut.stat().st_size
    Image.effect_noise((64, 64), 90).save(cut)
    cut.write_bytes(cut.read_bytes()[:size])  # stops halfway, behind a sound header
    other.write_text("<html>404</html>")
    records = read_photos("UnbiasedEmo", root)
    gone.unlink()
    with pytest.raises(
        ValueError, match="3 of 12 images cannot be read, .*fear/dog/0.jpg: cannot identify"
    ):
        sound_images(records)
    sound, broken = sound_images(records, on_broken="skip")
    assert broken["id"].tolist() == [
        f"UnbiasedEmo/{word}/dog/0" for word in ("fear", "joy", "love")
    ]
    assert "truncated" in broken["reason"][1] and list(broken) == ["id", "image", "reason"]
    assert (
        len(sound) == 9
        and not set(sound["id"]) & set(broken["id"])
        and sound.index.tolist() == list(range(9))
    )
    with pytest.raises(ValueError, match="'ignore'.*'skip'"):
        sound_images(records, "ignore")


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
        "image,label\nb.png,bliss": "unknown label",
        "image,label,split\nb.png,joy,dev": "'dev'",
        "image,label,colour\nb.png,joy,3": "'colour'",
        "": "not readable as CSV",
    }.items():
        table.write_text(text)
        with pytest.raises((ValueError, FileNotFoundError), match=words):
            read_csv(table)


@pytest.fixture
def own(tmp_path):
    """A folder of two classes of ten without splits, and beside it a CSV of the same images with an attribute."""
    lines = ["image,label,attr_place"]
    for label, places in {"joy": ["beach", "street"] * 5, "fear": ["street"] * 10}.items():
        (tmp_path / "mine.v2" / label).mkdir(parents=True)
        for number, place in enumerate(places):
            lines.append(f"mine.v2/{label}/{number}.png,{label},{place}")
            (tmp_path / "mine.v2" / label / f"{number}.png").touch()
    (tmp_path / "listed.csv").write_text("\n".join(lines))
    return tmp_path


def test_ones_own_folder_and_csv_stand_beside_a_published_dataset(own, monkeypatch):
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
    assert (
        "later/gone.csv: expected a CSV file, a folder of classes, or one of Emotion6"
        in absent["gone"]
    )
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


def test_a_split_that_ones_own_images_come_with_is_kept(own):
    lines = (own / "listed.csv").read_text().splitlines()
    (own / "listed.csv").write_text(
        "\n".join(
            [lines[0] + ",split", *(f"{line},train" for line in lines[1:-1]), lines[-1] + ",val"]
        )
    )
    records, _ = read_datasets([str(own / "listed.csv")], own)
    assert records["split"].tolist() == ["train"] * 19 + ["validation"]


def test_names_that_would_stand_for_two_datasets_are_refused(own):
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


def test_the_new_label_set_changes_no_guess_of_an_old_one():
    for words in (("anger", "fear", "joy"), ("sadness",)):
        assert infer_label_set(set(words), "here") == "ekman"
    for name, words in LABEL_SETS.items():
        assert infer_label_set(set(words), "here") == name
    assert infer_label_set({"love", "fear"}, "here") == "unbiasedemo"
    with pytest.raises(ValueError, match="no map from Parrott's labels to 'unbiasedemo'"):
        relabel(pd.DataFrame(), "unbiasedemo")
    with pytest.raises(ValueError, match="unknown dataset 'Emotion7'.*WEBEmo"):
        read_photos("Emotion7", "here")
