"""What stands behind a scene's person and object: sky, weather, and one of ten places.

Takes a pen whose frame is the whole picture (x and y in [0, 1]), mirrored with the scene, so that the
person stands at the left and the object at the lower right of every frame. Rooms show sky and weather
through a window; everywhere else weather falls on the place.
"""

from collections.abc import Callable
from random import Random

import numpy as np
from PIL import Image, ImageDraw

from tinyemo.worlds.pen import Colour, Pen, mix
from tinyemo.worlds.scenes import Scene

HORIZON = 0.62
WHITE, INK = (255, 255, 255), (36, 34, 44)

SKY: dict[str, tuple[Colour, Colour]] = {  # time -> colour at the top, at the horizon
    "day": ((70, 150, 235), (196, 230, 252)), "sunset": ((104, 66, 150), (255, 168, 92)),
    "night": ((10, 14, 46), (50, 62, 120)),
}
OVERCAST: dict[str, tuple[Colour, float]] = {  # weather -> what veils the sky, how much of it
    "clear": (WHITE, 0.0), "cloudy": ((206, 212, 220), 0.40), "rain": ((92, 108, 128), 0.70),
    "snow": ((226, 234, 246), 0.70), "fog": ((166, 170, 166), 0.78), "storm": ((44, 42, 62), 0.85),
}
TIME_LIGHT = {"day": (1.0, 1.0, 1.0), "sunset": (1.04, .84, .74), "night": (.58, .64, .90)}
WEATHER_LIGHT = {"clear": 1.0, "cloudy": .94, "rain": .82, "snow": 1.0, "fog": .95, "storm": .78}


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
    lit = Pen(canvas, pen.x, 0, size, pen.flip, light(scene.weather, scene.time, 0.55 if indoors else 1.0))
    if indoors:
        _fall(image, pen, scene.weather, veil, rng)
        place(lit, rng)
        return image
    place(lit, rng)
    if scene.weather in ("snow", "rain", "storm"):
        cover, most = (mix(WHITE, veil, .2), 190) if scene.weather == "snow" else ((70, 84, 120), 80)
        fade = gradient(size, (0, 0, 0), WHITE).getchannel(0).point([min(most, 3 * v) for v in range(256)])
        image.paste(cover, (0, round(size * (HORIZON - .08))), fade)
    _fall(image, pen, scene.weather, veil, rng)
    return image


def _sky(pen: Pen, weather: str, time: str, veil: Colour, rng: Random) -> None:
    if weather in ("clear", "cloudy"):
        x = .56 + rng.uniform(-.02, .02)
        if time == "day":
            pen.disc(x, .11, .085, (255, 244, 190))
            pen.disc(x, .11, .065, (255, 226, 70))
        elif time == "sunset":
            pen.disc(x, .46, .13, (255, 214, 120))
            pen.disc(x, .46, .10, (255, 120, 60))
        else:
            pen.disc(x, .11, .075, (250, 246, 214))
            pen.disc(x - .035, .095, .065, mix(SKY["night"][0], SKY["night"][1], .1))
    if time == "night" and weather == "clear":
        for _ in range(26):
            pen.disc(rng.random(), rng.random() * .5, rng.uniform(.004, .009), (255, 250, 220))
    if weather in ("cloudy", "storm", "rain"):
        colour = mix(veil, WHITE if weather == "cloudy" else INK, .65 if weather == "cloudy" else .35)
        for x, y in ((.12, .08), (.42, .15), (.72, .07), (.97, .16)):
            x, y = x + rng.uniform(-.05, .05), y + rng.uniform(-.02, .02)
            for dx, dy, r in ((-.09, .02, .055), (0, -.01, .08), (.09, .02, .06)):
                pen.disc(x + dx, y + dy, r * 1.2, colour, r * .85)
    if weather == "storm":
        bolt = [(.60, .0), (.52, .2), (.58, .2), (.50, .46), (.68, .16), (.61, .16), (.68, .0)]
        pen.poly(bolt, (255, 244, 120))


def _fall(image: Image.Image, pen: Pen, weather: str, veil: Colour, rng: Random) -> None:
    """Rain, snow or fog over what has been drawn so far."""
    if weather in ("rain", "storm"):
        slant = .05 if weather == "rain" else .10
        for _ in range(70):
            x, y = rng.uniform(-.05, 1.05), rng.uniform(-.1, 1)
            pen.line([(x, y), (x - slant, y + .11)], .008, (176, 206, 240))
    elif weather == "snow":
        for _ in range(75):
            pen.disc(rng.random(), rng.random(), rng.uniform(.009, .019), WHITE)
    elif weather == "fog":
        image.paste(veil, (0, 0), gradient(image.width, (40, 40, 40), (95, 95, 95)).getchannel(0))


