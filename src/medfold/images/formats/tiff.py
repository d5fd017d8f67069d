"""TIFF images: with tifffile and imagecodecs, page by page, any compression; plain uncompressed ones with OpenCV.

OpenCV is several times as fast on small files and correct for plain ones. For other files it has returned
uninitialised memory, or half an image without an error.
"""

import io
import struct
from pathlib import Path

import cv2
import numpy as np
import tifffile
from PIL import Image, ImageOps

from medfold.competition import ImageFacts
from medfold.images.formats.failures import ImageError
from medfold.images.formats.frames import check_size, chosen_frames, tile_frames
from medfold.images.formats.pixel_values import frames_to_uint8, image_to_uint8
from medfold.system.native_output import silence_library, silence_native_output

SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC = 256, 257, 258, 259, 262
SAMPLES, PLANAR, FORMAT = 277, 284, 339
WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, CMYK, YCBCR = 0, 1, 2, 3, 5, 6
OLD_JPEG, JPEG = 6, 7
UNSPECIFIED = 0  # type of extra samples
SHORT, LONG = 3, 4
# Functions that turn an image upright, by the value of the orientation tag.
TURNS_UPRIGHT = {
    2: lambda pixels: pixels[:, ::-1],
    3: lambda pixels: pixels[::-1, ::-1],
    4: lambda pixels: pixels[::-1],
    5: lambda pixels: pixels.swapaxes(0, 1),
    6: lambda pixels: np.rot90(pixels, -1),
    7: lambda pixels: np.rot90(pixels, 2).swapaxes(0, 1),
    8: lambda pixels: np.rot90(pixels),
}
silence_library("tifffile", "PIL")


def decode(data: np.ndarray, image_facts: ImageFacts) -> np.ndarray:
    """Decodes an image from the bytes of a TIFF file.

    The image is turned upright, black is 0, palettes are applied, an alpha channel is dropped. If ImageJ wrote the
    channels of one image as pages, and their number is `images.channels`, they become its channels. Otherwise a page is
    a frame.

    Args:
        data: content of the file, uint8 (n,).
        image_facts: the facts `images` (frame, range).

    Returns:
        uint8 (height, width) or (height, width, channels), colours as RGB.

    Raises:
        ImageError: the file is damaged or too large, or this type of TIFF is not supported.
    """
    try:
        is_plain = _is_plain(data, image_facts)
    except (struct.error, KeyError):
        raise ImageError("cut off, or its directory is damaged") from None
    if is_plain:
        values = cv2.imdecode(data, cv2.IMREAD_ANYCOLOR | cv2.IMREAD_ANYDEPTH)
        if values is not None:
            values = values if values.ndim == 2 else cv2.cvtColor(values, cv2.COLOR_BGR2RGB)
            return image_to_uint8(values, image_facts)
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        if not file.pages:
            raise ImageError("cut off, or it contains no page")
        frames = _hyperstack(file, image_facts)
        if frames is None:
            numbers = chosen_frames(len(file.pages), image_facts)
            frames = [_page(file.pages[number], number, data, len(numbers), image_facts) for number in numbers]
    if len({frame.shape for frame in frames}) > 1:
        raise ImageError("pages of several sizes, but 'images.frame: montage' needs equal ones")
    return tile_frames(list(frames_to_uint8(np.stack(frames), image_facts)), image_facts)


def count_pages(path: Path) -> int:
    """Returns the number of pages, including pages for which ImageJ writes only one directory."""
    with tifffile.TiffFile(path) as file:
        if file.is_imagej and file.series and set(file.series[0].axes) <= set("TZCYX"):
            return int(np.prod(file.series[0].shape[:-2]))
        return len(file.pages)


def _hyperstack(file: tifffile.TiffFile, image_facts: ImageFacts) -> list[np.ndarray] | None:
    """Returns the selected frames of an ImageJ file, which names its axes but may list only one page; else None."""
    if not file.is_imagej or not file.series:
        return None
    series = file.series[0]
    if "S" in series.axes or not set(series.axes) <= set("TZCYX"):
        return None
    check_size(*series.shape[-2:], image_facts, int(np.prod(series.shape[:-2])), series.dtype.itemsize)
    values = series.asarray(maxworkers=1)
    if series.axes == "CYX" and series.shape[0] == image_facts.num_channels:
        return [values.transpose(1, 2, 0)]
    frames = values.reshape(-1, *values.shape[-2:])
    return [frames[number] for number in chosen_frames(len(frames), image_facts)]


