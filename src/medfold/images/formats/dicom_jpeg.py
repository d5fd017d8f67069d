"""Checks of JPEG frames in DICOM files, for decoders that crash or hang on damaged data."""

from medfold.images.formats.pixel_values import ImageError

START, END = b"\xff\xd8", b"\xff\xd9"
BASELINE, EXTENDED = 0xC0, 0xC1
FRAME, TABLES, SCAN = 0xC3, 0xC4, 0xDA
SKIPPED = {0xDD, 0xFE, *range(0xE0, 0xF0)}  # restart interval, comment, application data


def is_baseline(frame: bytes) -> bool:
    """Returns True for a baseline or extended JPEG of eight bits, regardless of the transfer syntax."""
    at = len(START)
    while frame[at : at + 1] == b"\xff" and len(frame) > at + 4:
        kind, length = frame[at + 1], int.from_bytes(frame[at + 2 : at + 4])
        if kind in (BASELINE, EXTENDED):
            return frame[at + 4] == 8
        if kind in (FRAME, SCAN) or length < 2:
            return False
        at += 2 + length
    return False


def check_end(frame: bytes) -> None:
    """Checks that a JPEG-LS or JPEG Lossless frame has an end marker.

    Without one, CharLS searches for seconds, far beyond the frame.

    Raises:
        ImageError: there is no end marker.
    """
    if END not in frame:  # compressed data cannot contain it
        raise ImageError("damaged: a JPEG that is cut off")


def check_lossless(frame: bytes, height: int, width: int, samples: int, bits_allocated: int) -> None:
    """Checks the headers of a JPEG Lossless frame up to the first scan, since damaged ones make GDCM crash.

    Args:
        frame: a JPEG.
        height, width, samples, bits_allocated: the values in the DICOM headers.

    Raises:
        ImageError: the frame is not JPEG Lossless, is damaged, or does not fit the DICOM headers.
    """
    if frame[:2] != START:
        raise ImageError("damaged: no JPEG in it")
    at, markers = len(START), set()
    while True:
        prefix, marker, length = frame[at : at + 1], frame[at + 1 : at + 2], int.from_bytes(frame[at + 2 : at + 4])
        segment = frame[at + 4 : at + 2 + length]
        if prefix != b"\xff" or not marker or length < 2 or len(segment) != length - 2:
            raise ImageError("damaged: a JPEG with a broken header")
        at, kind = at + 2 + length, marker[0]
        markers.add(kind)
        if kind == FRAME:
            _check_frame(segment, (height, width, samples), bits_allocated)
        elif kind == TABLES:
            _check_tables(segment)
        elif kind == SCAN:
            if not {FRAME, TABLES} <= markers:
                raise ImageError("damaged: a JPEG without tables")
            return
        elif kind not in SKIPPED:
            raise ImageError("damaged: no JPEG Lossless")


def _check_frame(segment: bytes, size: tuple[int, int, int], bits_allocated: int) -> None:
    declared = int.from_bytes(segment[1:3]), int.from_bytes(segment[3:5]), int.from_bytes(segment[5:6])
    if declared != size or len(segment) != 6 + 3 * size[2]:
        raise ImageError("damaged: the JPEG in it is of another size than its header says")
    precision = segment[0]
    if not 2 <= precision <= bits_allocated or (precision > 8) != (bits_allocated > 8):
        raise ImageError(f"damaged: a JPEG of {precision} bits in {bits_allocated}")


def _check_tables(segment: bytes) -> None:
    at = 0
    while at < len(segment):
        at += 17 + sum(segment[at + 1 : at + 17])
    if not segment or at != len(segment):
        raise ImageError("damaged: a JPEG with a broken table")
