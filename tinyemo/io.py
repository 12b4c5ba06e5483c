"""Files: writing them completely or not at all, recognising them by content, and reading images.

Owns the atomic write for every table, shard and index, the content digest by which the audit and
the feature store recognise a file, and the only functions of the project that open an image (how
its pixels are shown is the subject of tinyemo.pixels). Takes paths; gives written files, digests
and PIL images.
"""

import difflib
import hashlib
import importlib
import os
import unicodedata
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

from PIL import Image, ImageFile, UnidentifiedImageError
from safetensors import SafetensorError

from tinyemo.pixels import as_displayed, check_shape

try:  # optional: HEIC and HEIF files, the photographs of phones
    importlib.import_module("pillow_heif").register_heif_opener()
except ImportError:
    pass  # `read_image` names the package where it meets such a file

NO_HEIF = (
    "it is in HEIF format (such as .heic), which needs the package pillow-heif: "
    "pip install pillow-heif"
)
NO_PICTURE = "its content is no picture that Pillow can read"
HEIF_BRANDS = (
    *(b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"),
    *(b"mif1", b"msf1"),
)
NOT_PICTURES = ("MPEG",)  # Pillow recognises the format, but cannot decode it


def write_atomically(path: str | Path, write: Callable[[Path], object]) -> Path:
    """Call `write(temporary)` in the folder of `path`, then rename the temporary file to `path`.

    Creates the folder and returns the path. OSError (disk full, no permission) names the file that
    could not be written. An older file at `path` is then unchanged, and the temporary file is
    removed.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(temporary)
        os.replace(temporary, path)
    except (OSError, SafetensorError) as error:  # safetensors wraps the system's error in its own
        reason = getattr(error, "strerror", None) or error
        raise OSError(f"cannot write {path}: {reason}; no partial file was left") from error
    finally:
        if temporary.exists():
            temporary.unlink()
    return path


def digests(paths: Iterable[str]) -> dict[str, str]:
    """SHA-256 (hex) of the content of each distinct file. FileNotFoundError: one is missing."""
    paths = list(dict.fromkeys(paths))
    with ThreadPoolExecutor() as pool:  # reading and hashing both release Python's global lock
        return dict(zip(paths, pool.map(_digest, paths), strict=True))


def _digest(path: str) -> str:
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
        raise FileNotFoundError(f"file not found: {path}") from error


def read_image(
    source: str | Path | BinaryIO | Image.Image, mode: str = "RGB", smallest: int | None = None
) -> Image.Image:
    """The decoded image of a file (a path or an open binary file), or of a PIL image, in Pillow's
    `mode`, as a viewer shows it (see tinyemo.pixels).

    With `smallest`, a JPEG may be decoded at 1/2, 1/4 or 1/8 of its size, as long as both sides
    keep at least `smallest` pixels. That is several times faster and still reads the whole file.

    FileNotFoundError: there is no such file. ValueError: it cannot be decoded. Both name the file;
    the error of the operating system or of Pillow is the `__cause__`.
    """
    try:
        if isinstance(source, Image.Image):
            return as_displayed(source, mode)
        if isinstance(source, str | Path):
            # of a path, Pillow 13 maps a TIFF into memory, and ignores that it is to be turned
            with open(source, "rb") as file:
                return _decoded(file, mode, smallest)
        return _decoded(source, mode, smallest)
    except FileNotFoundError as error:
        raise FileNotFoundError(f"image not found: {source}") from error
    except Exception as error:  # Pillow's decoders raise many kinds of errors for a damaged file
        reason = first_line(error)
        if isinstance(error, UnidentifiedImageError):
            reason = NO_HEIF if _is_heif(source) else NO_PICTURE
        raise ValueError(f"cannot read the image {source}: {reason}") from error


def _decoded(file: BinaryIO, mode: str, smallest: int | None) -> Image.Image:
    with Image.open(file) as image:
        check_shape(image)  # before a JPEG is made smaller, which changes the shape a little
        if smallest:
            image.draft(mode, (smallest, smallest))
        return as_displayed(image, mode)


def is_image(path: str | Path) -> bool:
    """Whether the content of a file is a picture, whatever its name. Only its start is read.

    True also for a damaged picture with a whole header, for one that is too large, and for HEIF
    where the package that reads it is missing: `read_image` says what is wrong with it.
    """
    try:
        with Image.open(path) as image:
            known = not isinstance(image, ImageFile.StubImageFile)
            return known and image.format not in NOT_PICTURES
    except Image.DecompressionBombError:
        return True
    except Exception:  # as in read_image
        return _is_heif(path)


def _is_heif(source: object) -> bool:
    """Whether a file begins as HEIF does. False for anything but the path of a readable file."""
    if not isinstance(source, str | Path):
        return False
    try:
        with open(source, "rb") as file:
            start = file.read(12)
    except OSError:
        return False
    return start[4:8] == b"ftyp" and start[8:12] in HEIF_BRANDS


def name_like(path: str | Path) -> str:
    """A sentence's end that names the file or folder that a missing `path` may mean: its name
    differs only in letter case, spaces or Unicode form. "" if there is none.
    """
    path = Path(path)
    while not path.parent.is_dir() and path != path.parent:
        path = path.parent  # now the highest part of the path that is missing
    try:
        names = sorted(os.listdir(path.parent))
    except OSError:
        return ""
    alike = [name for name in names if _plain(name) == _plain(path.name) and name != path.name]
    return f"; found {ascii(alike[0])} there, expected {ascii(path.name)}" if alike else ""


def _plain(name: str) -> str:
    """A name in one Unicode form, without letter case and spaces."""
    return "".join(unicodedata.normalize("NFKC", name).casefold().split())


def first_line(error: BaseException) -> str:
    """The first line of an error's message, or the error's `repr` where it has no message."""
    return (str(error).strip() or repr(error)).splitlines()[0]


def hint_for_unknown(name: object, known: Iterable[str]) -> str:
    """The end of an error message about an unknown name: the closest known name, or all of them."""
    known = list(known)
    close = difflib.get_close_matches(str(name), known, n=1)
    return f"did you mean {close[0]}?" if close else f"expected one of {', '.join(known)}"
