"""A pen that draws shapes in its own frame: what figures, objects and backdrops share.

Owns a few primitives with hard edges: whoever draws uses a large canvas and shrinks it. A frame
has its origin and unit anywhere on the canvas and may be mirrored; x runs right, y runs down.
"""

from dataclasses import dataclass, replace
from math import cos, radians, sin

from PIL import ImageDraw

Colour = tuple[int, int, int]
Points = list[tuple[float, float]]


def mix(a: Colour, b: Colour, share: float) -> Colour:
    """Colour between a (share 0) and b (share 1)."""
    return tuple(round(x + (y - x) * share) for x, y in zip(a, b, strict=True))


@dataclass(frozen=True)
class Pen:
    """Draws on `canvas`, in a frame with its origin at pixel (x, y) and `unit` pixels to 1."""

    canvas: ImageDraw.ImageDraw
    x: float
    y: float
    unit: float
    flip: int = 1  # -1 mirrors left and right
    tint: tuple[float, float, float] = (
        1.0,
        1.0,
        1.0,
    )  # multiplies every colour: light, small variations

    def at(self, x: float, y: float, scale: float = 1.0, flip: bool = False) -> "Pen":
        """A frame inside this one."""
        return replace(
            self,
            x=self.x + self.flip * x * self.unit,
            y=self.y + y * self.unit,
            unit=self.unit * scale,
            flip=-self.flip if flip else self.flip,
        )

    def _point(self, x: float, y: float) -> tuple[float, float]:
        return self.x + self.flip * x * self.unit, self.y + y * self.unit

    def _box(self, x: float, y: float, rx: float, ry: float) -> tuple[float, float, float, float]:
        px, py = self._point(x, y)
        return px - rx * self.unit, py - ry * self.unit, px + rx * self.unit, py + ry * self.unit

    def _angles(self, start: float, end: float) -> tuple[float, float]:
        return (start, end) if self.flip == 1 else (180 - end, 180 - start)

    def _paint(self, colour: Colour) -> Colour:
        (r, g, b), (tr, tg, tb) = colour, self.tint
        return int(r * tr), int(g * tg), int(b * tb)  # Pillow clips what exceeds 255

    def disc(self, x: float, y: float, rx: float, colour: Colour, ry: float | None = None) -> None:
        self.canvas.ellipse(self._box(x, y, rx, rx if ry is None else ry), fill=self._paint(colour))

    def poly(self, points: Points, colour: Colour) -> None:
        self.canvas.polygon([self._point(*p) for p in points], fill=self._paint(colour))

    def box(
        self, x0: float, y0: float, x1: float, y1: float, colour: Colour, corner: float = 0.0
    ) -> None:
        (px0, py0), (px1, py1) = self._point(x0, y0), self._point(x1, y1)
        shape = (min(px0, px1), py0, max(px0, px1), py1)
        if corner:
            self.canvas.rounded_rectangle(
                shape, radius=corner * self.unit, fill=self._paint(colour)
            )
        else:
            self.canvas.rectangle(shape, fill=self._paint(colour))

    def line(self, points: Points, width: float, colour: Colour) -> None:
        """A polyline with round joints and ends."""
        pixels, paint = [self._point(*p) for p in points], self._paint(colour)
        self.canvas.line(pixels, fill=paint, width=max(1, round(width * self.unit)))
        r = width * self.unit / 2
        if r > 1:
            for px, py in pixels:
                self.canvas.ellipse((px - r, py - r, px + r, py + r), fill=paint)

    def arc(
        self,
        x: float,
        y: float,
        rx: float,
        ry: float,
        start: float,
        end: float,
        width: float,
        colour: Colour,
    ) -> None:
        """Part of an ellipse's outline, degrees clockwise from the right."""
        self.canvas.arc(
            self._box(x, y, rx, ry),
            *self._angles(start, end),
            fill=self._paint(colour),
            width=max(1, round(width * self.unit)),
        )

    def slice(
        self, x: float, y: float, rx: float, ry: float, start: float, end: float, colour: Colour
    ) -> None:
        """A sector (pie slice) of an ellipse, degrees clockwise from the right."""
        self.canvas.pieslice(
            self._box(x, y, rx, ry), *self._angles(start, end), fill=self._paint(colour)
        )

    def cap(
        self, x: float, y: float, rx: float, ry: float, start: float, end: float, colour: Colour
    ) -> None:
        """The part of an ellipse cut off by the chord between two angles."""
        self.canvas.chord(
            self._box(x, y, rx, ry), *self._angles(start, end), fill=self._paint(colour)
        )


def around(x: float, y: float, radius: float, n: int, turn: float = 0.0) -> Points:
    """n points evenly on a circle; `turn` in degrees."""
    angles = [radians(turn + 360 * i / n) for i in range(n)]
    return [(x + radius * cos(a), y + radius * sin(a)) for a in angles]


def star(
    x: float, y: float, outer: float, inner: float, points: int, turn: float = -90.0
) -> Points:
    """The corners of a star."""
    tips = around(x, y, outer, points, turn)
    dents = around(x, y, inner, points, turn + 180 / points)
    return [p for pair in zip(tips, dents, strict=True) for p in pair]
