"""Video and frame vectors, compared with direct computations."""

import numpy as np
import pytest
import torch
from clips import grey_frame, write_clip
from PIL import Image
from tiny_clip import save_tiny_clip
from tiny_encoders import save_speech_encoder, save_video_encoder
from transformers import VideoMAEImageProcessor

from tinyemo.features.encoders import load_image_encoder
from tinyemo.features.frames import read_frames
from tinyemo.features.media import MissingStream
from tinyemo.features.video import load_frame_encoder, load_video_encoder


@pytest.fixture
def clips(tmp_path) -> list[str]:
    """Three clips of moving noise, the second of 0.2 s, and a part of the third."""
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 255, (64, 96, 3)).astype(np.uint8)
    paths = []
    for number, length in enumerate((20, 4, 40)):
        frames = [np.roll(noise, 3 * shift + 20 * number, axis=1) for shift in range(length)]
        paths.append(write_clip(tmp_path / f"{number}.mp4", audio=None, frames=frames))
    return [str(paths[0]), str(paths[1]), f"{paths[2]}#t=1,1.5"]


def test_a_video_vector_is_the_mean_over_tokens_of_evenly_spaced_frames(tmp_path, clips):
    model = save_video_encoder(tmp_path / "videomae")
    encoder = load_video_encoder(tmp_path / "videomae")
    vectors = encoder.encode([encoder.read(clip) for clip in clips])
    assert vectors.shape == (3, encoder.width) and vectors.dtype == torch.float32
    processor = VideoMAEImageProcessor.from_pretrained(tmp_path / "videomae")
    for clip, vector in zip(clips, vectors, strict=True):
        pixels = processor([read_frames(clip, 4)], return_tensors="pt")["pixel_values"]
        with torch.inference_mode():
            expected = model(pixels).last_hidden_state[0].mean(dim=0)
        torch.testing.assert_close(vector, expected, atol=1e-5, rtol=0)
        alone = encoder.encode([encoder.read(clip)])[0]
        torch.testing.assert_close(alone, vector, atol=1e-5, rtol=0)
    assert torch.cdist(vectors, vectors).fill_diagonal_(1).min() > 1e-3


def test_pixels_are_scaled_normalised_and_cropped_as_the_folder_says(tmp_path):
    save_video_encoder(tmp_path)
    encoder = load_video_encoder(tmp_path)
    frames = [Image.fromarray(grey_frame(number)) for number in (0, 10, 20, 30)]
    pixels = encoder.prepare(frames)
    assert pixels.shape == (4, 3, 32, 32)
    grey = torch.tensor([10, 60, 110, 160]) / 255
    mean = torch.tensor(VideoMAEImageProcessor().image_mean)
    std = torch.tensor(VideoMAEImageProcessor().image_std)
    expected = (grey[:, None] - mean) / std  # (4, 3)
    torch.testing.assert_close(pixels.mean(dim=(2, 3)), expected, atol=1e-5, rtol=0)


def test_a_clip_without_picture_is_a_missing_stream(tmp_path):
    save_video_encoder(tmp_path / "videomae")
    sound = write_clip(tmp_path / "a.wav", None, "pcm_s16le")
    with pytest.raises(MissingStream, match="a.wav: no picture"):
        load_video_encoder(tmp_path / "videomae").read(str(sound))
    save_speech_encoder(tmp_path / "hubert", "hubert")
    with pytest.raises(ValueError, match="model_type is 'hubert', expected one of videomae"):
        load_video_encoder(tmp_path / "hubert")


@pytest.mark.parametrize("policy", ["first", "middle", "sharpest"])
def test_a_frame_vector_is_the_image_encoders(tmp_path, clips, policy):
    name = save_tiny_clip(tmp_path / "clip")
    encoder = load_frame_encoder(name, policy=policy)
    vectors = encoder.encode([encoder.read(clip) for clip in clips])
    images = load_image_encoder(name)
    pixels = [images.preprocess(read_frames(clip, policy)[0]) for clip in clips]
    for vector, image in zip(vectors, pixels, strict=True):
        expected = images.encode(image[None])[0][0]
        torch.testing.assert_close(vector, expected, atol=1e-5, rtol=0)
    assert encoder.width == vectors.shape[1] == 24


def test_the_key_of_a_frame_vector_depends_on_the_frame(tmp_path):
    name = save_tiny_clip(tmp_path / "clip")
    keys = {load_frame_encoder(name, policy=policy).key for policy in ("first", "middle")}
    assert len(keys) == 2
    with pytest.raises(ValueError, match="unknown frame 'last'"):
        load_frame_encoder(name, policy="last")