def _fill(pen: Pen, y: float, top: Colour, bottom: Colour) -> None:
    """The ground from y down to the lower edge, in bands that pass for a gradient."""
    steps = 8
    for i in range(steps):
        edge = y + (1 - y) * i / steps
        pen.box(0, edge, 1, 1, mix(top, bottom, i / (steps - 1)))


def _tree(p: Pen, x: float, y: float, height: float, leaves: Colour) -> None:
    p.box(x - height * .06, y - height * .45, x + height * .06, y, (104, 68, 42))
    for dx, dy, r in ((-.2, .58, .24), (.2, .58, .24), (0, .78, .27)):
        p.disc(x + dx * height, y - dy * height, r * height, leaves)


def beach(p: Pen, rng: Random) -> None:
    p.box(0, .47, 1, .72, (22, 132, 190))
    p.box(0, .56, 1, .72, (40, 176, 206))
    sail = rng.uniform(.62, .78)
    p.poly([(sail, .30), (sail, .46), (sail + .09, .46)], WHITE)
    p.poly([(sail - .06, .47), (sail + .1, .47), (sail + .07, .51), (sail - .03, .51)], (200, 60, 50))
    for y in (.54, .60):
        for x in (.05, .35, .65, .95):
            p.arc(x + rng.uniform(-.1, .1), y, .06, .012, 180, 360, .008, (190, 236, 244))
    _fill(p, .68, (252, 226, 160), (238, 196, 116))
    p.poly([(0, .66), (.3, .69), (.6, .66), (1, .70), (1, .72), (.6, .685), (.3, .72), (0, .69)], WHITE)
    p.line([(1.0, .66), (.97, .4), (.90, .14)], .03, (140, 96, 54))
    for x, y in ((.72, .12), (.76, .26), (.86, .03), (1.02, .06), (1.06, .2)):
        p.poly([(.90, .12), ((.9 + x) / 2, (.12 + y) / 2 - .06), (x, y), ((.9 + x) / 2, (.12 + y) / 2 + .01)],
               (38, 150, 72))


def graveyard(p: Pen, rng: Random) -> None:
    p.disc(.25, .80, .55, (70, 78, 78), .26)
    p.disc(.9, .82, .5, (60, 68, 72), .28)
    _fill(p, HORIZON, (84, 92, 74), (48, 54, 48))
    p.line([(.93, .64), (.91, .4), (.95, .12)], .035, INK)
    for a, b in (((.92, .42), (.78, .25)), ((.78, .25), (.72, .27)), ((.78, .25), (.78, .14)),
                 ((.93, .32), (1.02, .2)), ((.94, .2), (.87, .1))):
        p.line([a, b], .016, INK)
    for x in [i / 11 for i in range(12)]:
        p.line([(x, .52), (x, .64)], .009, INK)
    p.line([(0, .55), (1, .55)], .009, INK)
    for x, y, s in ((.06, .72, 1), (.55, .70, 1.1), (.75, .62, .7), (.50, .93, .9), (.99, .72, .9)):
        x += rng.uniform(-.015, .015)
        p.box(x - .075 * s, y - .2 * s, x + .075 * s, y, (182, 184, 190), .07 * s)
        p.box(x - .075 * s, y - .08 * s, x + .075 * s, y, (182, 184, 190))
        p.line([(x, y - .17 * s), (x, y - .06 * s)], .016, (92, 94, 104))
        p.line([(x - .035 * s, y - .135 * s), (x + .035 * s, y - .135 * s)], .016, (92, 94, 104))


def mountain(p: Pen, rng: Random) -> None:
    for x, top, half, colour in ((.12, .26, .42, (124, 136, 176)), (.98, .22, .4, (124, 136, 176)),
                                 (.60, .06 + rng.uniform(-.02, .02), .46, (92, 104, 150))):
        p.poly([(x, top), (x + half, .70), (x - half, .70)], colour)
        p.poly([(x, top), (x + half, .70), (x + half * .15, .70)], mix(colour, INK, .25))
        h = (.70 - top) * .38
        w = half * .38
        p.poly([(x, top), (x + w, top + h), (x + w * .45, top + h * .75), (x, top + h * 1.1),
                (x - w * .45, top + h * .75), (x - w, top + h)], WHITE)
    _fill(p, .66, (106, 160, 110), (66, 124, 88))
    for x in (.02, .44, .50, .97):
        for i in range(3):
            y = .74 - i * .05
            p.poly([(x - .05 + i * .012, y), (x + .05 - i * .012, y), (x, y - .09)], (34, 92, 72))


