"""Small clips that tests write: known pictures and tones, in any codec that PyAV can write."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image, ImageDraw, ImageFilter

STEP = 5  # grey levels between the frames of `grey_frame`
TONE = 440.0  # Hz


def grey_frame(number: int, size: tuple[int, int] = (96, 64)) -> np.ndarray:
    """(H, W, 3) uint8 of one grey level, by which `frame_number` finds the number again."""
    return np.full((size[1], size[0], 3), 10 + STEP * number, np.uint8)


def frame_number(image: Image.Image) -> int:
    """The number of a decoded `grey_frame`."""
    level = np.asarray(image.convert("L"), float).mean()
    return round((level - 10) / STEP)


def tone(seconds: float, rate: int, frequency: float = TONE) -> np.ndarray:
    """(samples,) float32, a sine of amplitude 0.5 that starts at 0."""
    times = np.arange(round(seconds * rate)) / rate
    return (0.5 * np.sin(2 * np.pi * frequency * times)).astype(np.float32)


def write_clip(
    path: Path,
    video: str | None = "libx264",
    audio: str | None = "aac",
    frames: Sequence[np.ndarray] | None = None,
    times: Sequence[float] | None = None,
    samples: np.ndarray | None = None,
    seconds: float = 1.0,
    fps: int = 20,
    rate: int = 44100,
    prepare: Callable | None = None,
) -> Path:
    """A clip with `frames`, each (H, W, 3) uint8, and `samples` (n,) or (channels, n).

    By default grey frames and a tone. `times` (seconds) are the frames' time stamps; by default
    `fps` of them per second. `prepare(video stream)` may set options of the codec.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if frames is None:
        frames = [grey_frame(number) for number in range(round(seconds * fps))]
    if samples is None:
        samples = tone(seconds, rate)
    with av.open(str(path), "w") as container:
        # all tracks are added before the first packet
        pictures = _video_track(container, video, frames, fps, prepare) if video else None
        channels = np.atleast_2d(samples)
        layout = {1: "mono", 2: "stereo", 6: "5.1"}[len(channels)]
        sound = container.add_stream(audio, rate=rate, layout=layout) if audio else None
        if pictures:
            _encode_frames(container, pictures, frames, times, fps)
        if sound:
            _encode_samples(container, sound, channels, rate, layout)
    return path


def _video_track(container, codec, frames, fps, prepare):
    track = container.add_stream(codec, rate=fps)
    track.height, track.width = frames[0].shape[:2]
    track.pix_fmt, track.bit_rate = "yuv420p", 2_000_000
    if prepare:
        prepare(track)
    return track


def _encode_frames(container, track, frames, times, fps):
    if times is not None:
        track.codec_context.time_base = Fraction(1, 1000)
    for number, pixels in enumerate(frames):
        frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
        frame.pts = number if times is None else round(times[number] * 1000)
        frame.time_base = Fraction(1, fps) if times is None else Fraction(1, 1000)
        container.mux(track.encode(frame))
    container.mux(track.encode(None))


def _encode_samples(container, track, channels, rate, layout):
    frame = av.AudioFrame.from_ndarray(
        np.ascontiguousarray(channels, np.float32), format="fltp", layout=layout
    )
    frame.sample_rate, frame.pts = rate, 0
    container.mux(track.encode(frame))
    container.mux(track.encode(None))


def rotate_90_clockwise(path: Path) -> Path:
    """Write the display matrix of a phone held upright into an mp4 file: 90 degrees clockwise.

    The matrix is at byte 40 of the payload of version 0 of the box `tkhd` (ISO 14496-12, 8.3.2):
    nine big-endian numbers a b u, c d v, x y w in fixed point.
    """
    data = bytearray(path.read_bytes())
    begins = data.index(b"tkhd") + 4 + 40
    one = 1 << 16
    matrix = [0, one, 0, -one, 0, 0, 0, 0, 1 << 30]
    data[begins : begins + 36] = b"".join(
        number.to_bytes(4, "big", signed=True) for number in matrix
    )
    path.write_bytes(data)
    return path


def drawn_face(size: int = 120) -> Image.Image:
    """A grey drawing with what a cascade looks for: dark eyes, a bright nose, a dark mouth."""
    image = Image.new("L", (size, size), 90)
    draw = ImageDraw.Draw(image)

    def oval(left: int, upper: int, right: int, lower: int, grey: int) -> None:
        box = [corner * size / 100 for corner in (left, upper, right, lower)]
        draw.ellipse(box, fill=grey)

    oval(12, 0, 88, 98, 50)  # hair
    oval(20, 8, 80, 98, 200)  # skin
    oval(22, 8, 78, 30, 210)  # forehead
    for left in (27, 54):
        oval(left, 36, left + 19, 50, 110)  # eye socket
        oval(left + 3, 39, left + 15, 48, 60)  # eye
        brow = [(left + 1, 32), (left + 18, 32), (left + 18, 36), (left + 1, 36)]
        draw.polygon([(x * size / 100, y * size / 100) for x, y in brow], fill=60)
    nose = [(50, 40), (43, 64), (57, 64)]
    draw.polygon([(x * size / 100, y * size / 100) for x, y in nose], fill=225)
    oval(43, 61, 57, 67, 140)  # nostrils
    oval(36, 73, 64, 83, 100)  # mouth
    return image.filter(ImageFilter.GaussianBlur(1.5 * size / 100)).convert("RGB")


def face_frame(left: int, upper: int, size: int = 120) -> np.ndarray:
    """(240, 320, 3) uint8: the drawn face on grey, its box at (left, upper)."""
    picture = Image.new("RGB", (320, 240), (120, 120, 120))
    picture.paste(drawn_face(size), (left, upper))
    return np.asarray(picture)
