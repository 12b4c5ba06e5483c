"""The manifest of a run: who ran what on which inputs, and how it ended.

Owns `manifest.json` in a run folder. Takes paths and parameter values; gives plain dictionaries:

    status       running, done, failed, kernel died, interrupted, refused; `state()` adds: killed
    profile, notebook, parameters, overrides (the `key=value` pairs of the command line)
    key          hash of parameters and inputs: the same key is the same experiment
    inputs       name -> path, sha256 (notebook, library, parameter file, upstream runs, files in parameters)
    outputs      name -> bytes, sha256 (files above 64 MB: their size only)
    commit, clean, versions, device, seconds, peak_memory_mb, gpu_peak_memory_mb
    error        cell (index in the notebook), source (its first line), exception, sentence
"""

import datetime
import hashlib
import importlib.metadata
import json
import os
import platform
import resource
import shlex
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil

from tinyemo.code_digest import digest_of_files
from tinyemo.io import write_atomically
from tinyemo.paths import ROOT, data_dir
from tinyemo.runs.parameters import read_cells
from tinyemo.runs.profiles import library_of

NAME = "manifest.json"
BIG = 64 * 2**20  # bytes above which a file is known by its size
PACKAGES = "tinyemo torch transformers open_clip_torch scikit-learn numpy pandas pillow".split()


def write_json(path: Path, content: dict) -> None:
    """Write as JSON, whole or not at all; nothing that is not finite."""
    text = json.dumps(content, indent=2, default=str, allow_nan=False) + "\n"
    write_atomically(path, lambda part: part.write_text(text, encoding="utf-8"))


def read(folder: Path) -> dict:
    """The manifest of a run folder; empty if it has none."""
    path = folder / NAME
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def write(folder: Path, **fields) -> dict:
    """Add fields to a run folder's manifest and give the whole."""
    content = {**read(folder), **fields}
    write_json(folder / NAME, content)
    return content


def begin(folder: Path, **fields) -> dict:
    """Start a new manifest: status running, this process, this commit, these versions."""
    (folder / NAME).unlink(missing_ok=True)
    me = psutil.Process()
    process = {"pid": me.pid, "host": socket.gethostname(), "process_started": me.create_time()}
    fields |= process | git_state() | {"versions": versions()}
    return write(folder, status="running", started=_now(), **fields)


def finish(folder: Path, status: str, **fields) -> dict:
    """Close the manifest: how it ended, how long it took, the hashes of what lies in the folder."""
    content = read(folder)
    seconds = datetime.datetime.now().astimezone() - datetime.datetime.fromisoformat(
        content["started"]
    )
    known = {name: content.get(name) for name in ("notebook", "parameters")}
    hashes = {name: entry["sha256"] for name, entry in content.get("inputs", {}).items()}
    return write(
        folder,
        status=status,
        ended=_now(),
        seconds=round(seconds.total_seconds(), 1),
        key=_digest(json.dumps([known, hashes], sort_keys=True, default=str))[:10],
        outputs=outputs_of(folder),
        **fields,
    )


def state(folder: Path) -> str:
    """A run's status as it is now: a run whose process is gone without a word was killed."""
    content = read(folder)
    if content.get("status") != "running" or alive(content):
        return content.get("status", "no manifest")
    return "killed" if content["host"] == socket.gethostname() else f"running on {content['host']}"


def alive(content: dict) -> bool:
    """Whether the process that wrote a manifest runs on this host."""
    if content["host"] != socket.gethostname():
        return False
    try:
        process = psutil.Process(content["pid"])
        same = (
            abs(process.create_time() - content["process_started"]) < 1
        )  # else the number was given anew
        return same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def inputs_of(notebook: Path, parameters: dict, **files: Path) -> dict[str, dict]:
    """What a run rests on: the notebook's cells, the library it imports, named files, paths in parameters."""
    cells = json.dumps([c["source"] for c in read_cells(notebook)])
    inputs = {
        "notebook": {"path": shown(notebook), "sha256": _digest(cells)},
        "library": {"path": "tinyemo", "sha256": digest_of_files(library_of(notebook))},
    }
    for name, value in parameters.items():
        named = (
            isinstance(value, str) and value and name != "profile"
        )  # a profile may be called like a folder of data
        places = (Path(value), data_dir() / value) if named else ()
        if existing := [place for place in places if place.exists()]:
            files[name] = existing[0]
    return inputs | {name: entry(path) for name, path in files.items()}


