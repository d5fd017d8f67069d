"""Checks of JPEG frames in DICOM files, for decoders that crash or hang on damaged data."""

from medfold.images.formats.failures import ImageError

START_OF_IMAGE, END_OF_IMAGE = b"\xff\xd8", b"\xff\xd9"
BASELINE_MARKER, EXTENDED_MARKER = 0xC0, 0xC1
FRAME_MARKER, TABLES_MARKER, SCAN_MARKER = 0xC3, 0xC4, 0xDA
SKIPPED_MARKERS = {0xDD, 0xFE, *range(0xE0, 0xF0)}  # restart interval, comment, application data


def is_baseline(frame: bytes) -> bool:
    """Returns True for a baseline or extended JPEG of eight bits, regardless of the transfer syntax."""
    offset = len(START_OF_IMAGE)
    while frame[offset : offset + 1] == b"\xff" and len(frame) > offset + 4:
        kind = frame[offset + 1]
        length = int.from_bytes(frame[offset + 2 : offset + 4])
        if kind in (BASELINE_MARKER, EXTENDED_MARKER):
            return frame[offset + 4] == 8
        if kind in (FRAME_MARKER, SCAN_MARKER) or length < 2:
            return False
        offset += 2 + length
    return False


def check_end(frame: bytes) -> None:
    """Checks that a JPEG-LS or JPEG Lossless frame has an end marker.

    Without one, CharLS searches for seconds, far beyond the frame.

    Raises:
        ImageError: there is no end marker.
    """
    if END_OF_IMAGE not in frame:  # compressed data cannot contain it
        raise ImageError("damaged: a JPEG that is cut off")


def check_lossless(frame: bytes, height: int, width: int, samples: int, bits_allocated: int) -> None:
    """Checks the headers of a JPEG Lossless frame up to the first scan, since damaged ones make GDCM crash.

    Args:
        frame: the bytes of the JPEG, from its start marker on.
        height: rows, by the DICOM header.
        width: columns, by the DICOM header.
        samples: samples per pixel, by the DICOM header.
        bits_allocated: bits per sample in memory, by the DICOM header.

    Raises:
        ImageError: the frame is not JPEG Lossless, is damaged, or does not fit the DICOM headers.
    """
    if frame[:2] != START_OF_IMAGE:
        raise ImageError("damaged: not a JPEG")
    offset = len(START_OF_IMAGE)
    markers = set()
    while True:
        prefix, marker = frame[offset : offset + 1], frame[offset + 1 : offset + 2]
        length = int.from_bytes(frame[offset + 2 : offset + 4])
        segment = frame[offset + 4 : offset + 2 + length]
        if prefix != b"\xff" or not marker or length < 2 or len(segment) != length - 2:
            raise ImageError("damaged: a JPEG with a broken header")
        offset = offset + 2 + length
        kind = marker[0]
        markers.add(kind)
        if kind == FRAME_MARKER:
            _check_frame(segment, (height, width, samples), bits_allocated)
        elif kind == TABLES_MARKER:
            _check_tables(segment)
        elif kind == SCAN_MARKER:
            if not {FRAME_MARKER, TABLES_MARKER} <= markers:
                raise ImageError("damaged: a JPEG without tables")
            return
        elif kind not in SKIPPED_MARKERS:
            raise ImageError("damaged: not JPEG Lossless")


def _check_frame(segment: bytes, size: tuple[int, int, int], bits_allocated: int) -> None:
    """Checks that size, samples and bits in the frame header are as in the DICOM headers."""
    declared = int.from_bytes(segment[1:3]), int.from_bytes(segment[3:5]), int.from_bytes(segment[5:6])
    if declared != size or len(segment) != 6 + 3 * size[2]:
        raise ImageError("damaged: the JPEG has a different size than the DICOM headers declare")
    precision = segment[0]
    if not 2 <= precision <= bits_allocated or (precision > 8) != (bits_allocated > 8):
        raise ImageError(f"damaged: a JPEG of {precision} bits in {bits_allocated}")


def _check_tables(segment: bytes) -> None:
    """Checks that the lengths of the Huffman tables fit their segment."""
    offset = 0
    while offset < len(segment):
        offset += 17 + sum(segment[offset + 1 : offset + 17])
    if not segment or offset != len(segment):
        raise ImageError("damaged: a JPEG with a broken table")
