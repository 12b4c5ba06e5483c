"""What a file or folder contains, as a digest; whether it contains the same now.

Owns the digests of the files and folders that parameters name. `described` reads everything once
and gives two hashes:

    sha256  of the names and contents of all files: the same for a copy on another machine
    stat    of their names, sizes and times: a quick comparison, for this machine alone

A folder is all files below it, through links too, without those of the operating system. A CSV also
stands for the files that it lists. Of a file above 64 MB (weights of a model), the size and both
ends are read.
"""

import csv
import hashlib
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from operator import itemgetter
from pathlib import Path

from tinyemo.data.file_walk import walk
from tinyemo.runs.manifest import BIG

PATH_COLUMNS = ("image", "audio", "video", "face")  # of a CSV: they name files beside it
END = 2**20  # bytes read at each end of a big file


def described(path: Path, known: dict | None = None) -> dict[str, str]:
    """Both hashes of a file or folder. If the quick one is `known`, the other is taken from
    there."""
    stat = _digest(path, _times)
    if known and known.get("stat") == stat:
        return {"sha256": known["sha256"], "stat": stat}
    return {"sha256": _digest(path, _content), "stat": stat}


def _digest(path: Path, line: Callable[[Path], str]) -> str:
    """SHA-256 (hex) of a line for each file that belongs to `path`, in the order of their names."""
    files = _files(path)
    with ThreadPoolExecutor() as pool:  # reading and hashing both release Python's global lock
        lines = pool.map(partial(_line, line), files.values())
        text = "\n".join(f"{name} {content}" for name, content in zip(files, lines, strict=True))
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()


def _line(line: Callable[[Path], str], file: Path) -> str:
    try:
        return line(file)
    except (FileNotFoundError, NotADirectoryError):  # listed in a CSV, or a link to nowhere
        return "missing"


def _times(file: Path) -> str:
    stat = file.stat()
    return f"{stat.st_size} {stat.st_mtime_ns} {stat.st_ctime_ns}"


def _content(file: Path) -> str:
    size = file.stat().st_size
    with open(file, "rb") as opened:
        if size <= BIG:
            return hashlib.file_digest(opened, "sha256").hexdigest()
        ends = hashlib.sha256(opened.read(END))
        opened.seek(-END, os.SEEK_END)
        ends.update(opened.read())
        return f"{size} {ends.hexdigest()}"


def _files(path: Path) -> dict[str, Path]:
    """The files that belong to a path, by a name that is the same wherever the path is."""
    if path.is_dir():
        return _files_below(path)
    files = {"": path}
    if path.suffix.lower() == ".csv":
        files |= _listed(path)
    return files


def _files_below(top: Path) -> dict[str, Path]:
    """All files below a folder, sorted by name. Links are followed, each folder is read once."""
    return {name: Path(entry.path) for name, entry in sorted(walk(top), key=itemgetter(0))}


def _listed(path: Path) -> dict[str, Path]:
    """The files that a CSV lists, by the name that it gives them."""
    listed: dict[str, Path] = {}
    with open(path, encoding="utf-8-sig", errors="replace", newline="") as file:
        for row in csv.DictReader(file):
            for column in PATH_COLUMNS:
                if name := row.get(column):
                    listed[name] = path.parent / name
    return listed
