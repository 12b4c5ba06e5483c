"""Scenes -> image files, and the records that point to them."""

import hashlib
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import pandas as pd
from PIL import Image

from emoscenes.drawing.picture import draw
from emoscenes.scenes import Scene
from tinyemo.code_digest import code_digest
from tinyemo.io import write_atomically


def draw_records(
    records: pd.DataFrame,
    scenes: list[Scene],
    folder: str | Path,
    size: int = 64,
    workers: int = 2,
    finish: Callable[[Image.Image], Image.Image] | None = None,
) -> pd.DataFrame:
    """Draw scene i as the image of record i, `finish` (picture -> picture) it: records with `image` filled in.

    The files lie under `folder` in a sub-folder named by a hash of the scenes, the size and the drawing code,
    so a changed world never meets old pictures; those that are there already are not drawn again.
    """
    digest = hashlib.sha256(f"{size} {scenes} {getattr(finish, '__name__', '')}".encode())
    digest.update(code_digest("emoscenes.drawing.picture", "emoscenes.sets").encode())
    root = Path(folder) / digest.hexdigest()[:16]
    paths = [root / f"{name.partition('/')[2]}.png" for name in records["id"]]
    todo = [(scene, path) for scene, path in zip(scenes, paths, strict=True) if not path.exists()]
    with ProcessPoolExecutor(workers) as pool:
        list(pool.map(partial(_draw_file, size=size, finish=finish), todo, chunksize=64))
    return records.assign(image=[str(path) for path in paths])


def _draw_file(
    task: tuple[Scene, Path], size: int, finish: Callable[[Image.Image], Image.Image] | None
) -> None:
    scene, path = task
    image = draw(scene, size)
    image = finish(image) if finish else image
    write_atomically(path, lambda temporary: image.save(temporary, format="png"))
