"""Reading images: one function, errors that name the file, no other place that opens an image."""

import io

import numpy as np
import pytest
from PIL import Image

from tinyemo.io import read_image
from tinyemo.paths import ROOT


@pytest.fixture
def picture(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 255, (60, 80, 3), dtype=np.uint8)
    path = tmp_path / "picture.png"
    Image.fromarray(pixels).save(path)
    return path


def test_path_open_file_and_pil_image_give_the_same_rgb_image(picture):
    expected = np.asarray(Image.open(picture))
    for source in (picture, str(picture), io.BytesIO(picture.read_bytes()), Image.open(picture)):
        image = read_image(source)
        assert image.mode == "RGB"
        assert np.array_equal(np.asarray(image), expected)
    assert read_image(picture, mode="L").mode == "L"


def test_a_jpeg_may_be_decoded_at_a_fraction_of_its_size(tmp_path):
    Image.new("RGB", (800, 640), "red").save(tmp_path / "large.jpg")
    assert read_image(tmp_path / "large.jpg").size == (800, 640)
    assert read_image(tmp_path / "large.jpg", smallest=100).size == (200, 160)


def test_missing_and_damaged_images_are_named(picture, tmp_path):
    with pytest.raises(FileNotFoundError, match="image not found: .*none.png"):
        read_image(tmp_path / "none.png")
    picture.write_bytes(picture.read_bytes()[:200])
    with pytest.raises(ValueError, match="cannot read the image .*picture.png: ") as caught:
        read_image(picture)
    assert "\n" not in str(caught.value)


def test_no_other_module_opens_an_image():
    sources = [*(ROOT / "tinyemo").rglob("*.py"), *(ROOT / "emoscenes").rglob("*.py")]
    opening = [path for path in sources if "Image.open(" in path.read_text(encoding="utf-8")]
    assert opening == [ROOT / "tinyemo" / "io.py"]
