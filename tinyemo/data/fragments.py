"""Media fragments: which part of which file an utterance is.

Owns reading the notation of the utterance table: a path, or a path with a W3C media fragment,
"clip.avi#t=6.29,8.24&xywh=percent:0,0,50,100" (tinyemo.data.utterances writes it). Takes text,
gives a MediaPart. No file is opened here.

Source: Media Fragments URI 1.0 (W3C, 2012): temporal dimension in seconds ("npt"), spatial
dimension in percent or pixels.
"""

import math
import re
from dataclasses import dataclass
from pathlib import Path

# A file name may contain "#". Only what follows the last "#" and begins like this is a fragment.
_FRAGMENT = re.compile(r"#(?=(?:t|xywh)=)")
_EXPECTED = "expected #t=<start>,<end> in seconds and &xywh=[percent:|pixel:]<x>,<y>,<w>,<h>"


@dataclass(frozen=True)
class MediaPart:
    """A file, or a part of it: seconds `start` to `end`, and a rectangle of the picture."""

    path: Path
    start: float = 0.0
    end: float = math.inf  # infinity: to the end of the file
    region: tuple[float, float, float, float] | None = None  # x, y, width, height
    in_percent: bool = True  # the unit of `region`; otherwise pixels

    def box(self, width: int, height: int) -> tuple[int, int, int, int] | None:
        """`region` in a picture of this size, in pixels: left, upper, right, lower; None = all.

        The box is cut off at the border of the picture, and may then be empty.
        """
        if self.region is None:
            return None
        x, y, w, h = self.region
        scale_x, scale_y = (width / 100, height / 100) if self.in_percent else (1, 1)
        left, right = round(x * scale_x), round((x + w) * scale_x)
        upper, lower = round(y * scale_y), round((y + h) * scale_y)
        return min(left, width), min(upper, height), min(right, width), min(lower, height)


def media_part(source: str | Path) -> MediaPart:
    """The file and the part that `source` names.

    ValueError: a fragment that cannot be read, that ends before it starts, or with an empty region.
    """
    path, fragment = split_fragment(source)
    part = MediaPart(Path(path).expanduser())
    for field in fragment.split("&") if fragment else ():
        name, _, value = field.partition("=")
        if name == "t":
            start, end = _times(value, source)
            part = MediaPart(part.path, start, end, part.region, part.in_percent)
        elif name == "xywh":
            region, in_percent = _region(value, source)
            part = MediaPart(part.path, part.start, part.end, region, in_percent)
        else:
            raise ValueError(f"{source}: {field!r} is no dimension of a part; {_EXPECTED}")
    return part


def split_fragment(source: str | Path) -> tuple[str, str]:
    """(path, fragment without its "#"), the fragment "" where there is none."""
    text = str(source)
    begins = [match.start() for match in _FRAGMENT.finditer(text)]
    if not begins:
        return text, ""
    return text[: begins[-1]], text[begins[-1] + 1 :]


def _times(value: str, source: str | Path) -> tuple[float, float]:
    """ "6.29,8.24" -> (6.29, 8.24); "6.29" has no end, ",8.24" begins at 0."""
    first, _, last = value.removeprefix("npt:").partition(",")
    start, end = _numbers([first or "0", last or "inf"], source)
    if not 0 <= start < end or math.isinf(start):
        raise ValueError(
            f"{source}: the part from {start:g} s to {end:g} s is empty; expected 0 <= start < end"
        )
    return start, end


def _region(value: str, source: str | Path) -> tuple[tuple[float, float, float, float], bool]:
    """ "percent:0,0,50,100" -> ((0.0, 0.0, 50.0, 100.0), in percent or not)."""
    unit, _, corners = value.rpartition(":")
    numbers = _numbers(corners.split(","), source)
    if unit not in ("", "pixel", "percent") or len(numbers) != 4:
        raise ValueError(f"{source}: cannot read the region {value!r}; {_EXPECTED}")
    x, y, w, h = numbers
    if min(x, y) < 0 or min(w, h) <= 0 or math.isinf(sum(numbers)):
        raise ValueError(f"{source}: the region {value!r} is empty or outside the picture")
    return (x, y, w, h), unit == "percent"


def _numbers(texts: list[str], source: str | Path) -> list[float]:
    try:
        numbers = [float(text) for text in texts]
    except ValueError as error:
        raise ValueError(f"{source}: {error} in the fragment; {_EXPECTED}") from error
    if any(math.isnan(number) for number in numbers):
        raise ValueError(f"{source}: a number of the fragment is NaN; {_EXPECTED}")
    return numbers