def entry(path: Path) -> dict[str, str]:
    """Path and hash of a file or folder; of a folder, the names and sizes of its files are hashed."""
    if path.is_dir():
        files = sorted(f for f in path.rglob("*") if f.is_file())
        digest = _digest(
            "".join(f"{f.relative_to(path).as_posix()} {f.stat().st_size}\n" for f in files)
        )
    else:
        digest = _file_digest(path)
    return {"path": shown(path), "sha256": digest}


def run_entry(folder: Path) -> dict[str, str]:
    """Path and hash of another run's outputs; its notebook, which holds times of day, does not count."""
    outputs = read(folder).get("outputs") or outputs_of(folder)
    hashes = {
        name: output["sha256"] for name, output in outputs.items() if not name.endswith(".ipynb")
    }
    return {"path": shown(folder), "sha256": _digest(json.dumps(hashes, sort_keys=True))}


def outputs_of(folder: Path) -> dict[str, dict]:
    """Size and hash of every file of a run folder, hidden ones and the manifest left out."""
    files = [f for f in sorted(folder.rglob("*")) if f.is_file() and f.name != NAME]
    return {
        f.relative_to(folder).as_posix(): {"bytes": f.stat().st_size, "sha256": _file_digest(f)}
        for f in files
        if not any(part.startswith(".") for part in f.relative_to(folder).parts)
    }


def changed(content: dict) -> list[str]:
    """The inputs of a run that are no longer what they were: notebook, library, files, other runs."""
    inputs = content.get("inputs", {})
    if "notebook" not in inputs or not (notebook := ROOT / inputs["notebook"]["path"]).exists():
        return ["notebook"]
    now = inputs_of(notebook, {})
    for name in inputs.keys() - now.keys():
        path = ROOT / inputs[name]["path"]
        now[name] = (run_entry if name.startswith("run ") else entry)(path) if path.exists() else {}
    return [name for name, then in inputs.items() if now[name].get("sha256") != then["sha256"]]


def git_state() -> dict:
    """The commit of this checkout and whether code and parameters are as committed; None where unknown."""

    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, check=True
        ).stdout.strip()

    try:  # results are made by runs, so they don't count
        changed = git("status", "--porcelain", "--", ":!results")
        return {"commit": git("rev-parse", "HEAD"), "clean": not changed}
    except (OSError, subprocess.CalledProcessError):
        return {"commit": None, "clean": None}


def versions() -> dict[str, str]:
    """Versions of Python and of the packages whose numbers may differ."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def device() -> dict:
    """The device of this process, and the most GPU memory it took."""
    torch = sys.modules.get("torch")  # a process that never imported it used no GPU
    if not (torch and torch.cuda.is_available()):
        return {"device": f"cpu, {os.cpu_count()} cores"}
    peak = round(torch.cuda.max_memory_allocated() / 2**20)
    return {"device": torch.cuda.get_device_name(), "gpu_peak_memory_mb": peak}


def peak_memory_mb(who: int = resource.RUSAGE_SELF) -> int:
    """The most memory this process (or, with RUSAGE_CHILDREN, its largest finished child) held, in MiB."""
    unit = 2**20 if sys.platform == "darwin" else 2**10  # bytes there, KiB elsewhere
    return round(resource.getrusage(who).ru_maxrss / unit)


def command(folder: Path, said: Callable[[object], object] = str) -> str:
    """The command line that makes the run of a folder, its values as `said` puts them."""
    run = read(folder)
    pairs = [
        f"-p {shlex.quote(f'{name}={said(value)}')}" for name, value in run["overrides"].items()
    ]
    return " ".join(["python -m tinyemo.run", run["notebook"], "--profile", run["profile"], *pairs])


def shown(path: Path) -> str:
    """A path as a manifest names it: relative to the checkout where it lies inside."""
    path = Path(path).resolve()
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else str(path)


def _digest(content: str | bytes) -> str:
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()


def _file_digest(path: Path) -> str:
    if path.stat().st_size > BIG:
        return f"size {path.stat().st_size}"
    return _digest(path.read_bytes())


def _now() -> str:
    return datetime.datetime.now().astimezone().isoformat(timespec="seconds")
