"""Pictures: deterministic, the same at every size, and changed by what they say in the place where it is."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from emoscenes.drawing.picture import draw, draw_many
from emoscenes.scenes import ATTRIBUTES, Scene, sample_scenes

SCENE = Scene("park", "clear", "day", "book", "neutral", "standing", "photo", 0.6, 0.6, seed=5)


def pixels(scene, size=64):
    return np.asarray(draw(scene, size)).astype(int)


def test_the_same_scene_gives_the_same_pixels_in_any_process():
    scenes = sample_scenes(70, seed=1)[0]
    one, two = draw_many(scenes, 32, workers=1), draw_many(scenes, 32, workers=2)
    assert one.shape == (70, 32, 32, 3) and one.dtype == np.uint8
    assert np.array_equal(one, two)
    assert draw_many([], 32).shape == (0, 32, 32, 3)


@pytest.mark.parametrize("style", ATTRIBUTES["style"])
def test_size_changes_the_resolution_alone(style):
    for seed in range(4):
        scene = replace(SCENE, style=style, seed=seed, object="car", expression="smiling")
        small = pixels(scene, 64)
        large = np.asarray(draw(scene, 256).resize((64, 64), Image.BOX)).astype(int)
        assert np.abs(small - large).mean() < 9


@pytest.mark.parametrize("attribute", list(ATTRIBUTES))
@pytest.mark.parametrize("background", ["park", "office"])
def test_every_value_looks_different(attribute, background):
    scene = replace(SCENE, background=background)
    pictures = [pixels(replace(scene, **{attribute: value})) for value in ATTRIBUTES[attribute]]
    for i, a in enumerate(pictures):
        for b in pictures[:i]:
            assert (
                np.abs(a - b).max(axis=2) > 30
            ).sum() >= 12  # pixels of 64 x 64 that differ clearly


def test_brightness_and_colorfulness_do_what_they_say():
    dark, bright = (pixels(replace(SCENE, brightness=b)) for b in (0.0, 1.0))
    grey, rich = (pixels(replace(SCENE, colorfulness=c)) for c in (0.0, 1.0))
    assert 0.5 < dark.mean() / bright.mean() < 0.7
    assert np.ptp(rich, axis=2).mean() > 1.5 * np.ptp(grey, axis=2).mean()


@pytest.mark.parametrize("style", ATTRIBUTES["style"])
def test_a_counterfactual_changes_its_own_part_alone(style):
    """Expression: the person's side. Object: the other side. They never overlap."""
    for seed in range(6):
        scene = replace(SCENE, style=style, seed=seed)
        face = (
            np.abs(pixels(replace(scene, expression="scowling")) - pixels(scene)).max(axis=(0, 2))
            > 0
        )
        thing = np.abs(pixels(replace(scene, object="car")) - pixels(scene)).max(axis=(0, 2)) > 0
        assert face.any() and thing.any() and not (face & thing).any()
        assert face.sum() <= 32 and thing.sum() <= 32


def test_looks_vary_with_the_seed_alone():
    assert len({draw(replace(SCENE, seed=s), 32).tobytes() for s in range(12)}) == 12
