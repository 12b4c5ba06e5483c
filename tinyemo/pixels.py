"""The pixels of a picture as a viewer shows them, with 8 bits per channel.

Owns five rules. A picture is turned as its EXIF orientation says. Transparent places are white. Of
an animation, the first frame that is not empty counts. Greyscale with more than 8 bits is scaled
to 8. A picture that is extremely long and narrow is refused. Takes an image that Pillow opened;
gives a new one. tinyemo.io.read_image is the only caller: it opens the file and names it in every
error.

Pictures with 8 bits per channel, without transparency and without an orientation are only
converted to the wanted mode.
"""

import numpy as np
from PIL import ExifTags, Image

LONGEST = 100  # longer side / shorter side; an encoder sees next to nothing of a longer picture
EMPTY = 8  # a frame whose channels vary by no more than this (of 255) shows nothing
SCALED = "tinyemo_scaled_from"  # key in `Image.info`: (least, greatest) of values without a scale

DEEP_MODES = ("I", "F", "I;16", "I;16L", "I;16B", "I;16N")
MAXIMUM_16 = 2**16 - 1
FORMATS_OF_16_BITS = ("PNG", "PPM")  # Pillow gives their 16 bits in 32 (mode "I")

# TIFF tags
BITS_PER_SAMPLE, PHOTOMETRIC, SAMPLE_FORMAT = 258, 262, 339
WHITE_IS_ZERO, UNSIGNED = 0, 1

# EXIF orientation -> what makes the picture upright
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def as_displayed(image: Image.Image, mode: str) -> Image.Image:
    """The picture as a viewer shows it, in Pillow's 8-bit `mode` ("RGB", "L").

    `info[SCALED]` of the result is (least, greatest) if the values had no known scale and were
    scaled by their own minimum and maximum. ValueError: a side more than LONGEST times the other,
    NaN or infinite values, or an animation with too many empty frames.
    """
    check_shape(image)
    if getattr(image, "is_animated", False) and image.tell() == 0:
        _show_first_frame_with_content(image)
    shown = _flat(image).convert(mode)
    turn = TURNS.get(_orientation(image))
    return shown if turn is None else shown.transpose(turn)


def check_shape(image: Image.Image) -> None:
    """ValueError: a side more than LONGEST times the other."""
    short, long = sorted(image.size)
    if long > LONGEST * short:
        raise ValueError(
            f"it has {image.width} x {image.height} pixels; expected a longer side of at most "
            f"{LONGEST} times the shorter one"
        )


def _show_first_frame_with_content(image: Image.Image) -> None:
    """Move to the first frame that is not of one colour; stay at the first one if all are.

    As many pixels are decoded as a single picture may have, so that a small file with very many
    empty frames is refused.
    """
    frame, pixels = 0, 0
    while _is_empty(image):
        pixels += image.width * image.height
        if Image.MAX_IMAGE_PIXELS and pixels > 2 * Image.MAX_IMAGE_PIXELS:
            raise ValueError(f"its first {frame + 1} frames are empty; expected a picture")
        frame += 1
        try:
            image.seek(frame)
        except EOFError:  # no further frame
            image.seek(0)
            return


def _is_empty(image: Image.Image) -> bool:
    extrema = _flat(image).convert("RGB").getextrema()
    return all(high - low <= EMPTY for low, high in extrema)


def _flat(image: Image.Image) -> Image.Image:
    """The image with 8 bits per channel and without transparency."""
    image.load()
    if image.mode in DEEP_MODES:
        return _scaled_to_8_bits(image)
    if not image.has_transparency_data:
        return image
    coloured = image.convert("RGBA")
    white = Image.new("RGB", image.size, "white")
    white.paste(coloured, mask=coloured.getchannel("A"))
    return white


def _scaled_to_8_bits(image: Image.Image) -> Image.Image:
    """Greyscale of 16 or 32 bits, or of floating-point numbers, as 8 bits (mode "L").

    16 bits are divided by 257 (fewer bits, as in TIFF, by their own maximum / 255). Floating-point
    numbers within 0 to 1 are multiplied by 255. Other values are scaled by their minimum and
    maximum, and `info[SCALED]` says so.
    """
    values = np.asarray(image)  # (H, W)
    tags = getattr(image, "tag_v2", {})
    if image.mode == "I" and tags and tags.get(SAMPLE_FORMAT, (UNSIGNED,))[0] == UNSIGNED:
        values = values.view(np.uint32)
    if not np.isfinite(values).all():
        raise ValueError("it has NaN or infinite values; expected numbers")
    low, high = float(values.min()), float(values.max())
    known = _known_maximum(image, low, high)
    start, width = (0.0, known) if known else (low, high - low)
    share = (values.astype(np.float64) - start) / (width or 1.0)  # (H, W), 0 to 1
    if tags.get(PHOTOMETRIC) == WHITE_IS_ZERO:
        share = 1 - share
    transparent = image.info.get("transparency")
    if isinstance(transparent, int):
        share[values == transparent] = 1  # white
    scaled = Image.fromarray(np.rint(255 * share).astype(np.uint8))
    if not known:
        scaled.info[SCALED] = (low, high)
    return scaled


def _known_maximum(image: Image.Image, low: float, high: float) -> float | None:
    """The value that means white, or None if it cannot be known."""
    if image.mode.startswith("I;16"):
        bits = getattr(image, "tag_v2", {}).get(BITS_PER_SAMPLE, (16,))[0]
        return float(2**bits - 1)
    if image.mode == "I":
        return float(MAXIMUM_16) if image.format in FORMATS_OF_16_BITS else None
    return 1.0 if 0 <= low and high <= 1 else None


def _orientation(image: Image.Image) -> int | None:
    """The EXIF orientation of a loaded image; None if it has none, or if the block is damaged."""
    try:
        return image.getexif().get(ExifTags.Base.Orientation)
    except (
        Exception
    ):  # Pillow raises many kinds of errors for a damaged block; the picture is whole
        return None
