"""The three styles of a picture: photo, painting, abstract.

Each takes the backdrop (RGB), the figures (RGBA) and their shadow (L), all square and of one size,
and gives the picture (RGB). Lengths are shares of the width, so any size gives the same picture.
"""

from functools import cache

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

LEVELS = range(256)
DARKER = [7 * level // 10 for level in LEVELS]  # tables for Image.point
LIGHTER = [level // 2 for level in LEVELS]
OUTLINE = [255 if level > 24 else 0 for level in LEVELS]


def photo(backdrop: Image.Image, figures: Image.Image, shadow: Image.Image) -> Image.Image:
    """A backdrop out of focus, a soft shadow, and figures lit from the upper left."""
    unit = backdrop.width / 192
    image = backdrop.filter(ImageFilter.BoxBlur(1.6 * unit))
    soft_shadow = shadow.filter(ImageFilter.BoxBlur(3 * unit))
    image.paste((20, 18, 30), (0, 0), soft_shadow)
    alpha = figures.getchannel("A")
    image.paste(figures, (0, 0), alpha)
    # edges that face the light, and edges that face away from it
    soft = alpha.filter(ImageFilter.BoxBlur(6 * unit))
    step = round(6 * unit)
    moved = ImageChops.offset(soft, step, step)
    dark_edge = ImageChops.subtract(moved, soft).point(DARKER)
    light_edge = ImageChops.subtract(soft, moved).point(LIGHTER)
    dark_edge = ImageChops.multiply(dark_edge, alpha)
    light_edge = ImageChops.multiply(light_edge, alpha)
    image.paste((40, 30, 60), (0, 0), dark_edge)
    image.paste((255, 250, 235), (0, 0), light_edge)
    return image


def painting(backdrop: Image.Image, figures: Image.Image, shadow: Image.Image) -> Image.Image:
    """Broad strokes behind, fine strokes over everything, and the texture of a canvas."""
    side = backdrop.width
    image = _take_colours(backdrop, _strokes(side, 0.07, 0.020))
    image.paste((30, 20, 50), (0, 0), shadow)
    image.paste(figures, (0, 0), figures)
    image = _take_colours(image, _strokes(side, 0.014, 0.008))
    return ImageChops.multiply(image, _canvas(side))


def abstract(backdrop: Image.Image, figures: Image.Image, shadow: Image.Image) -> Image.Image:
    """Triangles of one colour each behind, flat shapes with a bold outline before them."""
    side = backdrop.width
    blurred = backdrop.filter(ImageFilter.BoxBlur(side / 90))
    image = _take_colours(blurred, _triangles(side))
    alpha = figures.getchannel("A")
    outline = alpha.filter(ImageFilter.BoxBlur(side * 0.012)).point(OUTLINE)
    image.paste((16, 14, 22), (0, 0), outline)
    image.paste(figures, (0, 0), alpha)
    return image


STYLES = {"photo": photo, "painting": painting, "abstract": abstract}


def _take_colours(image: Image.Image, source: np.ndarray) -> Image.Image:
    """Every pixel takes the colour at the flat position that `source` (side, side) holds for it."""
    rgbx = np.asarray(image.convert("RGBX"))  # (side, side, 4)
    packed = rgbx.view(np.uint32).ravel()  # one number per pixel: faster
    taken = packed[source].view(np.uint8)
    taken = taken.reshape(*source.shape, 4)
    return Image.fromarray(taken[..., :3])


@cache
def _strokes(side: int, length: float, width: float) -> np.ndarray:
    """For each pixel the flat position of the middle of its brush stroke: (side, side) int64."""
    rng = np.random.default_rng(0)
    positions = np.arange(side * side, dtype=np.int32).reshape(side, side)
    middles = Image.fromarray(positions)  # 32-bit integers: a stroke is filled with its middle
    canvas = ImageDraw.Draw(middles)
    count = round(4 / (length * width))
    thickness = max(1, round(width * side))
    for x, y, turn in rng.random((count, 3)):
        bend = 2 * np.sin(3 * x + 2 * y)
        angle = 0.9 + 1.1 * (turn - 0.5) + bend
        dx = np.cos(angle) * length / 2
        dy = np.sin(angle) * length / 2
        start_x, start_y = (x - dx) * side, (y - dy) * side
        end_x, end_y = (x + dx) * side, (y + dy) * side
        middle = int(y * side) * side + int(x * side)
        stroke = [(start_x, start_y), (end_x, end_y)]
        canvas.line(stroke, fill=middle, width=thickness)
    return np.asarray(middles).astype(np.int64)


@cache
def _canvas(side: int) -> Image.Image:
    """The texture of a canvas, to multiply with."""
    y, x = np.mgrid[:side, :side] / side
    waves_x = np.sin(x * 2 * np.pi * 32)
    waves_y = np.sin(y * 2 * np.pi * 32)
    grey = 240 + 14 * waves_x * waves_y  # (side, side)
    rgb = np.repeat(grey[..., None], 3, axis=2)
    return Image.fromarray(rgb.astype(np.uint8))


@cache
def _triangles(side: int) -> np.ndarray:
    """For each pixel the flat position of the middle of its triangle: (side, side) int64.

    The picture is divided into 18 x 18 cells. Each is cut along a diagonal, whose direction
    alternates.
    """
    cell = side / 18
    y, x = np.mgrid[:side, :side]
    row = y // cell
    column = x // cell
    in_x = x / cell - column  # position inside the cell, in [0, 1)
    in_y = y / cell - row
    falling = (row + column) % 2 == 0
    above_falling = in_x + in_y < 1
    above_rising = in_x > in_y
    upper = np.where(falling, above_falling, above_rising)
    left = np.where(falling, upper, ~upper)
    middle_x = (column + np.where(left, 0.3, 0.7)) * cell
    middle_y = (row + np.where(upper, 0.3, 0.7)) * cell
    last = side - 1
    middle_x = middle_x.clip(max=last).astype(np.int64)
    middle_y = middle_y.clip(max=last).astype(np.int64)
    return middle_y * side + middle_x
