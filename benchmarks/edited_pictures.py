"""Pictures for `audit_pictures.py`, and edits of them.

Photo-like pictures are dead leaves (Lee, Mumford and Huang 2001: discs and polygons with a power
law of sizes that cover each other) with 1/f texture, grain and JPEG. Patches are cut from
photographs.
"""

import io
from collections.abc import Callable
from pathlib import Path

import cv2
import matplotlib.cbook
import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont, ImageOps
from sklearn.datasets import load_sample_images

from tinyemo.data.registration import has_detail
from tinyemo.data.thumbnails import make_thumbnails
from tinyemo.io import read_image

PATCH = 84  # pixels: side of the patches of photographs
TEXTS = ("© SAMPLE", "PREVIEW", "stock.photo", "COPYRIGHT")
SHAPES = (0.667, 0.75, 1, 1.33)  # height by width of photo-like pictures
ROUND = 24  # corners of a polygon that stands for a disc

Rng = np.random.Generator
Edit = Callable[[Image.Image, Rng], Image.Image]


def saved_as(image: Image.Image, kind: str, quality: int) -> Image.Image:
    """The picture after lossy compression."""
    file = io.BytesIO()
    image.save(file, kind, quality=quality)
    return Image.open(file).convert("RGB")


def jpeg(image: Image.Image, rng: Rng) -> Image.Image:
    return saved_as(image, "jpeg", 30)


def webp(image: Image.Image, rng: Rng) -> Image.Image:
    return saved_as(image, "webp", 70)


def cropped(image: Image.Image, share: float, rng: Rng) -> Image.Image:
    """The picture without `share` of its width and height, at a random place."""
    width = round(image.width * (1 - share))
    height = round(image.height * (1 - share))
    x = int(rng.integers(image.width - width + 1))
    y = int(rng.integers(image.height - height + 1))
    return image.crop((x, y, x + width, y + height))


def cropped_little(image: Image.Image, rng: Rng) -> Image.Image:
    return cropped(image, 0.05, rng)


def cropped_more(image: Image.Image, rng: Rng) -> Image.Image:
    return cropped(image, 0.10, rng)


def mirrored(image: Image.Image, rng: Rng) -> Image.Image:
    return ImageOps.mirror(image)


def bordered(image: Image.Image, rng: Rng) -> Image.Image:
    share = rng.uniform(0.03, 0.1)
    width = max(2, round(min(image.size) * share))
    return ImageOps.expand(image, width, "white")


def letterboxed(image: Image.Image, rng: Rng) -> Image.Image:
    share = rng.uniform(0.06, 0.16)
    height = max(2, round(max(image.size) * share))
    return ImageOps.expand(image, (0, height, 0, height), "black")


def watermarked(image: Image.Image, rng: Rng) -> Image.Image:
    """A half transparent white text of an eighth of the width in height, at a random place."""
    layer = Image.new("RGBA", image.size, (0, 0, 0, 0))
    pen = ImageDraw.Draw(layer)
    size = max(8, round(image.width * 0.13))
    font = ImageFont.load_default(size)
    text = str(rng.choice(TEXTS))
    left, top, right, bottom = pen.textbbox((0, 0), text, font=font)
    free_width = max(1, image.width - (right - left))
    free_height = max(1, image.height - (bottom - top))
    place = rng.uniform(0, free_width), rng.uniform(0, free_height)
    pen.text(place, text, font=font, fill=(255, 255, 255, 140))
    whole = image.convert("RGBA")
    return Image.alpha_composite(whole, layer).convert("RGB")


def brighter(image: Image.Image, rng: Rng) -> Image.Image:
    return image.point(lambda value: min(255, int(value * 1.4)))


def tilted(image: Image.Image, rng: Rng) -> Image.Image:
    degrees = int(rng.choice([-2, 2]))
    return image.rotate(degrees, Image.Resampling.BICUBIC)


def turned(image: Image.Image, rng: Rng) -> Image.Image:
    degrees = int(rng.choice([90, 270]))
    return image.rotate(degrees, expand=True)


