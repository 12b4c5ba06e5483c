"""Pictures of every kind as a viewer shows them: orientation, depth, transparency, animations."""

import importlib.util
import io
import struct
import sys
import zlib

import numpy as np
import pandas as pd
import pytest
from PIL import ExifTags, Image, ImageOps

from tinyemo import io as tinyemo_io
from tinyemo import pixels
from tinyemo.data.duplicates import find_duplicates
from tinyemo.io import is_image, read_image

GRADIENT = np.linspace(0, 255, 24 * 16).round().astype(np.uint8).reshape(16, 24)  # (H, W)


def photo() -> Image.Image:
    """A picture of 48 x 32 pixels without any symmetry: red, green, blue and white quarters."""
    image = Image.new("RGB", (48, 32), "red")
    image.paste("green", (24, 0, 48, 16))
    image.paste("blue", (0, 16, 24, 32))
    image.paste("white", (24, 16, 48, 32))
    return image


def difference(image: Image.Image, expected: Image.Image) -> float:
    """The mean absolute difference of two pictures of one size, 0 to 255."""
    assert image.size == expected.size and image.mode == expected.mode
    return float(np.abs(np.asarray(image, float) - np.asarray(expected, float)).mean())


# EXIF orientation -> how a camera that was held like this stores the upright picture
STORED = {
    1: lambda image: image,
    2: ImageOps.mirror,
    3: lambda image: image.rotate(180),
    4: ImageOps.flip,
    5: lambda image: ImageOps.mirror(image).rotate(90, expand=True),
    6: lambda image: image.rotate(90, expand=True),
    7: lambda image: ImageOps.mirror(image).rotate(-90, expand=True),
    8: lambda image: image.rotate(-90, expand=True),
}


@pytest.mark.parametrize("ending", ["jpg", "png", "tif", "webp", "avif"])
@pytest.mark.parametrize("orientation", STORED)
def test_exif_rotation_is_applied(tmp_path, ending, orientation):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    path = tmp_path / f"phone.{ending}"
    STORED[orientation](photo()).save(path, exif=exif)
    assert difference(read_image(path), photo()) < 12
    with Image.open(path) as image:
        assert difference(read_image(image), photo()) < 12
    small = read_image(path, "L", smallest=16)  # of a JPEG, half the size
    assert difference(small.resize((48, 32), Image.Resampling.NEAREST), photo().convert("L")) < 12


@pytest.mark.parametrize("orientation", STORED)
def test_greyscale_tiff_is_turned_and_not_read_in_rows_of_another_length(tmp_path, orientation):
    """Pillow 13 gives other pixels than the file's if it maps such a file into memory."""
    grey = photo().convert("L")
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    STORED[orientation](grey).save(tmp_path / "scan.tif", exif=exif)
    assert difference(read_image(tmp_path / "scan.tif", "L"), grey) == 0


def test_a_damaged_exif_block_does_not_refuse_the_picture(tmp_path):
    photo().save(tmp_path / "odd.jpg", exif=b"Exif\0\0MM\0*\xff\xff\xff\xffgarbage")
    photo().save(tmp_path / "plain.jpg")
    assert difference(read_image(tmp_path / "odd.jpg"), read_image(tmp_path / "plain.jpg")) == 0


def test_an_orientation_that_does_not_exist_changes_nothing(tmp_path):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 0
    photo().save(tmp_path / "zero.png", exif=exif)
    assert difference(read_image(tmp_path / "zero.png"), photo()) == 0


DEEP = {
    "16 bits, PNG": (GRADIENT.astype(np.uint16) * 257, "png"),
    "16 bits, TIFF": (GRADIENT.astype(np.uint16) * 257, "tif"),
    "16 bits of big-endian order": (GRADIENT.astype(">u2") * 257, "tif"),
    "16 bits, JPEG 2000": (GRADIENT.astype(np.uint16) * 257, "jp2"),
    "32 bits": (GRADIENT.astype(np.int32) * 1000 - 70, "tif"),
    "floats of 0 to 1": (GRADIENT.astype(np.float32) / 255, "tif"),
    "floats of another range": (GRADIENT.astype(np.float32) * 3e4 - 1e6, "tif"),
}


@pytest.mark.parametrize("name", DEEP)
def test_deep_greyscale_is_scaled_to_8_bits(tmp_path, name):
    values, ending = DEEP[name]
    path = tmp_path / f"deep.{ending}"
    Image.fromarray(values).save(path)
    image = read_image(path)
    assert image.mode == "RGB"
    assert np.abs(np.asarray(image).astype(int) - GRADIENT[:, :, None]).max() <= 1
    by_own_range = name in ("32 bits", "floats of another range")
    assert (pixels.SCALED in image.info) == by_own_range
    if by_own_range:
        assert image.info[pixels.SCALED] == (values.min(), values.max())


