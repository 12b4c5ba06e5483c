"""The picture behind a scene's person and object: sky, weather, and the place.

Takes a scene; gives a square picture. It is mirrored with the scene, so in the frame of the pen the
person is always on the left and the object on the lower right. In rooms, sky and weather are seen
through a window. In other places the weather is drawn over the place.
"""

from pathlib import Path
from random import Random

import numpy as np
from PIL import Image, ImageDraw

from emoscenes.drawing.pen import Colour, Pen, mix
from emoscenes.drawing.places import HORIZON, INDOORS, INK, PLACES, WHITE
from emoscenes.drawing.shapes import read_shapes
from emoscenes.scenes import Scene

SHAPES = read_shapes(Path(__file__).parent / "sky.yaml")
COLOURS = SHAPES["colours"]
INDOOR_LIGHT = 0.55  # share of the light of the hour and weather that reaches a room


def light(weather: str, time: str, share: float) -> tuple[float, float, float]:
    """Factors on red, green and blue: 1 at share 0, the full light of hour and weather at share
    1."""
    factors = []
    for factor in SHAPES["light of the time"][time]:
        full = factor * SHAPES["light of the weather"][weather]
        factors.append(1 + (full - 1) * share)
    return tuple(factors)


def gradient(size: int, top: Colour, bottom: Colour) -> Image.Image:
    """A square picture that fades from top to bottom."""
    steps = np.linspace(0, 1, size)[:, None]
    rows = np.array(top) * (1 - steps) + np.array(bottom) * steps  # (size, 3)
    column = Image.fromarray(rows[:, None].astype(np.uint8))  # one pixel wide
    return column.resize((size, size))


def draw_backdrop(size: int, scene: Scene, flip: bool, seed: int) -> Image.Image:
    """The picture (size x size, RGB) behind the figures. `seed` fixes meaningless details."""
    weather, time = scene.weather, scene.time
    indoors = scene.background in INDOORS
    sky_top, sky_bottom = SHAPES["sky"][time]
    overcast = SHAPES["overcast"][weather]
    clouds = mix(overcast["colour"], sky_top, SHAPES["clouds like sky"][time])
    top = mix(sky_top, clouds, overcast["cover"])
    bottom = mix(sky_bottom, clouds, overcast["cover"])
    image = gradient(size, top, bottom)
    canvas = ImageDraw.Draw(image)
    origin, direction = (size, -1) if flip else (0, 1)
    pen = Pen(canvas, origin, 0, size, direction)
    shade = light(weather, time, INDOOR_LIGHT if indoors else 1.0)
    shaded_pen = Pen(canvas, origin, 0, size, direction, shade)
    rng = Random(seed)

    _draw_sky(pen, weather, time, clouds, rng)
    if indoors:
        _draw_weather(image, pen, weather, clouds, rng)
        PLACES[scene.background](shaded_pen, rng)
    else:
        PLACES[scene.background](shaded_pen, rng)
        _cover_ground(image, weather, clouds)
        _draw_weather(image, pen, weather, clouds, rng)
    return image


def _cover_ground(image: Image.Image, weather: str, clouds: Colour) -> None:
    """Snow, or the gloss of water, on the ground."""
    if weather not in ("snow", "rain", "storm"):
        return
    cover, most = (
        (mix(WHITE, clouds, 0.2), 190) if weather == "snow" else (COLOURS["wet ground"], 80)
    )
    fade = gradient(image.width, (0, 0, 0), WHITE).getchannel(0)
    opacity = fade.point([min(most, 3 * level) for level in range(256)])
    image.paste(cover, (0, round(image.width * (HORIZON - 0.08))), opacity)


def _draw_sky(pen: Pen, weather: str, time: str, clouds: Colour, rng: Random) -> None:
    if weather in ("clear", "cloudy"):
        _draw_sun_or_moon(pen, time, 0.56 + rng.uniform(-0.02, 0.02))
    if time == "night" and weather == "clear":
        for _ in range(26):  # stars
            x, y = rng.random(), rng.random() * 0.5
            pen.disc(x, y, rng.uniform(0.004, 0.009), COLOURS["star"])
    if weather == "cloudy":
        _draw_clouds(pen, mix(clouds, WHITE, 0.65), rng)
    if weather in ("storm", "rain"):
        _draw_clouds(pen, mix(clouds, INK, 0.35), rng)
    if weather == "storm":
        pen.poly(SHAPES["lightning"], COLOURS["lightning"])


def _draw_sun_or_moon(pen: Pen, time: str, x: float) -> None:
    if time == "day":
        pen.disc(x, 0.11, 0.085, COLOURS["glow at day"])
        pen.disc(x, 0.11, 0.065, COLOURS["sun at day"])
    elif time == "sunset":
        pen.disc(x, 0.46, 0.13, COLOURS["glow at sunset"])
        pen.disc(x, 0.46, 0.10, COLOURS["sun at sunset"])
    else:  # a disc of sky leaves a crescent
        pen.disc(x, 0.11, 0.075, COLOURS["moon"])
        pen.disc(x - 0.035, 0.095, 0.065, mix(*SHAPES["sky"]["night"], 0.1))


def _draw_clouds(pen: Pen, colour: Colour, rng: Random) -> None:
    """Four clouds of three discs each."""
    for x, y in SHAPES["clouds"]:
        x += rng.uniform(-0.05, 0.05)
        y += rng.uniform(-0.02, 0.02)
        for dx, dy, radius in SHAPES["discs of a cloud"]:
            pen.disc(x + dx, y + dy, radius * 1.2, colour, radius * 0.85)


def _draw_weather(image: Image.Image, pen: Pen, weather: str, clouds: Colour, rng: Random) -> None:
    """Rain, snow or fog over what has been drawn so far."""
    if weather in ("rain", "storm"):
        slant = 0.05 if weather == "rain" else 0.10
        for _ in range(70):
            x, y = rng.uniform(-0.05, 1.05), rng.uniform(-0.1, 1)
            pen.line([(x, y), (x - slant, y + 0.11)], 0.008, COLOURS["rain"])
    elif weather == "snow":
        for _ in range(75):
            x, y = rng.random(), rng.random()
            pen.disc(x, y, rng.uniform(0.009, 0.019), WHITE)
    elif weather == "fog":
        opacity = gradient(image.width, (40, 40, 40), (95, 95, 95)).getchannel(0)
        image.paste(clouds, (0, 0), opacity)
