"""What stands behind a scene's person and object: sky, weather, and one of ten places.

Takes a pen whose frame is the whole picture (x and y in [0, 1]), mirrored with the scene, so that the
person stands at the left and the object at the lower right of every frame. Rooms show sky and weather
through a window; everywhere else weather falls on the place.
"""

from collections.abc import Callable
from random import Random

import numpy as np
from PIL import Image, ImageDraw

from emoscenes.drawing.pen import Colour, Pen, mix
from emoscenes.scenes import Scene

HORIZON = 0.62
WHITE, INK = (255, 255, 255), (36, 34, 44)

SKY: dict[str, tuple[Colour, Colour]] = {  # time -> colour at the top, at the horizon
    "day": ((70, 150, 235), (196, 230, 252)),
    "sunset": ((104, 66, 150), (255, 168, 92)),
    "night": ((10, 14, 46), (50, 62, 120)),
}
OVERCAST: dict[str, tuple[Colour, float]] = {  # weather -> what veils the sky, how much of it
    "clear": (WHITE, 0.0),
    "cloudy": ((206, 212, 220), 0.40),
    "rain": ((92, 108, 128), 0.70),
    "snow": ((226, 234, 246), 0.70),
    "fog": ((166, 170, 166), 0.78),
    "storm": ((44, 42, 62), 0.85),
}
TIME_LIGHT = {"day": (1.0, 1.0, 1.0), "sunset": (1.04, 0.84, 0.74), "night": (0.58, 0.64, 0.90)}
WEATHER_LIGHT = {
    "clear": 1.0,
    "cloudy": 0.94,
    "rain": 0.82,
    "snow": 1.0,
    "fog": 0.95,
    "storm": 0.78,
}


def light(weather: str, time: str, share: float) -> tuple[float, float, float]:
    """Factors on red, green and blue: none at share 0, the full light of the hour and weather at 1."""
    return tuple(1 + (t * WEATHER_LIGHT[weather] - 1) * share for t in TIME_LIGHT[time])


def gradient(size: int, top: Colour, bottom: Colour) -> Image.Image:
    """A square picture that fades from top to bottom."""
    steps = np.linspace(0, 1, size)[:, None]
    rows = np.array(top) * (1 - steps) + np.array(bottom) * steps  # (size, 3)
    return Image.fromarray(rows[:, None].astype(np.uint8)).resize((size, size))


def draw_backdrop(size: int, scene: Scene, flip: bool, seed: int) -> Image.Image:
    """The picture (size x size, RGB) behind the figures. `seed` fixes details that say nothing."""
    veil, share = OVERCAST[scene.weather]
    veil = mix(veil, SKY[scene.time][0], {"day": 0.0, "sunset": 0.3, "night": 0.55}[scene.time])
    top, bottom = (mix(colour, veil, share) for colour in SKY[scene.time])
    image = gradient(size, top, bottom)
    canvas = ImageDraw.Draw(image)
    pen = Pen(canvas, size if flip else 0, 0, size, -1 if flip else 1)
    rng = Random(seed)
    _sky(pen, scene.weather, scene.time, veil, rng)
    place, indoors = PLACES[scene.background]
    lit = Pen(
        canvas, pen.x, 0, size, pen.flip, light(scene.weather, scene.time, 0.55 if indoors else 1.0)
    )
    if indoors:
        _fall(image, pen, scene.weather, veil, rng)
        place(lit, rng)
        return image
    place(lit, rng)
    if scene.weather in ("snow", "rain", "storm"):
        cover, most = (
            (mix(WHITE, veil, 0.2), 190) if scene.weather == "snow" else ((70, 84, 120), 80)
        )
        fade = (
            gradient(size, (0, 0, 0), WHITE)
            .getchannel(0)
            .point([min(most, 3 * v) for v in range(256)])
        )
        image.paste(cover, (0, round(size * (HORIZON - 0.08))), fade)
    _fall(image, pen, scene.weather, veil, rng)
    return image


