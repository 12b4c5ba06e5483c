"""Frames of clips: those that a player shows at the time, upright, cut to the region."""

from fractions import Fraction

import av
import numpy as np
import pytest
from clips import frame_number, grey_frame, rotate_90_clockwise, write_clip
from PIL import Image, ImageFilter

from tinyemo.features.frames import read_frames, sharpness
from tinyemo.features.media import MissingStream


def numbers(source, policy) -> list[int]:
    return [frame_number(image) for image in read_frames(source, policy)]


@pytest.mark.parametrize(
    ("name", "codec", "late"),
    [
        ("a.mp4", "libx264", 0),
        ("a.mov", "mpeg4", 0),
        ("a.mkv", "libx264", 0),
        ("a.webm", "libvpx", 0),
        ("a.avi", "mpeg4", 0),
        ("b.avi", "mpeg4", 1),  # with B-frames, avi shows every frame one frame later
    ],
)
def test_frames_of_every_container(tmp_path, name, codec, late):
    def options(track):
        if codec == "mpeg4":
            track.codec_context.max_b_frames = late

    path = write_clip(tmp_path / name, codec, None, seconds=2, prepare=options)  # 40 frames
    assert numbers(path, "first") == [0]
    assert numbers(path, "middle") == [20 - late]
    assert numbers(path, 4) == pytest.approx([5, 15, 25, 35], abs=late)
    assert numbers(f"{path}#t=1.26,1.49", "first") == [25 - late]
    assert numbers(f"{path}#t=1.26,1.49", 2) == pytest.approx([26, 28], abs=late)
    image = read_frames(path, "first")[0]
    assert image.mode == "RGB" and image.size == (96, 64)


def test_a_short_clip_repeats_frames_and_a_part_ends_with_the_file(tmp_path):
    path = write_clip(tmp_path / "short.mp4", seconds=0.2)  # 4 frames
    assert numbers(path, 16) == [0] * 4 + [1] * 4 + [2] * 4 + [3] * 4
    assert numbers(f"{path}#t=0.1,9", 2) == [2, 3]
    one = write_clip(tmp_path / "one.mp4", audio=None, frames=[grey_frame(7)])
    assert numbers(one, 3) == [7, 7, 7] and numbers(one, "middle") == [7]
    with pytest.raises(MissingStream, match="the video of the file ends at 0.20 s") as caught:
        read_frames(f"{path}#t=0.5,1")
    assert caught.value.reason == "outside the file"


@pytest.mark.parametrize(("name", "codec"), [("v.mp4", "libx264"), ("v.webm", "libvpx")])
def test_with_a_variable_frame_rate_the_frame_on_show_is_taken(tmp_path, name, codec):
    times = [0, 0.1, 0.15, 0.6, 0.65, 1.5, 1.9]
    frames = [grey_frame(5 * number) for number in range(len(times))]
    path = write_clip(tmp_path / name, codec, None, frames=frames, times=times)
    for at, expected in ((0.0, 0), (0.12, 1), (0.4, 2), (0.62, 3), (1.0, 4), (1.6, 5), (1.92, 6)):
        assert numbers(f"{path}#t={at},{at + 0.01}", "first") == [5 * expected], at
    assert numbers(f"{path}#t=0,1.7", 3) == [10, 20, 20]  # at 0.28, 0.85 and 1.42 s


def test_the_sharpest_frame_has_the_largest_variance_of_the_laplacian(tmp_path):
    rng = np.random.default_rng(0)
    sharp = Image.fromarray(rng.integers(0, 255, (64, 96, 3)).astype(np.uint8))
    radii = [4, 3, 0, 2, 5, 6]
    frames = [np.asarray(sharp.filter(ImageFilter.GaussianBlur(radius))) for radius in radii]
    path = write_clip(tmp_path / "blurred.mp4", audio=None, frames=frames)
    chosen = read_frames(path, "sharpest")
    all_frames = read_frames(path, 6)
    assert len(chosen) == 1 and chosen[0].tobytes() == all_frames[2].tobytes()
    grey = np.asarray(chosen[0].convert("L"), float)
    by_hand = [
        grey[y - 1, x] + grey[y + 1, x] + grey[y, x - 1] + grey[y, x + 1] - 4 * grey[y, x]
        for y in range(1, 63)
        for x in range(1, 95)
    ]
    assert sharpness(chosen[0]) == pytest.approx(np.var(by_hand), rel=1e-5)


