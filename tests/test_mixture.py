"""Several datasets as one table: what stands in a test part is not learnt from."""

from pathlib import Path

import pytest
from photo_layouts import make_layout

from tinyemo.data.mixture import read_mixture


def test_no_test_image_of_one_dataset_is_a_training_image_of_another(tmp_path):
    for name in ("EmotionROI", "Emotion6"):  # the same images
        make_layout(name, tmp_path)
    apart = {name: read_mixture([name], tmp_path)[0] for name in ("EmotionROI", "Emotion6")}
    assert learnt(apart["Emotion6"]) & judged(apart["EmotionROI"]), "what there is to be found"
    records, broken = read_mixture(["EmotionROI", "Emotion6"], tmp_path)
    assert broken.empty and set(records["dataset"]) == set(apart)
    assert judged(records) == judged(apart["EmotionROI"]) | judged(apart["Emotion6"])
    assert learnt(records) and not learnt(records) & judged(records)


def contents(records):
    return {Path(path).read_bytes() for path in records["image"]}


def learnt(records):
    return contents(records[records["split"] != "test"])


def judged(records):
    return contents(records[records["split"] == "test"])


def test_a_broken_image_is_an_error_or_a_row_of_the_report(tmp_path):
    make_layout("EmoSet", tmp_path)
    victim = next(tmp_path.rglob("*.jpg"))
    victim.write_bytes(b"no picture")
    with pytest.raises(ValueError, match=victim.name):
        read_mixture(["EmoSet"], tmp_path)
    records, broken = read_mixture(["EmoSet"], tmp_path, "skip")
    assert broken["image"].tolist() == [str(victim)] and str(victim) not in set(records["image"])
