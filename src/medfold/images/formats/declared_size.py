"""The size that a PNG, JPEG or JPEG 2000 declares in its header, read without decoding it."""

from typing import NamedTuple

from medfold.images.formats.truncation import JPEG, PNG

JPEG_2000 = b"\xff\x4f\xff\x51"  # start of a codestream, followed by the segment SIZ
# Markers of JPEG segments with the size: C4, C8 and CC mean something else.
START_OF_FRAME = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC} | {0xF7}  # F7: JPEG-LS
WITHOUT_LENGTH = {0x01, *range(0xD0, 0xD9)}
PNG_CHANNELS = {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}  # by colour type; a palette gives three


class DeclaredSize(NamedTuple):
    """The size of an image by its header.

    Args:
        height: rows.
        width: columns.
        bytes_per_pixel: bytes of a decoded pixel, all channels together.
    """

    height: int
    width: int
    bytes_per_pixel: int


def declared_size(data: bytes | memoryview) -> DeclaredSize | None:
    """Returns the size that an image declares; None for other formats, and where no header is found.

    Args:
        data: content of a PNG or JPEG file, or a JPEG or JPEG 2000 codestream.

    Source:
        ISO/IEC 15948 (PNG), 10918-1 (JPEG), 14495-1 (JPEG-LS), 15444-1 (JPEG 2000).
    """
    if data[: len(PNG)] == PNG and data[12:16] == b"IHDR" and len(data) > 25:
        samples = PNG_CHANNELS.get(data[25], 4) * (2 if data[24] > 8 else 1)
        return DeclaredSize(_number(data, 20, 4), _number(data, 16, 4), samples)
    if data[: len(JPEG_2000)] == JPEG_2000 and len(data) > 42:
        width, height = (_number(data, 8 + 4 * axis, 4) - _number(data, 16 + 4 * axis, 4) for axis in (0, 1))
        return DeclaredSize(height, width, _number(data, 40, 2) * (2 if data[42] & 0x7F > 7 else 1))
    return _jpeg_size(data) if data[: len(JPEG)] == JPEG else None


def _jpeg_size(data: bytes | memoryview) -> DeclaredSize | None:
    offset = 2
    while offset + 10 < len(data):
        if data[offset] != 0xFF:
            return None
        marker = data[offset + 1]
        if marker in START_OF_FRAME:
            samples = data[offset + 9] * (2 if data[offset + 4] > 8 else 1)
            return DeclaredSize(_number(data, offset + 5, 2), _number(data, offset + 7, 2), samples)
        if marker == 0xFF:  # a fill byte
            offset += 1
        elif marker in WITHOUT_LENGTH:
            offset += 2
        else:
            offset += 2 + _number(data, offset + 2, 2)
    return None


def _number(data: bytes | memoryview, offset: int, length: int) -> int:
    return int.from_bytes(data[offset : offset + length])
