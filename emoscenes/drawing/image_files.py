"""Scenes -> image files: takes a records table and its scenes, gives records that name their
images."""

import hashlib
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import pandas as pd
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from emoscenes.drawing.picture import SOFTWARE, draw
from emoscenes.scenes import Scene
from tinyemo.code_digest import code_digest
from tinyemo.io import write_atomically

Finish = Callable[[Image.Image], Image.Image]  # changes a finished picture


def draw_records(
    records: pd.DataFrame,
    scenes: list[Scene],
    folder: str | Path,
    size: int = 64,
    workers: int = 2,
    finish: Finish | None = None,
) -> pd.DataFrame:
    """Draw scene i as the image of record i: records with `image` filled in.

    The files are in a sub-folder of `folder` that is named by a hash of the scenes, the size, the
    name of `finish` and the drawing code. So pictures that exist are not drawn again, but pictures
    made by other code are never used.
    """
    digest = hashlib.sha256(f"{size} {scenes} {getattr(finish, '__name__', '')}".encode())
    digest.update(code_digest("emoscenes.drawing.picture", "emoscenes.sets").encode())
    root = Path(folder) / digest.hexdigest()[:16]
    paths = [root / f"{name.partition('/')[2]}.png" for name in records["id"]]
    missing = [pair for pair in zip(scenes, paths, strict=True) if not pair[1].exists()]
    draw_one = partial(_draw_file, size=size, finish=finish)
    with ProcessPoolExecutor(workers) as pool:
        list(pool.map(draw_one, missing, chunksize=64))
    return records.assign(image=[str(path) for path in paths])


def _draw_file(scene_and_path: tuple[Scene, Path], size: int, finish: Finish | None) -> None:
    scene, path = scene_and_path
    image = draw(scene, size)
    if finish:
        image = finish(image)
    save_drawing(image, path)


def save_drawing(image: Image.Image, path: str | Path) -> Path:
    """Write a drawing as PNG, whose metadata says that it is one of EmoScenes."""
    about = PngInfo()
    about.add_text("Software", SOFTWARE)
    return write_atomically(path, lambda file: image.save(file, format="png", pnginfo=about))
