"""Pictures: deterministic, the same at every size; an attribute changes only its own part."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from emoscenes.drawing.picture import draw, draw_many
from emoscenes.scenes import ATTRIBUTES, Scene, sample_scenes

SCENE = Scene("park", "clear", "day", "book", "neutral", "standing", "photo", 0.6, 0.6, seed=5)


def pixels(scene, size=64):
    return np.asarray(draw(scene, size)).astype(int)


def test_same_scene_gives_same_pixels_in_any_process():
    scenes = sample_scenes(70, seed=1)[0]
    one, two = draw_many(scenes, 32, workers=1), draw_many(scenes, 32, workers=2)
    assert one.shape == (70, 32, 32, 3) and one.dtype == np.uint8
    assert np.array_equal(one, two)
    assert draw_many([], 32).shape == (0, 32, 32, 3)


@pytest.mark.parametrize("style", ATTRIBUTES["style"])
def test_size_changes_only_the_resolution(style):
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
            clearly_different = np.abs(a - b).max(axis=2) > 30  # (64, 64)
            assert clearly_different.sum() >= 12


def test_brightness_and_colorfulness_change_light_and_saturation():
    dark, bright = (pixels(replace(SCENE, brightness=b)) for b in (0.0, 1.0))
    grey, rich = (pixels(replace(SCENE, colorfulness=c)) for c in (0.0, 1.0))
    assert 0.5 < dark.mean() / bright.mean() < 0.7
    assert np.ptp(rich, axis=2).mean() > 1.5 * np.ptp(grey, axis=2).mean()


@pytest.mark.parametrize("style", ATTRIBUTES["style"])
def test_counterfactual_changes_only_its_own_part(style):
    """Expression: the person's side. Object: the other side. They never overlap."""
    for seed in range(6):
        scene = replace(SCENE, style=style, seed=seed)
        before = pixels(scene)
        with_face = pixels(replace(scene, expression="scowling"))
        with_thing = pixels(replace(scene, object="car"))
        face = np.abs(with_face - before).max(axis=(0, 2)) > 0  # columns that differ
        thing = np.abs(with_thing - before).max(axis=(0, 2)) > 0
        assert face.any() and thing.any() and not (face & thing).any()
        assert face.sum() <= 32 and thing.sum() <= 32


def test_looks_vary_with_the_seed():
    assert len({draw(replace(SCENE, seed=s), 32).tobytes() for s in range(12)}) == 12