def test_16_bits_are_divided_by_257_whatever_the_range_of_the_picture(tmp_path):
    dark = (GRADIENT.astype(np.uint16) // 8) * 257  # uses an eighth of the range
    Image.fromarray(dark).save(tmp_path / "dark.png")
    assert np.array_equal(read_image(tmp_path / "dark.png", "L"), GRADIENT // 8)


def test_12_bits_of_a_tiff_use_their_own_maximum(tmp_path):
    row = np.array([0, 1000, 2000, 4095])
    packed = bytes([row[0] >> 4, (row[0] & 15) << 4 | row[1] >> 8, row[1] & 255])
    packed += bytes([row[2] >> 4, (row[2] & 15) << 4 | row[3] >> 8, row[3] & 255])
    (tmp_path / "12.tif").write_bytes(tiff(4, 1, 12, packed))
    values = np.asarray(read_image(tmp_path / "12.tif", "L"))[0]
    assert values.tolist() == (row * 255 / 4095).round().astype(int).tolist()


def test_a_tiff_in_which_zero_is_white_is_not_a_negative(tmp_path):
    values = np.array([0, 257 * 100, 65535], dtype="<u2")
    (tmp_path / "fax.tif").write_bytes(tiff(3, 1, 16, values.tobytes(), photometric=0))
    assert np.asarray(read_image(tmp_path / "fax.tif", "L"))[0].tolist() == [255, 155, 0]


def test_unsigned_32_bits_keep_their_order(tmp_path):
    values = np.array([0, 2**31, 2**32 - 1], dtype="<u4")
    (tmp_path / "u32.tif").write_bytes(tiff(3, 1, 32, values.tobytes()))
    assert np.asarray(read_image(tmp_path / "u32.tif", "L"))[0].tolist() == [0, 128, 255]


def tiff(width: int, height: int, bits: int, data: bytes, photometric: int = 1) -> bytes:
    """An uncompressed little-endian greyscale TIFF (depths that Pillow cannot write)."""
    tags = [(256, width), (257, height), (258, bits), (259, 1), (262, photometric)]
    tags += [(273, 8), (277, 1), (278, height), (279, len(data))]
    directory = struct.pack("<H", len(tags))
    for tag, value in tags:
        directory += struct.pack("<HHII", tag, 4, 1, value)
    data += b"\0" * (len(data) % 2)
    return struct.pack("<2sHI", b"II", 42, 8 + len(data)) + data + directory + struct.pack("<I", 0)


@pytest.mark.parametrize("kind", ["P2", "P5"])
def test_a_portable_greymap_of_16_bits_is_scaled(tmp_path, kind):
    head = f"{kind}\n3 1\n65535\n".encode()
    body = b"0 25700 65535" if kind == "P2" else struct.pack(">3H", 0, 25700, 65535)
    (tmp_path / "grey.pgm").write_bytes(head + body)
    image = read_image(tmp_path / "grey.pgm", "L")
    assert np.asarray(image)[0].tolist() == [0, 100, 255]
    assert pixels.SCALED not in image.info


def test_a_uniform_deep_picture_is_read(tmp_path):
    Image.fromarray(np.full((4, 4), 7e9, np.float32)).save(tmp_path / "flat.tif")
    assert read_image(tmp_path / "flat.tif", "L").getextrema() == (0, 0)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite_are_refused(tmp_path, value):
    values = GRADIENT.astype(np.float32) / 255
    values[3, 4] = value
    Image.fromarray(values).save(tmp_path / "hole.tif")
    with pytest.raises(ValueError, match="cannot read the image .*hole.tif: .*NaN or infinite"):
        read_image(tmp_path / "hole.tif")


def test_different_16_bit_pictures_are_no_copies_of_each_other(tmp_path):
    rng = np.random.default_rng(0)
    rows = []
    for number in range(8):
        coarse = Image.fromarray(rng.integers(20, 256, (6, 6), dtype=np.uint8))
        smooth = np.asarray(coarse.resize((64, 64), Image.Resampling.BILINEAR)).astype(np.uint16)
        path = tmp_path / f"{number}.png"
        Image.fromarray(smooth * 257).save(path)
        split = "test" if number % 2 else "train"
        row = {"id": f"x/{number}", "dataset": "x", "split": split, "image": str(path)}
        rows.append(row | dict.fromkeys(("audio", "video", "face"), ""))
    assert find_duplicates(pd.DataFrame(rows)).empty


TRANSPARENT = {
    "RGBA": Image.new("RGBA", (4, 4), (200, 0, 0, 0)),
    "black on transparent": Image.new("RGBA", (4, 4), (0, 0, 0, 0)),
    "LA": Image.new("LA", (4, 4), (0, 0)),
    "palette": Image.new("RGBA", (4, 4), (0, 0, 0, 0)).quantize(4),
}


@pytest.mark.parametrize("name", TRANSPARENT)
@pytest.mark.parametrize("ending", ["png", "tif", "webp", "gif"])
def test_transparent_places_are_white(tmp_path, name, ending):
    image = TRANSPARENT[name].copy()
    image = image.convert("RGBA") if ending in ("tif", "gif") else image
    path = tmp_path / f"hidden.{ending}"
    image.save(path, **({"exact": True} if ending == "webp" else {}))
    assert read_image(path).getextrema() == ((255, 255),) * 3
    assert read_image(path, "L").getextrema() == (255, 255)


def test_black_on_transparent_is_black_on_white_and_half_is_half(tmp_path):
    image = Image.new("RGBA", (3, 1), (0, 0, 0, 0))
    image.putpixel((1, 0), (0, 0, 0, 255))
    image.putpixel((2, 0), (0, 0, 0, 128))
    image.save(tmp_path / "sign.png")
    assert np.asarray(read_image(tmp_path / "sign.png"))[0].tolist() == [
        [255] * 3,
        [0] * 3,
        [127] * 3,
    ]


@pytest.mark.parametrize("mode", ["L", "RGB", "I;16"])
def test_a_transparent_colour_of_a_png_is_white(tmp_path, mode):
    image = Image.new(mode, (4, 4))
    image.save(tmp_path / "key.png", transparency=(0, 0, 0) if mode == "RGB" else 0)
    with Image.open(tmp_path / "key.png") as saved:
        assert "transparency" in saved.info
    assert read_image(tmp_path / "key.png").getextrema() == ((255, 255),) * 3


def test_an_opaque_picture_is_unchanged(tmp_path):
    for mode in ("RGB", "RGBA", "CMYK", "L", "P", "1", "YCbCr"):
        image = photo().convert(mode)
        ending = "tif" if mode in ("CMYK", "YCbCr") else "png"
        image.save(tmp_path / f"{mode}.{ending}")
        with Image.open(tmp_path / f"{mode}.{ending}") as saved:
            expected = saved.convert("RGB")
        assert difference(read_image(tmp_path / f"{mode}.{ending}"), expected) == 0


@pytest.mark.parametrize("ending", ["gif", "png", "webp", "tif", "avif"])
@pytest.mark.parametrize("first", ["black", "white", "transparent"])
def test_an_animation_is_read_at_its_first_frame_that_is_not_empty(tmp_path, ending, first):
    colour = (0, 0, 0, 0) if first == "transparent" else first
    frames = [Image.new("RGBA", (48, 32), colour) for _ in range(3)]
    frames += [photo().convert("RGBA"), ImageOps.mirror(photo()).convert("RGBA")]
    path = tmp_path / f"moving.{ending}"
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=100, disposal=0)
    assert difference(read_image(path), photo()) < 12
    with Image.open(path) as image:
        assert difference(read_image(image), photo()) < 12


def test_an_animation_that_begins_with_a_picture_is_read_there(tmp_path):
    frames = [photo(), ImageOps.mirror(photo())]
    frames[0].save(tmp_path / "moving.gif", save_all=True, append_images=frames[1:])
    assert difference(read_image(tmp_path / "moving.gif"), photo()) < 1


def test_an_animation_of_empty_frames_is_its_first_frame(tmp_path):
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue", "black")]
    frames[0].save(tmp_path / "blink.gif", save_all=True, append_images=frames[1:])
    assert read_image(tmp_path / "blink.gif").getpixel((0, 0)) == (255, 0, 0)


def test_an_animation_cut_off_after_its_empty_frame_is_refused(tmp_path):
    noise = Image.effect_noise((48, 32), 90).convert("RGB")
    frames = [Image.new("RGB", (48, 32)), noise, noise.rotate(90)]
    path = tmp_path / "cut.gif"
    frames[0].save(path, save_all=True, append_images=frames[1:])
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 3])
    with pytest.raises(ValueError, match="cannot read the image .*cut.gif: "):
        read_image(path)


