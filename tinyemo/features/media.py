"""Decoding: the sound of a clip as samples; opening a clip for sound and picture.

Owns opening a media file with FFmpeg (through PyAV), its time line, going to the start of an
utterance without decoding what is before it, and reading sound. Takes a path or a media fragment
(tinyemo.data.fragments); gives mono samples in float32. Pictures are in
tinyemo.features.frames. Every container and codec that FFmpeg reads is read: wav, mp3, m4a, mp4,
avi, mov, mkv, webm, ...

Times are seconds from the start of the file, taken from the time stamps of the packets.
"""

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.container import InputContainer
from av.frame import Frame
from av.stream import Disposition, Stream
from scipy.signal import resample_poly

from tinyemo.data.fragments import MediaPart, media_part
from tinyemo.io import first_line

# A codec needs some sound before a place to decode the place itself (Opus: 0.08 s).
LEAD_IN = 0.2  # seconds
# Time stamps are rounded, by up to 0.03 s in an avi file. A longer step is a gap in the sound.
GAP = 0.1  # seconds
LOUDEST = 10  # decoders exceed full scale, which is 1, a little; 9,000 is in other units
LISTS = {"concat", "hls", "dash", "imf"}  # formats of texts that name other media files
STEPS_BACK = (0.0, 1.0, 10.0)  # seconds before a place at which a key frame is looked for
# A file is truncated if its header promises more than this beyond the last decoded time.
TRUNCATED = 0.5  # seconds
# In these formats the duration is an estimate from the size of the file, not a promise.
ESTIMATED = {"mp3", "aac", "ac3", "eac3", "mpeg", "mpegts", "mpegvideo", "h264", "hevc", "m4v"}


class MissingStream(ValueError):
    """A stream that a clip does not have, or that cannot be read.

    `reason` is one of a few short texts, for counting: "file missing", "damaged file", "no sound
    track", "no picture", "outside the file", "silence", "too short", "no face found". The message
    is one sentence that names the clip.
    """

    def __init__(self, reason: str, sentence: str):
        super().__init__(sentence)
        self.reason = reason


@contextmanager
def open_media(path: Path) -> Iterator[InputContainer]:
    """The opened file. Within the block, FFmpeg's errors become a MissingStream that names it."""
    if not os.path.isfile(path):
        raise MissingStream("file missing", f"media file not found: {path}")
    try:
        # with "file:", a colon in the name is no protocol
        with _opened(f"file:{path}") as container:
            if container.format.name in LISTS:  # whose content no key of a store would show
                raise damaged(path, f"it is a list of other files ({container.format.name})")
            yield container
    except (av.FFmpegError, EOFError) as error:
        reason = getattr(error, "strerror", None) or first_line(error)
        raise damaged(path, reason) from error


def _opened(name: str) -> InputContainer:
    return av.open(name, metadata_errors="ignore")  # text tags may be in any encoding


def damaged(path: Path, found: str) -> MissingStream:
    """The error about a file that cannot be decoded; `found` says what FFmpeg found."""
    return MissingStream(
        "damaged file", f"{path}: cannot be decoded: {found}; expected sound or video that is whole"
    )


def track(container: InputContainer, kind: str, path: Path) -> Stream:
    """The first track of `kind` "audio" or "video"; a cover picture is no video.

    MissingStream: there is none.
    """
    for stream in container.streams:
        is_cover = bool(stream.disposition & Disposition.attached_pic)
        if stream.type == kind and stream.codec_context is not None and not is_cover:
            return stream
    has = ", ".join(stream.type for stream in container.streams) or "nothing"
    reason = {"audio": "no sound track", "video": "no picture"}[kind]
    raise MissingStream(reason, f"{path}: {reason}; the file holds: {has}")


