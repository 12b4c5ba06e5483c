"""From images to the zero-shot table: eight small datasets in their real layouts."""

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml
from photo_layouts import LAYOUTS, make_layout
from tiny_clip import save_tiny_clip
from tiny_lm import save_word_vectors

from tinyemo.emotions import LABEL_SETS
from tinyemo.paths import ROOT

TRAINED = ["EmotionROI", "EmoSet", "WEBEmo"]


def language_model(folder: Path) -> Path:
    """A checkpoint with a random vector for each label word and for the words of grounding
    texts."""
    words = {word for labels in LABEL_SETS.values() for word in labels} | {
        "a",
        "scene",
        "evoking",
        "to",
        "viewers",
    }
    return save_word_vectors(folder, words)


@pytest.fixture(scope="module")
def results(tmp_path_factory) -> Path:
    """The run folders of notebooks 09 and 10, in a profile that names the eight datasets."""
    folder = tmp_path_factory.mktemp("every")
    for name in LAYOUTS:
        make_layout(name, folder / "data", per_class=2 if name == "WEBEmo" else 6)
    broken = next((folder / "data").rglob("awe/*.jpg"))
    broken.write_bytes(broken.read_bytes()[:100])
    profile = folder / "eight"
    profile.mkdir()
    (profile / "09_dataset_collection.yaml").write_text(
        yaml.safe_dump(
            {
                "profile": "eight",
                "datasets": list(LAYOUTS),
                "root": str(folder / "data"),
                "on_broken": "skip",
                "encoder_name": save_tiny_clip(folder / "clip", "vit"),
                "workers": 0,
            }
        )
    )
    (profile / "10_zero_shot_table.yaml").write_text(
        yaml.safe_dump(
            {
                "profile": "eight",
                "train_on": TRAINED,
                "anchors": str(language_model(folder / "lm")),
                "seeds": 2,
            }
        )
    )
    for stem in ("09_dataset_collection", "10_zero_shot_table"):
        run(stem, profile, folder / "runs" / stem)
    return folder / "runs"


def run(stem: str, profile: Path, out: Path, *pairs: str) -> None:
    """One notebook, as a user runs it."""
    command = [
        sys.executable,
        "-m",
        "tinyemo.run",
        stem,
        "--profile",
        str(profile),
        "--out",
        str(out),
        *pairs,
    ]
    done = subprocess.run(command, cwd=ROOT, text=True, capture_output=True)
    assert done.returncode == 0, done.stderr[-3000:]


def test_all_datasets_are_read_and_the_broken_image_is_reported(results):
    metrics = json.loads((results / "09_dataset_collection/metrics.json").read_text())
    assert metrics["datasets"] == 8 and metrics["absent"] == 0 and metrics["broken_images"] == 1
    about = pd.read_csv(results / "09_dataset_collection/tables/datasets.csv").set_index("dataset")
    assert set(about.index) == set(LAYOUTS) and about["licence"].notna().all()
    assert (about.loc[["ArtPhoto", "Abstract", "UnbiasedEmo"], ["train", "validation"]] == 0).all(
        axis=None
    )


def test_every_dataset_has_an_accuracy_an_interval_and_a_status(results):
    long = pd.read_csv(results / "10_zero_shot_table/tables/zero_shot_long.csv")
    joint = long[long["run"] == "joint"].set_index("dataset")
    assert set(joint.index) == set(LAYOUTS)
    assert set(joint.index[joint["trained_on"]]) == set(TRAINED)
    assert (joint["low"] <= joint["accuracy"]).all() and (joint["accuracy"] <= joint["high"]).all()
    assert (long.loc[long["run"] == "label set held out", "trained_on"]).sum() == 0
    wide = pd.read_csv(results / "10_zero_shot_table/tables/zero_shot.csv")
    assert set(LAYOUTS) <= set(wide.columns) and "CLIP text" in set(wide["model"])


def test_emotion6_is_contaminated_by_the_photographs_it_shares_with_emotionroi(results):
    records = pd.read_parquet(results / "09_dataset_collection/records.parquet")
    records["file"] = [
        str(Path(path).with_suffix("")).split("/images/")[-1] for path in records["image"]
    ]
    test = records[(records["dataset"] == "Emotion6") & (records["split"] == "test")]
    learnt = records[(records["dataset"] == "EmotionROI") & (records["split"] != "test")]
    share = test["file"].isin(set(learnt["file"])).mean()
    long = pd.read_csv(results / "10_zero_shot_table/tables/zero_shot_long.csv").set_index(
        ["run", "dataset"]
    )
    assert 0 < share < 1
    assert long.loc[("joint", "Emotion6"), "status"] == "contaminated"
    assert long.loc[("joint", "Emotion6"), "contaminated"] == pytest.approx(share, abs=1e-5)
    assert (long.loc["joint"].drop("Emotion6")["status"] == "clean").all()


def test_a_separable_dataset_is_learnt(results):
    metrics = json.loads((results / "10_zero_shot_table/metrics.json").read_text())
    assert metrics["joint/EmoSet/accuracy"] > 0.5  # of eight labels, each with its own tint
    predictions = pd.read_parquet(results / "10_zero_shot_table/predictions.parquet")
    one = predictions[(predictions["run"] == "joint") & (predictions["dataset"] == "FI")]
    by_seed = (one["pred"] == one["label"]).groupby(one["seed"]).mean()
    assert len(by_seed) == 2 and metrics["joint/FI/accuracy"] == pytest.approx(by_seed.mean())


def test_a_missing_dataset_is_reported_with_the_way_to_get_it(results, tmp_path):
    data = tmp_path / "data"
    make_layout("FI", data, per_class=3)
    run("09_dataset_collection", results.parent / "eight", tmp_path / "out", "-p", f"root={data}")
    index = json.loads((tmp_path / "out/collection.json").read_text())
    assert set(index["stores"]) == {"FI"} and len(index["absent"]) == 7
    assert "http" in index["absent"]["EmoSet"] and str(data) in index["absent"]["EmoSet"]
