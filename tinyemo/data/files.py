"""Files: written whole or not at all, and known by their content.

Owns: the atomic write that every table, shard and index goes through, and the content digest by which
the audit and the feature store recognise a file.
"""

import hashlib
import os
from collections.abc import Callable
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
        failure = OSError(f"cannot write {path}: {reason}; nothing was left half-written")
        failure.errno = getattr(error, "errno", None)
        raise failure from error
    finally:
        temporary.unlink(missing_ok=True)
    return path


def digest(path: str | Path) -> bytes:
    """SHA-256 (32 bytes) of a file's content. FileNotFoundError names the file."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").digest()
    except (FileNotFoundError, IsADirectoryError) as error:
        raise FileNotFoundError(f"file not found: {path}") from error
