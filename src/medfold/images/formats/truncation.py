"""Whether a JPEG or PNG goes on to its end: decoders differ in what they make of one that does not."""

import re

import numpy as np

JPEG, JPEG_END = b"\xff\xd8\xff", b"\xff\xd9"
PNG, PNG_END = b"\x89PNG\r\n\x1a\n", b"\0\0\0\0IEND\xaeB`\x82"
# In the compressed data of a scan 0xFF is followed by 0, by a restart marker, or by more 0xFF.
MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
SCAN = 0xDA


def is_truncated(data: np.ndarray) -> bool:
    """True for a JPEG without end marker and a PNG without last chunk; bytes behind them do not matter.

    Args:
        data: uint8 (n,), the file; of another format, the answer is False.
    """
    beginning, end = data[:8].tobytes(), data[-12:].tobytes()
    if beginning == PNG:
        return end != PNG_END and not _png_ends(data.tobytes())
    if beginning[:3] == JPEG:
        return end[-2:] != JPEG_END and not _jpeg_ends(data.tobytes())
    return False


def png_chunks(data: bytes) -> set[bytes]:
    """The kinds of chunks in a PNG, as far as it goes."""
    at, found = len(PNG), set()
    while at + 12 <= len(data):
        found.add(data[at + 4 : at + 8])
        at += 12 + int.from_bytes(data[at : at + 4])
    return found


def _png_ends(data: bytes) -> bool:
    return b"IEND" in png_chunks(data)


def _jpeg_ends(data: bytes) -> bool:
    # From marker to marker, as a thumbnail in a segment has an end marker of its own.
    at = 2
    while found := MARKER.search(data, at):
        marker = data[found.end() - 1]
        if marker == JPEG_END[1]:
            return True
        at = found.end() + int.from_bytes(data[found.end() : found.end() + 2])
    return False
