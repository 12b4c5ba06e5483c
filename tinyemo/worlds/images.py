"""Scenes -> image files, and the records that point to them."""

import hashlib
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import pandas as pd

from tinyemo.data.files import write_atomically
from tinyemo.worlds.drawing import draw
from tinyemo.worlds.scenes import Scene


def draw_records(
    records: pd.DataFrame, scenes: list[Scene], folder: str | Path, size: int = 64, workers: int = 2
) -> pd.DataFrame:
    """Draw scene i as the image of record i: a copy of `records` with `image` filled in.

    The files lie under `folder` in a sub-folder named by a hash of the scenes, the size and the drawing code,
    so a changed world never meets old pictures; those that are there already are not drawn again.
    """
    digest = hashlib.sha256(f"{size} {scenes}".encode())
    for source in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(source.read_bytes())
    root = Path(folder) / digest.hexdigest()[:16]
    paths = [root / f"{name.partition('/')[2]}.png" for name in records["id"]]
    todo = [(scene, path) for scene, path in zip(scenes, paths, strict=True) if not path.exists()]
    with ProcessPoolExecutor(workers) as pool:
        list(pool.map(partial(_draw_file, size=size), todo, chunksize=64))
    return records.assign(image=[str(path) for path in paths])


def _draw_file(task: tuple[Scene, Path], size: int) -> None:
    scene, path = task
    write_atomically(path, lambda temporary: draw(scene, size).save(temporary, format="png"))
