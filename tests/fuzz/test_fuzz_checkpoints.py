"""Random changes of checkpoints: the weights that a model has are those of the file, or one
sentence names the file and a changed tensor. No weight is random."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from fuzzing import examples, refusal
from hypothesis import event, given
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from tiny_lm import save_lm
from torch import Tensor, nn

from tinyemo.models.multimodal_folder import load_lm
from tinyemo.models.multimodal_lm import Connector, MultimodalLM
from tinyemo.models.projector import MetricProjector, load_projector

WRAPPERS = ["module.", "_orig_mod.", "module._orig_mod."]
# changes that keep all weights, and changes after which some are missing or do not fit
HARMLESS = ["none", "half", "bfloat16", "wrapped"]
HARMFUL = ["remove", "rename", "whole numbers", "another shape", "extra", "strange prefix"]


@dataclass
class Saved:
    """A checkpoint that can be written with changed tensors."""

    folder: Path
    file: str  # below the folder; its tensors are changed
    read: Callable[[Path], nn.Module]

    def __post_init__(self):
        self.tensors = load_file(self.folder / self.file)

    def write(self, tensors: dict[str, Tensor], place: Path) -> Path:
        shutil.copytree(self.folder, place)
        copies = {name: value.clone().contiguous() for name, value in tensors.items()}
        (place / self.file).unlink()
        save_file(copies, place / self.file, {"format": "pt"})
        return place


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory) -> dict[str, Saved]:
    folder = tmp_path_factory.mktemp("checkpoints")
    torch.manual_seed(0)
    MetricProjector(6, 10).save_pretrained(folder / "projector")
    lm = save_lm(folder / "lm")
    connectors = {"image": Connector("mlp2x_gelu", 6), "audio": Connector("linear", 5)}
    MultimodalLM.from_lm(str(lm), connectors, seed=0).save(folder / "multimodal")

    def causal(place: Path) -> nn.Module:
        return load_lm(str(place), torch.float32)

    return {
        "projector": Saved(folder / "projector", "model.safetensors", load_projector),
        "language model": Saved(lm, "model.safetensors", causal),
        "connectors": Saved(folder / "multimodal", "connectors.safetensors", MultimodalLM.load),
        "its language model": Saved(
            folder / "multimodal", "lm/model.safetensors", MultimodalLM.load
        ),
    }


def changed(tensors: dict[str, Tensor], kind: str, name: str, wrapper: str) -> dict[str, Tensor]:
    """The tensors after one change, which concerns the tensor `name` or all of them."""
    value, others = tensors[name], {key: one for key, one in tensors.items() if key != name}
    if kind in ("half", "bfloat16"):
        dtype = torch.half if kind == "half" else torch.bfloat16
        kept = value.to(dtype) if value.is_floating_point() else value
        return others | {name: kept}
    prefix = {"wrapped": wrapper, "strange prefix": "their."}.get(kind)
    if prefix:
        return {f"{prefix}{key}": one for key, one in tensors.items()}
    new = {
        "none": {name: value},
        "remove": {},
        "rename": {f"{name}_old": value},
        "whole numbers": {name: torch.ones(value.shape, dtype=torch.int8)},
        "another shape": {name: torch.zeros(*value.shape, 2)},
        "extra": {name: value, f"more.{name}": value},
    }
    return others | new[kind]


def same_values(model: nn.Module, saved: Saved, rounded: bool) -> Iterator[bool]:
    """For each tensor of the model that the file holds, whether it has the file's values."""
    for name, value in model.state_dict().items():
        ends = [one for one in saved.tensors if name == one or name.endswith(f".{one}")]
        for one in ends:
            tolerance = 0.01 if rounded else 0
            yield torch.allclose(value.float(), saved.tensors[one].float(), tolerance, tolerance)


@examples(300)
@given(
    which=st.sampled_from(["projector", "language model", "connectors", "its language model"]),
    kind=st.sampled_from([*HARMLESS, *HARMFUL]),
    number=st.integers(0, 10**6),
    wrapper=st.sampled_from(WRAPPERS),
)
def test_a_changed_checkpoint_is_read_as_it_is_or_refused(
    checkpoints, which, kind, number, wrapper
):
    saved = checkpoints[which]
    floats = [name for name, value in saved.tensors.items() if value.is_floating_point()]
    name = sorted(floats)[number % len(floats)]
    with tempfile.TemporaryDirectory() as folder:
        tensors = changed(saved.tensors, kind, name, wrapper)
        place = saved.write(tensors, Path(folder, "checkpoint"))
        found = []
        sentence = refusal(lambda: found.append(saved.read(place)), place)
    event(f"{which}: {kind}")
    assert (sentence is None) == (kind in HARMLESS), sentence
    if sentence:
        assert name in sentence or kind == "strange prefix" or "more" in sentence, sentence
        return
    is_same = list(same_values(found[0], saved, rounded=kind in ("half", "bfloat16")))
    assert len(is_same) >= len(saved.tensors) and all(is_same)
