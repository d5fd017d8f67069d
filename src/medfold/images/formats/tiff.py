"""TIFF: by tifffile and imagecodecs, page by page, whatever the compression; plain uncompressed ones by OpenCV.

OpenCV is several times as fast on small files, and right for those kinds; of others it has given memory that nothing
was written to, or half a picture and no error.
"""

import io
import struct
from pathlib import Path

import cv2
import numpy as np
import tifffile
from PIL import Image, ImageOps

from medfold.competition import ImageFacts
from medfold.images.formats.pixel_values import (
    ImageError,
    check_size,
    chosen_frames,
    frames_to_uint8,
    image_to_uint8,
    tile_frames,
)
from medfold.processes import silence_native_output

BEGINNINGS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC = 256, 257, 258, 259, 262
SAMPLES, PLANAR, FORMAT = 277, 284, 339
WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, CMYK, YCBCR = 0, 1, 2, 3, 5, 6
OLD_JPEG, JPEG = 6, 7
UNNAMED = 0  # kind of extra samples
SHORT, LONG = 3, 4
# Orientation tag -> the picture upright.
UPRIGHT = {
    2: lambda pixels: pixels[:, ::-1],
    3: lambda pixels: pixels[::-1, ::-1],
    4: lambda pixels: pixels[::-1],
    5: lambda pixels: pixels.swapaxes(0, 1),
    6: lambda pixels: np.rot90(pixels, -1),
    7: lambda pixels: np.rot90(pixels, 2).swapaxes(0, 1),
    8: lambda pixels: np.rot90(pixels),
}


def decode(data: np.ndarray, facts: ImageFacts) -> np.ndarray:
    """A picture from the bytes of a TIFF, upright, black as 0, palettes applied, an alpha channel dropped.

    Where its pages are the channels of one image, as ImageJ writes them, and `images.channels` are as many, they become
    its channels; else a page is a frame.

    Args:
        data: uint8 (n,).
        facts: decide on page and depth.

    Returns:
        uint8 (height, width) or (height, width, channels), colours in red, green, blue.

    Raises:
        ImageError: an unknown kind of TIFF, or too large.
    """
    try:
        plain = _plain(data)
    except (struct.error, KeyError):
        raise ImageError("cut off, or its directory is damaged") from None
    if plain:
        values = cv2.imdecode(data, cv2.IMREAD_ANYCOLOR | cv2.IMREAD_ANYDEPTH)
        if values is not None:
            values = values if values.ndim == 2 else cv2.cvtColor(values, cv2.COLOR_BGR2RGB)
            return image_to_uint8(values, facts)
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        if not file.pages:
            raise ImageError("cut off, or no page in it")
        frames = _hyperstack(file, facts)
        if frames is None:
            numbers = chosen_frames(len(file.pages), facts)
            frames = [_page(file.pages[number], number, data, len(numbers), facts.num_channels) for number in numbers]
    if len({frame.shape for frame in frames}) > 1:
        raise ImageError("pages of several sizes, 'images.frame: montage' needs one")
    return tile_frames(list(frames_to_uint8(np.stack(frames), facts)))


def count_directories(path: Path) -> int:
    """How many pages a TIFF has, those included that ImageJ writes one directory for."""
    with tifffile.TiffFile(path) as file:
        if file.is_imagej and file.series and set(file.series[0].axes) <= set("TZCYX"):
            return int(np.prod(file.series[0].shape[:-2]))
        return len(file.pages)


def _hyperstack(file: tifffile.TiffFile, facts: ImageFacts) -> list[np.ndarray] | None:
    """The frames of what ImageJ wrote: it tells which axis is which, and may name one page only; None of others."""
    if not file.is_imagej or not file.series:
        return None
    series = file.series[0]
    if "S" in series.axes or not set(series.axes) <= set("TZCYX"):
        return None
    check_size(*series.shape[-2:], int(np.prod(series.shape[:-2])), series.dtype.itemsize)
    values = series.asarray(maxworkers=1)
    if series.axes == "CYX" and series.shape[0] == facts.num_channels:
        return [values.transpose(1, 2, 0)]
    frames = values.reshape(-1, *values.shape[-2:])
    return [frames[number] for number in chosen_frames(len(frames), facts)]