def halved(image: Image.Image, rng: Rng) -> Image.Image:
    return image.resize((image.width // 2, image.height // 2))


def grey(image: Image.Image, rng: Rng) -> Image.Image:
    return image.convert("L").convert("RGB")


def blurred(image: Image.Image, rng: Rng) -> Image.Image:
    radius = max(image.size) / 150
    return image.filter(ImageFilter.GaussianBlur(radius))


COMBINED: dict[str, Edit] = {
    "mirrored": mirrored,
    "5 % crop": cropped_little,
    "10 % crop": cropped_more,
    "border": bordered,
    "letterbox": letterboxed,
    "2 degrees": tilted,
    "90 degrees": turned,
    "watermark": watermarked,
    "brightness x1.4": brighter,
    "JPEG 30": jpeg,
    "WebP": webp,
}
SINGLE: dict[str, Edit] = {"half size": halved, "greyscale": grey, "blur": blurred}


def two_edits(image: Image.Image, rng: Rng) -> Image.Image:
    """The picture after two different edits of COMBINED."""
    first, second = rng.choice(list(COMBINED), 2, replace=False)
    once = COMBINED[first](image, rng)
    return COMBINED[second](once, rng)


def texture(rng: Rng, width: int, height: int, exponent: float) -> np.ndarray:
    """(height, width) noise with a spectrum of amplitudes 1 / f ** exponent, sd 1."""
    vertical, horizontal = np.fft.fftfreq(height), np.fft.rfftfreq(width)
    frequency = np.hypot(vertical[:, None], horizontal[None])
    frequency[0, 0] = 1
    real, imaginary = rng.standard_normal((2, *frequency.shape))
    spectrum = (real + 1j * imaginary) / frequency**exponent
    noise = np.fft.irfft2(spectrum, s=(height, width))
    return (noise - noise.mean()) / noise.std()


def photo_like(rng: Rng) -> Image.Image:
    """A picture with the statistics of photographs: dead leaves, texture, light and grain."""
    width = int(rng.integers(200, 420))
    height = int(width * rng.choice(SHAPES))
    ground = rng.uniform(40, 215, 3)
    leaves = np.full((height, width, 3), ground, np.uint8)
    for _ in range(int(rng.integers(15, 220))):
        corners = leaf(rng, width, height)
        colour = 0.7 * rng.uniform(0, 255, 3) + 0.3 * ground
        cv2.fillPoly(leaves, [corners], colour.tolist())
    light = 20 * texture(rng, width, height, 1.6)
    light += 8 * texture(rng, width, height, 1.1)
    light += rng.normal(0, 3, light.shape)
    pixels = np.clip(leaves + light[..., None], 0, 255)
    image = Image.fromarray(pixels.astype(np.uint8))
    soft = image.filter(ImageFilter.GaussianBlur(0.6))
    return saved_as(soft, "jpeg", 90)


def leaf(rng: Rng, width: int, height: int) -> np.ndarray:
    """(corners, 2) int32: a disc or an irregular polygon at a random place."""
    side = min(width, height)
    spread = (1 - rng.random()) ** -0.6
    radius = min(0.02 * side * spread, 0.45 * side)
    if rng.random() < 0.5:
        angles = np.linspace(0, 2 * np.pi, ROUND, endpoint=False)
        reach = np.ones(ROUND)
    else:
        corners = int(rng.integers(3, 9))
        angles = np.sort(rng.uniform(0, 2 * np.pi, corners))
        reach = rng.uniform(0.6, 1.3, corners)
    directions = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    centre = rng.uniform((0, 0), (width, height))
    points = centre + radius * reach[:, None] * directions
    return points.astype(np.int32)


def photographs(folder: str | None) -> list[Image.Image]:
    """Two photographs of scikit-learn, one of matplotlib, and those of a folder."""
    found = [Image.fromarray(one) for one in load_sample_images().images]
    with matplotlib.cbook.get_sample_data("grace_hopper.jpg") as file:
        found.append(Image.open(file).convert("RGB"))
    if folder:
        found += [read_image(str(path)) for path in sorted(Path(folder).iterdir())]
    return found


def patches(folder: str | None, scratch: Path) -> list[Image.Image]:
    """Disjoint patches of the photographs, without those that the audit calls too smooth."""
    found = []
    for image in photographs(folder):
        for x in range(0, image.width - PATCH + 1, PATCH):
            for y in range(0, image.height - PATCH + 1, PATCH):
                found.append(image.crop((x, y, x + PATCH, y + PATCH)))
    paths = [str(scratch / f"{number}.png") for number in range(len(found))]
    for path, patch in zip(paths, found, strict=True):
        patch.save(path)
    whole = make_thumbnails(paths).pixels[: len(found)]
    kept = [patch for patch, pixels in zip(found, whole, strict=True) if has_detail(pixels)]
    print(f"patches: {len(found)}, of which {len(found) - len(kept)} are smooth and left out")
    return kept
