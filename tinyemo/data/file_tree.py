"""The files below a folder: which of them are items of a dataset, and what is passed over.

Owns the kinds of files, the walk through folders and links, and the names that operating systems
leave behind. Takes folders; gives names of files. What is passed over is counted in a LeftOut.
A picture with an unusual ending, or without one, is recognised by the start of its content.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tinyemo.data.left_out import LeftOut
from tinyemo.io import is_image


@dataclass(frozen=True)
class Kind:
    """What the items of a dataset are; `recognise` looks at files with another ending."""

    name: str
    suffixes: tuple[str, ...]
    recognise: Callable[[str], bool] | None = None


_USUAL = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff")
_RARE = (".jpe", ".jfif", ".avif", ".heic", ".heif")
PICTURES = Kind("picture", (*_USUAL, *_RARE), is_image)

# what archives and file managers add, besides hidden files such as .DS_Store and ._1.jpg
SYSTEM_NAMES = ("__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "lost+found")
SYSTEM_NAMES += ("$recycle.bin", "system volume information", "@eadir", "__pycache__")
SYSTEM = "hidden, or left by the operating system"


def is_system_name(name: str) -> bool:
    """Whether a file or folder of this name is no data of the user."""
    return name.startswith(".") or name.casefold() in SYSTEM_NAMES


def folders_in(parent: Path, left_out: LeftOut) -> list[Path]:
    """The folders in `parent` (also linked ones), sorted; everything else in it is counted."""
    folders = []
    for entry in _entries(parent):
        if is_system_name(entry.name):
            left_out.add(SYSTEM, entry.path)
        elif _is_folder(entry):
            folders.append(parent / entry.name)
        else:
            left_out.add("file outside the class folders", entry.path)
    return folders


def files_under(folder: Path, kind: Kind, left_out: LeftOut) -> list[str]:
    """The files of a kind below `folder`, relative to it, sorted by folder and name.

    Links are followed. A folder is read once: a link to a folder that was read, or that contains
    `folder`, is counted.
    """
    found, read = [], _folders_around(folder)
    plain, linked = [("", str(folder))], []
    while plain or linked:
        inside, place = (plain or linked).pop()
        if _identity(place) in read:
            left_out.add("link to a folder that is read anyway", place)
            continue
        read.add(_identity(place))
        for entry in _entries(place):
            name = inside + entry.name
            if is_system_name(entry.name):
                left_out.add(SYSTEM, entry.path)
            elif _is_folder(entry):
                waiting = linked if entry.is_symlink() else plain
                waiting.append((f"{name}/", entry.path))
            elif reason := _reason_against(entry, kind):
                left_out.add(reason, entry.path)
            else:
                found.append(name)
    return sorted(found, key=lambda name: name.split("/"))


def _entries(place: str | Path) -> Iterator[os.DirEntry]:
    """What is in a folder, sorted by name. OSError names a folder that cannot be read."""
    with os.scandir(place) as entries:
        yield from sorted(entries, key=lambda entry: entry.name)


def _is_folder(entry: os.DirEntry) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _reason_against(entry: os.DirEntry, kind: Kind) -> str:
    """Why something that is not a folder is no item; "" for an item."""
    try:
        is_file = entry.is_file()
    except OSError:
        is_file = False
    if not is_file:
        return "link that leads nowhere, or not a file"
    suffix = os.path.splitext(entry.name)[1].lower()
    if suffix in kind.suffixes:
        return ""
    if kind.recognise and kind.recognise(entry.path):
        return ""
    return f"not a {kind.name} ({suffix or 'no ending'})"


def _folders_around(folder: Path) -> set[tuple[int, int]]:
    """The folders that contain `folder`, by its name and by where it really is."""
    around = {*folder.absolute().parents, *folder.resolve().parents}
    return {_identity(parent) for parent in around}


def _identity(folder: str | Path) -> tuple[int, int]:
    status = os.stat(folder)
    return status.st_dev, status.st_ino
