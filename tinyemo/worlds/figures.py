"""The person of a scene: a big head with one of seven expressions on a body in one of six postures.

Takes a pen whose origin is on the ground between the feet and whose unit is the image's width. Hair,
skin and shirt come from the scene's looks; an expression changes the face alone, an action the body and
the height of the head. Each expression differs from the others in mouth, brows, eyes and colour of face.
"""

from dataclasses import dataclass

from tinyemo.worlds.pen import Colour, Pen, Points, mix

HEAD = 0.2  # radius of the head
SKINS = ((255, 219, 186), (241, 194, 150), (222, 170, 122), (176, 122, 84), (140, 92, 62))
HAIRS = ((44, 30, 26), (92, 58, 34), (150, 96, 44), (226, 180, 92), (168, 64, 40), (90, 88, 96))
SHIRTS = ((64, 132, 200), (88, 168, 120), (232, 132, 76), (150, 108, 190), (240, 196, 80), (80, 176, 184))
TROUSERS = ((58, 66, 98), (92, 84, 80), (70, 88, 74), (108, 74, 60))
INK, WHITE = (40, 28, 32), (255, 255, 255)
MOUTH, TONGUE, TEAR = (120, 26, 40), (240, 110, 130), (70, 160, 255)

# expression -> (colour the face turns to, how far)
FLUSH: dict[str, tuple[Colour, float]] = {
    "smiling": ((255, 205, 120), 0.35), "crying": ((150, 170, 225), 0.45), "scowling": ((226, 52, 40), 0.72),
    "wide-eyed": ((214, 232, 255), 0.80), "grimacing": ((134, 190, 70), 0.75),
    "open-mouthed": ((255, 244, 205), 0.60), "neutral": ((255, 255, 255), 0.0),
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
    "standing": Posture((0, .57), (0, .17), ([(-.07, .35), (-.12, .27), (-.12, .18)],
                        [(.07, .35), (.12, .27), (.12, .18)]),
                        ([(-.045, .17), (-.05, .09), (-.05, .02)], [(.045, .17), (.05, .09), (.05, .02)])),
    "sitting": Posture((-.02, .53), (-.03, .14), ([(-.09, .31), (-.06, .22), (.04, .17)],
                       [(.04, .31), (.07, .22), (.10, .17)]),
                       ([(-.05, .15), (.09, .15), (.09, .02)], [(0, .14), (.15, .14), (.15, .02)]), True),
    "walking": Posture((.01, .57), (0, .18), ([(-.06, .35), (-.13, .29), (-.17, .21)],
                       [(.06, .35), (.13, .29), (.19, .27)]),
                       ([(-.03, .18), (-.08, .10), (-.17, .04)], [(.03, .18), (.11, .11), (.14, .02)])),
    "jumping": Posture((0, .64), (0, .26), ([(-.07, .43), (-.21, .46), (-.235, .72)],
                       [(.07, .43), (.21, .46), (.235, .72)]),
                       ([(-.04, .26), (-.13, .21), (-.17, .12)], [(.04, .26), (.13, .21), (.17, .12)])),
    "waving": Posture((-.01, .57), (0, .17), ([(-.07, .35), (-.13, .30), (-.09, .22)],
                      [(.07, .35), (.20, .36), (.235, .60)]),
                      ([(-.045, .17), (-.05, .09), (-.05, .02)], [(.045, .17), (.05, .09), (.05, .02)])),
    "crouching": Posture((.01, .40), (-.04, .08), ([(-.08, .20), (.02, .10), (.10, .08)],
                         [(.04, .20), (.10, .12), (.15, .10)]),
                         ([(-.06, .08), (-.10, .12), (-.08, .02)], [(.02, .08), (.13, .15), (.10, .02)])),
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
        pen.box(-.12, -.115, .05, -.075, (150, 96, 52))
        pen.line([(-.10, -.09), (-.11, -.01)], .025, (120, 74, 40))
        pen.line([(.03, -.09), (.03, -.01)], .025, (120, 74, 40))
    behind = mix(looks.shirt, INK, 0.2)
    for points, colour in zip(posture.arms, (behind, behind), strict=True):
        pen.line(down(points[:2]), .055, colour)
        pen.line(down(points[1:]), .05, looks.skin)
    for points, shade in zip(posture.legs, (0.15, 0.0), strict=True):
        pen.line(down(points), .068, mix(looks.trousers, INK, shade))
        fx, fy = points[2]
        pen.disc(fx + .015, -fy + .005, .045, mix(looks.trousers, INK, 0.6), .022)
    (hx, hy), (nx, ny) = posture.hip, (posture.head[0], posture.head[1] - HEAD)
    pen.poly(down([(nx - .075, ny), (nx + .075, ny), (hx + .085, hy), (hx - .085, hy)]), looks.shirt)
    pen.disc(hx, -hy, .085, looks.shirt, .03)
    x, y = posture.arms[1][1]
    pen.line(down(posture.arms[1][:2]), .055, mix(looks.shirt, INK, 0.08))
    pen.line([(x, -y), *down(posture.arms[1][2:])], .05, looks.skin)
    for points in posture.arms:
        pen.disc(points[2][0], -points[2][1], .032, looks.skin)


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
        pen.disc(side * .93, .1, .17, mix(skin, INK, 0.12))
    pen.disc(0, 0.02, 0.95, skin, 0.96)
    pen.cap(0, -0.02, 0.99, 1.0, 205, 335, looks.hair)
    FACES[expression](pen, skin)


def _eye(pen: Pen, x: float, y: float, white: float, pupil: float) -> None:
    pen.disc(x, y, white * 1.12, INK)
    pen.disc(x, y, white, WHITE)
    pen.disc(x, y, pupil, INK)


def _smiling(pen: Pen, skin: Colour) -> None:
    for side in (-1, 1):
        pen.arc(side * .40, .02, .21, .24, 190, 350, .11, INK)
        pen.disc(side * .66, .30, .19, mix(skin, (255, 90, 90), .55), .14)
        pen.arc(side * .40, -.24, .24, .16, 210, 330, .06, INK)
    pen.cap(0, .28, .56, .50, 0, 180, MOUTH)
    pen.cap(0, .28, .50, .17, 0, 180, WHITE)
    pen.cap(0, .63, .28, .15, 180, 360, TONGUE)


def _crying(pen: Pen, skin: Colour) -> None:
    for side in (-1, 1):
        pen.box(side * .40 - .13, .06, side * .40 + .13, .80, TEAR, .1)
        pen.disc(side * .42, .80, .20, TEAR)
        pen.box(side * .40 - .05, .12, side * .40 + .03, .7, mix(TEAR, WHITE, .6))
        pen.arc(side * .40, -.06, .21, .18, 10, 170, .11, INK)
        pen.line([(side * .62, -.16), (side * .20, -.40)], .10, INK)
    pen.arc(0, .72, .30, .28, 195, 345, .13, MOUTH)


def _scowling(pen: Pen, skin: Colour) -> None:
    for side in (-1, 1):
        pen.cap(side * .40, .06, .22, .22, 20, 200 if side > 0 else 160, WHITE)
        pen.disc(side * .36, .10, .09, INK)
        pen.line([(side * .68, -.36), (side * .12, .02)], .19, INK)
    pen.line([(-.07, -.22), (-.05, -.06)], .05, mix(skin, INK, .5))
    pen.line([(.07, -.22), (.05, -.06)], .05, mix(skin, INK, .5))
    pen.box(-.46, .42, .46, .72, INK, .1)
    pen.box(-.40, .47, .40, .67, WHITE, .05)
    pen.line([(-.40, .57), (.40, .57)], .04, INK)
    for x in (-.2, 0, .2):
        pen.line([(x, .47), (x, .67)], .04, INK)


def _wide_eyed(pen: Pen, skin: Colour) -> None:
    for side in (-1, 1):
        _eye(pen, side * .38, -.04, .33, .08)
        pen.line([(side * .66, -.44), (side * .26, -.58)], .09, INK)
    wave = [(-.40 + .1 * i, .62 + (.08 if i % 2 else -.08)) for i in range(9)]
    pen.line(wave, .10, (60, 60, 110))
    pen.poly([(.80, -.42), (.92, -.12), (.68, -.12)], TEAR)
    pen.disc(.80, -.10, .12, TEAR)


def _grimacing(pen: Pen, skin: Colour) -> None:
    line = mix(skin, INK, .75)
    for side in (-1, 1):
        pen.line([(side * .60, -.18), (side * .22, -.02), (side * .60, .12)], .11, INK)
        pen.line([(side * .62, -.40), (side * .18, -.26)], .10, INK)
        pen.line([(side * .08, -.12), (side * .14, .16)], .05, line)
    pen.arc(0, .62, .46, .26, 185, 355, .12, INK)
    pen.box(-.20, .42, .24, .80, (232, 80, 110), .18)
    pen.line([(.02, .46), (.02, .66)], .05, (170, 40, 70))


def _open_mouthed(pen: Pen, skin: Colour) -> None:
    for side in (-1, 1):
        _eye(pen, side * .38, -.10, .20, .12)
        pen.arc(side * .38, -.38, .24, .20, 200, 340, .10, INK)
    pen.disc(0, .50, .32, INK, .38)
    pen.disc(0, .52, .25, MOUTH, .31)


def _neutral(pen: Pen, skin: Colour) -> None:
    for side in (-1, 1):
        pen.disc(side * .36, 0, .11, INK)
        pen.line([(side * .52, -.28), (side * .22, -.28)], .07, INK)
    pen.line([(-.24, .48), (.24, .48)], .09, MOUTH)


FACES = {"smiling": _smiling, "crying": _crying, "scowling": _scowling, "wide-eyed": _wide_eyed,
         "grimacing": _grimacing, "open-mouthed": _open_mouthed, "neutral": _neutral}
