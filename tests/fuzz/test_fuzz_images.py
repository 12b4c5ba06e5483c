"""Random pictures of every mode, size, depth and orientation: the pixels follow the written rules,
and a damaged file gives a picture or one sentence that names it."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from fuzzing import examples, refusal
from hypothesis import event, given
from hypothesis import strategies as st
from PIL import Image

from tinyemo.data.datasets import readable_images
from tinyemo.data.folders import read_folder
from tinyemo.io import read_image

# mode -> formats that keep its values; the rules below are those of tinyemo/pixels.py, written out
KEPT = {
    "1": ["PNG", "TIFF"],
    "L": ["PNG", "TIFF", "BMP"],
    "LA": ["PNG", "TIFF"],
    "P": ["PNG", "GIF"],
    "RGB": ["PNG", "TIFF", "BMP", "WEBP"],
    "RGBA": ["PNG", "TIFF"],
    "I;16": ["PNG", "TIFF"],
    "I": ["TIFF"],
    "F": ["TIFF"],
}
LOSSY = {"RGB": ["JPEG", "WEBP", "GIF"], "L": ["JPEG"], "CMYK": ["JPEG", "TIFF"]}
LOSSY |= {"YCbCr": ["TIFF"], "LAB": ["TIFF"]}
# EXIF orientation -> how the upright picture follows from the stored one
UPRIGHT = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
    8: lambda a: np.rot90(a),
}
ORIENTATION = 0x0112


@dataclass
class Picture:
    """A picture in memory, and how it is stored."""

    image: Image.Image
    format: str
    orientation: int

    def save(self, file: Path) -> Path:
        options = {"lossless": True} if self.format == "WEBP" else {}
        exif = Image.Exif()
        exif[ORIENTATION] = self.orientation
        if self.format not in ("BMP", "GIF"):
            options["exif"] = exif
        self.image.save(file, self.format, **options)
        return file


@st.composite
def pictures(draw, formats: dict[str, list[str]]) -> Picture:
    mode = draw(st.sampled_from(list(formats)))
    kind = draw(st.sampled_from(formats[mode]))
    width, height = draw(st.integers(1, 24)), draw(st.integers(1, 24))
    if draw(st.integers(0, 9)) == 0:
        height = draw(st.integers(width, 150 * width))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    orientation = draw(st.integers(1, 8)) if kind not in ("BMP", "GIF") else 1
    return Picture(random_image(rng, mode, height, width), kind, orientation)


def random_image(rng: np.random.Generator, mode: str, height: int, width: int) -> Image.Image:
    bands = {"LA": 2, "RGB": 3, "YCbCr": 3, "LAB": 3, "RGBA": 4, "CMYK": 4}.get(mode, 1)
    shape = (height, width, bands) if bands > 1 else (height, width)
    if mode == "1":
        return Image.fromarray(rng.integers(0, 2, shape, dtype=np.uint8) * 255).convert("1")
    if mode == "P":
        return Image.fromarray(rng.integers(0, 256, (*shape, 3), dtype=np.uint8)).convert("P")
    if mode == "I;16":
        return Image.fromarray(rng.integers(0, 2**16, shape, dtype=np.uint16))
    if mode == "I":
        return Image.fromarray(rng.integers(-(2**20), 2**20, shape, dtype=np.int32))
    if mode == "F":
        low, high = [(0, 1), (-3, 5), (0, 200)][rng.integers(3)]
        return Image.fromarray(rng.uniform(low, high, shape).astype(np.float32))
    values = rng.integers(0, 256, shape, dtype=np.uint8)
    return Image.frombytes(mode, (width, height), values.tobytes())


def as_shown(picture: Picture) -> np.ndarray:
    """The 8-bit RGB pixels (H, W, 3) that a viewer shows, from the written rules."""
    image = picture.image
    values = np.asarray(image)
    if image.mode == "I;16":
        values = np.rint(values / 257)
    elif image.mode in ("I", "F"):
        low, high = float(values.min()), float(values.max())
        if image.mode == "F" and low >= 0 and high <= 1:
            low, high = 0.0, 1.0
        values = np.rint(255 * ((values.astype(float) - low) / ((high - low) or 1)))
    elif image.mode in ("LA", "RGBA"):
        alpha = values[..., -1:] / 255
        values = values[..., :-1] * alpha + 255 * (1 - alpha)
    else:
        values = np.asarray(image.convert("RGB"))
    values = values if values.ndim == 3 else values[..., None]
    values = np.broadcast_to(values, (*values.shape[:2], 3))
    return UPRIGHT[picture.orientation](values)


def damaged(data: bytes, draw) -> bytes:
    kind = draw(st.sampled_from(["cut", "bytes", "zeros", "other", "double", "empty"]))
    place = draw(st.integers(0, max(0, len(data) - 1)))
    if kind == "cut":
        return data[:place]
    if kind == "bytes":
        noise = draw(st.binary(min_size=1, max_size=8))
        return data[:place] + noise + data[place + len(noise) :]
    if kind == "zeros":
        return data[:place] + bytes(len(data) - place)
    if kind == "other":
        return b"<html>not found</html>"
    return data + data if kind == "double" else b""


@examples(150)
@given(picture=pictures(KEPT))
def test_the_pixels_of_a_whole_picture_follow_the_written_rules(picture):
    with tempfile.TemporaryDirectory() as folder:
        file = picture.save(Path(folder, f"a.{picture.format.lower()}"))
        found = []
        sentence = refusal(lambda: found.append(read_image(file)), file)
    short, long = sorted(picture.image.size)
    assert (sentence is not None) == (long > 100 * short), sentence
    event(f"{picture.image.mode} {picture.format}{' refused' if sentence else ''}")
    if sentence:
        return
    expected = as_shown(picture)
    assert found[0].mode == "RGB" and np.asarray(found[0]).shape == expected.shape
    # one step: a transparent place is rounded by Pillow in its own way
    assert np.abs(np.asarray(found[0]).astype(float) - expected).max() <= 1


@examples(150)
@given(data=st.data(), chosen=st.lists(pictures({**KEPT, **LOSSY}), min_size=2, max_size=3))
def test_of_a_folder_with_damaged_pictures_every_file_is_read_or_reported(data, chosen):
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "joy").mkdir()
        whole = set()
        for number, picture in enumerate(chosen):
            file = picture.save(Path(folder, "joy", f"{number}.{picture.format.lower()}"))
            if data.draw(st.booleans()):
                file.write_bytes(damaged(file.read_bytes(), data.draw))
            elif max(picture.image.size) <= 100 * min(picture.image.size):
                whole.add(str(file))
        records = read_folder(folder, "own")
        kept, broken = readable_images(records, on_broken="skip")
        sentence = refusal(lambda: readable_images(records), "images cannot be read")
        for image in kept["image"]:
            assert read_image(image).mode == "RGB"
    event(f"{len(broken)} of {len(chosen)} broken")
    assert len(kept) + len(broken) == len(chosen) == len(records)
    assert whole <= set(kept["image"]) and (sentence is None) == broken.empty
    assert (broken["reason"].str.len() > 0).all() and not broken["reason"].str.contains("\n").any()
