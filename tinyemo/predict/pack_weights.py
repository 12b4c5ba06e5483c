"""Packs the models that profile `scenes` trained as the weights that ship with the project.

    python -m tinyemo.predict.pack_weights RUNS [--out FOLDER]

RUNS is the folder of the finished runs of profile `scenes`; `make weights` makes them first. FOLDER
(default emoscenes/weights) becomes a bundle (tinyemo/predict/bundle.py): the small CLIP, the small
language model, one projector per label set, and the MM-LLM that explains a given emotion. All
weights are stored in half precision. If FOLDER holds weights already, the largest difference to
them is printed for every file.
"""

import argparse
import hashlib
import json
import shutil
from pathlib import Path

import pandas as pd
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from emoscenes.drawing.picture import SOFTWARE
from emoscenes.scenes import bayes_accuracy
from tinyemo.emotions import labels_of
from tinyemo.io import digests, write_atomically
from tinyemo.predict.bundle import Bundle, write_bundle
from tinyemo.predict.models import SHIPPED
from tinyemo.predict.profile_bundle import explainer_of
from tinyemo.runs import manifest

LABEL_SETS = ("ekman", "mikels", "parrott")
DOMAIN = "drawings of EmoScenes"
COMMAND = "make reproduce PROFILE=scenes"
NOTEBOOKS = {  # folder of the bundle -> the notebook that trains it
    "clip": "00_start_here",
    "lm": "00_start_here",
    "explainer": "04_mm_llm_finetuning",
}
PROJECTORS = "02_projector_training"
SMALL = ("*.json", "*.jinja")  # of the files beside weights
CARD = """# {title}

For {domain} only: it says nothing about photographs.

- data: {data}
- recipe: notebook {notebook}, with the parameters below
- command: `{command}`, at commit {commit}; `make weights` trains it again
- scores: {scores}
- digest: sha256 {digest} of the weight files
- weights: float16, rounded from the float32 of the training; licence Apache-2.0

What it predicts is what a drawing may evoke by the rules of EmoScenes, not what a person feels.

```json
{parameters}
```
"""
TITLES = {
    "clip": "The small CLIP of EmoScenes",
    "lm": "The small language model of EmoScenes (OpenELM)",
    "explainer": "The small MM-LLM of EmoScenes: explains a given emotion",
}
DATA = {
    "clip": "scenes of EmoScenes with captions that contain no emotion word",
    "lm": "texts of EmoScenes about scenes and emotions; no picture",
    "explainer": "instructions of notebook 03 about scenes of EmoScenes",
}


def pack(runs: Path, out: Path) -> Path:
    """Write the bundle into `out`, which is replaced as a whole. FileNotFoundError: a run is
    missing."""
    temporary = out.with_name(f".{out.name}.new")
    shutil.rmtree(temporary, ignore_errors=True)
    for name, stem in NOTEBOOKS.items():
        trained = explainer_of(runs / stem) if name == "explainer" else runs / stem / name
        _copy(trained, temporary / name)
        _write_card(temporary / name, TITLES[name], DATA[name], stem, runs)
    for label_set in LABEL_SETS:
        folder = temporary / "projectors" / label_set
        _copy(runs / PROJECTORS / "projectors" / f"{label_set}-0", folder)
        _name_anchors(folder / "config.json")
        title = f"Metric projector for {label_set}: {', '.join(labels_of(label_set))}"
        data = "labelled scenes of EmoScenes, with the votes of ten simulated annotators"
        _write_card(folder, title, data, PROJECTORS, runs, label_set)
    _write_bundle(temporary)
    changes = _differences(out, temporary)
    shutil.rmtree(out, ignore_errors=True)
    temporary.rename(out)
    for file, change in changes.items():
        print(f"{file}: {change}")
    return out


def _copy(source: Path, target: Path) -> None:
    """The files of a model that are needed to use it; floating-point tensors become float16."""
    if not source.is_dir():
        raise FileNotFoundError(f"{source}: no such folder; run `{COMMAND}` first")
    for file in sorted(source.rglob("*")):
        copy = target / file.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        if file.suffix == ".safetensors":
            tensors = {name: _half(value) for name, value in load_file(file).items()}
            save_file(tensors, copy, {"format": "pt"})
        elif any(file.match(pattern) for pattern in SMALL):
            shutil.copyfile(file, copy)


