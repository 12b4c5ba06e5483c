"""A disk that is full, without one."""

import resource
from contextlib import contextmanager


@contextmanager
def files_no_larger_than(size: int):
    """Writing past `size` bytes fails as on a full disk (EFBIG for ENOSPC); works for root too."""
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, old[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