def promised_end(container: InputContainer, stream: Stream) -> float | None:
    """When the track ends by the header of the file, in seconds; None if the header does not say.

    Matroska keeps the duration of a track in a tag that FFmpeg writes.
    """
    if container.format.name in ESTIMATED:
        return None
    if stream.duration is not None:
        begin = (stream.start_time or 0) * stream.time_base
        return float(begin + stream.duration * stream.time_base - _origin(container))
    hours, minutes, seconds = (stream.metadata.get("DURATION", "").split(":") + ["", ""])[:3]
    try:
        duration = timedelta(hours=int(hours), minutes=int(minutes), seconds=float(seconds))
    except ValueError:
        return None
    return duration.total_seconds() or None


def cut_off(path: Path) -> str:
    """How much of a RIFF file (wav, avi) is there, if it is shorter than its header says; else "".

    FFmpeg takes the end of such a file for the end of the track. Bytes 4 to 7 of the file are the
    size of the rest; a program that wrote into a pipe left 0 or a number near 2 ** 31 or 2 ** 32.
    """
    with path.open("rb") as file:
        head = file.read(8)
    if head[:4] != b"RIFF" or len(head) < 8:
        return ""
    promised = int.from_bytes(head[4:], "little") + 8
    size = path.stat().st_size
    if size >= promised or promised > 0x7FFF0000:
        return ""
    return f"the file has {size} bytes, its header says {promised}"


def last_packet_end(container: InputContainer, stream: Stream, start: float) -> float:
    """When the track ends by its packets from the key frame before `start` (seconds) on.

    No packet is decoded. The header of an mp4 file with a variable frame rate may say less.
    """
    end = 0.0
    with _opened(container.name) as again:  # `container` stays where it is
        same = again.streams[stream.index]
        if start > 0:
            _seek(again, same, start)
        for packet in again.demux(same):
            if packet.pts is not None:
                ticks = packet.pts + (packet.duration or 0)
                end = max(end, float(ticks * same.time_base - _origin(again)))
    return end


def decoded_from(
    container: InputContainer, stream: Stream, start: float
) -> Iterator[tuple[float, Frame]]:
    """The frames of a track with their times (seconds), from at or before `start` to the end.

    To be called once, on a container that was just opened. Goes to the last key frame before
    `start`, or to an earlier one if its frame is shown only later. Where that fails, because the
    format cannot do it or the index of the file is wrong, the file is decoded from its beginning.
    """
    if start <= 0:
        yield from _decoded(container, stream, 0.0)
        return
    for back in STEPS_BACK:
        if start > back and _seek(container, stream, start - back):
            frames = _decoded(container, stream, start)
            first = next(frames, None)
            if first is not None and first[0] <= start:
                yield first
                yield from frames
                return
    with _opened(container.name) as again:
        yield from _decoded(again, again.streams[stream.index], start)


def _seek(container: InputContainer, stream: Stream, seconds: float) -> bool:
    """Go to the last key frame at or before `seconds`; False where the format cannot do that."""
    ticks = math.floor((Fraction(seconds) + _origin(container)) / stream.time_base)
    try:
        container.seek(ticks, stream=stream)
    except (av.FFmpegError, OverflowError):  # a time beyond 64 bits
        return False
    return True


def _decoded(
    container: InputContainer, stream: Stream, start: float
) -> Iterator[tuple[float, Frame]]:
    """(seconds, frame) in the order in which they are shown; a frame without time follows the last
    one.

    What cannot be decoded before `start` is passed over: after a jump into the middle of a file, a
    decoder needs a few packets.
    """
    time, origin = 0.0, float(_origin(container))
    for packet in container.demux(stream):
        try:
            frames = packet.decode()
        except av.InvalidDataError:
            if time >= start:
                raise
            continue
        for frame in frames:
            if frame.time is not None:
                time = frame.time - origin
            yield time, frame
            time += seconds_of(frame)


def seconds_of(frame: Frame) -> float:
    """How long a frame lasts, as far as it says."""
    if isinstance(frame, AudioFrame):
        return frame.samples / frame.sample_rate
    return float((frame.duration or 0) * (frame.time_base or 0))


def _origin(container: InputContainer) -> Fraction:
    """The time stamp at which the file starts, in seconds."""
    return Fraction(container.start_time or 0, av.time_base)


# ---- sound


