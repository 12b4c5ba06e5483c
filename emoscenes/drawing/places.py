"""The ten places of a scene.

Takes a pen whose frame is the whole picture (x and y in [0, 1]) and a random generator for details
that do not depend on the emotion. Layers that are the same in every scene are in places.yaml; those
that vary, or repeat by a rule, are drawn here.
"""

from collections.abc import Callable
from pathlib import Path
from random import Random

from emoscenes.drawing.pen import Colour, Pen, mix
from emoscenes.drawing.shapes import draw_shapes, read_shapes

HORIZON = 0.62
SHAPES = read_shapes(Path(__file__).parent / "places.yaml")
COLOURS = SHAPES["colours"]
WHITE, INK = COLOURS["white"], COLOURS["ink"]


def _draw_layer(pen: Pen, place: str, *layers: str) -> None:
    for layer in layers:
        draw_shapes(pen, SHAPES[place][layer], COLOURS)


def _beach(pen: Pen, rng: Random) -> None:
    _draw_layer(pen, "beach", "sea")
    mast = rng.uniform(0.62, 0.78)
    sail = [(mast, 0.30), (mast, 0.46), (mast + 0.09, 0.46)]
    pen.poly(sail, WHITE)
    deck = [(mast - 0.06, 0.47), (mast + 0.1, 0.47)]
    keel = [(mast + 0.07, 0.51), (mast - 0.03, 0.51)]
    pen.poly(deck + keel, COLOURS["boat"])
    for x, y in SHAPES["beach"]["waves"]:
        shifted = x + rng.uniform(-0.1, 0.1)
        pen.arc((shifted, y, 0.06, 0.012), (180, 360), 0.008, COLOURS["wave"])
    _draw_layer(pen, "beach", "shore")
    top = (0.9, 0.12)  # of a palm tree
    for tip in SHAPES["beach"]["tips of palm leaves"]:
        x = (top[0] + tip[0]) / 2
        y = (top[1] + tip[1]) / 2
        pen.poly([top, (x, y - 0.06), tip, (x, y + 0.01)], COLOURS["palm leaf"])


def _graveyard(pen: Pen, rng: Random) -> None:
    _draw_layer(pen, "graveyard", "hills", "bare tree")
    for i in range(12):  # a fence
        x = i / 11
        pen.line([(x, 0.52), (x, 0.64)], 0.009, INK)
    pen.line([(0, 0.55), (1, 0.55)], 0.009, INK)
    for x, y, size in SHAPES["graveyard"]["stones"]:
        shifted = x + rng.uniform(-0.015, 0.015)
        _draw_gravestone(pen, shifted, y, size)


def _draw_gravestone(pen: Pen, x: float, y: float, size: float) -> None:
    """A stone with a cross; (x, y) is the middle of its foot."""
    stone = COLOURS["stone"]
    left = x - 0.075 * size
    right = x + 0.075 * size
    rounded_from = y - 0.2 * size
    square_from = y - 0.08 * size
    pen.box((left, rounded_from, right, y), stone, 0.07 * size)
    pen.box((left, square_from, right, y), stone)
    cross_top = y - 0.17 * size
    cross_foot = y - 0.06 * size
    pen.line([(x, cross_top), (x, cross_foot)], 0.016, COLOURS["engraving"])
    height = y - 0.135 * size  # of the crossbar
    half = 0.035 * size
    pen.line([(x - half, height), (x + half, height)], 0.016, COLOURS["engraving"])


def _mountain(pen: Pen, rng: Random) -> None:
    for x, top, half in SHAPES["mountain"]["far peaks"]:
        _draw_peak(pen, x, top, half, COLOURS["far peak"])
    top = 0.06 + rng.uniform(-0.02, 0.02)
    _draw_peak(pen, 0.60, top, 0.46, COLOURS["near peak"])
    _draw_layer(pen, "mountain", "meadow")
    for x in SHAPES["mountain"]["firs"]:
        for tier in range(3):
            y = 0.74 - tier * 0.05
            left = x - 0.05 + tier * 0.012
            right = x + 0.05 - tier * 0.012
            pen.poly([(left, y), (right, y), (x, y - 0.09)], COLOURS["fir"])


def _draw_peak(pen: Pen, x: float, top: float, half: float, colour: Colour) -> None:
    """A peak with a shaded side and snow; `half` is half of its width."""
    foot = 0.70
    left, right = (x - half, foot), (x + half, foot)
    edge_of_shade = (x + half * 0.15, foot)
    pen.poly([(x, top), right, left], colour)
    pen.poly([(x, top), right, edge_of_shade], mix(colour, INK, 0.25))
    height = (foot - top) * 0.38
    width = half * 0.38
    snow_line = top + height  # at the outer edges; jagged in between
    upper = top + height * 0.75
    lower = top + height * 1.1
    right_side = [(x + width, snow_line), (x + width * 0.45, upper)]
    left_side = [(x - width * 0.45, upper), (x - width, snow_line)]
    pen.poly([(x, top), *right_side, (x, lower), *left_side], WHITE)


def _dump(pen: Pen, rng: Random) -> None:
    _draw_layer(pen, "dump", "heap")
    colours = SHAPES["dump"]["colours of scraps"]
    for i in range(34):  # scraps
        x = rng.random()
        y = rng.uniform(0.42, 0.72)
        size = rng.uniform(0.02, 0.045)
        left = (x - size, y)
        upper = (x + size * 0.3, y - size)
        right = (x + size, y + size * 0.4)
        lower = (x - size * 0.2, y + size)
        pen.poly([left, upper, right, lower], colours[i % len(colours)])
    _draw_layer(pen, "dump", "tyres")
    for x in (0.56, 0.82):  # stench
        waves = [(x, 0.22), (x + 0.03, 0.16), (x, 0.10), (x + 0.03, 0.04)]
        pen.line(waves, 0.016, COLOURS["stench"])


