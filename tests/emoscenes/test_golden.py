"""Pictures and texts of EmoScenes equal the recorded ones, so rewrites of the code keep both."""

import json

import golden
import numpy as np
import PIL
import pytest


def recorded(name: str) -> list[str]:
    return (golden.FOLDER / name).read_text(encoding="utf-8").splitlines()


def pixels(line: dict) -> np.ndarray:
    return np.frombuffer(bytes.fromhex(line["thumbnail"]), np.uint8).astype(int)


@pytest.fixture(scope="module")
def texts() -> dict[str, list[str]]:
    return golden.text_lines()


def test_2000_texts_are_recorded(texts):
    assert sum(map(len, texts.values())) == 2000
    assert {*texts, "scenes.jsonl"} == {path.name for path in golden.FOLDER.iterdir()}


def test_texts_equal_the_recorded_ones(texts):
    for name, lines in texts.items():
        assert lines == recorded(name), name


def test_pictures_equal_the_recorded_ones():
    """By their pixels; with another Pillow, and in the painting style, by small thumbnails.

    Strokes of a painting follow sines, whose last bit differs between processors.
    """
    lines = [json.loads(line) for line in recorded("scenes.jsonl")]
    assert len(lines) == 200 * len(golden.SIZES)
    for found, expected in zip(map(json.loads, golden.scene_lines()), lines, strict=True):
        exact = expected["style"] != "painting" and expected["pillow"] == PIL.__version__
        assert not exact or found["sha256"] == expected["sha256"]
        assert np.abs(pixels(found) - pixels(expected)).max() <= 2
