"""Where things lie: the one module that knows folders.

TINYEMO_DATA (default `data/` of this checkout, ignored by git) holds inputs and features;
TINYEMO_RESULTS (default `results/runs/`) holds the run folders. Both are read at call time, so a test
or a notebook can move them. Nothing here depends on the current directory.
"""

import os
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT / "notebooks"
PARAMS = ROOT / "params"


def data_dir() -> Path:
    """The folder of datasets and features."""
    return Path(os.environ.get("TINYEMO_DATA") or ROOT / "data").expanduser().resolve()


def runs_dir() -> Path:
    """The folder of run folders: `<profile>/<notebook stem>/`."""
    return (
        Path(os.environ.get("TINYEMO_RESULTS") or ROOT / "results" / "runs").expanduser().resolve()
    )


def locate(path: str | Path) -> Path:
    """A path that a parameter names: as it stands if it exists, else under `data_dir()` if it exists there.

    A name that is in neither place comes back as it is: it may be a hub id, and whoever opens it says what
    was looked for.
    """
    path = Path(path).expanduser()
    under = data_dir() / path
    return under if not path.exists() and under.exists() else path


class SmallModels(NamedTuple):
    """The two small models that notebook 00 trains on EmoScenes."""

    encoder: str  # the CLIP, as `load_image_encoder` names it
    lm: str  # folder of the language model, which also gives the anchors


def small_models(start: Path) -> SmallModels:
    """Names of the small models in `start`, the run folder of notebook 00."""
    return SmallModels(encoder=f"local-dir:{start / 'clip'}", lm=str(start / "lm"))
