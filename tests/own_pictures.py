"""Pictures of three classes that no built-in label set has, and one notebook as a user runs it.

One of the labels has two words. Each class has its own tint, so that a model can learn it.
"""

import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from tinyemo.paths import ROOT

TINTS = {"Calm sea": (40, 90, 200), "storm": (40, 40, 40), "zesty": (230, 200, 40)}
LABELS = ["zesty", "calm sea", "storm"]  # in an order of their own
LABEL_SET = "labels: zesty, calm sea, storm"
SORTED_SET = "labels: calm sea, storm, zesty"


def make_pictures(folder: Path, per_class: int = 80) -> None:
    """`<folder>/<class>/<number>.png`, each with noise, so that no two are copies."""
    rng = np.random.default_rng(0)
    for label, tint in TINTS.items():
        (folder / label).mkdir(parents=True)
        for number in range(per_class):
            pixels = rng.normal(tint, 25, (24, 24, 3)).clip(0, 255).astype(np.uint8)
            picture = Image.fromarray(pixels).resize((72, 72), Image.NEAREST)
            picture.save(folder / label / f"{number}.png")


def run(profile: Path, stem: str, *pairs: str, runs: str = "runs") -> subprocess.CompletedProcess:
    """One notebook, as a user runs it."""
    command = [sys.executable, "-m", "tinyemo.run", stem, "--profile", str(profile)]
    command += ["--out", str(profile.parent / runs / stem)]
    command += [part for pair in pairs for part in ("-p", pair)]
    return subprocess.run(command, cwd=ROOT, text=True, capture_output=True)