def test_very_many_empty_frames_are_refused(tmp_path, monkeypatch):
    frames = [Image.new("RGB", (8, 8), (number, 0, 0)) for number in range(50)]
    frames[0].save(tmp_path / "long.gif", save_all=True, append_images=frames[1:])
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10 * 8 * 8)
    with pytest.raises(ValueError, match="long.gif: its first 21 frames are empty"):
        read_image(tmp_path / "long.gif")


def test_a_strip_is_refused_also_where_a_smaller_copy_of_it_would_do(tmp_path):
    """A JPEG of 9 x 901 pixels has 2 x 113 at an eighth of its size."""
    Image.new("L", (9, 901)).save(tmp_path / "strip.jpg")
    with pytest.raises(ValueError, match="9 x 901 pixels"):
        read_image(tmp_path / "strip.jpg", smallest=1)


@pytest.mark.parametrize("size", [(8000, 2), (2, 8000), (101, 1)])
def test_a_strip_is_refused_by_its_size(tmp_path, size):
    Image.new("RGB", size).save(tmp_path / "strip.png")
    message = f"strip.png: it has {size[0]} x {size[1]} pixels; expected .* at most 100 times"
    with pytest.raises(ValueError, match=message):
        read_image(tmp_path / "strip.png")
    with pytest.raises(ValueError, match="at most 100 times"):
        read_image(Image.new("RGB", size))


