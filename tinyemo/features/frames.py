"""Decoding pictures: chosen frames of a clip.

Owns the choice of the frames (first, middle, sharpest, or n evenly spaced) and their conversion to
upright RGB pictures with square pixels, cut to the region that a media fragment names. Takes a path
or a media fragment; gives PIL images. Times are those of the frames' time stamps, so a variable
frame rate makes no difference: the frame at a time is the one that a player shows at that time.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from av.container import InputContainer
from av.stream import Stream
from av.video.frame import VideoFrame
from PIL import Image

from tinyemo.data.fragments import MediaPart, media_part
from tinyemo.features.media import (
    check_whole,
    damaged,
    decoded_from,
    last_packet_end,
    open_media,
    outside,
    promised_end,
    seconds_of,
    track,
)
from tinyemo.io import read_image
from tinyemo.pixels import check_sides

POLICIES = ("first", "middle", "sharpest")
CANDIDATES = 32  # the sharpest frame is the sharpest of so many evenly spaced ones


def read_frames(source: str | Path, policy: str | int = "middle") -> list[Image.Image]:
    """Frames of a clip as RGB images, in order of time.

    `source` is a path or a media fragment. `policy` is one of POLICIES, which gives one frame, or a
    number n: the frames in the middle of n equal parts of the duration. A clip with fewer frames
    repeats some. "sharpest" is the frame with the largest variance of the Laplacian, of CANDIDATES
    evenly spaced ones.

    MissingStream: no such file, no picture, a damaged or truncated file, frames that are strips, or
    a fragment that begins after the end. ValueError: an unknown policy, a fragment that cannot be
    read, or a region without a pixel.
    """
    is_number = isinstance(policy, int) and policy > 0
    if not is_number and policy not in POLICIES:
        raise ValueError(
            f"unknown choice of frames {policy!r}: expected {', '.join(POLICIES)} or a number"
        )
    part = media_part(source)
    with open_media(part.path) as container:
        stream = track(container, "video", part.path)
        begin, end = _span(container, stream, part, source)
        times = _times(policy, begin, end)
        frames = list(_frames_at(container, stream, times, part))
        # a frame that is chosen several times is converted once
        images = {id(frame): _upright(frame, stream, part.path) for frame in frames}
    chosen = [_cut(images[id(frame)], part, source) for frame in frames]
    if policy == "sharpest":
        return [max(chosen, key=sharpness)]
    return chosen


def sharpness(image: Image.Image) -> float:
    """Variance of the Laplacian of the grey image (0 to 255), over all inner pixels."""
    grey = np.asarray(image.convert("L"), np.float32)  # (H, W)
    neighbours = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:]
    laplacian = neighbours - 4 * grey[1:-1, 1:-1]
    return float(laplacian.var()) if laplacian.size else 0.0


def _times(policy: str | int, begin: float, end: float) -> list[float]:
    """The times (seconds) of the wanted frames between `begin` and `end`."""
    if policy == "first":
        return [begin]
    number = {"middle": 1, "sharpest": CANDIDATES}.get(policy, policy)
    length = (end - begin) / number
    return [begin + (i + 0.5) * length for i in range(number)]


def _span(
    container: InputContainer, stream: Stream, part: MediaPart, source: str | Path
) -> tuple[float, float]:
    """Start and end of the part in the file, in seconds."""
    end = promised_end(container, stream)
    if end is None or end < part.end:
        end = max(end or 0.0, last_packet_end(container, stream, end or 0.0))
    if part.start >= end:
        check_whole(part, end, end, "video")
        raise outside(source, end, "video")
    return part.start, min(part.end, end)


def _frames_at(
    container: InputContainer, stream: Stream, times: list[float], part: MediaPart
) -> Iterator[VideoFrame]:
    """For each of the rising `times` the frame that is shown then; one pass over the video."""
    waiting = list(times)
    shown, shown_until = None, 0.0
    for time, frame in decoded_from(container, stream, times[0]):
        # up to this frame, the one before is shown; before the first frame, the first is
        while waiting and waiting[0] < time:
            yield shown or frame
            waiting.pop(0)
        if not waiting:
            return
        shown, shown_until = frame, time + seconds_of(frame)
    if shown is None:
        raise damaged(part.path, "no frame of the video could be decoded")
    check_whole(part, shown_until, waiting[-1], "video")
    yield from [shown] * len(waiting)


def _upright(frame: VideoFrame, stream: Stream, path: Path) -> Image.Image:
    """The frame as an RGB image, turned as its metadata says, with square pixels.

    MissingStream: one of its sides is too long for the other.
    """
    aspect = stream.sample_aspect_ratio or 1  # width of a pixel / height of a pixel
    width = max(round(frame.width * aspect), 1)
    try:
        check_sides(width, frame.height)
    except ValueError as error:
        raise damaged(path, str(error)) from error
    has_alpha = any(component.is_alpha for component in frame.format.components)
    image = Image.fromarray(frame.to_ndarray(format="rgba")) if has_alpha else frame.to_image()
    if width != image.width:
        image = image.resize((width, image.height))
    image = read_image(image)
    if frame.rotation:
        image = image.rotate(frame.rotation, expand=True)
    return image


def _cut(image: Image.Image, part: MediaPart, source: str | Path) -> Image.Image:
    """The region of the picture that the part names."""
    box = part.box(image.width, image.height)
    if box is None:
        return image
    if box[0] >= box[2] or box[1] >= box[3]:
        raise ValueError(
            f"{source}: the region has no pixel in a picture of {image.width} x {image.height}"
        )
    return image.crop(box)
