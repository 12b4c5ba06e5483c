"""Registration: is one thumbnail an edited copy of another?

Takes two thumbnails (data/thumbnails.py) and a first guess of the map between them; gives their
agreement, a number up to 1. The pictures are aligned by an affine map that maximises the enhanced
correlation coefficient (Evangelidis and Psarakis 2008; OpenCV). Then the structures are compared
everywhere, not only at a few points: different scenes of EmoScenes can share a face or a tree, and
different photographs can share a logo.
"""

import cv2
import numpy as np

from tinyemo.data.thumbnails import SIDE

COARSE = 32  # the side at which the map is estimated
STOP = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 40, 1e-3)  # iterations, least gain
SMOOTH = 1.0  # pixels: sd of the blur that hides noise and the artefacts of compression
WINDOW = 2.5  # pixels: sd of the Gaussian windows in which the structure is compared
NOISE = 60.0  # squared grey levels, added to variances: windows with less contrast are alike
OVERLAP = 0.5  # the least share of the second picture that the first must cover
COMPARED = 0.15  # the least share that must not be clipped; with less, clipped pixels count too
FLATTER = 3.0  # contrasts of a window that differ by more than this factor disagree
STRETCH = 0.2  # how far the aligned map may change the guess: lengths, relative
SHIFT = 0.15  # and the place of the centre, relative to the side
SURFACE = 4.0  # pixels: sd of the blur that gives the smooth surface under the detail
LEAST_DETAIL = 3.0  # mean grey levels; two pictures with less cannot be told apart
QUANTILE = 0.3  # so much of the detail may disagree: a watermark, a turned or filled corner


def agreement(
    first: np.ndarray,
    second: np.ndarray,
    guess: np.ndarray,
    first_clipped: np.ndarray,
    second_clipped: np.ndarray,
) -> float:
    """How far two thumbnails (SIDE, SIDE) show the same picture, up to 1.

    `guess` (3, 3) maps pixels of `second` to pixels of `first`; the other two are masks of clipped
    pixels. The agreement is that of the better of two maps, the guess and the aligned one: the
    guess is exact for a mirrored picture, and a watermark can disturb the alignment.
    """
    maps = [guess[:2].astype(np.float32)]
    aligned = _aligned(first, second, guess)
    if aligned is not None:
        maps.append(aligned)
    smooth = _blurred(first, SMOOTH), _blurred(second, SMOOTH)
    return max(_agreement_under(one, *smooth, first_clipped, second_clipped) for one in maps)


def _agreement_under(
    affine: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
    first_clipped: np.ndarray,
    second_clipped: np.ndarray,
) -> float:
    """The agreement of two smooth thumbnails under one map (2, 3).

    It is a quantile over the windows of the structure term of SSIM (Wang et al. 2004, equation 10:
    a correlation within the window), weighted by the detail in the window. So a sky, plain or with
    a gradient, counts for nothing. 0 where the pictures hardly overlap or have no detail.
    """
    visible = _warped(np.ones((SIDE, SIDE)), affine) > 0.99
    if visible.mean() < OVERLAP:
        return 0.0
    sharp = visible & (_warped(first_clipped, affine) < 0.01) & ~second_clipped
    mask = sharp if sharp.mean() >= COMPARED else visible
    warped = _warped(first, affine)
    detail = np.maximum(_warped(_detail(first), affine), _detail(second))[mask]
    if detail.mean() < LEAST_DETAIL:
        return 0.0
    return _weighted_quantile(_structure(warped, second, mask)[mask], detail, QUANTILE)


def _aligned(first: np.ndarray, second: np.ndarray, guess: np.ndarray) -> np.ndarray | None:
    """The affine map (2, 3) from pixels of `second` to `first`; None if none is found near the
    guess.
    """
    scale = np.diag([COARSE / SIDE, COARSE / SIDE, 1.0])
    start = (scale @ guess @ np.linalg.inv(scale))[:2].astype(np.float32)
    small = [
        cv2.resize(one, (COARSE, COARSE), interpolation=cv2.INTER_AREA) for one in (first, second)
    ]
    try:
        _, found = cv2.findTransformECC(small[1], small[0], start, cv2.MOTION_AFFINE, STOP, None, 3)
    except cv2.error:  # the iterations left the picture, or a picture is uniform
        return None
    aligned = np.linalg.inv(scale) @ np.vstack([found, [0, 0, 1]]) @ scale
    change = aligned @ np.linalg.inv(guess)  # of pixels of `first`
    centre = np.array([SIDE / 2, SIDE / 2, 1])
    moved = np.abs(change @ centre - centre).max()
    if np.abs(change[:2, :2] - np.eye(2)).max() > STRETCH or moved > SHIFT * SIDE:
        return None
    return aligned[:2].astype(np.float32)


def _warped(pixels: np.ndarray, affine: np.ndarray) -> np.ndarray:
    """(SIDE, SIDE) float32: the first picture in the frame of the second; 0 outside it."""
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(pixels.astype(np.float32), affine, (SIDE, SIDE), flags=flags)


def _blurred(pixels: np.ndarray, deviation: float) -> np.ndarray:
    return cv2.GaussianBlur(pixels.astype(np.float32), (0, 0), deviation)


def _structure(x: np.ndarray, y: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """(SIDE, SIDE) the structure term in the window of each pixel."""
    inside = mask.astype(np.float32)
    weight = np.maximum(_blurred(inside, WINDOW), 1e-3)

    def mean(values: np.ndarray) -> np.ndarray:
        return _blurred(values * inside, WINDOW) / weight

    mean_x, mean_y = mean(x), mean(y)
    variance_x = np.maximum(mean(x * x) - mean_x**2, 0)
    variance_y = np.maximum(mean(y * y) - mean_y**2, 0)
    covariance = mean(x * y) - mean_x * mean_y
    # a window without structure does not agree with one that has some
    floor_x = np.maximum(variance_x, variance_y / FLATTER**2)
    floor_y = np.maximum(variance_y, variance_x / FLATTER**2)
    return (covariance + NOISE) / (np.sqrt(floor_x * floor_y) + NOISE)


def _detail(pixels: np.ndarray) -> np.ndarray:
    """(SIDE, SIDE) grey levels: how far the pixels of each window deviate from a smooth surface."""
    rest = pixels - _blurred(pixels, SURFACE)
    return np.sqrt(_blurred(rest * rest, WINDOW))


def _weighted_quantile(values: np.ndarray, weights: np.ndarray, share: float) -> float:
    """The smallest value such that it and smaller ones have at least `share` of the weight."""
    order = np.argsort(values)
    place = np.searchsorted(np.cumsum(weights[order]), share * weights.sum())
    return float(values[order[min(place, len(order) - 1)]])
