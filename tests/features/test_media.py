"""Sound of clips: the right samples at the right time, whatever the codec, or a reason why not."""

import subprocess
import sys

import av
import numpy as np
import pytest
from av.stream import Disposition
from clips import TONE, grey_frame, tone, write_clip

from tinyemo.features import media
from tinyemo.features.frames import read_frames
from tinyemo.features.media import MissingStream, read_audio

# container -> (video codec, audio codec, samples per second, lossless, seconds by which it is late)
CODECS = {
    "a.wav": (None, "pcm_s16le", 44100, True, 0.001),
    "b.wav": (None, "pcm_s16le", 8000, True, 0.001),
    "a.flac": (None, "flac", 22050, True, 0.001),
    "a.mp3": (None, "libmp3lame", 44100, False, 0.001),
    "a.m4a": (None, "aac", 48000, False, 0.001),
    "a.opus": (None, "libopus", 48000, False, 0.001),
    "a.mp4": ("libx264", "aac", 44100, False, 0.001),
    "a.mov": ("libx264", "aac", 32000, False, 0.001),
    "a.mkv": ("libx264", "flac", 16000, True, 0.002),  # its time stamps are in milliseconds
    "a.webm": ("libvpx", "libopus", 48000, False, 0.01),
    "a.avi": ("mpeg4", "pcm_s16le", 44100, True, 0.001),
    "b.avi": ("mpeg4", "libmp3lame", 44100, False, 0.06),  # avi keeps no delay of the encoder
}


@pytest.mark.parametrize("name", CODECS)
def test_a_tone_is_read_from_every_container_and_at_every_rate(tmp_path, name):
    video, audio, rate, lossless, _ = CODECS[name]
    path = write_clip(tmp_path / name, video, audio, rate=rate)
    samples = read_audio(path)
    assert samples.dtype == np.float32 and samples.ndim == 1
    assert len(samples) == pytest.approx(16000, abs=16 if lossless else 1000)
    inner = samples[2000:14000]  # 0.75 s
    assert np.sqrt((inner**2).mean()) == pytest.approx(0.5 / np.sqrt(2), rel=0.05)
    spectrum = np.abs(np.fft.rfft(inner))
    assert spectrum.argmax() * 16000 / len(inner) == pytest.approx(TONE, abs=1.4)
    if lossless:
        expected = tone(1, 16000)
        assert np.abs(inner - expected[2000:14000]).max() < 0.01


@pytest.mark.parametrize("name", CODECS)
def test_a_fragment_begins_and_ends_at_its_times(tmp_path, name):
    video, audio, rate, _, late = CODECS[name]
    silent = tone(2, rate)
    silent[: round(1.3 * rate)] = 0  # the tone begins at 1.3 s
    path = write_clip(tmp_path / name, video, audio, samples=silent, seconds=2, rate=rate)
    samples = read_audio(f"{path}#t=1.1,1.7")
    assert len(samples) == pytest.approx(0.6 * 16000, abs=2)
    onset = np.flatnonzero(np.abs(samples) > 0.1)[0] / 16000
    # 0.2 s into the fragment; a sine needs 0.0001 s to reach 0.1, a lossy codec smears the start
    assert -0.006 < onset - 0.2 < late + 0.003


def test_mono_is_the_mean_of_the_channels_and_loud_sound_stays_within_1(tmp_path):
    left = tone(0.5, 16000)
    path = write_clip(
        tmp_path / "stereo.wav", None, "pcm_s16le", samples=np.stack([left, 0 * left]), rate=16000
    )
    np.testing.assert_allclose(read_audio(path), left / 2, atol=1e-4)
    square = np.sign(left)
    path = write_clip(tmp_path / "loud.m4a", None, "aac", samples=square, rate=16000)
    assert np.abs(read_audio(path)).max() == 1  # AAC overshoots


