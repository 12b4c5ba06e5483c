"""Faces: where they are found, how they are cropped, and the vector of an utterance."""

import numpy as np
import pytest
import torch
from clips import drawn_face, face_frame, write_clip
from PIL import Image
from tiny_encoders import save_face_encoder
from transformers import ViTImageProcessor

from tinyemo.features import faces
from tinyemo.features.faces import crop_face, load_face_detector, load_face_encoder
from tinyemo.features.media import MissingStream


def overlap(one, other) -> float:
    """Intersection over union of two boxes."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    common = max(width, 0) * max(height, 0)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return common / (sum(areas) - common)


def test_the_largest_of_two_drawn_faces_comes_first():
    picture = Image.new("RGB", (400, 300), (120, 120, 120))
    picture.paste(drawn_face(100), (20, 30))
    picture.paste(drawn_face(180), (190, 60))
    found = load_face_detector().find(picture)
    assert len(found) == 2
    # the cascade's box is the face without hair and chin
    assert overlap(found[0], (199, 75, 361, 237)) > 0.7
    assert overlap(found[1], (25, 38, 115, 128)) > 0.7


def test_faces_in_a_large_picture_are_found_where_they_are():
    picture = Image.new("RGB", (1600, 1200), (120, 120, 120))
    picture.paste(drawn_face(480), (900, 300))
    (found,) = load_face_detector().find(picture)
    assert overlap(found, (924, 340, 1356, 772)) > 0.7


def test_nothing_is_found_in_noise_and_empty_pictures():
    rng = np.random.default_rng(0)
    noise = Image.fromarray(rng.integers(0, 255, (240, 320, 3)).astype(np.uint8))
    detector = load_face_detector()
    assert detector.find(noise) == [] and detector.find(Image.new("RGB", (320, 240))) == []
    assert detector.find(Image.new("RGB", (4, 3))) == []


def test_a_profile_is_looked_for_in_both_directions(monkeypatch):
    """The search in the mirrored picture is mapped back: 320 - (200 + 60) = 60."""
    detector = load_face_detector()
    answers = iter([[], [], [(200, 50, 260, 110)]])
    monkeypatch.setattr(detector, "_search", lambda cascade, grey: next(answers))
    assert detector.find(Image.new("RGB", (320, 240))) == [(60, 50, 120, 110)]


def test_the_crop_is_a_square_with_a_margin_inside_the_picture():
    ramp = np.zeros((100, 200, 3), np.uint8)
    ramp[..., 0], ramp[..., 1] = np.arange(200), np.arange(100)[:, None]
    picture = Image.fromarray(ramp)

    def corners(box, margin):
        crop = np.asarray(crop_face(picture, box, margin))
        return (*crop[0, 0, :2].tolist(), *crop[-1, -1, :2].tolist())

    assert corners((80, 40, 100, 60), 0.25) == (75, 35, 104, 64)  # 30 x 30 around (90, 50)
    assert corners((0, 0, 20, 20), 0.25) == (0, 0, 29, 29)  # moved into the picture
    assert corners((180, 80, 200, 100), 0.25) == (170, 70, 199, 99)
    assert corners((50, 0, 150, 100), 0.5) == (50, 0, 149, 99)  # no larger than the picture


def test_a_face_vector_is_the_mean_over_patches_and_over_frames_with_a_face(tmp_path):
    model = save_face_encoder(tmp_path / "mae")
    encoder = load_face_encoder(tmp_path / "mae", frames=3)
    assert encoder.model.config.mask_ratio == 0
    blank = np.full((240, 320, 3), 120, np.uint8)
    # the face is in the second third of the first clip, and in all of the second
    one = [blank] * 5 + [face_frame(150, 60)] * 5 + [blank] * 5
    clips = [write_clip(tmp_path / "one.mp4", audio=None, frames=one)]
    clips.append(write_clip(tmp_path / "all.mp4", audio=None, frames=[face_frame(30, 40)] * 6))
    items = [encoder.read(str(clip)) for clip in clips]
    assert [len(item) for item in items] == [1, 3]
    vectors = encoder.encode(items)

    model.config.mask_ratio = 0.0
    for faces_of_clip, vector in zip(items, vectors, strict=True):
        with torch.inference_mode():
            # the order of the patches, which the noise decides, does not matter for their mean
            tokens = model(faces_of_clip).last_hidden_state[:, 1:]  # (F, patches, D)
        assert tokens.shape[1] == 16
        expected = tokens.mean(dim=1).mean(dim=0)
        torch.testing.assert_close(vector, expected, atol=1e-5, rtol=0)
        alone = encoder.encode([faces_of_clip])[0]
        torch.testing.assert_close(alone, vector, atol=1e-5, rtol=0)
    assert torch.equal(encoder.encode(items), vectors)


def test_the_crops_reach_the_encoder_preprocessed(tmp_path):
    save_face_encoder(tmp_path / "mae")
    encoder = load_face_encoder(tmp_path / "mae", frames=1)
    clip = write_clip(tmp_path / "a.mp4", audio=None, frames=[face_frame(150, 60)] * 3)
    read = encoder.read(str(clip))
    picture = faces.read_frames(clip, 1)[0]
    crop = crop_face(picture, load_face_detector().find(picture)[0], 0.25)
    processor = ViTImageProcessor.from_pretrained(tmp_path / "mae")
    expected = processor([crop], return_tensors="pt")["pixel_values"]
    torch.testing.assert_close(read, expected)


def test_an_utterance_without_a_face_is_a_missing_stream(tmp_path):
    save_face_encoder(tmp_path / "mae")
    encoder = load_face_encoder(tmp_path / "mae", frames=2)
    clip = write_clip(tmp_path / "grey.mp4", audio=None)
    with pytest.raises(MissingStream, match="grey.mp4: no face found by cascades in 2 frames"):
        encoder.read(str(clip))
    assert load_face_encoder(tmp_path / "mae", frames=3).key != encoder.key


def test_yunet_needs_a_file_that_opencv_reads(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere.onnx: expected face_detection_yunet"):
        load_face_detector(f"yunet:{tmp_path}/nowhere.onnx")
    (tmp_path / "broken.onnx").write_bytes(b"no network")
    with pytest.raises(ValueError, match="broken.onnx: not a face detector that OpenCV reads"):
        load_face_detector(f"yunet:{tmp_path}/broken.onnx")
    with pytest.raises(ValueError, match="unknown face detector 'dlib'"):
        load_face_detector("dlib")


def test_the_boxes_of_yunet_are_sorted_scaled_and_cut_off(tmp_path, monkeypatch):
    class Network:
        """Answers as cv2.FaceDetectorYN: x, y, width, height, five points, score."""

        def setInputSize(self, size):
            assert size == (640, 320)

        def detect(self, picture):
            assert picture.shape == (320, 640, 3) and picture[0, 0].tolist() == [0, 0, 255]
            boxes = [[10, 20, 40, 40], [600, 200, 80, 80], [5, 5, 20, 20]]
            return 1, np.array([[*box, *range(10), 0.9] for box in boxes], np.float32)

    file = tmp_path / "yunet.onnx"
    file.write_bytes(b"weights")
    monkeypatch.setattr(faces.cv2.FaceDetectorYN, "create", lambda *arguments: Network())
    detector = load_face_detector(f"yunet:{file}")
    red = Image.new("RGB", (1280, 640), "red")
    assert detector.find(red) == [(1200, 400, 1280, 560), (20, 40, 100, 120)]  # 20 is too small
