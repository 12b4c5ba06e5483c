"""Edited copies of pictures are found by their pixels, and different pictures are not."""

import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageDraw, ImageOps
from toy_records import records_in_parts

from tinyemo.data import lookalikes
from tinyemo.data.duplicates import find_duplicates
from tinyemo.data.edited_copies import AGREEMENT
from tinyemo.data.lookalikes import describe, turned, view_map
from tinyemo.data.registration import agreement
from tinyemo.data.thumbnails import SIDE, make_thumbnails

PICTURES = 12
NOTHING = np.zeros((SIDE, SIDE), bool)


def discs(seed: int) -> Image.Image:
    """A picture of 150 x 200 pixels: 60 discs of random colours, and grain."""
    rng = np.random.default_rng(seed)
    image = Image.new("RGB", (200, 150), tuple(rng.integers(30, 200, 3).tolist()))
    pen = ImageDraw.Draw(image)
    for _ in range(60):
        x, y, radius = rng.uniform(0, 200), rng.uniform(0, 150), rng.uniform(3, 25)
        colour = tuple(rng.integers(0, 230, 3).tolist())
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
    pixels = np.asarray(image) + rng.normal(0, 3, (150, 200, 1))
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def compressed(image: Image.Image, kind: str, quality: int) -> Image.Image:
    file = io.BytesIO()
    image.save(file, kind, quality=quality)
    return Image.open(file)


def marked(image: Image.Image) -> Image.Image:
    copy = image.copy()
    ImageDraw.Draw(copy).text((30, 90), "SAMPLE", fill="white", font_size=24)
    return copy


EDITS = {
    "smaller": lambda image: image.resize((100, 75)),
    "grey": lambda image: image.convert("L"),
    "JPEG 30": lambda image: compressed(image, "jpeg", 30),
    "WebP": lambda image: compressed(image, "webp", 70),
    "brighter": lambda image: image.point(lambda value: min(255, int(1.4 * value))),
    "mirrored": ImageOps.mirror,
    "upside down": ImageOps.flip,
    "quarter turn": lambda image: image.rotate(90, expand=True),
    "tilted by 2 degrees": lambda image: image.rotate(2, Image.Resampling.BICUBIC),
    "5 % off a corner": lambda image: image.crop((10, 7, 200, 150)),
    "10 % off a corner": lambda image: image.crop((0, 15, 180, 150)),
    "10 % off all around": lambda image: image.crop((10, 7, 190, 142)),
    "white border": lambda image: ImageOps.expand(image, 12, "white"),
    "letterbox": lambda image: ImageOps.expand(image, (0, 25), "black"),
    "border around a letterbox": lambda image: ImageOps.expand(
        ImageOps.expand(image, (0, 25), "black"), 12, "white"
    ),
    "watermark": marked,
    "mirrored and cropped": lambda image: ImageOps.mirror(image).crop((0, 0, 180, 135)),
    "turned, with a border": lambda image: ImageOps.expand(
        image.rotate(270, expand=True), 9, "red"
    ),
}


@pytest.fixture(scope="module")
def originals(tmp_path_factory) -> list[str]:
    folder = tmp_path_factory.mktemp("originals")
    paths = [str(folder / f"{seed}.png") for seed in range(PICTURES)]
    for seed, path in enumerate(paths):
        discs(seed).save(path)
    return paths


@pytest.mark.parametrize("edited_in", ["test", "train"])
def test_every_kind_of_edit_is_found_and_only_its_original(originals, edited_in, tmp_path):
    names = list(EDITS)
    copies = [str(tmp_path / f"{number}.png") for number in range(len(names))]
    for number, name in enumerate(names):
        source = Image.open(originals[number % PICTURES])
        EDITS[name](source).save(copies[number])
    whole_in = "train" if edited_in == "test" else "test"
    parts = {whole_in: originals, edited_in: copies}
    sizes = [("own", split, len(parts[split])) for split in ("train", "test")]
    records = records_in_parts(*sizes).assign(image=parts["train"] + parts["test"])
    found = find_duplicates(records)
    whole, edited = ("id_a", "id_b") if edited_in == "test" else ("id_b", "id_a")
    pairs = set(zip(found[whole], found[edited], strict=True))
    expected = {
        (f"own/{whole_in}/{number % PICTURES}", f"own/{edited_in}/{number}"): name
        for number, name in enumerate(names)
    }
    assert [name for pair, name in expected.items() if pair not in pairs] == []
    # every edited copy has one original; the copy of an original in the table is its best one
    assert pairs <= set(expected)
    assert set(found["kind"]) == {"near files"}


def test_all_copies_of_a_picture_are_found_not_only_the_most_similar_ones(originals, tmp_path):
    copies = [str(tmp_path / f"{number}.jpg") for number in range(30)]
    for number, path in enumerate(copies):
        Image.open(originals[0]).save(path, quality=40 + number)
    records = records_in_parts(("web", "train", 35), ("own", "test", 1))
    records = records.assign(image=copies + originals[1:6] + [originals[0]])
    found = find_duplicates(records)
    assert set(found["id_a"]) == {f"web/train/{number}" for number in range(30)}


