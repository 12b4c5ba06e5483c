"""The person of a scene: a big head with one of seven expressions on a body in one of six postures.

Takes a pen whose origin is on the ground between the feet and whose unit is the image's width. Hair,
skin and shirt come from the scene's looks; an expression changes the face alone, an action the body and
the height of the head. Each expression differs from the others in mouth, brows, eyes and colour of face.
"""

from dataclasses import dataclass

from emoscenes.drawing.pen import Colour, Pen, Points, mix

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
INK, WHITE = (40, 28, 32), (255, 255, 255)
MOUTH, TONGUE, TEAR = (120, 26, 40), (240, 110, 130), (70, 160, 255)

# expression -> (colour the face turns to, how far)
FLUSH: dict[str, tuple[Colour, float]] = {
    "smiling": ((255, 205, 120), 0.35),
    "crying": ((150, 170, 225), 0.45),
    "scowling": ((226, 52, 40), 0.72),
    "wide-eyed": ((214, 232, 255), 0.80),
    "grimacing": ((134, 190, 70), 0.75),
    "open-mouthed": ((255, 244, 205), 0.60),
    "neutral": ((255, 255, 255), 0.0),
}


@dataclass(frozen=True)
class Looks:
    """What varies between persons and says nothing: colours and hair style (0 short, 1 long, 2 bun)."""

    skin: Colour
    hair: Colour
    shirt: Colour
    trousers: Colour
    cut: int


@dataclass(frozen=True)
class Posture:
    """Where the parts of a body are: y up from the ground, x to the right, unit = the image's width."""

    head: tuple[float, float]
    hip: tuple[float, float]
    arms: tuple[Points, Points]  # shoulder, elbow, hand; behind and before the body
    legs: tuple[Points, Points]  # hip, knee, foot
    stool: bool = False


POSTURES: dict[str, Posture] = {
    "standing": Posture(
        (0, 0.57),
        (0, 0.17),
        ([(-0.07, 0.35), (-0.12, 0.27), (-0.12, 0.18)], [(0.07, 0.35), (0.12, 0.27), (0.12, 0.18)]),
        (
            [(-0.045, 0.17), (-0.05, 0.09), (-0.05, 0.02)],
            [(0.045, 0.17), (0.05, 0.09), (0.05, 0.02)],
        ),
    ),
    "sitting": Posture(
        (-0.02, 0.53),
        (-0.03, 0.14),
        ([(-0.09, 0.31), (-0.06, 0.22), (0.04, 0.17)], [(0.04, 0.31), (0.07, 0.22), (0.10, 0.17)]),
        ([(-0.05, 0.15), (0.09, 0.15), (0.09, 0.02)], [(0, 0.14), (0.15, 0.14), (0.15, 0.02)]),
        True,
    ),
    "walking": Posture(
        (0.01, 0.57),
        (0, 0.18),
        ([(-0.06, 0.35), (-0.13, 0.29), (-0.17, 0.21)], [(0.06, 0.35), (0.13, 0.29), (0.19, 0.27)]),
        ([(-0.03, 0.18), (-0.08, 0.10), (-0.17, 0.04)], [(0.03, 0.18), (0.11, 0.11), (0.14, 0.02)]),
    ),
    "jumping": Posture(
        (0, 0.64),
        (0, 0.26),
        (
            [(-0.07, 0.43), (-0.21, 0.46), (-0.235, 0.72)],
            [(0.07, 0.43), (0.21, 0.46), (0.235, 0.72)],
        ),
        ([(-0.04, 0.26), (-0.13, 0.21), (-0.17, 0.12)], [(0.04, 0.26), (0.13, 0.21), (0.17, 0.12)]),
    ),
    "waving": Posture(
        (-0.01, 0.57),
        (0, 0.17),
        (
            [(-0.07, 0.35), (-0.13, 0.30), (-0.09, 0.22)],
            [(0.07, 0.35), (0.20, 0.36), (0.235, 0.60)],
        ),
        (
            [(-0.045, 0.17), (-0.05, 0.09), (-0.05, 0.02)],
            [(0.045, 0.17), (0.05, 0.09), (0.05, 0.02)],
        ),
    ),
    "crouching": Posture(
        (0.01, 0.40),
        (-0.04, 0.08),
        ([(-0.08, 0.20), (0.02, 0.10), (0.10, 0.08)], [(0.04, 0.20), (0.10, 0.12), (0.15, 0.10)]),
        ([(-0.06, 0.08), (-0.10, 0.12), (-0.08, 0.02)], [(0.02, 0.08), (0.13, 0.15), (0.10, 0.02)]),
    ),
}


