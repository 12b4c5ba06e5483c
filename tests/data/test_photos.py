"""Photo datasets: every layout becomes records, and errors name what is wrong."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from photo_layouts import make_layout

from tinyemo.data.datasets import readable_images
from tinyemo.data.photos import PHOTO_SETS, read_photos
from tinyemo.data.records import check_records, read_records, write_records
from tinyemo.emotions import TEMPLATES, labels_of

# dataset -> items per split, of a layout with two images per class
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
def test_every_layout_becomes_records_with_readable_images_and_all_labels(layout, name):
    root, label_set = layout(name), PHOTO_SETS[name].label_set
    records = read_photos(name, root)
    assert check_records(records).equals(records)
    assert set(records["dataset"]) == {name}
    assert set(records["label_set"]) == {label_set}
    assert set(records["label"]) == set(labels_of(label_set))
    assert records["split"].value_counts().to_dict() == ITEMS[name]
    readable, broken = readable_images(records)
    assert readable.equals(records) and broken.empty
    root.rename(root.parent / "within")  # archives may put a folder around the dataset
    shutil.move(root.parent / "within", root / "anything")
    columns = ["id", "split", "label"]
    assert read_photos(name, root)[columns].equals(records[columns])


def test_the_registry_is_complete_and_overlaps_are_mutual():
    for name, photo_set in PHOTO_SETS.items():
        assert photo_set.name == name
        assert photo_set.licence and photo_set.get
        assert set(photo_set.templates) <= set(TEMPLATES)
        for other in photo_set.shares_images_with:
            assert name in PHOTO_SETS[other].shares_images_with


def test_emotion6_has_distribution_valence_and_arousal(layout):
    root = layout("Emotion6")
    truth = root / "ground_truth.txt"
    lines = truth.read_text().splitlines()
    # fifteen annotators, six decimals
    lines[1] = "anger/1.jpg\t2.5\t3.8\t0.133333\t0.4\t0\t0.0666667\t0.1\t0\t0.3"
    # all annotators chose neutral
    lines[2] = "anger/2.jpg\t5\t1\t0\t0\t0\t0\t0\t0\t1"
    truth.write_text("\n".join(lines))
    records = read_photos("Emotion6", root).set_index("id")
    row = records.loc["Emotion6/anger/1"]
    shares = row[[f"p_{label}" for label in labels_of("ekman")]].astype(float)
    np.testing.assert_allclose(shares, np.array([2, 6, 0, 1, 1.5, 0]) / 10.5, atol=1e-5)
    assert (row["attr_valence"], row["attr_arousal"], row["attr_neutral"]) == (2.5, 3.8, 0.3)
    neutral = records.loc["Emotion6/anger/2"]
    assert neutral.filter(like="p_").isna().all() and neutral["attr_neutral"] == 1
    assert records.loc["Emotion6/joy/1", "image"].endswith("joy/1.JPG")  # listed as 1.jpg
    # another form and order of columns
    header = "filename prob_joy Neutral disgust fear anger sadness surprise arousal valence"
    table = [header.split()]
    for line in lines[1:]:
        cells = line.split("\t")
        table.append([cells[i] for i in (0, 6, 9, 4, 5, 3, 7, 8, 2, 1)])
    truth.write_text("\n".join(",".join(cells) for cells in table))
    again = read_photos("Emotion6", root).set_index("id")
    pd.testing.assert_frame_equal(again[records.columns], records)
    truth.unlink()
    columns = list(read_photos("Emotion6", root))
    assert not [column for column in columns if column.startswith(("p_", "attr_"))]


def test_a_split_that_is_not_published_depends_on_the_seed_alone(layout):
    root = make_layout("FI", layout("FI").parent / "large", per_class=10)
    split = read_photos("FI", root, seed=3)["split"]
    assert split.equals(read_photos("FI", root, seed=3)["split"])
    assert not split.equals(read_photos("FI", root, seed=4)["split"])
    assert (split == "test").sum() == 16


def test_abstract_compares_votes_as_numbers_and_drops_ties(layout):
    records = read_photos("Abstract", layout("Abstract"))
    labels = labels_of("mikels")
    # compared as text, 9 would be more than 10; painting 16 is a tie
    assert records["label"].tolist() == [*labels] * 2
    shares = records[[f"p_{label}" for label in labels]].to_numpy()  # (16, 8)
    best = shares[np.arange(16), [labels.index(label) for label in records["label"]]]
    np.testing.assert_allclose(best * records["attr_votes"], 10)
    assert PHOTO_SETS["Abstract"].templates == ("evoking-viewers",)


def test_emoset_reads_both_record_forms_and_attributes(layout, tmp_path):
    records = read_photos("EmoSet", layout("EmoSet"))
    records = read_records(write_records(records, tmp_path / "records.parquet")).set_index("id")
    row = records.loc["EmoSet/image/awe/awe_00005"]
    assert (row["split"], row["attr_scene"], row["attr_colorfulness"]) == ("test", "alley", 1)
    assert list(row["attr_object"]) == ["Person", "Alarm clock"]
    assert list(row["attr_human_action"]) == ["abseiling"]
    assert list(row["attr_facial_expression"]) == ["happy"]
    row = records.loc["EmoSet/image/awe/awe_00000"]
    assert (row["split"], row["attr_scene"], list(row["attr_object"])) == ("train", "", [])


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
    # the words that photo_layouts.py uses are EmoSet's
    words = {"object": "Alarm clock", "scene": "alley", "human_action": "abseiling"}
    for name, word in words.items():
        assert word in info[name]["label2idx"]


def test_names_that_differ_in_their_ending_only_are_two_items(layout):
    ids = set(read_photos("FI", layout("FI"))["id"])
    assert {"FI/awe/awe_0000.jpg", "FI/awe/awe_0000.png", "FI/awe/awe_0001"} <= ids


def test_emotion_roi_shows_the_images_of_emotion6(layout):
    contents = {}
    for name in ("Emotion6", "EmotionROI"):
        images = read_photos(name, layout(name)).sort_values("id")["image"]
        contents[name] = [Path(image).read_bytes() for image in images]
    assert contents["Emotion6"] == contents["EmotionROI"]


CASES = yaml.safe_load(Path(__file__).with_name("broken_layouts.yaml").read_text())


def change(top: Path, case: dict) -> None:
    """Make the change of a case of broken_layouts.yaml in the dataset's folder `top`."""
    if "remove" in case:
        path = top / case["remove"]
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    if "move" in case:
        source, target = case["move"]
        (top / source).rename(top / target)
    if "write" in case:
        name, text = case["write"]
        (top / name).write_text(text)
    if "replace" in case:
        name, old, new = case["replace"]
        text = (top / name).read_text()
        assert old in text
        (top / name).write_text(text.replace(old, new, 1))


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['dataset']}-{case['error']}")
def test_errors_name_what_is_wrong_with_a_dataset(layout, case):
    root = layout(case["dataset"])
    change(root, case)
    if case["error"] == "none":
        assert len(read_photos(case["dataset"], root))
        return
    error = {"ValueError": ValueError, "FileNotFoundError": FileNotFoundError}[case["error"]]
    with pytest.raises(error, match=case["message"]) as caught:
        read_photos(case["dataset"], root)
    assert "\n" not in str(caught.value)