def test_very_short_clips_and_fragments_beyond_the_end_give_what_there_is(tmp_path):
    path = write_clip(tmp_path / "short.mp4", seconds=0.2)
    assert len(read_audio(path)) == pytest.approx(3200, abs=800)
    path = write_clip(tmp_path / "a.wav", None, "pcm_s16le", rate=16000)
    np.testing.assert_array_equal(read_audio(f"{path}#t=0.75,9"), read_audio(path)[12000:])
    with pytest.raises(MissingStream, match="the sound of the file ends at 1.00 s") as caught:
        read_audio(f"{path}#t=1.5,2")
    assert caught.value.reason == "outside the file"


def test_a_gap_in_the_time_stamps_becomes_silence(tmp_path):
    path = tmp_path / "gap.mkv"
    with av.open(str(path), "w") as container:
        track = container.add_stream("pcm_s16le", rate=16000, layout="mono")
        for begins in (0, 24000):  # half a second of sound at 0 s and at 1.5 s
            block = tone(0.5, 16000)[None]
            frame = av.AudioFrame.from_ndarray(block, format="fltp", layout="mono")
            frame.sample_rate, frame.pts = 16000, begins
            container.mux(track.encode(frame))
    samples = read_audio(path)
    assert len(samples) == 32000
    assert np.abs(samples[8000:24000]).max() == 0 and np.abs(samples[24100:]).max() > 0.4


def test_what_is_missing_in_a_file_is_said_with_its_reason(tmp_path):
    silent_film = write_clip(tmp_path / "film.mp4", audio=None)
    with pytest.raises(MissingStream, match="film.mp4: no sound track; the file holds: video$"):
        read_audio(silent_film)
    with pytest.raises(MissingStream, match="nowhere.wav$") as caught:
        read_audio(tmp_path / "nowhere.wav")
    assert caught.value.reason == "file missing"
    with pytest.raises(MissingStream) as caught:
        read_audio(tmp_path)  # a folder
    assert caught.value.reason == "file missing"


def test_a_cover_picture_is_no_video(tmp_path):
    path = tmp_path / "song.mp3"
    with av.open(str(path), "w") as container:
        cover = container.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = 96, 64, "yuvj420p"
        cover.disposition = Disposition.attached_pic
        sound = container.add_stream("libmp3lame", rate=16000, layout="mono")
        container.mux(cover.encode(av.VideoFrame.from_ndarray(grey_frame(3), format="rgb24")))
        frame = av.AudioFrame.from_ndarray(tone(0.5, 16000)[None], format="fltp", layout="mono")
        frame.sample_rate = 16000
        container.mux(sound.encode(frame))
        container.mux(sound.encode(None))
    assert len(read_audio(path)) == 8000
    with pytest.raises(MissingStream) as caught:
        read_frames(path)
    assert caught.value.reason == "no picture"


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.m4a", "a.mp4", "a.mkv", "a.avi", "b.avi"])
@pytest.mark.parametrize("share", [0, 0.4])
def test_a_truncated_file_is_damaged(tmp_path, name, share):
    video, audio, rate, *_ = CODECS[name]
    path = write_clip(tmp_path / name, video, audio, seconds=2, rate=rate)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(MissingStream, match=f"{name}: cannot be decoded: ") as caught:
        read_audio(path)
    assert caught.value.reason == "damaged file" and "\n" not in str(caught.value)


def test_a_fragment_before_the_damage_is_read(tmp_path):
    path = write_clip(tmp_path / "a.wav", None, "pcm_s16le", seconds=2, rate=16000)
    whole = read_audio(path)
    path.write_bytes(path.read_bytes()[:40000])  # a little more than one second
    np.testing.assert_array_equal(read_audio(f"{path}#t=0.5,1"), whole[8000:16000])
    with pytest.raises(MissingStream, match="the file has 40000 bytes, its header says 640"):
        read_audio(f"{path}#t=1,1.5")


def test_no_file_of_noise_raises_anything_but_a_missing_stream(tmp_path):
    rng = np.random.default_rng(0)
    content = np.frombuffer(write_clip(tmp_path / "a.mp4").read_bytes(), np.uint8)
    reasons = set()
    for number in range(30):
        changed = content.copy()
        places = rng.integers(0, len(content), 50)
        changed[places] = rng.integers(0, 256, 50)
        path = tmp_path / f"{number}.mp4"
        path.write_bytes(changed.tobytes())
        for read in (read_audio, read_frames):
            try:
                read(path)
            except MissingStream as error:
                reasons.add(error.reason)
    assert "damaged file" in reasons