def _half(value: Tensor) -> Tensor:
    return value.half().contiguous() if value.is_floating_point() else value.contiguous()


def _name_anchors(config: Path) -> None:
    """Write into a projector's configuration where its anchors are in the bundle."""
    content = json.loads(config.read_text(encoding="utf-8"))
    content["info"]["anchors"] = "$HERE/../../lm"
    config.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _digest(folder: Path) -> str:
    """SHA-256 over names and digests of all weight files of a part."""
    files = sorted(map(str, folder.rglob("*.safetensors")))
    facts = [(Path(file).name, digest) for file, digest in digests(files).items()]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def _write_card(
    folder: Path, title: str, data: str, stem: str, runs: Path, label_set: str = ""
) -> None:
    content = manifest.read(runs / stem)
    card = CARD.format(
        title=title,
        domain=DOMAIN,
        data=data,
        notebook=stem,
        command=COMMAND,
        commit=content["commit"],
        digest=_digest(folder),
        scores=_scores(folder.name, runs, label_set),
        parameters=json.dumps(content["parameters"], indent=1),
    )
    write_atomically(folder / "README.md", lambda file: file.write_text(card, encoding="utf-8"))


def _scores(part: str, runs: Path, label_set: str) -> str:
    """The scores of a part on the test scenes, from the metrics of the runs."""

    if label_set:
        found = pd.read_parquet(runs / PROJECTORS / "predictions.parquet")
        is_this = (found["run"] == "projector") & (found["seed"] == 0)
        is_tested = (found["split"] == "test") & (found["label_set"] == label_set)
        tested = found[is_this & is_tested]
        accuracy = (tested["label"] == tested["pred"]).mean()
        best = bayes_accuracy(label_set)
        return (
            f"accuracy {accuracy:.3f} on {len(tested)} test scenes; the best possible: {best:.3f}"
        )
    if part == "explainer":
        f1 = _metrics(runs / "14_reasoning_evaluation")["projector/f1"]
        return f"evidence F1 {f1:.3f} on the test scenes, with the projector's label"
    found = _metrics(runs / "00_start_here")
    if part == "lm":
        return f"loss {found['lm/deep_loss']:.3f} nats per token at the end of the training"
    return f"loss {found['clip/loss']:.3f} nats at the end of the training"


def _metrics(run: Path) -> dict[str, float]:
    return json.loads((run / "metrics.json").read_text(encoding="utf-8"))


def _write_bundle(folder: Path) -> None:
    folder = folder.resolve()
    bundle = Bundle(
        "emoscenes",
        f"local-dir:{folder / 'clip'}",
        str(folder / "lm"),
        {name: str(folder / "projectors" / name) for name in LABEL_SETS},
        other_words="parrott",
        explainer=str(folder / "explainer"),
        explained=labels_of("parrott"),
        domain=DOMAIN,
        software=SOFTWARE,
    )
    write_bundle(bundle, folder)


def _differences(old: Path, new: Path) -> dict[str, str]:
    """Weight file -> its largest difference to the file that is replaced."""
    changes = {}
    for file in sorted(new.rglob("*.safetensors")):
        name = str(file.relative_to(new))
        if not (old / name).is_file():
            changes[name] = "new"
            continue
        before, after = load_file(old / name), load_file(file)
        if before.keys() != after.keys():
            changes[name] = "other tensors"
            continue
        largest = torch.tensor(0.0)
        for tensor, value in after.items():
            if value.shape != before[tensor].shape:
                largest = torch.tensor(torch.inf)
            else:
                gap = (value.double() - before[tensor].double()).abs().max()
                largest = torch.maximum(largest, gap)
        changes[name] = f"largest difference {largest:.3g}"
    return changes


def main() -> None:
    parser = argparse.ArgumentParser("python -m tinyemo.predict.pack_weights", description=__doc__)
    parser.add_argument("runs", type=Path, help="the folder of the runs of profile scenes")
    parser.add_argument("--out", type=Path, default=SHIPPED)
    options = parser.parse_args()
    print(pack(options.runs, options.out))


if __name__ == "__main__":
    main()