def _sky(pen: Pen, weather: str, time: str, veil: Colour, rng: Random) -> None:
    if weather in ("clear", "cloudy"):
        x = 0.56 + rng.uniform(-0.02, 0.02)
        if time == "day":
            pen.disc(x, 0.11, 0.085, (255, 244, 190))
            pen.disc(x, 0.11, 0.065, (255, 226, 70))
        elif time == "sunset":
            pen.disc(x, 0.46, 0.13, (255, 214, 120))
            pen.disc(x, 0.46, 0.10, (255, 120, 60))
        else:
            pen.disc(x, 0.11, 0.075, (250, 246, 214))
            pen.disc(x - 0.035, 0.095, 0.065, mix(SKY["night"][0], SKY["night"][1], 0.1))
    if time == "night" and weather == "clear":
        for _ in range(26):
            pen.disc(rng.random(), rng.random() * 0.5, rng.uniform(0.004, 0.009), (255, 250, 220))
    if weather in ("cloudy", "storm", "rain"):
        colour = mix(
            veil, WHITE if weather == "cloudy" else INK, 0.65 if weather == "cloudy" else 0.35
        )
        for x, y in ((0.12, 0.08), (0.42, 0.15), (0.72, 0.07), (0.97, 0.16)):
            x, y = x + rng.uniform(-0.05, 0.05), y + rng.uniform(-0.02, 0.02)
            for dx, dy, r in ((-0.09, 0.02, 0.055), (0, -0.01, 0.08), (0.09, 0.02, 0.06)):
                pen.disc(x + dx, y + dy, r * 1.2, colour, r * 0.85)
    if weather == "storm":
        bolt = [
            (0.60, 0.0),
            (0.52, 0.2),
            (0.58, 0.2),
            (0.50, 0.46),
            (0.68, 0.16),
            (0.61, 0.16),
            (0.68, 0.0),
        ]
        pen.poly(bolt, (255, 244, 120))


def _fall(image: Image.Image, pen: Pen, weather: str, veil: Colour, rng: Random) -> None:
    """Rain, snow or fog over what has been drawn so far."""
    if weather in ("rain", "storm"):
        slant = 0.05 if weather == "rain" else 0.10
        for _ in range(70):
            x, y = rng.uniform(-0.05, 1.05), rng.uniform(-0.1, 1)
            pen.line([(x, y), (x - slant, y + 0.11)], 0.008, (176, 206, 240))
    elif weather == "snow":
        for _ in range(75):
            pen.disc(rng.random(), rng.random(), rng.uniform(0.009, 0.019), WHITE)
    elif weather == "fog":
        image.paste(veil, (0, 0), gradient(image.width, (40, 40, 40), (95, 95, 95)).getchannel(0))


def _fill(pen: Pen, y: float, top: Colour, bottom: Colour) -> None:
    """The ground from y down to the lower edge, in bands that pass for a gradient."""
    steps = 8
    for i in range(steps):
        edge = y + (1 - y) * i / steps
        pen.box(0, edge, 1, 1, mix(top, bottom, i / (steps - 1)))


def _tree(p: Pen, x: float, y: float, height: float, leaves: Colour) -> None:
    p.box(x - height * 0.06, y - height * 0.45, x + height * 0.06, y, (104, 68, 42))
    for dx, dy, r in ((-0.2, 0.58, 0.24), (0.2, 0.58, 0.24), (0, 0.78, 0.27)):
        p.disc(x + dx * height, y - dy * height, r * height, leaves)


def beach(p: Pen, rng: Random) -> None:
    p.box(0, 0.47, 1, 0.72, (22, 132, 190))
    p.box(0, 0.56, 1, 0.72, (40, 176, 206))
    sail = rng.uniform(0.62, 0.78)
    p.poly([(sail, 0.30), (sail, 0.46), (sail + 0.09, 0.46)], WHITE)
    p.poly(
        [(sail - 0.06, 0.47), (sail + 0.1, 0.47), (sail + 0.07, 0.51), (sail - 0.03, 0.51)],
        (200, 60, 50),
    )
    for y in (0.54, 0.60):
        for x in (0.05, 0.35, 0.65, 0.95):
            p.arc(x + rng.uniform(-0.1, 0.1), y, 0.06, 0.012, 180, 360, 0.008, (190, 236, 244))
    _fill(p, 0.68, (252, 226, 160), (238, 196, 116))
    p.poly(
        [
            (0, 0.66),
            (0.3, 0.69),
            (0.6, 0.66),
            (1, 0.70),
            (1, 0.72),
            (0.6, 0.685),
            (0.3, 0.72),
            (0, 0.69),
        ],
        WHITE,
    )
    p.line([(1.0, 0.66), (0.97, 0.4), (0.90, 0.14)], 0.03, (140, 96, 54))
    for x, y in ((0.72, 0.12), (0.76, 0.26), (0.86, 0.03), (1.02, 0.06), (1.06, 0.2)):
        p.poly(
            [
                (0.90, 0.12),
                ((0.9 + x) / 2, (0.12 + y) / 2 - 0.06),
                (x, y),
                ((0.9 + x) / 2, (0.12 + y) / 2 + 0.01),
            ],
            (38, 150, 72),
        )