def draw_person(pen: Pen, looks: Looks, expression: str, action: str) -> None:
    """The whole person, body first."""
    posture = POSTURES[action]
    _body(pen, looks, posture)
    x, y = posture.head
    _head(pen.at(x, -y, HEAD), looks, expression)


def _body(pen: Pen, looks: Looks, posture: Posture) -> None:
    def down(points: Points) -> Points:
        return [(x, -y) for x, y in points]

    if posture.stool:
        pen.box(-0.12, -0.115, 0.05, -0.075, (150, 96, 52))
        pen.line([(-0.10, -0.09), (-0.11, -0.01)], 0.025, (120, 74, 40))
        pen.line([(0.03, -0.09), (0.03, -0.01)], 0.025, (120, 74, 40))
    behind = mix(looks.shirt, INK, 0.2)
    for points, colour in zip(posture.arms, (behind, behind), strict=True):
        pen.line(down(points[:2]), 0.055, colour)
        pen.line(down(points[1:]), 0.05, looks.skin)
    for points, shade in zip(posture.legs, (0.15, 0.0), strict=True):
        pen.line(down(points), 0.068, mix(looks.trousers, INK, shade))
        fx, fy = points[2]
        pen.disc(fx + 0.015, -fy + 0.005, 0.045, mix(looks.trousers, INK, 0.6), 0.022)
    (hx, hy), (nx, ny) = posture.hip, (posture.head[0], posture.head[1] - HEAD)
    pen.poly(
        down([(nx - 0.075, ny), (nx + 0.075, ny), (hx + 0.085, hy), (hx - 0.085, hy)]), looks.shirt
    )
    pen.disc(hx, -hy, 0.085, looks.shirt, 0.03)
    x, y = posture.arms[1][1]
    pen.line(down(posture.arms[1][:2]), 0.055, mix(looks.shirt, INK, 0.08))
    pen.line([(x, -y), *down(posture.arms[1][2:])], 0.05, looks.skin)
    for points in posture.arms:
        pen.disc(points[2][0], -points[2][1], 0.032, looks.skin)


def _head(pen: Pen, looks: Looks, expression: str) -> None:
    """Unit = the radius of the head."""
    if looks.cut == 1:
        pen.disc(0, 0.05, 1.04, looks.hair, 1.0)
        pen.box(-1.02, 0.0, 1.02, 0.85, looks.hair, 0.35)
    if looks.cut == 2:
        pen.disc(0, -1.0, 0.34, looks.hair)
    colour, share = FLUSH[expression]
    skin = mix(looks.skin, colour, share)
    for side in (-1, 1):
        pen.disc(side * 0.93, 0.1, 0.17, mix(skin, INK, 0.12))
    pen.disc(0, 0.02, 0.95, skin, 0.96)
    pen.cap(0, -0.02, 0.99, 1.0, 205, 335, looks.hair)
    FACES[expression](pen, skin)


def _eye(pen: Pen, x: float, y: float, white: float, pupil: float) -> None:
    pen.disc(x, y, white * 1.12, INK)
    pen.disc(x, y, white, WHITE)
    pen.disc(x, y, pupil, INK)


def _smiling(pen: Pen, skin: Colour) -> None:
    for side in (-1, 1):
        pen.arc(side * 0.40, 0.02, 0.21, 0.24, 190, 350, 0.11, INK)
        pen.disc(side * 0.66, 0.30, 0.19, mix(skin, (255, 90, 90), 0.55), 0.14)
        pen.arc(side * 0.40, -0.24, 0.24, 0.16, 210, 330, 0.06, INK)
    pen.cap(0, 0.28, 0.56, 0.50, 0, 180, MOUTH)
    pen.cap(0, 0.28, 0.50, 0.17, 0, 180, WHITE)
    pen.cap(0, 0.63, 0.28, 0.15, 180, 360, TONGUE)