def test_a_long_panorama_is_read(tmp_path):
    Image.new("RGB", (1000, 10)).save(tmp_path / "wide.png")
    assert read_image(tmp_path / "wide.png").size == (1000, 10)


def test_a_decompression_bomb_is_refused(tmp_path):
    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    size = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + chunk(b"IDAT", zlib.compress(b""))
    (tmp_path / "bomb.png").write_bytes(bomb)
    with pytest.raises(ValueError, match="bomb.png: Image size .* decompression bomb"):
        read_image(tmp_path / "bomb.png")
    assert is_image(tmp_path / "bomb.png")


@pytest.mark.parametrize(
    "error", [MemoryError(), AssertionError(), AssertionError("\n"), OSError()]
)
def test_an_error_without_a_message_becomes_a_sentence(tmp_path, monkeypatch, error):
    photo().save(tmp_path / "a.png")

    def fail(*arguments):
        raise error

    monkeypatch.setattr(tinyemo_io, "as_displayed", fail)
    with pytest.raises(ValueError, match=f"a.png: {type(error).__name__}"):
        read_image(tmp_path / "a.png")


# which files are pictures


def heif_start(brand: bytes = b"heic") -> bytes:
    return struct.pack(">I", 24) + b"ftyp" + brand + b"\0\0\0\0mif1heic"


def test_a_picture_is_recognised_by_its_content(tmp_path):
    for ending in ("jpg", "png", "gif", "avif", "ico", "jp2"):
        photo().save(tmp_path / f"picture.{ending}")
        plain = tmp_path / ending  # a name without an ending
        (tmp_path / f"picture.{ending}").rename(plain)
        assert is_image(plain)
    cut = tmp_path / "cut"
    cut.write_bytes((tmp_path / "png").read_bytes()[:60])
    assert is_image(cut)  # its header is whole: it is a damaged picture, not another kind of file
    (tmp_path / "film.mpg").write_bytes(b"\x00\x00\x01\xb3" + bytes(100))
    (tmp_path / "data.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    (tmp_path / "notes.txt").write_text("joy")
    (tmp_path / "empty.jpg").touch()
    np.save(tmp_path / "row.npy", np.zeros(3))
    for name in ("film.mpg", "data.h5", "notes.txt", "empty.jpg", "row.npy", "nowhere", "."):
        assert not is_image(tmp_path / name)


@pytest.mark.parametrize("brand", [b"heic", b"mif1", b"hevc"])
def test_without_its_package_heif_is_named(tmp_path, monkeypatch, brand):
    for key in [key for key in Image.OPEN if key == "HEIF"]:
        monkeypatch.delitem(Image.OPEN, key)
        monkeypatch.setattr(Image, "ID", [name for name in Image.ID if name != key])
    path = tmp_path / "phone.heic"
    path.write_bytes(heif_start(brand) + bytes(100))
    assert is_image(path)
    with pytest.raises(ValueError, match="phone.heic: .*pip install pillow-heif"):
        read_image(path)


@pytest.mark.skipif(
    importlib.util.find_spec("pillow_heif") is None, reason="pillow-heif is not installed"
)
def test_heif_is_read_upright(tmp_path):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    path = tmp_path / "phone.heic"
    STORED[6](photo()).save(path, exif=exif.tobytes(), quality=95)
    assert is_image(path)
    assert difference(read_image(path), photo()) < 12


def test_the_library_is_usable_without_the_package_for_heif(monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    spec = importlib.util.find_spec("tinyemo.io")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    buffer = io.BytesIO()
    photo().save(buffer, "PNG")
    assert module.read_image(buffer).size == (48, 32)
