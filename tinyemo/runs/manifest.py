"""The manifest of a run: which code ran on which inputs, and how it ended.

Owns `manifest.json` in a run folder. Takes paths and values; gives plain dictionaries:

    status       running, done, failed, kernel died, interrupted, refused; `state()` adds: killed
    profile, notebook, parameters, overrides (the `key=value` pairs of the command line)
    key          hash of parameters and inputs: the same key means the same experiment
    inputs       name -> path, sha256 (see tinyemo.runs.inputs)
    outputs      name -> bytes, sha256 (files above 64 MB: only their size)
    checkout, interpreter, commit, clean, versions
    device, seconds, peak_memory_mb, gpu_peak_memory_mb
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

from tinyemo.io import write_atomically
from tinyemo.paths import ROOT

NAME = "manifest.json"
BIG = 64 * 2**20  # bytes; a larger file is recognised by its size alone
PACKAGES = "tinyemo torch transformers open_clip_torch scikit-learn numpy pandas pillow".split()


# ---- the file


def write_json(path: Path, content: dict) -> None:
    """Write as JSON, completely or not at all. ValueError: a number that is not finite."""
    text = json.dumps(content, indent=2, default=str, allow_nan=False) + "\n"
    write_atomically(path, lambda part: part.write_text(text, encoding="utf-8"))


def read(folder: Path) -> dict:
    """The manifest of a run folder; empty if it has none."""
    path = folder / NAME
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def write(folder: Path, **fields) -> dict:
    """Add fields to a run folder's manifest and return all of it."""
    content = {**read(folder), **fields}
    write_json(folder / NAME, content)
    return content


def begin(folder: Path, **fields) -> dict:
    """Start a new manifest: status running, this process, this commit, these versions."""
    (folder / NAME).unlink(missing_ok=True)
    this = psutil.Process()
    process = {"pid": this.pid, "host": socket.gethostname(), "process_started": this.create_time()}
    code = {"checkout": str(ROOT), "interpreter": sys.executable}
    fields |= process | code | git_state() | {"versions": versions()}
    return write(folder, status="running", started=_now(), **fields)


def finish(folder: Path, status: str, **fields) -> dict:
    """Close the manifest: how the run ended, how long it took, the hashes of the files in the
    folder."""
    content = read(folder)
    started = datetime.datetime.fromisoformat(content["started"])
    seconds = (datetime.datetime.now().astimezone() - started).total_seconds()
    experiment = {name: content.get(name) for name in ("notebook", "parameters")}
    hashes = {name: entry["sha256"] for name, entry in content.get("inputs", {}).items()}
    made_of = json.dumps([experiment, hashes], sort_keys=True, default=str)
    return write(
        folder,
        status=status,
        ended=_now(),
        seconds=round(seconds, 1),
        key=hashlib.sha256(made_of.encode()).hexdigest()[:10],
        outputs=outputs_of(folder),
        **fields,
    )


# ---- the process that writes it


def state(folder: Path) -> str:
    """A run's status now. "killed": the process ended without writing how it ended."""
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
        # another start time means that the system gave the number to a new process
        same = abs(process.create_time() - content["process_started"]) < 1
        return same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


# ---- files and commands


def seconds_or_minutes(minutes: float) -> str:
    """A short time for a person: "20 s", "1.5 min", "2.0 h"."""
    if minutes < 1:
        return f"{60 * minutes:.0f} s"
    return f"{minutes:.1f} min" if minutes < 90 else f"{minutes / 60:.1f} h"


def outputs_of(folder: Path) -> dict[str, dict]:
    """Size and hash of every file of a run folder, without hidden files and the manifest."""
    outputs = {}
    for file in sorted(folder.rglob("*")):
        name = file.relative_to(folder)
        hidden = any(part.startswith(".") for part in name.parts)
        if file.is_file() and file.name != NAME and not hidden:
            size = file.stat().st_size
            outputs[name.as_posix()] = {"bytes": size, "sha256": file_digest(file)}
    return outputs


def file_digest(path: Path) -> str:
    """SHA-256 (hex) of a file's content, or for a big file its size."""
    size = path.stat().st_size
    return f"size {size}" if size > BIG else hashlib.sha256(path.read_bytes()).hexdigest()


def command(folder: Path, shown_value: Callable[[object], object] = str) -> str:
    """The command line that makes the run of a folder; `shown_value` formats each value."""
    run = read(folder)
    line = ["tinyemo", "run", run["notebook"], "--profile", run["profile"]]
    for name, value in run["overrides"].items():
        line += ["-p", shlex.quote(f"{name}={shown_value(value)}")]
    return " ".join(line)


def shown(path: Path) -> str:
    """A path as a manifest names it: relative to the checkout if it is inside."""
    path = Path(path).resolve()
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else str(path)


# ---- what ran it


def git_state() -> dict:
    """The commit of this checkout and whether code and parameters are as committed; None if
    unknown."""
    try:
        status = _git("status", "--porcelain", "--", ":!results")  # runs write the results
        return {"commit": _git("rev-parse", "HEAD"), "clean": not status}
    except (OSError, subprocess.CalledProcessError):
        return {"commit": None, "clean": None}


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(ROOT), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that can change a number."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def device() -> dict:
    """The device of this process, and the most GPU memory that it used."""
    torch = sys.modules.get("torch")  # a process that never imported torch used no GPU
    if not (torch and torch.cuda.is_available()):
        return {"device": f"cpu, {os.cpu_count()} cores"}
    peak = round(torch.cuda.max_memory_allocated() / 2**20)
    return {"device": torch.cuda.get_device_name(), "gpu_peak_memory_mb": peak}


def peak_memory_mb(who: int = resource.RUSAGE_SELF) -> int:
    """The most memory that this process used, in MiB; RUSAGE_CHILDREN: its largest finished
    child."""
    unit = 2**20 if sys.platform == "darwin" else 2**10  # ru_maxrss is in bytes there, else in KiB
    return round(resource.getrusage(who).ru_maxrss / unit)


def _now() -> str:
    return datetime.datetime.now().astimezone().isoformat(timespec="seconds")
