"""The cell of notebook 10 that trains logistic regressions: on every dataset that it names."""

import json

import numpy as np
import pandas as pd
import pytest
import torch

from tinyemo.features.split_tensors import SplitTensors, concatenated
from tinyemo.paths import ROOT
from tinyemo.training.projector import Recipe


def part(seed: int, items: int = 40) -> SplitTensors:
    """Items of three classes; another seed has other centres."""
    generator = torch.Generator().manual_seed(seed)
    y = torch.arange(items) % 3
    x = torch.randn(3, 5, generator=generator)[y] + 0.5 * torch.randn(items, 5, generator=generator)
    records = pd.DataFrame({"id": [f"{seed}/{i}" for i in range(items)]})
    return SplitTensors(records, x, y, torch.eye(3)[y])


def baseline_cell() -> str:
    notebook = json.loads((ROOT / "notebooks" / "10_zero_shot_table.ipynb").read_text("utf-8"))
    sources = ["".join(cell["source"]) for cell in notebook["cells"]]
    (found,) = [source for source in sources if "fit_probe(" in source]
    return found


@pytest.mark.parametrize(
    "train_on", [["EmoSet", "FI"], ["FI", "EmoSet"], ["FI"], ["EmoSet", "other", "FI"], []]
)
def test_the_baseline_is_trained_on_every_dataset_that_it_is_marked_with(monkeypatch, train_on):
    # instead of a fitted probe: what it was to be fitted to
    monkeypatch.setattr(
        "tinyemo.evaluation.probes.fit_probe", lambda _, x, y, soft_labels: (x, y, soft_labels)
    )
    parts = {}
    for seed, name in enumerate(("EmoSet", "FI", "other")):
        parts[name] = {"train": part(seed), "validation": part(seed + 10, 9)}
    sets = {"EmoSet": "mikels", "FI": "mikels", "other": "ekman"}
    names = {"parts": parts, "sets": sets, "train_on": train_on, "probe": True}
    names["recipe"] = Recipe(loss="soft_label_kl")
    exec(baseline_cell(), names)
    marked = names["baselines"]["logistic regression"]["FI"]
    assert marked == tuple(name for name in train_on if sets[name] == "mikels")
    if not marked:
        assert "mikels" not in names["probes"]
        return
    items = concatenated(*[parts[name][s] for name in marked for s in ("train", "validation")])
    x, y, shares = names["probes"]["mikels"]
    np.testing.assert_array_equal(x, items.x.numpy())
    np.testing.assert_array_equal(y, items.y.numpy())
    # the same targets as the joint projector's
    np.testing.assert_array_equal(shares, items.soft_labels.numpy())