def test_pictures_without_detail_are_no_copies_of_each_other(tmp_path):
    """Skies: a gradient can be laid over every other gradient, and an edge over every edge."""
    ramp = np.linspace(60, 200, 96)
    skies = [ramp[:, None] + np.zeros(128), ramp[::-1, None] * 0.8 + np.zeros(128)]
    skies += [np.full((96, 128), 120.0), 0.7 * ramp[:, None] + 0.3 * np.linspace(0, 90, 128)]
    rng = np.random.default_rng(0)
    paths = [str(tmp_path / f"{number}.png") for number in range(len(skies))]
    for sky, path in zip(skies, paths, strict=True):
        noisy = sky + rng.normal(0, 1, sky.shape)
        Image.fromarray(noisy.astype(np.uint8)).save(path)
    records = records_in_parts(("own", "train", 2), ("own", "test", 2)).assign(image=paths)
    assert find_duplicates(records).empty


def test_pictures_with_one_edge_only_are_no_copies_of_each_other(tmp_path):
    """Horizons: an affine map can lay any straight edge over any other."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:96, :96] - 48
    paths = []
    for number in range(12):
        angle, place = rng.uniform(0, 2 * np.pi), rng.uniform(-20, 20)
        side = np.cos(angle) * x + np.sin(angle) * y > place
        horizon = 60 + 100 * side + rng.normal(0, 2, side.shape)
        paths.append(str(tmp_path / f"{number}.png"))
        Image.fromarray(horizon.astype(np.uint8)).save(paths[-1])
    records = records_in_parts(("own", "train", 6), ("own", "test", 6)).assign(image=paths)
    assert find_duplicates(records).empty


@pytest.mark.parametrize("seed", [5, 6, 7])
def test_a_watermark_on_a_dark_picture_of_little_contrast_does_not_hide_its_original(
    seed, tmp_path
):
    """The text is the strongest detail of the picture."""
    dark = discs(seed).convert("L").point(lambda value: 20 + value // 4).convert("RGB")
    text = Image.new("RGBA", dark.size, (0, 0, 0, 0))
    ImageDraw.Draw(text).text((20, 60), "SAMPLE", fill=(255, 255, 255, 140), font_size=26)
    copy = dark.copy()
    copy.paste(text, mask=text)
    paths = [str(tmp_path / "dark.png"), str(tmp_path / "copy.png")]
    dark.save(paths[0])
    copy.save(paths[1])
    pixels = make_thumbnails(paths).pixels
    assert agreement(pixels[0], pixels[1], np.eye(3), NOTHING, NOTHING) > AGREEMENT


def test_pictures_that_share_a_part_only_are_no_copies(originals, tmp_path):
    first, second = Image.open(originals[0]).copy(), Image.open(originals[1]).copy()
    logo = discs(99).resize((90, 70))
    paths = []
    for number, image in enumerate((first, second)):
        image.paste(logo, (100, 70))
        paths.append(str(tmp_path / f"{number}.png"))
        image.save(paths[-1])
    records = records_in_parts(("own", "train", 1), ("own", "test", 1)).assign(image=paths)
    assert find_duplicates(records).empty


def test_agreement_is_1_for_the_picture_itself_and_small_for_another(originals):
    pixels = make_thumbnails(originals[:2]).pixels
    same = agreement(pixels[0], pixels[0], np.eye(3), NOTHING, NOTHING)
    other = agreement(pixels[0], pixels[1], np.eye(3), NOTHING, NOTHING)
    assert same == pytest.approx(1, abs=1e-3) and other < 0.7
    negative = agreement(pixels[0], 255 - pixels[0], np.eye(3), NOTHING, NOTHING)
    assert negative < 0.7


def test_turned_descriptions_are_those_of_the_turned_picture(originals):
    thumbnails = make_thumbnails(originals[:1])
    flat = describe(thumbnails)[0].ravel()
    for number in range(lookalikes.TURNS):
        picture = turned(thumbnails.pixels[0], number)
        expected = lookalikes._views(picture).ravel()
        # the crops of a picture and of the turned one differ by a pixel's rounding
        assert np.abs(flat[lookalikes.TURNED[number]] - expected).max() < 0.02


def test_a_view_of_the_query_is_the_inverse_of_a_view_of_the_found_picture():
    for view in range(1, 5):
        assert view_map(view) @ view_map(view + 4) == pytest.approx(np.eye(3))
        centre = view_map(view) @ [SIDE / 2, SIDE / 2, 1]
        assert abs(centre[:2] - SIDE / 2).max() == pytest.approx(SIDE * 0.03)


def test_a_large_part_is_searched_with_the_same_result_as_a_small_one(originals, monkeypatch):
    """The cells of a large index lose no copy that differs little."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(3000, 64)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    near = rows[:200] + 0.03 * rng.normal(size=(200, 64)).astype(np.float32)
    near /= np.linalg.norm(near, axis=1, keepdims=True)
    monkeypatch.setattr(lookalikes, "FLAT_UP_TO", 1000)
    _, found = lookalikes._index(rows).search(near, 1)
    assert (found[:, 0] == np.arange(200)).mean() > 0.9


def test_thumbnails_without_margins_follow_those_of_the_whole(originals, tmp_path):
    path = str(tmp_path / "framed.png")
    ImageOps.expand(Image.open(originals[0]), 20, "white").save(path)
    thumbnails = make_thumbnails([originals[1], path, originals[0]])
    assert thumbnails.picture.tolist() == [0, 1, 2, 1]
    inner = pd.Series(np.abs(thumbnails.pixels[3].astype(int) - thumbnails.pixels[2]).ravel())
    assert inner.max() <= 1
