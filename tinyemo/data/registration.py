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

COARSE = 32  # the side at which the map is estimated first
FILTER = 3  # pixels: side of the Gaussian filter in the estimation
STEPS = 40  # iterations at most
GAIN = 1e-3  # the iterations end when the correlation rises by less
UNCLEAR = (0.5, 0.99)  # between these agreements, the map is estimated again at full size
SMOOTH = 1.0  # pixels: sd of the blur that hides noise and the artefacts of compression
WINDOW = 2.0  # pixels: sd of the Gaussian windows in which the structure is compared
NOISE = 60.0  # squared grey levels, added to variances: windows with less contrast are alike
OVERLAP = 0.5  # the least share of the second picture that the first must cover
COMPARED = 0.15  # the least share that must not be clipped; with less, clipped pixels count too
FLATTER = 3.0  # contrasts of a window that differ by more than this factor disagree
STRETCH = 0.2  # how far the aligned map may change the guess: lengths, relative
SHIFT = 0.15  # and the place of the centre, relative to the side
SURFACE = 4.0  # pixels: sd of the blur that gives the smooth surface under the detail
LEAST_DETAIL = 2.0  # grey levels, in half of the windows: one edge can be laid over any other
STRONG = 2.0  # no window counts for more than this many times the median
QUANTILE = 0.35  # so much of the detail may disagree: a watermark, a turned or filled corner


def agreement(
    first: np.ndarray,
    second: np.ndarray,
    guess: np.ndarray,
    first_clipped: np.ndarray,
    second_clipped: np.ndarray,
) -> float:
    """How far two thumbnails (SIDE, SIDE) show the same picture, up to 1.

    `guess` (3, 3) maps pixels of `second` to pixels of `first`; the other two are masks of clipped
    pixels. The agreement is that of the best of up to three maps: the guess, which is exact for a
    mirrored picture and does not suffer from a watermark; the map that is estimated from it at half
    size; and, where these leave it unclear, the better of the two estimated again at full size.
    """
    smooth = _blurred(first, SMOOTH), _blurred(second, SMOOTH)
    clipped = first_clipped, second_clipped
    best_map, best = guess, _agreement_under(guess, *smooth, *clipped)
    for side in (COARSE, SIDE):
        if side == SIDE and not UNCLEAR[0] < best < UNCLEAR[1]:
            break
        aligned = _aligned(first, second, best_map, side)
        if aligned is None or _is_far(aligned, guess):
            continue
        value = _agreement_under(aligned, *smooth, *clipped)
        if value > best:
            best_map, best = aligned, value
    return best


def has_detail(pixels: np.ndarray) -> bool:
    """Can a thumbnail (SIDE, SIDE) be told apart from others? A sky or a horizon cannot."""
    smooth = _blurred(pixels, SMOOTH)
    return bool(np.median(_detail(smooth)) >= LEAST_DETAIL)


def _detail(pixels: np.ndarray) -> np.ndarray:
    """(SIDE, SIDE) grey levels: how far the pixels of each window deviate from a smooth surface."""
    rest = pixels - _blurred(pixels, SURFACE)
    return np.sqrt(_blurred(rest * rest, WINDOW))


def _agreement_under(
    map_: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
    first_clipped: np.ndarray,
    second_clipped: np.ndarray,
) -> float:
    """The agreement of two smooth thumbnails under one map (3, 3).

    It is a quantile over the windows of the structure term of SSIM (Wang et al. 2004, equation 10:
    a correlation within the window), weighted by the mean detail of both in the window. So a sky,
    plain or with a gradient, counts for nothing, and a watermark over it for half. A strong edge
    does not outweigh the rest. 0 where the pictures hardly overlap or where most windows have no
    detail.
    """
    visible = _warped(np.ones((SIDE, SIDE)), map_) > 0.99
    if visible.mean() < OVERLAP:
        return 0.0
    clipped = (_warped(first_clipped, map_) >= 0.01) | second_clipped
    mask = visible & ~clipped
    if mask.mean() < COMPARED:
        mask = visible
    structure = _structure(_warped(first, map_), second, mask)[mask]
    both_details = (_warped(_detail(first), map_) + _detail(second))[mask] / 2
    usual = np.median(both_details)
    if usual < LEAST_DETAIL:
        return 0.0
    weights = np.minimum(both_details, STRONG * usual)
    return _weighted_quantile(structure, weights, QUANTILE)


def _aligned(
    first: np.ndarray, second: np.ndarray, start: np.ndarray, side: int
) -> np.ndarray | None:
    """The affine map (3, 3) from pixels of `second` to `first`, estimated from a start at pictures
    of this side; None if the estimation fails.
    """
    scale = np.diag([side / SIDE, side / SIDE, 1.0])
    unscale = np.linalg.inv(scale)
    guess = (scale @ start @ unscale)[:2].astype(np.float32)
    small_first = cv2.resize(first, (side, side), interpolation=cv2.INTER_AREA)
    small_second = cv2.resize(second, (side, side), interpolation=cv2.INTER_AREA)
    stop = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, STEPS, GAIN)
    try:
        _, found = cv2.findTransformECC(
            small_second, small_first, guess, cv2.MOTION_AFFINE, stop, None, FILTER
        )
    except cv2.error:  # the iterations left the picture, or a picture is uniform
        return None
    return unscale @ np.vstack([found, [0, 0, 1]]) @ scale


def _is_far(aligned: np.ndarray, guess: np.ndarray) -> bool:
    """Does the aligned map (3, 3) change the guess by more than STRETCH or SHIFT?"""
    change = aligned @ np.linalg.inv(guess)  # of pixels of the first picture
    centre = np.array([SIDE / 2, SIDE / 2, 1])
    moved = np.abs(change @ centre - centre).max()
    stretched = np.abs(change[:2, :2] - np.eye(2)).max()
    return bool(stretched > STRETCH or moved > SHIFT * SIDE)


def _warped(pixels: np.ndarray, map_: np.ndarray) -> np.ndarray:
    """(SIDE, SIDE) float32: the first picture in the frame of the second; 0 outside it."""
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(pixels.astype(np.float32), map_[:2], (SIDE, SIDE), flags=flags)


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


def _weighted_quantile(values: np.ndarray, weights: np.ndarray, share: float) -> float:
    """The smallest value such that it and smaller ones have at least `share` of the weight."""
    order = np.argsort(values)
    cumulated = np.cumsum(weights[order])
    place = np.searchsorted(cumulated, share * cumulated[-1])
    last = len(order) - 1
    return float(values[order[min(place, last)]])