def _crying(pen: Pen, skin: Colour) -> None:
    for side in (-1, 1):
        pen.box(side * 0.40 - 0.13, 0.06, side * 0.40 + 0.13, 0.80, TEAR, 0.1)
        pen.disc(side * 0.42, 0.80, 0.20, TEAR)
        pen.box(side * 0.40 - 0.05, 0.12, side * 0.40 + 0.03, 0.7, mix(TEAR, WHITE, 0.6))
        pen.arc(side * 0.40, -0.06, 0.21, 0.18, 10, 170, 0.11, INK)
        pen.line([(side * 0.62, -0.16), (side * 0.20, -0.40)], 0.10, INK)
    pen.arc(0, 0.72, 0.30, 0.28, 195, 345, 0.13, MOUTH)


def _scowling(pen: Pen, skin: Colour) -> None:
    for side in (-1, 1):
        pen.cap(side * 0.40, 0.06, 0.22, 0.22, 20, 200 if side > 0 else 160, WHITE)
        pen.disc(side * 0.36, 0.10, 0.09, INK)
        pen.line([(side * 0.68, -0.36), (side * 0.12, 0.02)], 0.19, INK)
    pen.line([(-0.07, -0.22), (-0.05, -0.06)], 0.05, mix(skin, INK, 0.5))
    pen.line([(0.07, -0.22), (0.05, -0.06)], 0.05, mix(skin, INK, 0.5))
    pen.box(-0.46, 0.42, 0.46, 0.72, INK, 0.1)
    pen.box(-0.40, 0.47, 0.40, 0.67, WHITE, 0.05)
    pen.line([(-0.40, 0.57), (0.40, 0.57)], 0.04, INK)
    for x in (-0.2, 0, 0.2):
        pen.line([(x, 0.47), (x, 0.67)], 0.04, INK)


def _wide_eyed(pen: Pen, skin: Colour) -> None:
    for side in (-1, 1):
        _eye(pen, side * 0.38, -0.04, 0.33, 0.08)
        pen.line([(side * 0.66, -0.44), (side * 0.26, -0.58)], 0.09, INK)
    wave = [(-0.40 + 0.1 * i, 0.62 + (0.08 if i % 2 else -0.08)) for i in range(9)]
    pen.line(wave, 0.10, (60, 60, 110))
    pen.poly([(0.80, -0.42), (0.92, -0.12), (0.68, -0.12)], TEAR)
    pen.disc(0.80, -0.10, 0.12, TEAR)


def _grimacing(pen: Pen, skin: Colour) -> None:
    line = mix(skin, INK, 0.75)
    for side in (-1, 1):
        pen.line([(side * 0.60, -0.18), (side * 0.22, -0.02), (side * 0.60, 0.12)], 0.11, INK)
        pen.line([(side * 0.62, -0.40), (side * 0.18, -0.26)], 0.10, INK)
        pen.line([(side * 0.08, -0.12), (side * 0.14, 0.16)], 0.05, line)
    pen.arc(0, 0.62, 0.46, 0.26, 185, 355, 0.12, INK)
    pen.box(-0.20, 0.42, 0.24, 0.80, (232, 80, 110), 0.18)
    pen.line([(0.02, 0.46), (0.02, 0.66)], 0.05, (170, 40, 70))


def _open_mouthed(pen: Pen, skin: Colour) -> None:
    for side in (-1, 1):
        _eye(pen, side * 0.38, -0.10, 0.20, 0.12)
        pen.arc(side * 0.38, -0.38, 0.24, 0.20, 200, 340, 0.10, INK)
    pen.disc(0, 0.50, 0.32, INK, 0.38)
    pen.disc(0, 0.52, 0.25, MOUTH, 0.31)


def _neutral(pen: Pen, skin: Colour) -> None:
    for side in (-1, 1):
        pen.disc(side * 0.36, 0, 0.11, INK)
        pen.line([(side * 0.52, -0.28), (side * 0.22, -0.28)], 0.07, INK)
    pen.line([(-0.24, 0.48), (0.24, 0.48)], 0.09, MOUTH)


FACES = {
    "smiling": _smiling,
    "crying": _crying,
    "scowling": _scowling,
    "wide-eyed": _wide_eyed,
    "grimacing": _grimacing,
    "open-mouthed": _open_mouthed,
    "neutral": _neutral,
}
