"""The inputs of a run: everything that its result depends on, with a digest of each.

Takes a notebook and its parameter values, or a manifest. Gives name -> {path, sha256}:

    notebook         the code of its cells (not their text and comments)
    library          the code of the modules that it imports, directly or through others
    parameter file   its values (not its comments)
    run <name>       the outputs of another run
    <parameter>      a file or folder that the parameter names; `<parameter>: <text>` for one of
                     several texts inside a list or dict, and for the folder of a published dataset

The digest of a file is made of its content, that of a folder of the names and sizes of its files.
The digest of a CSV also includes the names and sizes of the files that the CSV lists. `changed`
lists the inputs of a run that differ now.
"""

import csv
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

from tinyemo.code_digest import digest_of_files
from tinyemo.paths import ROOT, data_dir, exists, locate
from tinyemo.runs import manifest
from tinyemo.runs.notebooks import code_digest_of, library_of
from tinyemo.runs.parameters import read_yaml

PATH_COLUMNS = ("image", "audio", "video", "face")  # of a CSV: they name files beside it


def inputs_of(notebook: Path, parameters: dict, parameter_file: Path | None = None) -> dict:
    """The inputs that are known before a run starts: name -> {path, sha256}."""
    inputs = {
        "notebook": {"path": manifest.shown(notebook), "sha256": code_digest_of(notebook)},
        "library": {"path": "tinyemo", "sha256": digest_of_files(library_of(notebook))},
    }
    named: dict[str, Path] = {}
    if parameter_file:
        named["parameter file"] = parameter_file
    named |= named_paths(parameters)
    return inputs | {name: entry(name, path) for name, path in named.items()}


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


def entry(name: str, path: Path) -> dict[str, str]:
    """Path and digest of the input `name`, which is a file, a folder, or the folder of another
    run."""
    if name.startswith("run "):
        digest = _run_digest(path)
    elif name == "parameter file":
        digest = _digest(json.dumps(read_yaml(path), sort_keys=True, default=str))
    elif path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.is_file())
        digest = _digest("".join(_size_line(path, file) for file in files))
    elif path.suffix.lower() == ".csv":
        digest = _csv_digest(path)
    else:
        digest = manifest.file_digest(path)
    return {"path": manifest.shown(path), "sha256": digest}


def _run_digest(folder: Path) -> str:
    """The digest of another run's outputs. Its executed notebook contains times, so it is left
    out."""
    outputs = manifest.read(folder).get("outputs") or manifest.outputs_of(folder)
    hashes = {
        name: output["sha256"] for name, output in outputs.items() if not name.endswith(".ipynb")
    }
    return _digest(json.dumps(hashes, sort_keys=True))


def _csv_digest(path: Path) -> str:
    """The digest of a CSV's content, and of the names and sizes of the files that it lists."""
    digest = hashlib.sha256(path.read_bytes())
    with open(path, encoding="utf-8-sig", errors="replace", newline="") as file:
        for row in csv.DictReader(file):
            for column in PATH_COLUMNS:
                if row.get(column):
                    line = _size_line(path.parent, path.parent / row[column])
                    digest.update(line.encode())
    return digest.hexdigest()


def _size_line(folder: Path, file: Path) -> str:
    """One line for a file: its name relative to the folder, and its size."""
    name = file.relative_to(folder).as_posix() if file.is_relative_to(folder) else str(file)
    size = file.stat().st_size if file.is_file() else "missing"
    return f"{name} {size}\n"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def changed(content: dict) -> list[str]:
    """The names of the inputs that differ now from what a manifest recorded.

    Inputs whose path is gone, and files of the parameters that appeared since, count as changed.
    """
    recorded = content.get("inputs", {})
    notebook = ROOT / recorded.get("notebook", {}).get("path", "")
    if not notebook.is_file():
        return ["notebook"]
    now = inputs_of(notebook, {})
    for name in recorded.keys() - now.keys():
        path = ROOT / recorded[name]["path"]
        now[name] = entry(name, path) if path.exists() else {}
    different = [
        name for name, then in recorded.items() if now[name].get("sha256") != then["sha256"]
    ]
    new = [name for name in named_paths(content.get("parameters", {})) if name not in recorded]
    return different + new


def stale_inputs(folder: Path, values: dict) -> list[str]:
    """The inputs that changed since a finished run; empty if `folder` holds no finished run.

    Other runs are not compared. `values` are the parameter values that the run would get now.
    """
    content = manifest.read(folder)
    if content.get("status") != "done":
        return []
    own = [name for name in changed(content) if not name.startswith("run ")]
    names = [name for name in own if name != "parameter file"]  # its values are compared instead
    if content.get("parameters") != json.loads(json.dumps(values, default=str)):
        names.append("parameters")
    return names
