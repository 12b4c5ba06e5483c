"""Thumbnails: small grey pictures of equal size, in which the audit looks for copies.

Takes paths of pictures; gives `Thumbnails`. A picture has one thumbnail of the whole, and further
ones without its margins if it has uniform margins: a border or the bars of a letterbox.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np

from tinyemo.io import read_image

SIDE = 64  # pixels of a thumbnail; the aspect ratio is not kept
DECODED = 128  # a large JPEG is decoded at a fraction of its size, but not below this side
CLIPPED = 250  # a channel of at least this value may have been brighter: it is not compared
# A line of pixels belongs to a margin if all but 3 % of its values are within 12 grey levels of
# the median of the outermost line.
MARGIN_LEVELS = 12
MARGIN_SHARE = 0.97
NESTED = 2  # a border around the bars of a letterbox is two margins
NARROW = 0.03  # of the shorter side: margins that are not wider stay


@dataclass(frozen=True, eq=False)
class Thumbnails:
    """F thumbnails of N pictures."""

    pixels: np.ndarray  # (F, SIDE, SIDE) uint8, grey
    clipped: np.ndarray  # (F, SIDE, SIDE / 8) uint8, packed bits: a channel is clipped here
    picture: np.ndarray  # (F,) the picture of each thumbnail; the first N are those of the whole

    def clipped_mask(self, row: int) -> np.ndarray:
        """(SIDE, SIDE) bool of one thumbnail: some channel is clipped."""
        return np.unpackbits(self.clipped[row], axis=1).astype(bool)


def make_thumbnails(paths: Sequence[str]) -> Thumbnails:
    """The thumbnails of pictures. FileNotFoundError, ValueError: as `io.read_image`."""
    with ThreadPoolExecutor() as pool:
        found = list(pool.map(_frames, paths))
    rows = []  # the thumbnails of the whole pictures come first
    for frame in range(NESTED + 1):
        rows += [(frame, number) for number, frames in enumerate(found) if len(frames) > frame]
    pixels = np.zeros((len(rows), SIDE, SIDE), np.uint8)
    clipped = np.zeros((len(rows), SIDE, SIDE // 8), np.uint8)
    for row, (frame, number) in enumerate(rows):
        pixels[row], clipped[row] = found[number][frame]
    return Thumbnails(pixels, clipped, np.array([number for _, number in rows], int))


def _frames(path: str) -> list[tuple[np.ndarray, np.ndarray]]:
    """The thumbnails (pixels, clipped) of one picture: the whole, then without margins."""
    colours = np.asarray(read_image(path, smallest=DECODED))  # (H, W, 3)
    grey = cv2.cvtColor(colours, cv2.COLOR_RGB2GRAY)
    clipped = (colours.max(axis=2) >= CLIPPED).astype(np.float32)
    return [_shrunk(grey[box], clipped[box]) for box in _boxes(grey)]


def _shrunk(grey: np.ndarray, clipped: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    smaller = min(grey.shape) >= SIDE
    how = cv2.INTER_AREA if smaller else cv2.INTER_CUBIC
    pixels = cv2.resize(grey, (SIDE, SIDE), interpolation=how)
    share = cv2.resize(clipped, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return pixels, np.packbits(share > 0.1, axis=1)


def _boxes(grey: np.ndarray) -> list[tuple[slice, slice]]:
    """The rows and columns of the whole, inside its margins, and inside the margins of that.

    Margins are left as they are if they are narrow or leave less than 2/5.
    """
    height, width = grey.shape
    boxes = [(slice(0, height), slice(0, width))]
    for _ in range(NESTED):
        rows, columns = boxes[-1]
        inner = grey[rows, columns]
        top, bottom = _margin(inner), _margin(inner[::-1])
        left, right = _margin(inner.T), _margin(inner.T[::-1])
        rows = slice(rows.start + top, rows.stop - bottom)
        columns = slice(columns.start + left, columns.stop - right)
        rest_height, rest_width = rows.stop - rows.start, columns.stop - columns.start
        narrow = max(top + bottom, left + right) <= NARROW * min(inner.shape)
        if narrow or rest_height < 0.4 * height or rest_width < 0.4 * width:
            break
        boxes.append((rows, columns))
    return boxes


def _margin(lines: np.ndarray) -> int:
    """How many of the first lines (L, P) are uniform, in the colour of the first; at most half."""
    half = len(lines) // 2
    colour = np.median(lines[:1])
    for count, line in enumerate(lines[:half]):
        near = np.abs(line.astype(np.float32) - colour) <= MARGIN_LEVELS
        if near.mean() < MARGIN_SHARE:
            return count
    return half