def dump(p: Pen, rng: Random) -> None:
    p.poly([(0, .5), (.14, .40), (.32, .46), (.5, .34), (.68, .24), (.84, .36), (1, .30), (1, .8), (0, .8)],
           (128, 104, 70))
    p.poly([(0, .62), (.2, .54), (.42, .5), (.6, .46), (.8, .52), (1, .46), (1, .8), (0, .8)], (104, 82, 56))
    _fill(p, .68, (112, 96, 60), (82, 70, 46))
    scraps = ((170, 60, 50), (70, 110, 140), (210, 190, 90), (96, 140, 80), (200, 200, 196), (70, 66, 70))
    for i in range(34):
        x, y = rng.random(), rng.uniform(.42, .72)
        s, c = rng.uniform(.02, .045), scraps[i % 6]
        p.poly([(x - s, y), (x + s * .3, y - s), (x + s, y + s * .4), (x - s * .2, y + s)], c)
    for x, y in ((.52, .62), (.74, .40), (.93, .56), (.06, .60)):
        p.disc(x, y, .062, (34, 34, 38))
        p.disc(x, y, .028, (126, 112, 92))
    for x in (.56, .82):  # stench
        p.line([(x, .22), (x + .03, .16), (x, .10), (x + .03, .04)], .016, (150, 176, 60))


def forest(p: Pen, rng: Random) -> None:
    p.box(0, .12, 1, .7, (24, 74, 56))
    _fill(p, HORIZON, (62, 96, 48), (40, 70, 36))
    for row, (colour, n) in enumerate((((28, 92, 62), 7), ((38, 118, 70), 5))):
        for i in range(n):
            x, y, s = (i + .5 * row) / (n - 1) + rng.uniform(-.03, .03), .64 + .05 * row, .9 + .3 * row
            p.box(x - .014 * s, y - .12, x + .014 * s, y, (92, 60, 38))
            for k in range(4):
                w, ty = (.10 - .018 * k) * s, y - .08 - .10 * k * s
                p.poly([(x - w, ty), (x + w, ty), (x, ty - .17 * s)], mix(colour, WHITE, .05 * k))


def city_street(p: Pen, rng: Random) -> None:
    walls = ((150, 104, 92), (112, 122, 146), (178, 152, 120), (92, 110, 128), (164, 122, 134))
    for i, (x, top) in enumerate(((0, .14), (.2, .28), (.42, .10), (.64, .22), (.83, .06))):
        top += rng.uniform(-.03, .03)
        p.box(x, top, x + .23, .70, walls[i])
        for wy in range(5):
            for wx in range(3):
                left, upper = x + .03 + .06 * wx, top + .04 + .10 * wy
                if upper < .6:
                    p.box(left, upper, left + .035, upper + .055,
                          (255, 232, 140) if (wx + wy + i) % 3 else (84, 98, 120))
    p.box(0, .68, 1, .76, (176, 174, 172))
    _fill(p, .75, (84, 84, 92), (62, 62, 70))
    for x in (0, .26, .52, .78):
        p.box(x, .865, x + .14, .89, (240, 236, 210))
    p.line([(.5, .72), (.5, .3), (.55, .27)], .018, (48, 52, 58))
    p.disc(.56, .28, .03, (255, 240, 170))


def desert(p: Pen, rng: Random) -> None:
    p.disc(.2, .74, .55, (226, 152, 84), .24)
    p.disc(.86, .78, .5, (212, 132, 70), .30)
    _fill(p, .68, (238, 176, 100), (206, 132, 68))
    for x, y, s in ((.58 + rng.uniform(-.02, .02), .66, 1.15), (.94, .60, .8), (.03, .66, .8)):
        green = (60, 132, 76)
        p.line([(x, y), (x, y - .26 * s)], .055 * s, green)
        p.line([(x, y - .1 * s), (x - .08 * s, y - .1 * s), (x - .08 * s, y - .19 * s)], .036 * s, green)
        p.line([(x, y - .14 * s), (x + .08 * s, y - .14 * s), (x + .08 * s, y - .22 * s)], .036 * s, green)
    for y in (.80, .9):
        p.arc(.5, y + .05, .5, .05, 200, 340, .008, (190, 116, 58))


