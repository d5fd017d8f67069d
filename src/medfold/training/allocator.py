"""glibc's allocator, told to keep what is freed."""

import ctypes
import sys

_M_TOP_PAD, _M_MMAP_THRESHOLD = -2, -3  # malloc.h
_LARGEST_THRESHOLD = 32 << 20  # that glibc takes


def keep_freed_memory(pad: int = 128 << 20) -> bool:
    """Leaves freed memory with the process, `pad` bytes at the top of each heap. Does nothing where there is no glibc.

    A training step frees its intermediate results and asks for them again at once. By default glibc hands them back to
    the system in between, and every page of them faults in again: about 700,000 faults for 40 small steps, which took
    twice as long as they do with this.

    Returns:
        True if the allocator was told.
    """
    if sys.platform != "linux":
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
        return bool(mallopt(_M_TOP_PAD, pad)) and bool(mallopt(_M_MMAP_THRESHOLD, _LARGEST_THRESHOLD))
    except (OSError, AttributeError):  # musl
        return False
