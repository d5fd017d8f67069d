"""glibc's allocator, told to keep what is freed."""

import ctypes
import sys

_M_TOP_PAD = -2  # malloc.h


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
        return bool(ctypes.CDLL(None).mallopt(_M_TOP_PAD, pad))
    except (OSError, AttributeError):  # musl
        return False
