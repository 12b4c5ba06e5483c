"""The folders of the project: where notebooks, parameters, data and runs are.

TINYEMO_DATA (default `data/` of this checkout, ignored by git) holds inputs and features.
TINYEMO_RESULTS (default `results/runs/`) holds the run folders. Both are read at every call, so
that a test or a notebook can move them. Nothing here depends on the current directory, except
relative paths given to `locate`.
"""

import os
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


def _folder(variable: str, default: Path) -> Path:
    return Path(os.environ.get(variable) or default).expanduser().resolve()


def locate(path: str | Path) -> Path:
    """A path that a parameter names: unchanged if it exists, else under `data_dir()` if it exists
    there.

    A name that is in neither place is returned unchanged, because it may be a hub id. The function
    that opens it reports an error if it is not.
    """
    path = Path(path).expanduser()
    under_data = data_dir() / path
    return under_data if not path.exists() and under_data.exists() else path


class SmallModels(NamedTuple):
    """The two small models that notebook 00 trains on EmoScenes."""

    encoder: str  # the CLIP, as `load_image_encoder` names it
    lm: str  # folder of the language model, which also gives the anchors


def small_models(start: Path) -> SmallModels:
    """Names of the small models in `start`, the run folder of notebook 00."""
    return SmallModels(encoder=f"local-dir:{start / 'clip'}", lm=str(start / "lm"))