def _forest(pen: Pen, rng: Random) -> None:
    _draw_layer(pen, "forest", "ground")
    for row, (colour, count) in enumerate((("far fir", 7), ("near fir", 5))):
        y = 0.64 + 0.05 * row
        size = 0.9 + 0.3 * row
        for i in range(count):
            x = (i + 0.5 * row) / (count - 1)
            _draw_fir(pen, x + rng.uniform(-0.03, 0.03), y, size, COLOURS[colour])


def _draw_fir(pen: Pen, x: float, y: float, size: float, colour: Colour) -> None:
    """A fir of four tiers, lighter towards the top; (x, y) is the middle of its foot."""
    half = 0.014 * size
    pen.box((x - half, y - 0.12, x + half, y), COLOURS["trunk of a fir"])
    for tier in range(4):
        half = (0.10 - 0.018 * tier) * size
        edge = y - 0.08 - 0.10 * tier * size
        tip = (x, edge - 0.17 * size)
        needles = [(x - half, edge), (x + half, edge), tip]
        pen.poly(needles, mix(colour, WHITE, 0.05 * tier))


def _city_street(pen: Pen, rng: Random) -> None:
    for number, house in enumerate(SHAPES["city street"]["houses"]):
        left = house["left"]
        top = house["top"] + rng.uniform(-0.03, 0.03)
        pen.box((left, top, left + 0.23, 0.70), house["colour"])
        _draw_windows(pen, left, top, number)
    _draw_layer(pen, "city street", "road")
    for x in (0, 0.26, 0.52, 0.78):  # road markings
        pen.box((x, 0.865, x + 0.14, 0.89), COLOURS["road marking"])
    _draw_layer(pen, "city street", "lamp")


def _draw_windows(pen: Pen, x: float, top: float, number: int) -> None:
    """Windows of house `number`; two of three are lit. (x, top) is the house's upper left
    corner."""
    for row in range(5):
        upper = top + 0.04 + 0.10 * row
        if upper >= 0.6:
            break
        for column in range(3):
            left = x + 0.03 + 0.06 * column
            lit = (column + row + number) % 3
            colour = COLOURS["lit window"] if lit else COLOURS["dark window"]
            pen.box((left, upper, left + 0.035, upper + 0.055), colour)


def _desert(pen: Pen, rng: Random) -> None:
    _draw_layer(pen, "desert", "dunes")
    _draw_cactus(pen, 0.58 + rng.uniform(-0.02, 0.02), 0.66, 1.15)
    _draw_cactus(pen, 0.94, 0.60, 0.8)
    _draw_cactus(pen, 0.03, 0.66, 0.8)
    for y in (0.80, 0.9):  # ripples in the sand
        pen.arc((0.5, y + 0.05, 0.5, 0.05), (200, 340), 0.008, COLOURS["ripple"])


def _draw_cactus(pen: Pen, x: float, y: float, size: float) -> None:
    """A stem with an arm on either side; (x, y) is the middle of its foot."""
    pen.line([(x, y), (x, y - 0.26 * size)], 0.055 * size, COLOURS["cactus"])
    arms = ((x - 0.08 * size, 0.1, 0.19), (x + 0.08 * size, 0.14, 0.22))
    for side, joint, tip in arms:
        lower = y - joint * size
        upper = y - tip * size
        pen.line([(x, lower), (side, lower), (side, upper)], 0.036 * size, COLOURS["cactus"])


def _park(pen: Pen, rng: Random) -> None:
    _draw_layer(pen, "park", "meadow")
    _draw_tree(pen, 0.04, 0.66, 0.42)
    _draw_tree(pen, 0.94, 0.64, 0.46)
    _draw_tree(pen, 0.52 + rng.uniform(-0.03, 0.03), 0.62, 0.26)
    for foot, lean in ((0.64, 0.03), (0.84, -0.03)):  # posts of the swing
        pen.line([(foot, 0.62), (foot + lean, 0.34)], 0.02, COLOURS["swing"])
    _draw_layer(pen, "park", "swing")


def _draw_tree(pen: Pen, x: float, y: float, height: float) -> None:
    """A tree with a round crown; (x, y) is the middle of its foot."""
    half = height * 0.06
    top_of_trunk = y - height * 0.45
    pen.box((x - half, top_of_trunk, x + half, y), COLOURS["trunk of a tree"])
    for dx, dy, radius in SHAPES["park"]["discs of a crown"]:
        pen.disc(x + dx * height, y - dy * height, radius * height, COLOURS["crown"])


def _bedroom(pen: Pen, rng: Random) -> None:
    _draw_layer(pen, "bedroom", "walls")
    for i in range(10):  # stripes of the wallpaper
        x = i / 9
        pen.box((x, 0, x + 0.018, 0.06), COLOURS["stripe"])
        pen.box((x, 0.47, x + 0.018, 0.73), COLOURS["stripe"])
    _draw_layer(pen, "bedroom", "window", "curtains", "furniture")


def _office(pen: Pen, rng: Random) -> None:
    _draw_layer(pen, "office", "walls", "window", "blinds", "furniture")


INDOORS = ("bedroom", "office")
PLACES: dict[str, Callable[[Pen, Random], None]] = {
    "beach": _beach,
    "graveyard": _graveyard,
    "mountain": _mountain,
    "dump": _dump,
    "forest": _forest,
    "city street": _city_street,
    "bedroom": _bedroom,
    "desert": _desert,
    "park": _park,
    "office": _office,
}