def graveyard(p: Pen, rng: Random) -> None:
    p.disc(0.25, 0.80, 0.55, (70, 78, 78), 0.26)
    p.disc(0.9, 0.82, 0.5, (60, 68, 72), 0.28)
    _fill(p, HORIZON, (84, 92, 74), (48, 54, 48))
    p.line([(0.93, 0.64), (0.91, 0.4), (0.95, 0.12)], 0.035, INK)
    for a, b in (
        ((0.92, 0.42), (0.78, 0.25)),
        ((0.78, 0.25), (0.72, 0.27)),
        ((0.78, 0.25), (0.78, 0.14)),
        ((0.93, 0.32), (1.02, 0.2)),
        ((0.94, 0.2), (0.87, 0.1)),
    ):
        p.line([a, b], 0.016, INK)
    for x in [i / 11 for i in range(12)]:
        p.line([(x, 0.52), (x, 0.64)], 0.009, INK)
    p.line([(0, 0.55), (1, 0.55)], 0.009, INK)
    for x, y, s in (
        (0.06, 0.72, 1),
        (0.55, 0.70, 1.1),
        (0.75, 0.62, 0.7),
        (0.50, 0.93, 0.9),
        (0.99, 0.72, 0.9),
    ):
        x += rng.uniform(-0.015, 0.015)
        p.box(x - 0.075 * s, y - 0.2 * s, x + 0.075 * s, y, (182, 184, 190), 0.07 * s)
        p.box(x - 0.075 * s, y - 0.08 * s, x + 0.075 * s, y, (182, 184, 190))
        p.line([(x, y - 0.17 * s), (x, y - 0.06 * s)], 0.016, (92, 94, 104))
        p.line(
            [(x - 0.035 * s, y - 0.135 * s), (x + 0.035 * s, y - 0.135 * s)], 0.016, (92, 94, 104)
        )


def mountain(p: Pen, rng: Random) -> None:
    for x, top, half, colour in (
        (0.12, 0.26, 0.42, (124, 136, 176)),
        (0.98, 0.22, 0.4, (124, 136, 176)),
        (0.60, 0.06 + rng.uniform(-0.02, 0.02), 0.46, (92, 104, 150)),
    ):
        p.poly([(x, top), (x + half, 0.70), (x - half, 0.70)], colour)
        p.poly([(x, top), (x + half, 0.70), (x + half * 0.15, 0.70)], mix(colour, INK, 0.25))
        h = (0.70 - top) * 0.38
        w = half * 0.38
        p.poly(
            [
                (x, top),
                (x + w, top + h),
                (x + w * 0.45, top + h * 0.75),
                (x, top + h * 1.1),
                (x - w * 0.45, top + h * 0.75),
                (x - w, top + h),
            ],
            WHITE,
        )
    _fill(p, 0.66, (106, 160, 110), (66, 124, 88))
    for x in (0.02, 0.44, 0.50, 0.97):
        for i in range(3):
            y = 0.74 - i * 0.05
            p.poly(
                [(x - 0.05 + i * 0.012, y), (x + 0.05 - i * 0.012, y), (x, y - 0.09)], (34, 92, 72)
            )


def dump(p: Pen, rng: Random) -> None:
    p.poly(
        [
            (0, 0.5),
            (0.14, 0.40),
            (0.32, 0.46),
            (0.5, 0.34),
            (0.68, 0.24),
            (0.84, 0.36),
            (1, 0.30),
            (1, 0.8),
            (0, 0.8),
        ],
        (128, 104, 70),
    )
    p.poly(
        [
            (0, 0.62),
            (0.2, 0.54),
            (0.42, 0.5),
            (0.6, 0.46),
            (0.8, 0.52),
            (1, 0.46),
            (1, 0.8),
            (0, 0.8),
        ],
        (104, 82, 56),
    )
    _fill(p, 0.68, (112, 96, 60), (82, 70, 46))
    scraps = (
        (170, 60, 50),
        (70, 110, 140),
        (210, 190, 90),
        (96, 140, 80),
        (200, 200, 196),
        (70, 66, 70),
    )
    for i in range(34):
        x, y = rng.random(), rng.uniform(0.42, 0.72)
        s, c = rng.uniform(0.02, 0.045), scraps[i % 6]
        p.poly([(x - s, y), (x + s * 0.3, y - s), (x + s, y + s * 0.4), (x - s * 0.2, y + s)], c)
    for x, y in ((0.52, 0.62), (0.74, 0.40), (0.93, 0.56), (0.06, 0.60)):
        p.disc(x, y, 0.062, (34, 34, 38))
        p.disc(x, y, 0.028, (126, 112, 92))
    for x in (0.56, 0.82):  # stench
        p.line([(x, 0.22), (x + 0.03, 0.16), (x, 0.10), (x + 0.03, 0.04)], 0.016, (150, 176, 60))


