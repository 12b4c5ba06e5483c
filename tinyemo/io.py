"""Files: writing them completely or not at all, recognising them by content, and reading images.

Owns the atomic write for every table, shard and index, the content digest by which the audit and
the feature store recognise a file, and the only function of the project that opens an image.
Takes paths; gives written files, digests and PIL images.
"""

import difflib
import hashlib
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

from PIL import Image
from safetensors import SafetensorError


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
    `mode`.

    With `smallest`, a JPEG may be decoded at 1/2, 1/4 or 1/8 of its size, as long as both sides
    keep at least `smallest` pixels. That is several times faster and still reads the whole file.

    FileNotFoundError: there is no such file. ValueError: it cannot be decoded. Both name the file;
    the error of the operating system or of Pillow is the `__cause__`.
    """
    try:
        if isinstance(source, Image.Image):
            return source.convert(mode)
        with Image.open(source) as image:
            if smallest:
                image.draft(mode, (smallest, smallest))
            return image.convert(mode)
    except FileNotFoundError as error:
        raise FileNotFoundError(f"image not found: {source}") from error
    except Exception as error:  # Pillow's decoders raise many kinds of errors for a damaged file
        raise ValueError(f"cannot read the image {source}: {first_line(error)}") from error


def first_line(error: BaseException) -> str:
    """The first line of an error's message, or the error's `repr` where it has no message."""
    return (str(error).strip() or repr(error)).splitlines()[0]


def hint_for_unknown(name: object, known: Iterable[str]) -> str:
    """The end of an error message about an unknown name: the closest known name, or all of them."""
    known = list(known)
    close = difflib.get_close_matches(str(name), known, n=1)
    return f"did you mean {close[0]}?" if close else f"expected one of {', '.join(known)}"
