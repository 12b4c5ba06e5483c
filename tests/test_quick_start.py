"""Commands of the guide: evaluating a published projector, and training on real features."""

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
    """Ten train and five test items per class in the upstream layout, each class with its own
    direction."""
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
)  # differs from 270M in its width only
def test_a_published_projector_is_evaluated_without_training(feature_tree, tmp_path, name):
    """The input embedding of EKMAN[c] is the unit vector c, but sadness and surprise are
    exchanged."""
    width = FAMILIES[name].width
    published_bin(tmp_path / "projector.bin", width)
    places = [0, 1, 2, 3, 5, 4]
    vectors = {word: torch.eye(10, width)[place] for word, place in zip(EKMAN, places, strict=True)}
    vectors |= {
        token: torch.eye(10, width)[9] for token in FAMILIES[name].bos
    }  # the same for all words
    language_model = save_checkpoint(tmp_path, name, vectors)
    metrics = run(
        "05_evaluation",
        tmp_path / "out",
        projector=tmp_path / "projector.bin",
        **language_model,
        features_root=feature_tree,
    )
    assert metrics["test/accuracy"] == pytest.approx(4 / 6)  # all but the two that are exchanged
    assert metrics["test/accuracy_low"] < 4 / 6 < metrics["test/accuracy_high"]
    assert not (language_model["anchors"] / "ran").exists()  # the checkpoint's own code was not run


def test_the_projector_trains_on_real_features(test_data, tmp_path):
    metrics = run(
        "02_projector_training",
        tmp_path / "out",
        features_root=test_data / "emotion6_clip_l14",
        anchors=test_data / "label_embeddings/minilm_l6",
    )
    assert (
        metrics["duplicates_across_splits"] == 416
    )  # validation repeats the test images, and the audit finds them
    assert (
        metrics["cv/probe_logreg"] >= 0.74 and metrics["cv/probe_svm"] >= 0.75
    )  # the baselines are tuned
    assert metrics["test/accuracy_low"] < metrics["test/accuracy"] < metrics["test/accuracy_high"]
    assert (
        metrics["test/accuracy"] > 0.70
        and metrics["test/accuracy_sd"] < 0.02
        and metrics["seeds"] == 5
    )
    assert metrics["test/minus_best_probe_low"] < metrics["test/minus_best_probe_high"]
    assert (
        metrics["test/minus_best_probe_high"] > 0
    )  # the projector is not clearly worse than the better probe


def test_removed_duplicates_do_not_contaminate_the_test_part(test_data, tmp_path):
    """Upstream's validation part repeats the test part. The collection drops it, so test is
    clean."""
    pairs = {"features_root": test_data / "emotion6_clip_l14", "datasets": ["Emotion6"]}
    metrics = run("09_dataset_collection", tmp_path / "out", **pairs)
    found = pd.read_parquet(tmp_path / "out" / "duplicates.parquet")
    records = pd.read_parquet(tmp_path / "out" / "records.parquet")
    assert metrics["duplicates_within"] >= 416 and found["id_b"].nunique() >= 416
    assert len(contaminated_ids(records, found, ["Emotion6"])) <= 1
