"""Labels of one's own, from the command line: pictures through the notebooks that use no texts."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from own_pictures import LABEL_SET, LABELS, SORTED_SET, make_pictures, run
from tiny_clip import save_tiny_clip
from tiny_lm import save_word_vectors

from tinyemo.bias.associations import WORD_LISTS
from tinyemo.data.records import check_records
from tinyemo.emoreason import teachers
from tinyemo.emoreason.requests import Reply, plan_finetuning
from tinyemo.emotions import own_label_set


def save_language_model(folder: Path) -> Path:
    """A checkpoint with a random vector for each word of the labels and of the word lists."""
    words = set("calm sea storm zesty happy".split())
    for poles in yaml.safe_load(WORD_LISTS.read_text("utf-8")).values():
        words.update(word for pole in poles.values() for word in pole)
    return save_word_vectors(folder, words)


@pytest.fixture(scope="module")
def profile(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("own")
    make_pictures(folder / "moods")
    checkpoint = str(save_language_model(folder / "lm"))
    clip = save_tiny_clip(folder / "clip", "vit")
    parameters = {
        "01_feature_extraction": {
            "images": str(folder / "moods"),
            "encoder_name": clip,
            "workers": 0,
        },
        "02_projector_training": {
            "label_sets": [SORTED_SET],
            "anchors": checkpoint,
            "zero_shot_to": "",
            "seeds": 1,
        },
        "05_evaluation": {"label_sets": [SORTED_SET]},
        "09_dataset_collection": {
            "datasets": [str(folder / "moods")],
            "labels": LABELS,
            "encoder_name": clip,
            "workers": 0,
        },
        "10_zero_shot_table": {
            "train_on": ["moods"],
            "anchors": checkpoint,
            "seeds": 1,
            "single": False,
        },
        "15_bias_in_collections": {
            "dataset": "moods",
            "anchors": checkpoint,
            "controls": 20,
            "permutations": 20,
            "references": 10,
        },
    }
    (folder / "own").mkdir()
    for stem, values in parameters.items():
        text = yaml.safe_dump({"profile": "own"} | values)
        (folder / "own" / f"{stem}.yaml").write_text(text)
    return folder / "own"


@pytest.fixture(scope="module")
def runs(profile) -> Path:
    for stem in ("09_dataset_collection", "10_zero_shot_table", "15_bias_in_collections"):
        done = run(profile, stem)
        assert done.returncode == 0, done.stderr[-3000:]
    return profile.parent / "runs"


def test_another_label_than_those_of_a_named_set_is_an_error(profile):
    pairs = ("label_set=ekman", "labels=[]")
    done = run(profile, "09_dataset_collection", *pairs, runs="refused")
    assert done.returncode != 0
    assert "moods: unknown label calm sea, storm, zesty: expected the labels of 'ekman'" in (
        done.stderr
    )


def test_the_lessons_train_and_evaluate_a_projector_on_the_labels(profile):
    """Notebooks 01, 02 and 05, where the classes of a folder define the labels."""
    for stem in ("01_feature_extraction", "02_projector_training", "05_evaluation"):
        done = run(profile, stem)
        assert done.returncode == 0, done.stderr[-3000:]
    folder = profile.parent / "runs" / "05_evaluation"
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics["test/accuracy"] > 0.6
    (confusion,) = (folder / "tables").glob("confusion_own-*.csv")
    assert sorted(pd.read_csv(confusion)["true"]) == sorted(LABELS)


def test_the_collection_has_the_listed_labels_in_their_order(runs):
    about = pd.read_csv(runs / "09_dataset_collection/tables/datasets.csv")
    assert about["label_set"].tolist() == [LABEL_SET]
    records = pd.read_parquet(runs / "09_dataset_collection/records.parquet")
    assert records["label"].value_counts().to_dict() == dict.fromkeys(LABELS, 80)


def test_a_projector_learns_the_labels_and_the_table_has_them(runs):
    predictions = pd.read_parquet(runs / "10_zero_shot_table/predictions.parquet")
    joint = predictions[predictions["run"] == "joint"]
    assert [name for name in joint if name.startswith("p_")] == [f"p_{name}" for name in LABELS]
    assert set(joint["label_set"]) == {LABEL_SET}
    assert (joint["pred"] == joint["label"]).mean() > 0.6
    long = pd.read_csv(runs / "10_zero_shot_table/tables/zero_shot_long.csv").set_index("run")
    assert long.loc["joint", "words_trained"] == "3/3"
    assert "CLIP text" in long.index  # zero-shot


def test_the_bias_report_is_about_the_labels(runs):
    words = pd.read_csv(runs / "15_bias_in_collections/tables/associations.csv")
    assert set(words["where"]) == set(LABELS)
    assert (runs / "15_bias_in_collections/report.html").is_file()


def test_instruction_data_about_the_labels_are_made_and_filtered(tmp_path, monkeypatch):
    class Teacher:
        name, key, note, usage, unanswered_reason = "a teacher", "1", "", {}, "skipped"

        def replies(self, requests, failed_before=()):
            for number, one in enumerate(requests):
                text = f"Picture {number} shows water, and water makes people feel {one.label}."
                yield Reply(one.id, text)

    monkeypatch.setattr(teachers, "load_teacher", lambda name, seed, **limits: Teacher())
    for labels in (LABELS, LABELS[:2]):
        records = pd.DataFrame({"id": ["m/0", "m/1"], "image": ["", ""], "label": labels[:2]})
        label_set = own_label_set(labels)
        records = check_records(records.assign(dataset="m", split="train", label_set=label_set))
        requests = plan_finetuning(records, {label_set: np.eye(len(labels))}, 0, conversations=0)
        made = teachers.make_part({"t": requests}, 0, tmp_path / f"{len(labels)}.jsonl", tmp_path)
        assert [item.label for item in made.items] == labels[:2]
        for item in made.items:
            assert all(label in item.turns[0][0] for label in labels)