def read_audio(source: str | Path, rate: int = 16000) -> np.ndarray:
    """The sound of a clip: (samples,) float32 mono in [-1, 1], `rate` samples per second.

    `source` is a path or a media fragment. Mono is the mean of the channels. A fragment that goes
    on after the end of the file ends with the file. Gaps in the time stamps become silence.

    MissingStream: no such file, no sound track, a damaged or truncated file, samples that are NaN,
    infinite or not scaled to [-1, 1], or a fragment that begins after the end. ValueError: a
    fragment that cannot be read.
    """
    part = media_part(source)
    with open_media(part.path) as container:
        stream = track(container, "audio", part.path)
        blocks, begin, found_rate = _sound_blocks(container, stream, part)
        if not blocks:
            raise damaged(part.path, "no sample of the sound track could be decoded")
        samples = np.concatenate(blocks)  # (samples,) at the rate of the file
        _check_loudness(samples, part.path)
        end = begin + len(samples) / found_rate
        if end < part.end:
            promised = promised_end(container, stream) or end
            check_whole(part, end, min(promised, part.end), "sound")
    # the blocks begin before the fragment and end after it
    first = max(round((part.start - begin) * found_rate), 0)
    last = len(samples)
    if math.isfinite(part.end):
        last = max(round((part.end - begin) * found_rate), 0)
    samples = samples[first:last]
    if not len(samples):
        raise outside(source, end, "sound")
    return _resampled(samples, found_rate, rate)


def _sound_blocks(
    container: InputContainer, stream: Stream, part: MediaPart
) -> tuple[list[np.ndarray], float, int]:
    """(mono blocks that follow one another, time of the first sample, samples per second)."""
    # Channels are interleaved: PyAV 18 crashes if it reads 8 or more that are not. The layout and
    # the rate stay as they are.
    to_float = AudioResampler(format="flt")
    blocks: list[np.ndarray] = []
    begin, count, rate = 0.0, 0, stream.rate or 1
    for time, frame in decoded_from(container, stream, max(part.start - LEAD_IN, 0)):
        if time >= part.end:
            break
        if not blocks:
            begin, rate = time, frame.sample_rate
        gap = time - (begin + count / rate)  # seconds without sound before this frame
        if gap > GAP:
            blocks.append(np.zeros(round(gap * rate), np.float32))
            count += len(blocks[-1])
        for converted in to_float.resample(frame):
            channels = converted.to_ndarray().reshape(converted.samples, -1)  # (samples, channels)
            blocks.append(channels.mean(axis=1, dtype=np.float32))
            count += len(blocks[-1])
    return blocks, begin, rate


def _check_loudness(samples: np.ndarray, path: Path) -> None:
    """MissingStream: samples that are not finite, or far beyond full scale (-1 to 1)."""
    peak = float(np.abs(samples).max(initial=0))  # NaN if one sample is
    if not peak <= LOUDEST:
        raise damaged(path, f"its samples reach {peak:g}, where full scale is 1")


def _resampled(samples: np.ndarray, old: int, new: int) -> np.ndarray:
    """(samples,) at `new` samples per second, by a polyphase filter; float32 in [-1, 1]."""
    if old != new:
        common = math.gcd(old, new)
        samples = resample_poly(samples, new // common, old // common)
    return np.clip(samples, -1, 1).astype(np.float32)


def check_whole(part: MediaPart, end: float, wanted: float, what: str) -> None:
    """To be called where a track ended at `end`, before the end of the part.

    MissingStream: the file was cut off, or its header promises `what` until `wanted` (seconds).
    """
    if missing := cut_off(part.path):
        raise damaged(part.path, missing)
    if end + TRUNCATED < wanted:
        raise damaged(part.path, f"the {what} stops at {end:.2f} s, its header says {wanted:.2f} s")


def outside(source: str | Path, end: float, what: str) -> MissingStream:
    """The error about a fragment in which the file has nothing; `end` (s) is the end of `what`."""
    return MissingStream(
        "outside the file",
        f"{source}: the {what} of the file ends at {end:.2f} s; expected a part that begins before",
    )