def forest(p: Pen, rng: Random) -> None:
    p.box(0, 0.12, 1, 0.7, (24, 74, 56))
    _fill(p, HORIZON, (62, 96, 48), (40, 70, 36))
    for row, (colour, n) in enumerate((((28, 92, 62), 7), ((38, 118, 70), 5))):
        for i in range(n):
            x, y, s = (
                (i + 0.5 * row) / (n - 1) + rng.uniform(-0.03, 0.03),
                0.64 + 0.05 * row,
                0.9 + 0.3 * row,
            )
            p.box(x - 0.014 * s, y - 0.12, x + 0.014 * s, y, (92, 60, 38))
            for k in range(4):
                w, ty = (0.10 - 0.018 * k) * s, y - 0.08 - 0.10 * k * s
                p.poly([(x - w, ty), (x + w, ty), (x, ty - 0.17 * s)], mix(colour, WHITE, 0.05 * k))


def city_street(p: Pen, rng: Random) -> None:
    walls = ((150, 104, 92), (112, 122, 146), (178, 152, 120), (92, 110, 128), (164, 122, 134))
    for i, (x, top) in enumerate(
        ((0, 0.14), (0.2, 0.28), (0.42, 0.10), (0.64, 0.22), (0.83, 0.06))
    ):
        top += rng.uniform(-0.03, 0.03)
        p.box(x, top, x + 0.23, 0.70, walls[i])
        for wy in range(5):
            for wx in range(3):
                left, upper = x + 0.03 + 0.06 * wx, top + 0.04 + 0.10 * wy
                if upper < 0.6:
                    p.box(
                        left,
                        upper,
                        left + 0.035,
                        upper + 0.055,
                        (255, 232, 140) if (wx + wy + i) % 3 else (84, 98, 120),
                    )
    p.box(0, 0.68, 1, 0.76, (176, 174, 172))
    _fill(p, 0.75, (84, 84, 92), (62, 62, 70))
    for x in (0, 0.26, 0.52, 0.78):
        p.box(x, 0.865, x + 0.14, 0.89, (240, 236, 210))
    p.line([(0.5, 0.72), (0.5, 0.3), (0.55, 0.27)], 0.018, (48, 52, 58))
    p.disc(0.56, 0.28, 0.03, (255, 240, 170))


def desert(p: Pen, rng: Random) -> None:
    p.disc(0.2, 0.74, 0.55, (226, 152, 84), 0.24)
    p.disc(0.86, 0.78, 0.5, (212, 132, 70), 0.30)
    _fill(p, 0.68, (238, 176, 100), (206, 132, 68))
    for x, y, s in (
        (0.58 + rng.uniform(-0.02, 0.02), 0.66, 1.15),
        (0.94, 0.60, 0.8),
        (0.03, 0.66, 0.8),
    ):
        green = (60, 132, 76)
        p.line([(x, y), (x, y - 0.26 * s)], 0.055 * s, green)
        p.line(
            [(x, y - 0.1 * s), (x - 0.08 * s, y - 0.1 * s), (x - 0.08 * s, y - 0.19 * s)],
            0.036 * s,
            green,
        )
        p.line(
            [(x, y - 0.14 * s), (x + 0.08 * s, y - 0.14 * s), (x + 0.08 * s, y - 0.22 * s)],
            0.036 * s,
            green,
        )
    for y in (0.80, 0.9):
        p.arc(0.5, y + 0.05, 0.5, 0.05, 200, 340, 0.008, (190, 116, 58))


