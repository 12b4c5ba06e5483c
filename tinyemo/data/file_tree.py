"""The files below a folder: which of them are items of a dataset, and what is passed over.

Owns the kinds of files; file_walk.py owns the walk through folders and links. Takes folders; gives
names of files. What is passed over is counted in a LeftOut. A picture with an unusual ending, or
without one, is recognised by the start of its content.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tinyemo.data.file_walk import SYSTEM, entries, is_folder, is_system_name, walk
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
NAMED_PICTURES = Kind("picture", PICTURES.suffixes)  # no file is opened


def folders_in(parent: Path, left_out: LeftOut) -> list[Path]:
    """The folders in `parent` (also linked ones), sorted; everything else in it is counted."""
    folders = []
    for entry in entries(parent):
        if is_system_name(entry.name):
            left_out.add(SYSTEM, entry.path)
        elif is_folder(entry):
            folders.append(parent / entry.name)
        else:
            left_out.add("file outside the class folders", entry.path)
    return folders


def files_under(folder: Path, kind: Kind, left_out: LeftOut) -> list[str]:
    """The files of a kind below `folder`, relative to it, sorted by folder and name.

    Links are followed. A folder is read once: a link to a folder that was read, or that contains
    `folder`, is counted.
    """
    found = []
    for name, entry in walk(folder, left_out.add):
        if reason := reason_against(entry, kind):
            left_out.add(reason, entry.path)
        else:
            found.append(name)
    return sorted(found, key=lambda name: name.split("/"))


def reason_against(entry: os.DirEntry, kind: Kind) -> str:
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