def test_rotation_is_applied(tmp_path):
    stripe = np.zeros((64, 96, 3), np.uint8)
    stripe[:16] = 255  # along the upper side
    path = write_clip(tmp_path / "phone.mp4", audio=None, frames=[stripe] * 3)
    image = read_frames(rotate_90_clockwise(path), "first")[0]
    grey = np.asarray(image.convert("L"))
    assert image.size == (64, 96)
    assert grey[:, -10:].mean() > 240 and grey[:, :40].mean() < 10  # along the right side


def test_pixels_that_are_not_square_are_widened(tmp_path):
    def anamorphic(track):
        track.sample_aspect_ratio = Fraction(4, 3)

    path = write_clip(tmp_path / "wide.mp4", audio=None, seconds=0.2, prepare=anamorphic)
    assert read_frames(path, "first")[0].size == (128, 64)


@pytest.mark.parametrize(("size", "aspect"), [((2000, 16), 1), ((192, 64), 50)])
def test_a_video_that_is_a_strip_is_damaged(tmp_path, size, aspect):
    """A preprocessing that scales the shorter side would need all memory for it."""

    def widened(track):
        track.sample_aspect_ratio = Fraction(aspect)

    frames = [grey_frame(1, size)] * 2
    path = write_clip(tmp_path / "strip.mp4", audio=None, frames=frames, prepare=widened)
    with pytest.raises(MissingStream, match=r"strip.mp4: .*it has \d+ x \d+ pixels") as caught:
        read_frames(path, "first")
    assert caught.value.reason == "damaged file"


def test_the_transparent_part_of_a_video_is_white(tmp_path):
    pixels = np.zeros((64, 96, 4), np.uint8)
    pixels[:, 48:, 3] = 255  # black; the left half is transparent
    with av.open(str(tmp_path / "overlay.mkv"), "w") as container:
        track = container.add_stream("ffv1", rate=10)
        track.width, track.height, track.pix_fmt = 96, 64, "bgra"
        frame = av.VideoFrame.from_ndarray(pixels, format="bgra")
        for packet in (*track.encode(frame), *track.encode(None)):
            container.mux(packet)
    grey = np.asarray(read_frames(tmp_path / "overlay.mkv", "first")[0].convert("L"))
    assert (grey[:, :48] == 255).all() and (grey[:, 48:] == 0).all()


def test_the_region_of_a_fragment_is_cut_out(tmp_path):
    halves = np.zeros((64, 96, 3), np.uint8)
    halves[:, 48:] = 200
    path = write_clip(tmp_path / "two.avi", "mpeg4", None, frames=[halves] * 10)
    left = read_frames(f"{path}#t=0.1,0.4&xywh=percent:0,0,50,100", "middle")[0]
    right = read_frames(f"{path}#t=0.1,0.4&xywh=percent:50,0,50,100", "middle")[0]
    assert left.size == right.size == (48, 64)
    assert np.asarray(left).mean() < 5 and np.asarray(right).mean() > 195
    with pytest.raises(ValueError, match="no pixel in a picture of 96 x 64"):
        read_frames(f"{path}#xywh=100,0,10,10")


def test_what_is_missing_or_wrong_is_said(tmp_path):
    sound = write_clip(tmp_path / "sound.wav", None, "pcm_s16le")
    with pytest.raises(MissingStream, match="no picture; the file holds: audio$") as caught:
        read_frames(sound)
    assert caught.value.reason == "no picture"
    for policy in ("best", 0, -3):
        with pytest.raises(ValueError, match="unknown choice of frames"):
            read_frames(sound, policy)


@pytest.mark.parametrize(("name", "codec"), [("a.mp4", "libx264"), ("a.avi", "mpeg4")])
def test_a_truncated_video_is_damaged(tmp_path, name, codec):
    path = write_clip(tmp_path / name, codec, None, seconds=2)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(MissingStream, match=f"{name}: cannot be decoded: ") as caught:
        read_frames(path, 4)
    assert caught.value.reason == "damaged file"
