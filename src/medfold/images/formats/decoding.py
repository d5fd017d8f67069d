"""Decoding of an image in any format, from one file or from one file per channel."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from medfold.competition import ImageFacts
from medfold.errors import UserError
from medfold.images.formats.failures import FIX, ImageError, unreadable
from medfold.images.formats.format_registry import find_reader, has_dicom_prefix, is_dicom
from medfold.images.formats.pixel_values import convert_channels
from medfold.images.image_paths import files_of_image, split_file_and_member
from medfold.text import count_of


class DecodedImage(NamedTuple):
    """A decoded image.

    Args:
        pixels: uint8 (height, width, channels).
        headers: technical DICOM headers by keyword; empty for other formats.
    """

    pixels: np.ndarray
    headers: dict[str, str]


def read_image_with_headers(raw: Path, image_path: str, image_facts: ImageFacts) -> DecodedImage:
    """Reads an image and its headers.

    Args:
        raw: folder that image paths are relative to.
        image_path: path relative to `raw`, followed by `#member` for files that contain many images. Or several paths
            separated by `|`, one grey file per channel; then the headers are from the first file.
        image_facts: the facts `images` (channels, windows, range, frame).

    Raises:
        UserError: the format is unknown, the file cannot be read, or the channels have different sizes.
    """
    names = files_of_image(raw, image_path)
    if len(names) == 1:
        return _decode(raw, image_path, image_facts)
    if len(names) != image_facts.num_channels:
        what = f"{count_of(len(names), 'file')}, but 'images.channels' is {image_facts.num_channels}"
        raise UserError(what, raw / names[0], "Set images.channels to the names of the channels, one per file")
    grey = image_facts.model_copy(update={"channels": 1})
    channels = [_decode(raw, name, grey) for name in names]
    for name, channel in zip(names, channels, strict=True):
        (height, width), (first_height, first_width) = channel.pixels.shape[:2], channels[0].pixels.shape[:2]
        if (height, width) != (first_height, first_width):
            what = f"{height}x{width} pixels, but {names[0]} of the same image has {first_height}x{first_width}"
            raise UserError(what, raw / name, FIX)
    return DecodedImage(np.concatenate([channel.pixels for channel in channels], axis=2), channels[0].headers)


def read_image(raw: Path, image_path: str, image_facts: ImageFacts) -> np.ndarray:
    """Reads the pixels of an image.

    Args:
        raw: folder that image paths are relative to.
        image_path: path relative to `raw`, in the syntax of `read_image_with_headers`.
        image_facts: the facts `images` (channels, windows, range, frame).

    Returns:
        uint8 (height, width, channels).

    Raises:
        UserError: see `read_image_with_headers`.
    """
    return read_image_with_headers(raw, image_path, image_facts).pixels


def _decode(raw: Path, image_path: str, image_facts: ImageFacts) -> DecodedImage:
    """Decodes the image of one file, with the channels of the competition."""
    path, member = split_file_and_member(raw, image_path)
    try:
        try:
            pixels, headers = find_reader(path)(path, member, image_facts)
        except ImageError:  # a file named .png can be DICOM
            if is_dicom(path) or not has_dicom_prefix(path):
                raise
            from medfold.images.formats import dicom  # slow import, and few competitions need it

            pixels, headers = dicom.read(path, member, image_facts)
        return DecodedImage(convert_channels(pixels, image_facts.num_channels), headers)
    except UserError:
        raise
    except Exception as error:  # decoders raise many types; each means that the image is unreadable
        raise unreadable("image", error, raw / image_path) from None
