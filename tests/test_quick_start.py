"""The command lines of the README on files alone: a published projector evaluated, the real features trained on."""

import json
import subprocess
import sys

import pandas as pd
import pytest
import torch
from checkpoints import FAMILIES, save_checkpoint

from tinyemo.data.audit import contaminated_ids
from tinyemo.emotions import labels_of
from tinyemo.paths import ROOT

EKMAN = labels_of("ekman")


def run(stem, out, **pairs):
    options = [part for key, value in pairs.items() for part in ("-p", f"{key}={value}")]
    command = [
        sys.executable,
        "-m",
        "tinyemo.run",
        stem,
        "--profile",
        "emotion6",
        "--out",
        str(out),
        *options,
    ]
    done = subprocess.run(command, cwd=ROOT, text=True, capture_output=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads((out / "metrics.json").read_text())


@pytest.fixture(scope="module")
def feature_tree(tmp_path_factory):
    """Ten train and five test items a class in the upstream layout, each class around a direction of its own."""
    root = tmp_path_factory.mktemp("features")
    generator = torch.Generator().manual_seed(0)
    for c, label in enumerate(EKMAN):
        for split, n in (("train", 10), ("test", 5)):
            folder = root / "Emotion6/Emotion6/images" / split / label
            folder.mkdir(parents=True)
            for i in range(n):
                feature = 0.3 * torch.randn(768, generator=generator)
                feature[c] += 20
                torch.save(feature.half(), folder / f"{i}.pt")
    return root


def published_bin(path, width):
    """Upstream's state dict whose output is the first six features."""
    state = {
        "model.0.weight": torch.zeros(width, 768),
        "model.0.bias": torch.zeros(width),
        "model.1.weight": torch.ones(width),
        "model.1.bias": torch.zeros(width),
        "model.1.running_mean": torch.zeros(width),
        "model.1.running_var": torch.ones(width),
        "model.1.num_batches_tracked": torch.tensor(0),
        "model.4.weight": torch.eye(width),
        "model.4.bias": torch.zeros(width),
    }
    state["model.0.weight"][:6, :6] = torch.eye(6)
    torch.save(state, path)


@pytest.mark.parametrize(
    "name", [name for name in FAMILIES if name != "OpenELM-450M"]
)  # as 270M but for its width
def test_a_published_projector_is_evaluated_from_files_alone(feature_tree, tmp_path, name):
    """The input embedding of EKMAN[c] is the unit vector c, but sadness and surprise change places."""
    width = FAMILIES[name].width
    published_bin(tmp_path / "projector.bin", width)
    places = [0, 1, 2, 3, 5, 4]
    vectors = {word: torch.eye(10, width)[place] for word, place in zip(EKMAN, places, strict=True)}
    vectors |= {
        token: torch.eye(10, width)[9] for token in FAMILIES[name].bos
    }  # shared by all words
    language_model = save_checkpoint(tmp_path, name, vectors)
    metrics = run(
        "05_evaluation",
        tmp_path / "out",
        projector=tmp_path / "projector.bin",
        **language_model,
        features_root=feature_tree,
    )
    assert metrics["test/accuracy"] == pytest.approx(4 / 6)  # all but the two that change places
    assert metrics["test/accuracy_low"] < 4 / 6 < metrics["test/accuracy_high"]
    assert not (language_model["anchors"] / "ran").exists()  # the checkpoint's own code


def test_the_projector_on_real_features(test_data, tmp_path):
    metrics = run(
        "02_projector_training",
        tmp_path / "out",
        features_root=test_data / "emotion6_clip_l14",
        anchors=test_data / "label_embeddings/minilm_l6",
    )
    assert (
        metrics["duplicates_across_splits"] == 416
    )  # validation repeats test, and the audit sees it
    assert metrics["cv/probe_logreg"] >= 0.74 and metrics["cv/probe_svm"] >= 0.75  # no straw men
    assert metrics["test/accuracy_low"] < metrics["test/accuracy"] < metrics["test/accuracy_high"]
    assert (
        metrics["test/accuracy"] > 0.70
        and metrics["test/accuracy_sd"] < 0.02
        and metrics["seeds"] == 5
    )
    assert metrics["test/minus_best_probe_low"] < metrics["test/minus_best_probe_high"]
    assert metrics["test/minus_best_probe_high"] > 0  # not worse than the better probe beyond doubt


def test_what_the_repair_removed_contaminates_nothing(test_data, tmp_path):
    """Validation repeats test in upstream's tree: the collection drops it, and the test part is clean."""
    pairs = {"features_root": test_data / "emotion6_clip_l14", "datasets": ["Emotion6"]}
    metrics = run("09_dataset_collection", tmp_path / "out", **pairs)
    found, records = (
        pd.read_parquet(tmp_path / "out" / f"{name}.parquet") for name in ("duplicates", "records")
    )
    assert metrics["duplicates_within"] >= 416 and found["id_b"].nunique() >= 416
    assert len(contaminated_ids(records, found, ["Emotion6"])) <= 1