def park(p: Pen, rng: Random) -> None:
    p.disc(0.5, 0.78, 0.9, (134, 200, 104), 0.22)
    _fill(p, HORIZON, (124, 198, 88), (78, 160, 66))
    p.poly([(0.46, 0.62), (0.54, 0.62), (0.66, 1), (0.34, 1)], (226, 206, 160))
    for x, y, h in (
        (0.04, 0.66, 0.42),
        (0.94, 0.64, 0.46),
        (0.52 + rng.uniform(-0.03, 0.03), 0.62, 0.26),
    ):
        _tree(p, x, y, h, (88, 178, 62))
    for x in (0.64, 0.84):  # a swing
        p.line([(x, 0.62), (x + (0.03 if x < 0.7 else -0.03), 0.34)], 0.02, (210, 66, 60))
    p.line([(0.67, 0.34), (0.81, 0.34)], 0.02, (210, 66, 60))
    for x in (0.71, 0.77):
        p.line([(x, 0.34), (x, 0.53)], 0.008, INK)
    p.box(0.70, 0.52, 0.78, 0.545, (250, 200, 60))


def _walls(p: Pen, colour: Colour, floor: Colour, skirting: Colour) -> None:
    """A room with a window hole over the object: x .54 to .94, y .06 to .46."""
    for box in ((0, 0, 1, 0.06), (0, 0.46, 1, 0.76), (0, 0.05, 0.54, 0.47), (0.94, 0.05, 1, 0.47)):
        p.box(*box, colour)
    _fill(p, 0.74, floor, mix(floor, INK, 0.3))
    p.box(0, 0.725, 1, 0.75, skirting)


def _window(p: Pen, frame: Colour) -> None:
    for a, b in (
        ((0.54, 0.06), (0.94, 0.06)),
        ((0.54, 0.46), (0.94, 0.46)),
        ((0.54, 0.06), (0.54, 0.46)),
        ((0.94, 0.06), (0.94, 0.46)),
        ((0.74, 0.06), (0.74, 0.46)),
        ((0.54, 0.26), (0.94, 0.26)),
    ):
        p.line([a, b], 0.02, frame)


def bedroom(p: Pen, rng: Random) -> None:
    _walls(p, (236, 186, 198), (170, 120, 92), (252, 240, 236))
    for x in [i / 9 for i in range(10)]:
        p.box(x, 0, x + 0.018, 0.06, (226, 166, 182))
        p.box(x, 0.47, x + 0.018, 0.73, (226, 166, 182))
    _window(p, (255, 250, 244))
    for x0, x1 in ((0.48, 0.58), (0.90, 1.0)):
        p.poly([(x0, 0.03), (x1, 0.03), ((x0 + x1) / 2, 0.52), (x0, 0.52)], (196, 88, 130))
    p.box(0.42, 0.48, 0.52, 0.95, (124, 78, 48), 0.03)  # the bed, behind the object
    p.box(0.46, 0.62, 1.02, 0.86, (250, 246, 250), 0.03)
    p.box(0.60, 0.64, 1.02, 0.90, (150, 110, 190), 0.03)
    p.box(0.08, 0.08, 0.34, 0.16, (150, 100, 70))
    p.box(0.44, 0.10, 0.50, 0.20, (250, 220, 120))


def office(p: Pen, rng: Random) -> None:
    _walls(p, (186, 200, 206), (112, 122, 134), (96, 108, 120))
    _window(p, (70, 80, 92))
    for y in (0.09, 0.12, 0.15):
        p.line([(0.55, y), (0.93, y)], 0.012, (238, 240, 238))
    p.box(0.03, 0.06, 0.46, 0.34, (250, 250, 250), 0.01)
    p.line([(0.08, 0.28), (0.16, 0.2), (0.24, 0.24), (0.40, 0.11)], 0.016, (40, 120, 210))
    p.box(0.40, 0.66, 1, 0.70, (142, 108, 76))
    p.box(0.44, 0.70, 0.48, 0.9, (112, 84, 60))
    p.box(0.47, 0.48, 0.68, 0.62, (36, 40, 48), 0.01)
    p.box(0.485, 0.495, 0.665, 0.605, (96, 176, 226))
    p.box(0.56, 0.62, 0.59, 0.66, (36, 40, 48))
    p.box(0.0, 0.56, 0.07, 0.9, (128, 140, 150))
    for y in (0.62, 0.72, 0.82):
        p.box(0.015, y, 0.055, y + 0.015, (70, 80, 90))


PLACES: dict[
    str, tuple[Callable[[Pen, Random], None], bool]
] = {  # name -> (how to draw it, is it a room)
    "beach": (beach, False),
    "graveyard": (graveyard, False),
    "mountain": (mountain, False),
    "dump": (dump, False),
    "forest": (forest, False),
    "city street": (city_street, False),
    "bedroom": (bedroom, True),
    "desert": (desert, False),
    "park": (park, False),
    "office": (office, True),
}
