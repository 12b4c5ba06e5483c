"""Scenes -> pixels: puts backdrop, object and person together and gives the picture its style.

Takes scenes and a size; gives RGB pictures. Everything is drawn with Pillow at a multiple of the
wanted size and averaged down, in coordinates relative to the size, so any size shows the same
picture. What a scene does not state (sides, small shifts, colours of hair, skin and clothes,
details of the place) follows from its seed alone. So a scene that is drawn again with one attribute
replaced differs in that attribute only.
"""

from concurrent.futures import ProcessPoolExecutor
from functools import partial
from random import Random

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance

from emoscenes.drawing.backdrops import draw_backdrop, light
from emoscenes.drawing.objects import draw_object
from emoscenes.drawing.pen import Pen
from emoscenes.drawing.people import HAIRS, SHIRTS, SKINS, TROUSERS, Looks, draw_person
from emoscenes.drawing.styles import STYLES
from emoscenes.scenes import Scene

OVERSAMPLE = 2  # pixels drawn for one pixel shown, in each direction
GROUND = 0.95  # y of the feet
PERSON_X, OBJECT_X, OBJECT_SCALE = 0.26, 0.765, 0.20
SHADOW_OF_PERSON, SHADOW_OF_OBJECT = 0.17, 0.21  # half of the width
SOFTWARE = "EmoScenes"  # in the metadata of every drawing: what made it
FIGURE_LIGHT = 0.25  # share of the light of the hour and weather that falls on the figures


def draw(scene: Scene, size: int = 64) -> Image.Image:
    """The scene as an RGB picture of size x size pixels."""
    side = size * OVERSAMPLE
    # The order of these draws is part of the data.
    rng = Random(scene.seed)
    flip = rng.random() < 0.5
    cut = rng.randrange(3)
    skin, hair, shirt, trousers = (rng.choice(of) for of in (SKINS, HAIRS, SHIRTS, TROUSERS))
    looks = Looks(skin, hair, shirt, trousers, cut)
    person_dx, person_dy, object_dx, object_dy = (rng.uniform(-0.015, 0.015) for _ in range(4))
    hue = [rng.uniform(0.93, 1.07) for _ in range(3)]

    backdrop = draw_backdrop(side, scene, flip, scene.seed)
    figures = Image.new("RGBA", (side, side))
    shade = light(scene.weather, scene.time, FIGURE_LIGHT)
    origin, direction = (side, -1) if flip else (0, 1)
    pen = Pen(ImageDraw.Draw(figures), origin, 0, side, direction, shade)

    # An object is not mirrored, only its place is.
    tint = tuple(factor * variation for factor, variation in zip(shade, hue, strict=True))
    object_x, object_y = OBJECT_X + object_dx, GROUND - OBJECT_SCALE + object_dy
    frame = Pen(pen.canvas, pen.x, pen.y, pen.unit, 1, tint)
    draw_object(frame.at(object_x * direction, object_y, OBJECT_SCALE), scene.object)

    person_x = PERSON_X + person_dx
    draw_person(pen.at(person_x, GROUND + person_dy), looks, scene.expression, scene.action)

    shadow = Image.new("L", (side, side))
    _draw_shadow(shadow, origin + direction * person_x * side, SHADOW_OF_PERSON)
    _draw_shadow(shadow, origin + direction * object_x * side, SHADOW_OF_OBJECT)

    image = STYLES[scene.style](backdrop, figures, shadow).reduce(OVERSAMPLE)
    if scene.style == "photo":
        image = _add_noise(image, scene.seed)
    image = ImageEnhance.Color(image).enhance(0.55 + 0.85 * scene.colorfulness)
    image = ImageEnhance.Brightness(image).enhance(0.65 + 0.60 * scene.brightness)
    image.info["Software"] = SOFTWARE
    return image


def _draw_shadow(shadow: Image.Image, middle: float, half_width: float) -> None:
    """A flat ellipse on the ground; `middle` in pixels, `half_width` as a share of the picture."""
    side = shadow.width
    half = half_width * side
    upper, lower = (GROUND - 0.016) * side, (GROUND + 0.04) * side
    ImageDraw.Draw(shadow).ellipse((middle - half, upper, middle + half, lower), fill=110)


def _add_noise(image: Image.Image, seed: int) -> Image.Image:
    """The fine noise of a camera's sensor: up to 5 levels per pixel."""
    pixels = np.asarray(image)  # (S, S, 3)
    rng = np.random.default_rng(seed)
    noise = rng.integers(-5, 6, size=(*pixels.shape[:2], 1), dtype=np.int16)
    return Image.fromarray((pixels + noise).clip(0, 255).astype(np.uint8))


def _pixels(scene: Scene, size: int) -> np.ndarray:
    return np.asarray(draw(scene, size))


def draw_many(scenes: list[Scene], size: int = 64, workers: int = 2) -> np.ndarray:
    """All scenes drawn, in order: (N, size, size, 3) uint8."""
    if not scenes:
        return np.zeros((0, size, size, 3), np.uint8)
    if workers < 2 or len(scenes) < 64:  # starting processes would take longer
        return np.stack([_pixels(scene, size) for scene in scenes])
    with ProcessPoolExecutor(workers) as pool:
        pictures = list(pool.map(partial(_pixels, size=size), scenes, chunksize=64))
    return np.stack(pictures)
