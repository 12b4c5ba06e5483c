"""Shapes that are written as data: reads the YAML files of this folder and draws what they hold.

Takes a pen and a list of shapes; draws them in order. A shape is a mapping with one of these keys,
where coordinates are those of the pen's frame:

    disc    [x, y, radius] or [x, y, radius along x, radius along y]
    poly    [[x, y], ...]
    box     [left, upper, right, lower], corner: radius of the corners (0)
    line    [[x, y], ...], width
    arc     [x, y, rx, ry], angles: [start, end] in degrees clockwise from the right, width
    slice   [x, y, rx, ry], angles
    cap     [x, y, rx, ry], angles
    star    [x, y, outer radius, inner radius], points: how many tips, turn: degrees (-90)
    ring    [x, y, radius], discs: how many, size: radius of a disc, turn: degrees (0),
            colours: used in turn
    ground  y of its upper edge, colours: [top, bottom]
    at      [x, y]: the origin of the frame of its `shapes`

`colour` is [red, green, blue] in [0, 255], or the name of a colour.
"""

from collections.abc import Mapping
from pathlib import Path

import yaml

from emoscenes.drawing.pen import Colour, Pen, around, mix, star

GROUND_BANDS = 8  # of one colour each

Shapes = list[dict]
Palette = Mapping[str, Colour]


def read_shapes(file: Path) -> dict:
    """The content of a YAML file of shapes, with its colours as tuples under "colours"."""
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    content["colours"] = {name: tuple(rgb) for name, rgb in content["colours"].items()}
    return content


def draw_shapes(pen: Pen, shapes: Shapes, palette: Palette) -> None:
    """Draw the shapes in order; `palette` holds the named colours."""
    for shape in shapes:
        if "at" in shape:
            draw_shapes(pen.at(*shape["at"]), shape["shapes"], palette)
        elif "colours" in shape:
            colours = [_colour(one, palette) for one in shape["colours"]]
            _draw_in_colours(pen, shape, colours)
        else:
            _draw_in_colour(pen, shape, _colour(shape["colour"], palette))


def _colour(colour: str | list[int], palette: Palette) -> Colour:
    return palette[colour] if isinstance(colour, str) else tuple(colour)


def _draw_in_colours(pen: Pen, shape: dict, colours: list[Colour]) -> None:
    if "ground" in shape:
        draw_ground(pen, shape["ground"], *colours)
    else:
        x, y, radius = shape["ring"]
        centres = around(x, y, radius, shape["discs"], shape.get("turn", 0))
        for i, (cx, cy) in enumerate(centres):
            pen.disc(cx, cy, shape["size"], colours[i % len(colours)])


def _draw_in_colour(pen: Pen, shape: dict, colour: Colour) -> None:
    match shape:
        case {"disc": [x, y, rx]}:
            pen.disc(x, y, rx, colour)
        case {"disc": [x, y, rx, ry]}:
            pen.disc(x, y, rx, colour, ry)
        case {"poly": points}:
            pen.poly(points, colour)
        case {"box": corners}:
            pen.box(corners, colour, shape.get("corner", 0.0))
        case {"line": points, "width": width}:
            pen.line(points, width, colour)
        case {"arc": ellipse, "angles": angles, "width": width}:
            pen.arc(ellipse, angles, width, colour)
        case {"slice": ellipse, "angles": angles}:
            pen.slice(ellipse, angles, colour)
        case {"cap": ellipse, "angles": angles}:
            pen.cap(ellipse, angles, colour)
        case {"star": place, "points": points}:
            pen.poly(star(*place, points, shape.get("turn", -90.0)), colour)
        case _:
            raise ValueError(f"unknown shape {shape}")


def draw_ground(pen: Pen, y: float, top: Colour, bottom: Colour) -> None:
    """The ground from y down to the lower edge of the frame, in bands that look like a gradient."""
    for i in range(GROUND_BANDS):
        edge = y + (1 - y) * i / GROUND_BANDS
        pen.box((0, edge, 1, 1), mix(top, bottom, i / (GROUND_BANDS - 1)))
