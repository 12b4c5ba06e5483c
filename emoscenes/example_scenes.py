"""Draws six example scenes: pictures to try the shipped models on.

python -m emoscenes.example_scenes FOLDER
"""

import sys
from pathlib import Path

from emoscenes.drawing.image_files import save_drawing
from emoscenes.drawing.picture import draw
from emoscenes.scenes import sample_scenes

COUNT, SEED, SIZE = 6, 2024, 256  # scenes, of a seed that no training has; pixels


def save_examples(folder: str | Path) -> list[Path]:
    """Six scenes as PNG files; gives their paths."""
    scenes, _ = sample_scenes(COUNT, SEED)
    paths = []
    for number, scene in enumerate(scenes, 1):
        name = f"{number}_{scene.expression}_{scene.object}.png".replace(" ", "_")
        paths.append(save_drawing(draw(scene, SIZE), Path(folder) / name))
    return paths


if __name__ == "__main__":
    save_examples(sys.argv[1])
