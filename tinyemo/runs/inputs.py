"""The inputs of a run: everything that its result depends on, with a digest of each.

Takes a notebook and its parameter values, or a manifest. Gives name -> {path, sha256}:

    notebook         the code of its cells (not their text and comments)
    library          the code of the modules that it imports, directly or through others
    parameter file   its values (not its comments)
    run <name>       the outputs of another run
    <parameter>      a file or folder that the parameter names; `<parameter>: <text>` for one of
                     several texts inside a list or dict, and for the folder of a published dataset

The digests of files and folders are those of tinyemo.runs.content. `changed` lists the inputs of a
run that differ now.
"""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

from tinyemo.code_digest import digest_of_files
from tinyemo.paths import ROOT, data_dir, exists, locate, resolved
from tinyemo.runs import manifest
from tinyemo.runs.content import described
from tinyemo.runs.notebooks import code_digest_of, library_of
from tinyemo.runs.parameters import read_yaml


def inputs_of(
    notebook: Path,
    parameters: dict,
    parameter_file: Path | None = None,
    known: dict | None = None,
) -> dict:
    """The inputs that are known before a run starts: name -> {path, sha256}.

    `known` are the inputs of an earlier run: what has not changed since is not read again.
    """
    inputs = {
        "notebook": {"path": manifest.shown(notebook), "sha256": code_digest_of(notebook)},
        "library": {"path": "tinyemo", "sha256": digest_of_files(library_of(notebook))},
    }
    named: dict[str, Path] = {}
    if parameter_file:
        named["parameter file"] = parameter_file
    named |= named_paths(parameters)
    return inputs | {
        name: entry(name, path, (known or {}).get(name)) for name, path in named.items()
    }


def named_paths(parameters: dict) -> dict[str, Path]:
    """The files and folders on this machine that parameter values name, also inside lists and
    dicts."""
    found: dict[str, Path] = {}
    for parameter, value in parameters.items():
        if parameter == "profile":  # a profile may have the name of a folder of data
            continue
        for text in _texts(value):
            place = _place(text)
            if place:
                found[parameter if text == value else f"{parameter}: {text}"] = place
    return found | _dataset_folders(parameters)


def _texts(value: object) -> Iterator[str]:
    """The non-empty strings in a parameter's value."""
    if isinstance(value, str):
        if value:
            yield value
    elif isinstance(value, list | tuple):
        for element in value:
            yield from _texts(element)
    elif isinstance(value, dict):
        for element in value.values():
            yield from _texts(element)


def _place(text: str) -> Path | None:
    """The file or folder that a text names, if it exists: `own.csv`, or `local:folder` of a
    teacher."""
    for name in (text, text.partition(":")[2]):
        if name and exists(locate(name)):
            return locate(name)
    return None


def _dataset_folders(parameters: dict) -> dict[str, Path]:
    """The folders of the published datasets that `datasets` names, as far as they exist."""
    names = parameters.get("datasets")
    if not names or not isinstance(names, list) or parameters.get("features_root"):
        return {}  # precomputed features are read instead of the images
    from tinyemo.data.photos import PHOTO_SETS  # imports pandas: only where datasets are named

    root = locate(parameters["root"]) if parameters.get("root") else data_dir()
    folders = {
        f"datasets: {name}": root / PHOTO_SETS[name].folder for name in names if name in PHOTO_SETS
    }
    return {name: folder for name, folder in folders.items() if folder.is_dir()}


def entry(name: str, path: Path, known: dict | None = None) -> dict[str, str]:
    """Path and digest of the input `name`, which is a file, a folder, or the folder of another run.

    `known` is the entry of an earlier run: what has not changed since is not read again.
    """
    if name.startswith("run "):
        digests = {"sha256": _run_digest(path)}
    elif name == "parameter file":
        values = read_yaml(path)
        values.pop("expected", None)  # an estimate of the time: no result depends on it
        text = json.dumps(values, sort_keys=True, default=str)
        digests = {"sha256": hashlib.sha256(text.encode()).hexdigest()}
    else:
        digests = described(path, known)
    return {"path": manifest.shown(path), **digests}


def _run_digest(folder: Path) -> str:
    """The digest of another run's outputs. Its executed notebook contains times, so it is left
    out."""
    outputs = manifest.read(folder).get("outputs") or manifest.outputs_of(folder)
    hashes = {
        name: output["sha256"] for name, output in outputs.items() if not name.endswith(".ipynb")
    }
    return hashlib.sha256(json.dumps(hashes, sort_keys=True).encode()).hexdigest()


def changed(content: dict, folder: Path | None = None) -> list[str]:
    """The names of the inputs that differ now from what a manifest recorded.

    `folder` is the run's folder, which the paths of other runs are relative to. A parameter counts
    with the file or folder that it names now. Inputs that are gone, and files of the parameters
    that appeared since, count as changed.
    """
    recorded = content.get("inputs", {})
    notebook = ROOT / recorded.get("notebook", {}).get("path", "")
    if not notebook.is_file():
        return ["notebook"]
    code = inputs_of(notebook, {})
    named = named_paths(content.get("parameters", {}))
    different = []
    for name, then in recorded.items():
        now = code.get(name)
        if not now and (place := _place_now(name, then, named, folder)):
            now = entry(name, place, then)
        if not now or now["sha256"] != then["sha256"]:
            different.append(name)
    return different + [name for name in named if name not in recorded]


def _place_now(name: str, then: dict, named: dict[str, Path], folder: Path | None) -> Path | None:
    """Where an input is now; None where there is nothing."""
    of_parameters = not name.startswith("run ") and name != "parameter file"
    if of_parameters:
        return named.get(name)
    (path,) = resolved([then["path"]], folder or ROOT)
    return ROOT / path if (ROOT / path).exists() else None


def stale_inputs(folder: Path, values: dict) -> list[str]:
    """The inputs that changed since a finished run; empty if `folder` holds no finished run.

    Other runs are not compared. `values` are the parameter values that the run would get now.
    """
    content = manifest.read(folder)
    if content.get("status") != "done":
        return []
    own = [name for name in changed(content, folder) if not name.startswith("run ")]
    names = [name for name in own if name != "parameter file"]  # its values are compared instead
    if content.get("parameters") != json.loads(json.dumps(values, default=str)):
        names.append("parameters")
    return names
