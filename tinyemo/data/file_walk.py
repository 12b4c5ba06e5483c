"""All files below a folder: links are followed, each folder is read once.

Owns the walk and the names that operating systems leave behind. Takes a folder; gives the files,
and tells the caller what it passes over. Imports no other package: the command line uses it too.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

# what archives and file managers add, besides hidden files such as .DS_Store and ._1.jpg
SYSTEM_NAMES = ("__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "lost+found")
SYSTEM_NAMES += ("$recycle.bin", "system volume information", "@eadir", "__pycache__")
SYSTEM = "hidden, or left by the operating system"
READ_ANYWAY = "link to a folder that is read anyway"


def is_system_name(name: str) -> bool:
    """Whether a file or folder of this name is no data of the user."""
    return name.startswith(".") or name.casefold() in SYSTEM_NAMES


def walk(
    top: Path, pass_over: Callable[[str, str], object] = lambda reason, path: None
) -> Iterator[tuple[str, os.DirEntry]]:
    """(name relative to `top`, entry) of everything below it that is no folder, in no fixed order.

    Links are followed, and a folder is read once: where it really is, if it can be. `pass_over`
    gets the reason and the path of a system name, or of a link to a folder that is read or contains
    `top`. An entry may be a link that leads nowhere. OSError names a folder that cannot be read.
    """
    read = _folders_around(top)
    plain, linked = [("", str(top))], []
    while plain or linked:
        inside, place = (plain or linked).pop()
        identity = _identity(place)
        if identity in read:
            pass_over(READ_ANYWAY, place)
            continue
        read.add(identity)
        for entry in entries(place):
            name = inside + entry.name
            if is_system_name(entry.name):
                pass_over(SYSTEM, entry.path)
            elif is_folder(entry):
                waiting = linked if entry.is_symlink() else plain
                waiting.append((f"{name}/", entry.path))
            else:
                yield name, entry


def entries(place: str | Path) -> Iterator[os.DirEntry]:
    """What is in a folder, sorted by name. OSError names a folder that cannot be read."""
    with os.scandir(place) as found:
        yield from sorted(found, key=lambda entry: entry.name)


def is_folder(entry: os.DirEntry) -> bool:
    """Whether an entry is a folder, or a link to one."""
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _folders_around(folder: Path) -> set[tuple[int, int]]:
    """The folders that contain `folder`, by its name and by where it really is."""
    around = {*folder.absolute().parents, *folder.resolve().parents}
    return {_identity(parent) for parent in around}


def _identity(folder: str | Path) -> tuple[int, int]:
    status = os.stat(folder)
    return status.st_dev, status.st_ino
