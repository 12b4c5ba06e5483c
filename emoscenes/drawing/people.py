"""The person of a scene: a big head with one of seven expressions on a body in one of six postures.

Takes a pen whose origin is on the ground between the feet and whose unit is the width of the
picture. Hair, skin and clothes come from the scene's seed. An expression changes the face alone; an
action changes the body and the height of the head. Expressions differ in mouth, brows, eyes and
colour of the face. Faces and postures are in people.yaml.
"""

from dataclasses import dataclass
from pathlib import Path

from emoscenes.drawing.pen import Colour, Pen, Points, mix
from emoscenes.drawing.shapes import draw_shapes, read_shapes

HEAD = 0.2  # radius of the head
SKINS = ((255, 219, 186), (241, 194, 150), (222, 170, 122), (176, 122, 84), (140, 92, 62))
HAIRS = ((44, 30, 26), (92, 58, 34), (150, 96, 44), (226, 180, 92), (168, 64, 40), (90, 88, 96))
SHIRTS = (
    (64, 132, 200),
    (88, 168, 120),
    (232, 132, 76),
    (150, 108, 190),
    (240, 196, 80),
    (80, 176, 184),
)
TROUSERS = ((58, 66, 98), (92, 84, 80), (70, 88, 74), (108, 74, 60))
BLUSH, SEAT, STOOL_LEG = (255, 90, 90), (150, 96, 52), (120, 74, 40)

SHAPES = read_shapes(Path(__file__).parent / "people.yaml")
COLOURS = SHAPES["colours"]
INK = COLOURS["ink"]


@dataclass(frozen=True)
class Looks:
    """What varies between persons and does not depend on the emotion."""

    skin: Colour
    hair: Colour
    shirt: Colour
    trousers: Colour
    cut: int  # hair style: 0 short, 1 long, 2 bun


def draw_person(pen: Pen, looks: Looks, expression: str, action: str) -> None:
    """Draw the whole person, body first."""
    posture = SHAPES["postures"][action]
    _draw_body(pen, looks, posture)
    x, y = posture["head"]
    _draw_head(pen.at(x, -y, HEAD), looks, expression)


def _down(points: Points) -> Points:
    """Points of a posture, where y runs up, in the frame of the pen."""
    return [(x, -y) for x, y in points]


def _draw_body(pen: Pen, looks: Looks, posture: dict) -> None:
    if posture.get("stool"):
        _draw_stool(pen)
    # both arms behind the body; the second is drawn again before it
    sleeve = mix(looks.shirt, INK, 0.2)
    for arm in posture["arms"]:
        shoulder, elbow, hand = _down(arm)
        pen.line([shoulder, elbow], 0.055, sleeve)
        pen.line([elbow, hand], 0.05, looks.skin)
    shoe = mix(looks.trousers, INK, 0.6)
    for leg, shade in zip(posture["legs"], (0.15, 0.0), strict=True):
        pen.line(_down(leg), 0.068, mix(looks.trousers, INK, shade))
        x, y = leg[-1]
        pen.disc(x + 0.015, -y + 0.005, 0.045, shoe, 0.022)
    _draw_trunk(pen, looks, posture)
    shoulder, elbow, hand = _down(posture["arms"][1])
    pen.line([shoulder, elbow], 0.055, mix(looks.shirt, INK, 0.08))
    pen.line([elbow, hand], 0.05, looks.skin)
    for arm in posture["arms"]:
        x, y = arm[-1]
        pen.disc(x, -y, 0.032, looks.skin)


def _draw_stool(pen: Pen) -> None:
    pen.box((-0.12, -0.115, 0.05, -0.075), SEAT)
    pen.line([(-0.10, -0.09), (-0.11, -0.01)], 0.025, STOOL_LEG)
    pen.line([(0.03, -0.09), (0.03, -0.01)], 0.025, STOOL_LEG)


def _draw_trunk(pen: Pen, looks: Looks, posture: dict) -> None:
    hip_x, hip_y = posture["hip"]
    neck_x, head_y = posture["head"]
    neck_y = head_y - HEAD
    shoulders = [(neck_x - 0.075, neck_y), (neck_x + 0.075, neck_y)]
    hips = [(hip_x + 0.085, hip_y), (hip_x - 0.085, hip_y)]
    pen.poly(_down(shoulders + hips), looks.shirt)
    pen.disc(hip_x, -hip_y, 0.085, looks.shirt, 0.03)


def _draw_head(pen: Pen, looks: Looks, expression: str) -> None:
    """The unit is the radius of the head."""
    if looks.cut == 1:
        pen.disc(0, 0.05, 1.04, looks.hair, 1.0)
        pen.box((-1.02, 0.0, 1.02, 0.85), looks.hair, 0.35)
    if looks.cut == 2:
        pen.disc(0, -1.0, 0.34, looks.hair)
    flush = SHAPES["flush"][expression]
    skin = mix(looks.skin, flush["colour"], flush["share"])
    ear = mix(skin, INK, 0.12)
    for side in (-1, 1):
        pen.disc(side * 0.93, 0.1, 0.17, ear)
    pen.disc(0, 0.02, 0.95, skin, 0.96)
    pen.cap((0, -0.02, 0.99, 1.0), (205, 335), looks.hair)
    of_skin = {
        "blush": mix(skin, BLUSH, 0.55),
        "wrinkle": mix(skin, INK, 0.5),
        "deep wrinkle": mix(skin, INK, 0.75),
    }
    draw_shapes(pen, SHAPES["faces"][expression], COLOURS | of_skin)
