"""The 24 objects of a scene, each with its own silhouette and colour.

Takes a pen whose frame is the square [-1, 1] x [-1, 1], with the ground at y = 1, and the name of
an object. The shapes are in objects.yaml; what repeats around a centre is drawn here.
"""

from pathlib import Path

from emoscenes.drawing.pen import Colour, Pen, around
from emoscenes.drawing.shapes import draw_shapes, read_shapes

SHAPES = read_shapes(Path(__file__).parent / "objects.yaml")
COLOURS = SHAPES["colours"]
RAY_COLOURS: tuple[Colour, ...] = ((255, 60, 140), (255, 230, 60), (70, 230, 255))


def draw_object(pen: Pen, name: str) -> None:
    """Draw the object of this name."""
    if name == "firework":
        _rays(pen)
    if name == "bicycle":
        _wheels(pen)
    draw_shapes(pen, SHAPES[name], COLOURS)


def _rays(pen: Pen) -> None:
    """Twelve rays of a firework with a spark at the end of each."""
    middle, length = -0.2, 0.9
    for i, (x, y) in enumerate(around(0, middle, length, 12, 15)):
        colour = RAY_COLOURS[i % len(RAY_COLOURS)]
        start = (x * 0.3, middle + (y + 0.2) * 0.3)
        pen.line([start, (x, y)], 0.09, colour)
        pen.disc(x, y, 0.11, colour)


def _wheels(pen: Pen) -> None:
    """The two wheels of a bicycle with four spokes each."""
    height = 0.52
    for x in (-0.56, 0.56):
        pen.arc((x, height, 0.43, 0.43), (0, 360), 0.09, COLOURS["black"])
        ends = around(x, height, 0.38, 4, 45)
        opposite_ends = around(x, height, 0.38, 4, 225)
        for end, opposite in zip(ends, opposite_ends, strict=True):
            pen.line([end, opposite], 0.025, COLOURS["grey"])