def test_an_utterance_of_a_long_dialogue_is_read_without_what_is_before_it(tmp_path, monkeypatch):
    noise = np.random.default_rng(0).normal(0, 0.1, 60 * 16000).astype(np.float32)
    frames = [grey_frame(number % 40) for number in range(60 * 10)]

    def short_gops(track):
        track.codec_context.gop_size = 20  # a key frame every two seconds

    options = {"frames": frames, "fps": 10, "samples": noise, "rate": 16000, "prepare": short_gops}
    path = write_clip(tmp_path / "long.avi", "mpeg4", "pcm_s16le", **options)
    decoded, decode = [], media._decoded

    def count(*arguments):
        for item in decode(*arguments):
            decoded.append(item)
            yield item

    monkeypatch.setattr(media, "_decoded", count)
    whole = read_audio(path)
    costs = []
    for start in (5, 30, 55):
        decoded.clear()
        part = f"{path}#t={start},{start + 1}"
        np.testing.assert_allclose(
            read_audio(part), whole[16000 * start :][:16000], atol=1e-4, err_msg=part
        )
        read_frames(part)
        costs.append(len(decoded))
    assert max(costs) < 120  # blocks of sound (16 a second) and frames; 1,500 in the file


ARRAYS = [("flac", "6.1", 7), ("flac", "7.1", 8), ("pcm_s16le", "hexadecagonal", 16)]


def test_any_number_of_channels_is_read(tmp_path):
    """In a process of its own: with 8 channels or more, the process once crashed."""
    means = []
    for codec, layout, count in ARRAYS:
        levels = np.arange(1, count + 1, dtype=np.int16) * 1000  # one per channel
        means.append(levels.mean())
        path = tmp_path / f"{count}{'.flac' if codec == 'flac' else '.wav'}"
        with av.open(str(path), "w") as container:
            stream = container.add_stream(codec, rate=16000, layout=layout)
            interleaved = np.tile(levels, 8000)[None]
            frame = av.AudioFrame.from_ndarray(interleaved, format="s16", layout=layout)
            frame.sample_rate = 16000
            for packet in (*stream.encode(frame), *stream.encode(None)):
                container.mux(packet)
    code = (
        "import sys, tinyemo\nfrom tinyemo.features.media import read_audio\n"
        "for path in sys.argv[1:]:\n"
        "    samples = read_audio(path) * 32768\n"
        "    print(len(samples), samples.min(), samples.max())"
    )
    files = [str(tmp_path / name) for name in ("7.flac", "8.flac", "16.wav")]
    command = [sys.executable, "-c", code, *files]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-500:]
    found = [list(map(float, line.split())) for line in done.stdout.splitlines()]
    assert found == [[8000, mean, mean] for mean in means]


@pytest.mark.parametrize("value", [np.nan, np.inf, 9000.0])
def test_samples_in_other_units_or_not_finite_are_damaged(tmp_path, value):
    """scipy writes the floats that it gets, without dividing 16-bit samples by 32,768."""
    samples = tone(0.5, 16000)
    samples[4000] = value
    path = write_clip(tmp_path / "a.wav", None, "pcm_f32le", samples=samples, rate=16000)
    with pytest.raises(MissingStream, match=rf"a.wav: .* samples reach {value:g}, where") as caught:
        read_audio(path)
    assert caught.value.reason == "damaged file"


@pytest.mark.parametrize("kind", ["ffconcat", "m3u8"])
def test_a_list_of_other_files_is_no_clip(tmp_path, kind):
    write_clip(tmp_path / "other.ts", "mpeg2video", "mp2", seconds=0.3)
    text = {
        "ffconcat": "ffconcat version 1.0\nfile other.ts\n",
        "m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nother.ts\n#EXT-X-ENDLIST\n",
    }
    for name in ("clip.mp4", "clip.m3u8"):
        (tmp_path / name).write_text(text[kind])
        with pytest.raises(MissingStream, match=f"{name}: cannot be decoded"):
            read_audio(tmp_path / name)