def park(p: Pen, rng: Random) -> None:
    p.disc(.5, .78, .9, (134, 200, 104), .22)
    _fill(p, HORIZON, (124, 198, 88), (78, 160, 66))
    p.poly([(.46, .62), (.54, .62), (.66, 1), (.34, 1)], (226, 206, 160))
    for x, y, h in ((.04, .66, .42), (.94, .64, .46), (.52 + rng.uniform(-.03, .03), .62, .26)):
        _tree(p, x, y, h, (88, 178, 62))
    for x in (.64, .84):  # a swing
        p.line([(x, .62), (x + (.03 if x < .7 else -.03), .34)], .02, (210, 66, 60))
    p.line([(.67, .34), (.81, .34)], .02, (210, 66, 60))
    for x in (.71, .77):
        p.line([(x, .34), (x, .53)], .008, INK)
    p.box(.70, .52, .78, .545, (250, 200, 60))


def _walls(p: Pen, colour: Colour, floor: Colour, skirting: Colour) -> None:
    """A room with a window hole over the object: x .54 to .94, y .06 to .46."""
    for box in ((0, 0, 1, .06), (0, .46, 1, .76), (0, .05, .54, .47), (.94, .05, 1, .47)):
        p.box(*box, colour)
    _fill(p, .74, floor, mix(floor, INK, .3))
    p.box(0, .725, 1, .75, skirting)


def _window(p: Pen, frame: Colour) -> None:
    for a, b in (((.54, .06), (.94, .06)), ((.54, .46), (.94, .46)), ((.54, .06), (.54, .46)),
                 ((.94, .06), (.94, .46)), ((.74, .06), (.74, .46)), ((.54, .26), (.94, .26))):
        p.line([a, b], .02, frame)


def bedroom(p: Pen, rng: Random) -> None:
    _walls(p, (236, 186, 198), (170, 120, 92), (252, 240, 236))
    for x in [i / 9 for i in range(10)]:
        p.box(x, 0, x + .018, .06, (226, 166, 182))
        p.box(x, .47, x + .018, .73, (226, 166, 182))
    _window(p, (255, 250, 244))
    for x0, x1 in ((.48, .58), (.90, 1.0)):
        p.poly([(x0, .03), (x1, .03), ((x0 + x1) / 2, .52), (x0, .52)], (196, 88, 130))
    p.box(.42, .48, .52, .95, (124, 78, 48), .03)  # the bed, behind the object
    p.box(.46, .62, 1.02, .86, (250, 246, 250), .03)
    p.box(.60, .64, 1.02, .90, (150, 110, 190), .03)
    p.box(.08, .08, .34, .16, (150, 100, 70))
    p.box(.44, .10, .50, .20, (250, 220, 120))


def office(p: Pen, rng: Random) -> None:
    _walls(p, (186, 200, 206), (112, 122, 134), (96, 108, 120))
    _window(p, (70, 80, 92))
    for y in (.09, .12, .15):
        p.line([(.55, y), (.93, y)], .012, (238, 240, 238))
    p.box(.03, .06, .46, .34, (250, 250, 250), .01)
    p.line([(.08, .28), (.16, .2), (.24, .24), (.40, .11)], .016, (40, 120, 210))
    p.box(.40, .66, 1, .70, (142, 108, 76))
    p.box(.44, .70, .48, .9, (112, 84, 60))
    p.box(.47, .48, .68, .62, (36, 40, 48), .01)
    p.box(.485, .495, .665, .605, (96, 176, 226))
    p.box(.56, .62, .59, .66, (36, 40, 48))
    p.box(.0, .56, .07, .9, (128, 140, 150))
    for y in (.62, .72, .82):
        p.box(.015, y, .055, y + .015, (70, 80, 90))


PLACES: dict[str, tuple[Callable[[Pen, Random], None], bool]] = {  # name -> (how to draw it, is it a room)
    "beach": (beach, False), "graveyard": (graveyard, False), "mountain": (mountain, False),
    "dump": (dump, False), "forest": (forest, False), "city street": (city_street, False),
    "bedroom": (bedroom, True), "desert": (desert, False), "park": (park, False), "office": (office, True),
}