def _plain(data: np.ndarray) -> bool:
    """True for one uncompressed page of unsigned grey (8 or 16 bits) or colour (8): its directory is looked at."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(data[:4].tobytes())
    if order is None:
        return False
    (start,) = struct.unpack_from(f"{order}I", data, 4)
    (count,) = struct.unpack_from(f"{order}H", data, start)
    tags = {}
    for tag, kind, length, value in struct.iter_unpack(f"{order}HHI4s", data[start + 2 : start + 2 + 12 * count].data):
        if kind in (SHORT, LONG) and length == 1:
            (tags[tag],) = struct.unpack_from(f"{order}{'H' if kind == SHORT else 'I'}", value)
        elif kind == SHORT and tag in (BITS, FORMAT):  # a value for each sample, here or elsewhere
            at, source = (0, value) if length <= 2 else (struct.unpack(f"{order}I", value)[0], data)
            each = set(struct.unpack_from(f"{order}{length}H", source, at))
            tags[tag] = each.pop() if len(each) == 1 else 0
    (more,) = struct.unpack_from(f"{order}I", data, start + 2 + 12 * count)
    check_size(tags[HEIGHT], tags[WIDTH])
    kind, bits = (tags.get(PHOTOMETRIC), tags.get(SAMPLES, 1)), tags.get(BITS, 1)
    if more or tags.get(PLANAR, 1) != 1 or tags.get(COMPRESSION, 1) != 1 or tags.get(FORMAT, 1) != 1:
        return False
    return (kind, bits) in (((BLACK_IS_ZERO, 1), 8), ((BLACK_IS_ZERO, 1), 16), ((RGB, 3), 8))


def _page(page: tifffile.TiffPage, number: int, data: np.ndarray, pages: int, depth: int) -> np.ndarray:
    height, width, bits = page.imagelength, page.imagewidth, page.bitspersample
    check_size(height, width, pages, page.samplesperpixel * -(-bits // 8))
    if page.photometric not in (WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, CMYK, YCBCR):
        raise ImageError(f"a TIFF of photometric interpretation {int(page.photometric)}")
    if page.photometric == YCBCR and page.compression not in (OLD_JPEG, JPEG):
        return _by_pillow(data, number)  # its colours may be coarser than its brightness
    values = page.asarray(maxworkers=1)
    if page.axes == "SYX":
        values = np.moveaxis(values, 0, 2)
    elif page.axes not in ("YX", "YXS"):
        raise ImageError("a TIFF of volumes")
    if values.ndim == 3:
        values = values[..., : page.samplesperpixel - _alphas(page, depth)]
        values = values[..., 0] if values.shape[2] == 1 else values
    if page.photometric == PALETTE:
        values = _coloured(values.astype(np.int64), page.colormap)
    elif bits < 8 and values.dtype == np.uint8:  # of two bits the values are 0 to 3
        values = (values * (255 / (2**bits - 1)) + 0.5).astype(np.uint8)
        bits = 8
    if page.photometric == WHITE_IS_ZERO:
        values = _inverted(values, bits)
    if page.photometric == CMYK:
        values = _from_ink(values, bits)
    orientation = page.tags.get("Orientation")
    return UPRIGHT.get(orientation.value if orientation else 1, lambda pixels: pixels)(values)


def _alphas(page: tifffile.TiffPage, depth: int) -> int:
    """How many of the last samples are alpha; extra ones of an unnamed kind are channels, but for a single one."""
    extra = list(page.extrasamples)
    if page.samplesperpixel == depth or (len(extra) > 1 and UNNAMED in extra):
        return 0
    return len(extra)


def _coloured(numbers: np.ndarray, palette: np.ndarray) -> np.ndarray:
    """Numbers of a palette of 16 bits as red, green, blue; some write 8 bits into it without shifting them."""
    eight = palette if palette.max() < 256 else palette >> 8
    return eight[:, numbers].astype(np.uint8).transpose(1, 2, 0)


def _from_ink(values: np.ndarray, bits: int) -> np.ndarray:
    """Converts CMYK of unsigned integers to red, green, blue."""
    if values.dtype.kind != "u" or values.shape[-1] != 4:
        raise ImageError(f"CMYK of {values.dtype.name} with {values.shape[-1]} inks")
    most = 2**bits - 1
    through = most - values.astype(np.float64)
    return np.rint(through[..., :3] * through[..., 3:] / most).astype(values.dtype)


def _by_pillow(data: np.ndarray, number: int) -> np.ndarray:
    try:
        with silence_native_output(), Image.open(io.BytesIO(data)) as image:
            image.seek(number)
            return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    except OSError:
        raise ImageError("damaged") from None


def _inverted(values: np.ndarray, bits: int) -> np.ndarray:
    if values.dtype == bool:
        return ~values
    if values.dtype.kind != "u":
        raise ImageError(f"{values.dtype.name} values with white as 0")
    return values.dtype.type(2**bits - 1) - values
