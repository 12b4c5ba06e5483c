"""Scenes -> pixels: lays backdrop, object and person together, and gives the picture its style.

Everything is drawn with Pillow at a multiple of the wanted size and averaged down, in coordinates relative
to it, so any size shows the same picture. What a scene does not say (sides, small shifts, colours of hair,
skin and clothes, details of the place) follows from its seed alone: redrawing a scene with one attribute
replaced changes that and nothing else.
"""

from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from random import Random

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageEnhance, ImageFilter

from emoscenes.drawing.backdrops import draw_backdrop, light
from emoscenes.drawing.objects import OBJECTS
from emoscenes.drawing.pen import Pen
from emoscenes.drawing.people import HAIRS, SHIRTS, SKINS, TROUSERS, Looks, draw_person
from emoscenes.scenes import Scene

OVERSAMPLE = 2  # pixels drawn for one pixel shown, in each direction
GROUND = 0.95  # where the feet are
DIMMED, LIT = (
    [7 * v // 10 for v in range(256)],
    [v // 2 for v in range(256)],
)  # tables for Image.point
OUTLINED = [255 if v > 24 else 0 for v in range(256)]
PERSON_X, OBJECT_X, OBJECT_SCALE = 0.26, 0.765, 0.20


def draw(scene: Scene, size: int = 64) -> Image.Image:
    """The scene as an RGB picture of size x size pixels."""
    scale = OVERSAMPLE
    side = size * scale
    rng = Random(scene.seed)
    flip = rng.random() < 0.5
    looks = Looks(*map(rng.choice, (SKINS, HAIRS, SHIRTS, TROUSERS)), cut=rng.randrange(3))
    px, py, ox, oy = (rng.uniform(-0.015, 0.015) for _ in range(4))
    hue = tuple(rng.uniform(0.93, 1.07) for _ in range(3))

    backdrop = draw_backdrop(side, scene, flip, scene.seed)
    figures = Image.new("RGBA", (side, side))
    shade = light(scene.weather, scene.time, 0.25)
    pen = Pen(ImageDraw.Draw(figures), side if flip else 0, 0, side, -1 if flip else 1, shade)
    tinted = tuple(s * h for s, h in zip(shade, hue, strict=True))
    thing = Pen(pen.canvas, pen.x, pen.y, pen.unit, 1, tinted).at(
        (OBJECT_X + ox) * pen.flip, GROUND - OBJECT_SCALE + oy, OBJECT_SCALE
    )
    OBJECTS[scene.object](thing)
    draw_person(pen.at(PERSON_X + px, GROUND + py), looks, scene.expression, scene.action)
    shadow = Image.new("L", (side, side))
    for x, width in ((PERSON_X + px, 0.17), (OBJECT_X + ox, 0.21)):
        middle, half = pen.x + pen.flip * x * side, width * side
        box = (middle - half, (GROUND - 0.016) * side, middle + half, (GROUND + 0.04) * side)
        ImageDraw.Draw(shadow).ellipse(box, fill=110)

    image = STYLES[scene.style](backdrop, figures, shadow).reduce(scale)
    if scene.style == "photo":
        image = _grain(image, scene.seed)
    image = ImageEnhance.Color(image).enhance(0.55 + 0.85 * scene.colorfulness)
    return ImageEnhance.Brightness(image).enhance(0.65 + 0.60 * scene.brightness)


def _photo(backdrop: Image.Image, figures: Image.Image, shadow: Image.Image) -> Image.Image:
    """Out-of-focus backdrop, soft shadow, figures lit from the upper left."""
    unit = backdrop.width / 192
    image = backdrop.filter(ImageFilter.BoxBlur(1.6 * unit))
    image.paste((20, 18, 30), (0, 0), shadow.filter(ImageFilter.BoxBlur(3 * unit)))
    alpha = figures.getchannel("A")
    soft = alpha.filter(ImageFilter.BoxBlur(6 * unit))
    moved = ImageChops.offset(soft, round(6 * unit), round(6 * unit))
    image.paste(figures, (0, 0), alpha)
    for colour, edge, strength in (
        ((40, 30, 60), ImageChops.subtract(moved, soft), DIMMED),
        ((255, 250, 235), ImageChops.subtract(soft, moved), LIT),
    ):
        image.paste(colour, (0, 0), ImageChops.multiply(edge.point(strength), alpha))
    return image


def _painting(backdrop: Image.Image, figures: Image.Image, shadow: Image.Image) -> Image.Image:
    """Broad strokes behind, fine strokes over everything, the weave of a canvas."""
    side = backdrop.width
    image = _gather(backdrop, _strokes(side, 0.07, 0.020))
    image.paste((30, 20, 50), (0, 0), shadow)
    image.paste(figures, (0, 0), figures)
    return ImageChops.multiply(_gather(image, _strokes(side, 0.014, 0.008)), _weave(side))


def _abstract(backdrop: Image.Image, figures: Image.Image, shadow: Image.Image) -> Image.Image:
    """Facets of flat colour behind, flat shapes with a bold outline before them."""
    side = backdrop.width
    image = _gather(backdrop.filter(ImageFilter.BoxBlur(side / 90)), _facets(side))
    alpha = figures.getchannel("A")
    outline = alpha.filter(ImageFilter.BoxBlur(side * 0.012)).point(OUTLINED)
    image.paste((16, 14, 22), (0, 0), outline)
    image.paste(figures, (0, 0), alpha)
    return image


STYLES = {"photo": _photo, "painting": _painting, "abstract": _abstract}


def _gather(image: Image.Image, source: np.ndarray) -> Image.Image:
    """Every pixel takes the colour found at the flat position `source` (side, side) names for it."""
    packed = np.asarray(image.convert("RGBX")).view(np.uint32).ravel()  # one number a pixel: faster
    return Image.fromarray(packed[source].view(np.uint8).reshape(*source.shape, 4)[..., :3])


@cache
def _strokes(side: int, length: float, width: float) -> np.ndarray:
    """For each pixel the flat position of the middle of the stroke that covers it: (side, side) int64."""
    rng = np.random.default_rng(0)
    middles = Image.fromarray(np.arange(side * side, dtype=np.int32).reshape(side, side))
    canvas = ImageDraw.Draw(middles)
    n = round(4 / (length * width))
    for x, y, turn in rng.random((n, 3)):
        angle = 0.9 + 1.1 * (turn - 0.5) + 2 * np.sin(3 * x + 2 * y)
        dx, dy = np.cos(angle) * length / 2, np.sin(angle) * length / 2
        canvas.line(
            [((x - dx) * side, (y - dy) * side), ((x + dx) * side, (y + dy) * side)],
            fill=int(y * side) * side + int(x * side),
            width=max(1, round(width * side)),
        )
    return np.asarray(middles).astype(np.int64)


@cache
def _weave(side: int) -> Image.Image:
    """The texture of a canvas, to multiply with."""
    y, x = np.mgrid[:side, :side] / side
    cloth = 240 + 14 * np.sin(x * 2 * np.pi * 32) * np.sin(y * 2 * np.pi * 32)
    return Image.fromarray(np.repeat(cloth[..., None], 3, axis=2).astype(np.uint8))


@cache
def _facets(side: int) -> np.ndarray:
    """For each pixel the flat position of the middle of its triangle: (side, side) int64."""
    cell = side / 18
    y, x = np.mgrid[:side, :side]
    row, column = y // cell, x // cell
    fx, fy = x / cell - column, y / cell - row
    upper = np.where((row + column) % 2 == 0, fx + fy < 1, fx > fy)
    left = np.where((row + column) % 2 == 0, upper, ~upper)
    mx = (column + np.where(left, 0.3, 0.7)) * cell
    my = (row + np.where(upper, 0.3, 0.7)) * cell
    return (my.clip(max=side - 1).astype(np.int64)) * side + mx.clip(max=side - 1).astype(np.int64)


def _grain(image: Image.Image, seed: int) -> Image.Image:
    """The fine noise of a sensor: a few levels a pixel."""
    pixels = np.asarray(image)
    noise = np.random.default_rng(seed).integers(-5, 6, size=(*pixels.shape[:2], 1), dtype=np.int16)
    return Image.fromarray((pixels + noise).clip(0, 255).astype(np.uint8))


def _pixels(scene: Scene, size: int) -> np.ndarray:
    return np.asarray(draw(scene, size))


def draw_many(scenes: list[Scene], size: int = 64, workers: int = 2) -> np.ndarray:
    """All scenes drawn, in order: (N, size, size, 3) uint8."""
    if workers < 2 or len(scenes) < 64:
        pictures = [_pixels(scene, size) for scene in scenes]
    else:
        with ProcessPoolExecutor(workers) as pool:
            pictures = list(pool.map(partial(_pixels, size=size), scenes, chunksize=64))
    return np.stack(pictures) if pictures else np.zeros((0, size, size, 3), np.uint8)