def _is_plain(data: np.ndarray, image_facts: ImageFacts) -> bool:
    """Returns True if the directory declares one uncompressed page of unsigned grey (8 or 16 bits) or RGB (8 bits)."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(data[:4].tobytes())
    if order is None:
        return False
    (start,) = struct.unpack_from(f"{order}I", data, 4)
    (num_tags,) = struct.unpack_from(f"{order}H", data, start)
    tags = {}
    for tag, kind, length, value in struct.iter_unpack(
        f"{order}HHI4s", data[start + 2 : start + 2 + 12 * num_tags].data
    ):
        if kind in (SHORT, LONG) and length == 1:
            (tags[tag],) = struct.unpack_from(f"{order}{'H' if kind == SHORT else 'I'}", value)
        elif kind == SHORT and tag in (BITS, FORMAT):  # a value per sample, in the entry or at an offset
            offset, source = (0, value) if length <= 2 else (struct.unpack(f"{order}I", value)[0], data)
            values = set(struct.unpack_from(f"{order}{length}H", source, offset))
            tags[tag] = values.pop() if len(values) == 1 else 0
    (next_directory,) = struct.unpack_from(f"{order}I", data, start + 2 + 12 * num_tags)
    kind = (tags.get(PHOTOMETRIC), tags.get(SAMPLES, 1))
    bits = tags.get(BITS, 1)
    check_size(tags[HEIGHT], tags[WIDTH], image_facts, 1, kind[1] * max(1, bits // 8))
    if next_directory or tags.get(PLANAR, 1) != 1 or tags.get(COMPRESSION, 1) != 1 or tags.get(FORMAT, 1) != 1:
        return False
    return (kind, bits) in (((BLACK_IS_ZERO, 1), 8), ((BLACK_IS_ZERO, 1), 16), ((RGB, 3), 8))


def _page(
    page: tifffile.TiffPage, number: int, data: np.ndarray, num_pages: int, image_facts: ImageFacts
) -> np.ndarray:
    """Decodes a page: upright, black as 0, palettes applied, without alpha."""
    height, width, bits = page.imagelength, page.imagewidth, page.bitspersample
    check_size(height, width, image_facts, num_pages, page.samplesperpixel * -(-bits // 8))
    if page.photometric not in (WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, CMYK, YCBCR):
        raise ImageError(f"a TIFF of photometric interpretation {int(page.photometric)}")
    if page.photometric == YCBCR and page.compression not in (OLD_JPEG, JPEG):
        return _by_pillow(data, number)  # colours may be subsampled
    values = page.asarray(maxworkers=1)
    if page.axes == "SYX":
        values = np.moveaxis(values, 0, 2)
    elif page.axes not in ("YX", "YXS"):
        raise ImageError("a TIFF of volumes")
    if values.ndim == 3:
        values = values[..., : page.samplesperpixel - _num_alpha(page, image_facts.num_channels)]
        values = values[..., 0] if values.shape[2] == 1 else values
    if page.photometric == PALETTE:
        values = _apply_palette(values.astype(np.int64), page.colormap)
    elif bits < 8 and values.dtype == np.uint8:  # with two bits, for example, values are 0 to 3
        values = (values * (255 / (2**bits - 1)) + 0.5).astype(np.uint8)
        bits = 8
    if page.photometric == WHITE_IS_ZERO:
        values = _inverted(values, bits)
    if page.photometric == CMYK:
        values = _cmyk_to_rgb(values, bits)
    orientation = page.tags.get("Orientation")
    return TURNS_UPRIGHT.get(orientation.value if orientation else 1, lambda pixels: pixels)(values)


def _num_alpha(page: tifffile.TiffPage, num_channels: int) -> int:
    """Returns how many of the last samples are alpha; several extra samples of unspecified type count as channels."""
    extra = list(page.extrasamples)
    if page.samplesperpixel == num_channels or (len(extra) > 1 and UNSPECIFIED in extra):
        return 0
    return len(extra)


def _apply_palette(indices: np.ndarray, palette: np.ndarray) -> np.ndarray:
    """Converts palette indices to RGB. Palettes have 16 bits, but some files store values of 8 bits unscaled."""
    palette = palette if palette.max() < 256 else palette >> 8
    return palette[:, indices].astype(np.uint8).transpose(1, 2, 0)


def _cmyk_to_rgb(values: np.ndarray, bits: int) -> np.ndarray:
    """Converts CMYK of unsigned integers to RGB."""
    if values.dtype.kind != "u" or values.shape[-1] != 4:
        raise ImageError(f"CMYK of {values.dtype.name} with {values.shape[-1]} inks")
    white = 2**bits - 1
    transmitted = white - values.astype(np.float64)
    return np.rint(transmitted[..., :3] * transmitted[..., 3:] / white).astype(values.dtype)


def _by_pillow(data: np.ndarray, number: int) -> np.ndarray:
    """Decodes a page with Pillow, as RGB."""
    try:
        with silence_native_output(), Image.open(io.BytesIO(data), formats=["TIFF"]) as image:
            image.seek(number)
            return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    except OSError:
        raise ImageError("damaged") from None


def _inverted(values: np.ndarray, bits: int) -> np.ndarray:
    """Inverts the values of a page whose white is 0."""
    if values.dtype == bool:
        return ~values
    if values.dtype.kind != "u":
        raise ImageError(f"{values.dtype.name} values with white as 0")
    return values.dtype.type(2**bits - 1) - values
