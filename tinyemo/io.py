"""Files: written whole or not at all, and known by their content.

Owns: the atomic write that every table, shard and index goes through, and the content digest by which
the audit and the feature store recognise a file.
"""

import hashlib
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from safetensors import SafetensorError


def write_atomically(path: str | Path, write: Callable[[Path], object]) -> Path:
    """Call `write(temporary)` in the folder of `path`, then rename the temporary file to `path`.

    Creates the folder. OSError (full disk, no permission) says in one sentence which file could not be
    written; what stood at `path` before stands there still, and the temporary file is removed.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(temporary)
        os.replace(temporary, path)
    except (OSError, SafetensorError) as error:  # safetensors wraps the system's error in its own
        reason = getattr(error, "strerror", None) or error
        raise OSError(f"cannot write {path}: {reason}; nothing was left half-written") from error
    finally:
        if temporary.exists():
            temporary.unlink()
    return path


def digests(paths: Iterable[str]) -> dict[str, str]:
    """SHA-256 (hex) of the content of each distinct file. FileNotFoundError names a missing one."""
    paths = list(dict.fromkeys(paths))
    with ThreadPoolExecutor() as pool:  # reading and hashing both leave Python's lock
        return dict(zip(paths, pool.map(_digest, paths), strict=True))


def _digest(path: str) -> str:
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
        raise FileNotFoundError(f"file not found: {path}") from error
