"""A pen that draws shapes in its own frame. People, objects and places are drawn with it.

Owns a few primitives with hard edges; the picture is drawn large and reduced afterwards. A frame
has its origin and its unit anywhere on the canvas and may be mirrored. x runs right, y runs down.
"""

from dataclasses import dataclass, replace
from math import cos, radians, sin

from PIL import ImageDraw

Colour = tuple[int, int, int]  # red, green, blue in [0, 255]
Point = tuple[float, float]
Points = list[Point]
Ellipse = tuple[float, float, float, float]  # middle x, y, radius along x, along y
Box = tuple[float, float, float, float]  # left, upper, right, lower
Angles = tuple[float, float]  # start and end, degrees clockwise from the right


def mix(a: Colour, b: Colour, share: float) -> Colour:
    """Colour between a (share 0) and b (share 1)."""
    mixed = []
    for x, y in zip(a, b, strict=True):
        mixed.append(round(x + (y - x) * share))
    return tuple(mixed)


@dataclass(frozen=True)
class Pen:
    """Draws on `canvas`, in a frame with its origin at pixel (x, y) and a unit of `unit` pixels."""

    canvas: ImageDraw.ImageDraw
    x: float
    y: float
    unit: float
    flip: int = 1  # -1 mirrors left and right
    tint: tuple[float, float, float] = (
        1.0,
        1.0,
        1.0,
    )  # factors on red, green, blue of every colour

    def at(self, x: float, y: float, scale: float = 1.0) -> "Pen":
        """A pen whose frame has its origin at (x, y) of this one."""
        px, py = self._pixel((x, y))
        return replace(self, x=px, y=py, unit=self.unit * scale)

    def _pixel(self, point: Point) -> Point:
        x, y = point
        return self.x + self.flip * x * self.unit, self.y + y * self.unit

    def _bounds(self, ellipse: Ellipse) -> Box:
        x, y, rx, ry = ellipse
        px, py = self._pixel((x, y))
        width, height = rx * self.unit, ry * self.unit
        return px - width, py - height, px + width, py + height

    def _part(self, ellipse: Ellipse, angles: Angles) -> tuple[Box, float, float]:
        """Bounds, start and end, as Pillow expects them."""
        start, end = angles
        if self.flip == -1:
            start, end = 180 - end, 180 - start
        return self._bounds(ellipse), start, end

    def _width(self, width: float) -> int:
        return max(1, round(width * self.unit))

    def _tinted(self, colour: Colour) -> Colour:
        tinted = []
        for value, factor in zip(colour, self.tint, strict=True):
            tinted.append(int(value * factor))  # Pillow clips what exceeds 255
        return tuple(tinted)

    def disc(self, x: float, y: float, rx: float, colour: Colour, ry: float | None = None) -> None:
        """A filled ellipse, or a circle without ry."""
        ry = rx if ry is None else ry
        bounds = self._bounds((x, y, rx, ry))
        self.canvas.ellipse(bounds, fill=self._tinted(colour))

    def poly(self, points: Points, colour: Colour) -> None:
        """A filled polygon."""
        pixels = [self._pixel(point) for point in points]
        self.canvas.polygon(pixels, fill=self._tinted(colour))

    def box(self, box: Box, colour: Colour, corner: float = 0.0) -> None:
        """A filled rectangle; `corner` is the radius of its corners."""
        x0, y0, x1, y1 = box
        left, upper = self._pixel((x0, y0))
        right, lower = self._pixel((x1, y1))
        if left > right:  # mirrored
            left, right = right, left
        bounds = (left, upper, right, lower)
        fill = self._tinted(colour)
        if corner:
            self.canvas.rounded_rectangle(bounds, radius=corner * self.unit, fill=fill)
        else:
            self.canvas.rectangle(bounds, fill=fill)

    def line(self, points: Points, width: float, colour: Colour) -> None:
        """A polyline with round joints and ends."""
        pixels = [self._pixel(point) for point in points]
        fill = self._tinted(colour)
        self.canvas.line(pixels, fill=fill, width=self._width(width))
        radius = width * self.unit / 2
        if radius > 1:
            for px, py in pixels:
                bounds = (px - radius, py - radius, px + radius, py + radius)
                self.canvas.ellipse(bounds, fill=fill)

    def arc(self, ellipse: Ellipse, angles: Angles, width: float, colour: Colour) -> None:
        """Part of an ellipse's outline."""
        part, fill = self._part(ellipse, angles), self._tinted(colour)
        self.canvas.arc(*part, fill=fill, width=self._width(width))

    def slice(self, ellipse: Ellipse, angles: Angles, colour: Colour) -> None:
        """A sector of an ellipse, like a slice of a pie."""
        self.canvas.pieslice(*self._part(ellipse, angles), fill=self._tinted(colour))

    def cap(self, ellipse: Ellipse, angles: Angles, colour: Colour) -> None:
        """The part of an ellipse that is cut off by the chord between two angles."""
        self.canvas.chord(*self._part(ellipse, angles), fill=self._tinted(colour))


def around(x: float, y: float, radius: float, n: int, turn: float = 0.0) -> Points:
    """n points at equal distances on a circle; `turn` in degrees."""
    points = []
    for i in range(n):
        angle = radians(turn + 360 * i / n)
        points.append((x + radius * cos(angle), y + radius * sin(angle)))
    return points


def star(
    x: float, y: float, outer: float, inner: float, points: int, turn: float = -90.0
) -> Points:
    """The corners of a star, with tips at radius `outer` and dents at radius `inner`."""
    tips = around(x, y, outer, points, turn)
    dents = around(x, y, inner, points, turn + 180 / points)
    return [corner for pair in zip(tips, dents, strict=True) for corner in pair]
