"""Detection of truncated JPEG and PNG files, since decoders differ in how they handle them."""

import re

import numpy as np

JPEG, JPEG_END = b"\xff\xd8\xff", b"\xff\xd9"
PNG, PNG_END = b"\x89PNG\r\n\x1a\n", b"\0\0\0\0IEND\xaeB`\x82"
# In the compressed data of a scan, 0xFF is followed by 0, a restart marker or another 0xFF; otherwise it is a marker.
MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")


def is_truncated(data: np.ndarray) -> bool:
    """Returns True for a JPEG without end marker or a PNG without last chunk; bytes after these do not matter.

    Args:
        data: content of the file, uint8 (n,). For other formats the result is False.
    """
    prefix, end = data[:8].tobytes(), data[-12:].tobytes()
    if prefix == PNG:
        return end != PNG_END and not _png_ends(data.tobytes())
    if prefix[:3] == JPEG:
        return end[-2:] != JPEG_END and not _jpeg_ends(data.tobytes())
    return False


def png_chunks(data: bytes) -> set[bytes]:
    """Returns the types of all complete chunks in a PNG."""
    offset = len(PNG)
    types = set()
    while offset + 12 <= len(data):
        types.add(data[offset + 4 : offset + 8])
        offset += 12 + int.from_bytes(data[offset : offset + 4])
    return types


def _png_ends(data: bytes) -> bool:
    return b"IEND" in png_chunks(data)


def _jpeg_ends(data: bytes) -> bool:
    """Returns True if an end marker follows the segments."""
    # Segments are skipped, since a thumbnail in one of them has its own end marker.
    offset = 2
    while match := MARKER.search(data, offset):
        marker = data[match.end() - 1]
        if marker == JPEG_END[1]:
            return True
        offset = match.end() + int.from_bytes(data[match.end() : match.end() + 2])
    return False
