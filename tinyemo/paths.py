"""The folders of the project: where notebooks, parameters, data and runs are.

TINYEMO_DATA (default `data/` of this checkout, ignored by git) holds inputs and features.
TINYEMO_RESULTS (default `results/runs/`) holds the run folders. Both are read at every call, so
that a test or a notebook can move them. Nothing here depends on the current directory, except
relative paths given to `locate`.
"""

import errno
import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT / "notebooks"
PARAMS = ROOT / "params"


def data_dir() -> Path:
    """The folder of datasets and features."""
    return _folder("TINYEMO_DATA", ROOT / "data")


def runs_dir() -> Path:
    """The folder of run folders: `<profile>/<notebook stem>/`."""
    return _folder("TINYEMO_RESULTS", ROOT / "results" / "runs")


def made_dir() -> Path:
    """The folder for data that the code makes itself: drawn scenes, imported features.

    It is the data folder, or, where that cannot be written, a folder beside the runs.
    """
    existing = data_dir()
    while not existing.exists():
        existing = existing.parent
    return data_dir() if os.access(existing, os.W_OK) else runs_dir() / ".data"


def _folder(variable: str, default: Path) -> Path:
    return Path(os.environ.get(variable) or default).expanduser().resolve()


def exists(path: str | Path) -> bool:
    """Whether there is a file or folder. A text that is too long for a file name is none."""
    try:
        return Path(path).exists()
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            return False
        raise


def locate(path: str | Path) -> Path:
    """A path that a parameter names: unchanged if it exists, else under `data_dir()` if it exists
    there.

    A name that is in neither place is returned unchanged, because it may be a hub id. The function
    that opens it reports an error if it is not.
    """
    path = Path(os.path.expanduser(path))  # unlike Path's method, it leaves "~20 items" alone
    under_data = data_dir() / path
    return under_data if not exists(path) and exists(under_data) else path


HERE, DATA = "$HERE/", "$TINYEMO_DATA/"  # how a stored path begins that can be moved


def portable(paths: Iterable[str | Path], folder: Path) -> list[str]:
    """Paths as a file in `folder` stores them, so that results and data can be moved or copied.

    A path in the same results (or in the folder itself) is relative to the folder, one in the data
    folder is relative to that. All others stay as they are. `resolved` reads them again.
    """
    folder = Path(folder).resolve()
    starts = {f"{folder}/": HERE}
    if folder.is_relative_to(runs_dir()):
        for above in (folder.parent, runs_dir()):
            starts.setdefault(f"{above}/", f"{HERE}{os.path.relpath(above, folder)}/")
    starts.setdefault(f"{data_dir()}/", DATA)
    stored = []
    for path in map(str, paths):
        start = next((start for start in starts if path.startswith(start)), "")
        stored.append(starts[start] + path[len(start) :] if start else path)
    return stored


def resolved(stored: Iterable[str], folder: Path) -> list[str]:
    """The paths that `portable` stored in a file of `folder`."""
    folder, data = Path(folder).resolve(), data_dir()
    paths = []
    for text in stored:
        if text[:1] != "$":  # most texts, where tables are large
            paths.append(text)
        elif text.startswith(HERE):
            paths.append(os.path.normpath(f"{folder}/{text[len(HERE) :]}"))
        elif text.startswith(DATA):
            paths.append(f"{data}/{text[len(DATA) :]}")
        else:
            paths.append(text)
    return paths


class SmallModels(NamedTuple):
    """The two small models that notebook 00 trains on EmoScenes."""

    encoder: str  # the CLIP, as `load_image_encoder` names it
    lm: str  # folder of the language model, which also gives the anchors


def small_models(start: Path) -> SmallModels:
    """Names of the small models in `start`, the run folder of notebook 00."""
    return SmallModels(encoder=f"local-dir:{start / 'clip'}", lm=str(start / "lm"))
