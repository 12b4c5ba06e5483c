"""Results follow the code and the data: what changes them trains again, a comment runs nothing
again.

The tests work on a copy of the checkout, because they edit its code.
"""

import json
import os
import shutil
import subprocess
import sys

import pytest
from conftest import write_notebook

from tinyemo.paths import ROOT

PARAMETERS = """\
profile = "smoke"       # folder of params
datasets = ["own.csv"]  # what to train on
"""
TRAINS = """\
import pandas as pd
import torch

from tinyemo.paths import locate
from tinyemo.runs import start_run
from tinyemo.training.projector import Recipe, fit_projector

run = start_run("train", profile)
table = pd.read_csv(locate(datasets[0]))
x = torch.tensor(table[["first", "second"]].to_numpy(), dtype=torch.float32)
y = torch.tensor(table["label"].to_numpy())
recipe = Recipe(epochs=2, batch_size=4, patience=None)
checkpoint = run.out / "projector.pt"
projector, history = fit_projector(x, y, torch.eye(2), recipe, seed=0, checkpoint=checkpoint)
run.record({"weights": float(sum(p.detach().abs().sum() for p in projector.parameters()))})
"""
OWN_CSV = "first,second,label\n" + "1,0,0\n0,1,1\n" * 4
ANOTHER_STEP = """

from functools import wraps  # noqa: E402

_loss = LOSSES["cross_entropy"]


@wraps(_loss)
def _ascending(*arguments, **options):
    return -_loss(*arguments, **options)


LOSSES["cross_entropy"] = _ascending
"""


@pytest.fixture
def checkout(bench, monkeypatch):
    """A copy of the code, and a profile `tiny` whose only notebook trains a projector on
    own.csv."""
    copy = bench / "checkout"
    without_caches = shutil.ignore_patterns("__pycache__")
    for package in ("tinyemo", "emoscenes"):
        shutil.copytree(ROOT / package, copy / package, ignore=without_caches)
    for name in ("Makefile", "Snakefile"):
        shutil.copy(ROOT / name, copy / name)
    (copy / "params").mkdir()
    monkeypatch.setenv("PYTHONPATH", str(copy))
    write_notebook(bench / "notebooks" / "train.ipynb", PARAMETERS, TRAINS)
    (bench / "tiny" / "train.yaml").write_text("profile: tiny\n")
    (bench / "data").mkdir()
    (bench / "data" / "own.csv").write_text(OWN_CSV)
    return copy


def reproduce(checkout):
    """`make reproduce` in the copy: what it printed, and the trained weights."""
    profile = checkout.parent / "tiny"
    quiet = ["make", "--no-print-directory", "-o", ".venv/made", "reproduce"]
    done = subprocess.run(
        [*quiet, f"PY={sys.executable}", f"PROFILE={profile}"],
        cwd=checkout,
        env=os.environ,
        text=True,
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    metrics = checkout.parent / "runs/tiny/train/metrics.json"
    return done.stdout + done.stderr, json.loads(metrics.read_text())["weights"]


def test_another_training_step_or_csv_trains_again_and_a_comment_does_not(checkout):
    printed, first = reproduce(checkout)
    assert "nothing to be done" not in printed

    losses = checkout / "tinyemo" / "losses.py"
    losses.write_text(losses.read_text().replace('"""', '"""Other words. ', 1) + "# a comment\n")
    printed, same = reproduce(checkout)
    assert "nothing to be done" in printed and "stale" not in printed and same == first

    losses.write_text(losses.read_text() + ANOTHER_STEP)
    printed, other_step = reproduce(checkout)
    assert "tiny/train is stale: library changed since" in printed
    assert other_step != first, "the finished checkpoint of the old step was read back"

    (checkout.parent / "data" / "own.csv").write_text(OWN_CSV.replace("1,0,0", "1,0,1", 1))
    printed, other_data = reproduce(checkout)
    assert "tiny/train is stale: datasets: own.csv changed since" in printed
    assert other_data != other_step
    assert "nothing to be done" in reproduce(checkout)[0]
