"""Reading of images in any format: selects the module of the format, and reports unreadable files.

Each format has one module with `read(path, member, facts) -> (pixels, headers)`. Pixels are uint8 (height, width) or
(height, width, channels), colours as RGB. Headers are technical DICOM headers by keyword; they do not identify a
patient. `member` is the part after `#` in the image column of the sample table, for files that contain many images.
Any exception of a module makes the image unreadable.
"""

import importlib
import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath
from types import ModuleType
from typing import NamedTuple

import numpy as np

from medfold.competition import ImageFacts
from medfold.errors import UserError, count_of
from medfold.images.formats.pixel_values import ImageError, convert_channels, count_frames
from medfold.registry import Registry

# File extensions by module. A module is imported when its first file is read, since some import slowly.
FORMAT_MODULES = {
    "raster": (
        *(".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".svs"),
        *(".pgm", ".ppm", ".pnm", ".pbm", ".jp2", ".avif", ".tga", ".pcx"),
    ),
    "dicom": (".dcm", ".dicom", ".ima"),
    "npy": (".npy",),
    "npz": (".npz",),
    "hdf5": (".hdf5", ".h5"),
}


class ImageFormat(NamedTuple):
    """An image format of plugins.py.

    Args:
        extensions: file extensions in lower case.
        read: function (path, member, facts) -> (pixels, headers).
    """

    extensions: tuple[str, ...]
    read: Callable[[Path, str, ImageFacts], tuple[np.ndarray, dict[str, str]]]


FORMATS: Registry[ImageFormat] = Registry("image format")


def image_format(*extensions: str) -> Callable:
    """Registers a function (path, member, facts) -> (pixels, headers) for files with the given extensions.

    Pixels are uint8 (height, width) or (height, width, channels); `pixel_values.image_to_uint8` converts other depths.
    Headers are a dictionary, usually empty. `member` is the part after `#` in the path of an image.

    Args:
        extensions: file extensions, such as `.raw`.

    Example:
        >>> @image_format(".pixels")
        ... def pixels(path, member, facts):
        ...     return np.frombuffer(path.read_bytes(), np.uint8).reshape(64, 64), {}
    """

    def register(read: Callable) -> Callable:
        FORMATS.register(read.__name__, ImageFormat(tuple(extension.lower() for extension in extensions), read))
        return read

    return register


# Common formats that are not supported: name and advice, by file extension.
UNSUPPORTED_FORMATS = {
    ".heic": ("HEIC", "Save it as PNG or JPEG"),
    ".nii": ("NIfTI", "Save its slices as PNG, TIFF or .npy"),
    ".nii.gz": ("NIfTI", "Save its slices as PNG, TIFF or .npy"),
    ".mha": ("MetaImage", "Save its slices as PNG, TIFF or .npy"),
    ".mhd": ("MetaImage", "Save its slices as PNG, TIFF or .npy"),
    ".nrrd": ("NRRD", "Save its slices as PNG, TIFF or .npy"),
    ".czi": ("a slide of Zeiss", "Save it as TIFF"),
    ".mrxs": ("a slide of 3DHistech", "Save it as TIFF"),
}
CONTAINER_MODULES = ("npz", "hdf5")  # formats whose files contain many images
MAX_REASON = 150  # characters
FIX = "Download it again, or remove it"


class DecodedImage(NamedTuple):
    """A decoded image.

    Args:
        pixels: uint8 (height, width, channels).
        headers: technical DICOM headers by keyword; empty for other formats.
    """

    pixels: np.ndarray
    headers: dict[str, str]


def may_be_dicom(extension: str) -> bool:
    """Returns True for a file extension in lower case that no other format has; DICOM files often have none."""
    built_in = (extensions for name, extensions in FORMAT_MODULES.items() if name != "dicom")
    return not any(extension in extensions for extensions in (*built_in, *(each.extensions for each in FORMATS.all())))


def image_extensions() -> list[str]:
    """Returns the file extensions of all formats whose files contain one image each."""
    built_in = [
        extension
        for name, extensions in FORMAT_MODULES.items()
        if name not in CONTAINER_MODULES
        for extension in extensions
    ]
    return sorted([*built_in, *(extension for plugin in FORMATS.all() for extension in plugin.extensions)])


def image_extension(path: str) -> str:
    """Returns the extension of an image file, or '' if it is not that of a known format, as in `1.2.840.5`."""
    extension = PurePosixPath(path).suffix
    built_in = any(extension.lower() in extensions for extensions in FORMAT_MODULES.values())
    return extension if built_in or _plugin_format(extension) is not None else ""


def image_stem(path: str) -> str:
    """Returns the name of an image file without folders and extension."""
    return PurePosixPath(path).name.removesuffix(image_extension(path))


def is_dicom(path: Path) -> bool:
    """Returns True for a DICOM file, recognised by its extension or its content; False for a missing file."""
    try:
        return _module_name(path) == "dicom"
    except OSError:
        return False


def read_image_with_headers(raw: Path, image: str, facts: ImageFacts) -> DecodedImage:
    """Reads an image and its headers.

    Args:
        raw: folder that image paths are relative to.
        image: path relative to `raw`, followed by `#member` for files that contain many images. Or several paths
            separated by `|`, one grey file per channel; then the headers are those of the first file.
        facts: channels, windows, range and frame are applied.

    Raises:
        UserError: the format is unknown, the file cannot be read, or the channels have different sizes.
    """
    names = files_of_image(raw, image)
    if len(names) == 1:
        return _decode(raw, image, facts)
    if len(names) != facts.num_channels:
        what = f"{count_of(len(names), 'file')}, but 'images.channels' is {facts.num_channels}"
        raise UserError(what, raw / names[0], "Set images.channels to the names of the channels, one per file")
    grey = facts.model_copy(update={"channels": 1})
    channels = [_decode(raw, name, grey) for name in names]
    for name, channel in zip(names, channels, strict=True):
        (height, width), (first_height, first_width) = channel.pixels.shape[:2], channels[0].pixels.shape[:2]
        if (height, width) != (first_height, first_width):
            what = f"{height}x{width} pixels, but {names[0]} of the same image has {first_height}x{first_width}"
            raise UserError(what, raw / name, FIX)
    return DecodedImage(np.concatenate([channel.pixels for channel in channels], axis=2), channels[0].headers)


def read_image(raw: Path, image: str, facts: ImageFacts) -> np.ndarray:
    """Reads the pixels of an image, uint8 (height, width, channels); see `read_image_with_headers`."""
    return read_image_with_headers(raw, image, facts).pixels


def read_dicom_headers(path: Path, keywords: Iterable[str]) -> dict[str, str]:
    """Reads DICOM headers by keyword, '' where one is missing; see `dicom.read_headers`.

    Raises:
        UserError: a keyword is unknown, or the file cannot be read.
    """
    try:
        return _load("dicom").read_headers(path, keywords)
    except UserError:
        raise
    except Exception as error:
        raise UserError(f"unreadable headers ({_reason(error)})", path, FIX) from None


def list_members(path: Path) -> list[str]:
    """Returns the members of a file that contains many images: the top-level data sets of an HDF5 file.

    Raises:
        UserError: the file cannot be read.
    """
    try:
        return _load("hdf5").member_names(path)
    except Exception as error:
        raise UserError(f"unreadable file ({_reason(error)})", path, FIX) from None


def files_of_image(raw: Path, image: str) -> list[str]:
    """Splits the path of an image at `|` into its files, unless one file has that name."""
    return [image] if "|" in image and (raw / image).is_file() else image.split("|")


def path_of_image(raw: Path, image: str) -> Path:
    """Returns the path of the file that contains an image; the first one if it has a file per channel."""
    return _file_and_member(raw, files_of_image(raw, image)[0])[0]


def _file_and_member(raw: Path, image: str) -> tuple[Path, str]:
    """Splits the path of an image at `#` into file and member, unless one file has that name."""
    if "#" in image and (raw / image).is_file():
        return raw / image, ""
    name, _, member = image.partition("#")
    return raw / name, member


def count_pages(path: Path, facts: ImageFacts) -> int:
    """Returns the number of pages of a TIFF, or of frames of a DICOM or .npy file; 1 for other or unreadable files."""
    try:
        if path.suffix.lower() in (".tif", ".tiff"):
            return _load("tiff").count_pages(path)
        if path.suffix.lower() == ".npy":
            return count_frames(np.load(path, mmap_mode="r", allow_pickle=False).shape, facts)
        return int(read_dicom_headers(path, ["NumberOfFrames"])["NumberOfFrames"] or 1) if is_dicom(path) else 1
    except Exception:  # the scan reports unreadable files
        return 1


def min_hounsfield(path: Path) -> float | None:
    """Returns the smallest value of a CT slice in Hounsfield units; None if the file is not a CT in DICOM format."""
    return _load("dicom").min_hounsfield(path) if _module_name(path) == "dicom" else None


def stored_values(path: Path) -> np.ndarray | None:
    """Returns the stored values of the first frame of a grey DICOM file; None if the file defines a window."""
    return _load("dicom").stored_values(path)


def _decode(raw: Path, image: str, facts: ImageFacts) -> DecodedImage:
    path, member = _file_and_member(raw, image)
    try:
        try:
            pixels, headers = _module(path).read(path, member, facts)
        except ImageError:  # a file named .png can be DICOM
            if _module_name(path) == "dicom" or not _has_dicom_prefix(path):
                raise
            pixels, headers = _load("dicom").read(path, member, facts)
        return DecodedImage(convert_channels(pixels, facts.num_channels), headers)
    except UserError:
        raise
    except Exception as error:  # decoders raise many types; each means that the image is unreadable
        raise UserError(f"unreadable image ({_reason(error)})", raw / image, FIX) from None


def _module_name(path: Path) -> str | None:
    """Returns the name of the module for a file, by extension; for DICOM, whose files often have none, by content."""
    extension = path.suffix.lower()
    for name, extensions in FORMAT_MODULES.items():
        if extension in extensions:
            return name
    return "dicom" if _has_dicom_prefix(path) else None


def _plugin_format(extension: str) -> ImageFormat | None:
    if not extension:
        return None
    return next((plugin for plugin in FORMATS.all() if extension.lower() in plugin.extensions), None)


def _has_dicom_prefix(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(132)[128:] == b"DICM"


def _module(path: Path) -> ModuleType | ImageFormat:
    if name := _module_name(path):
        return _load(name)
    if plugin := _plugin_format(path.suffix):
        return plugin
    for extension, (kind, advice) in UNSUPPORTED_FORMATS.items():
        if path.name.lower().endswith(extension):
            raise UserError(f"{kind} is not supported", path, advice)
    known = ", ".join(extension for extensions in FORMAT_MODULES.values() for extension in extensions)
    raise UserError(f"unknown image format '{path.suffix}'", path, f"Known: {known}")


def _load(name: str) -> ModuleType:
    return importlib.import_module(f"medfold.images.formats.{name}")


def _reason(error: Exception) -> str:
    """Returns a short line that says what went wrong, without quotes from the file: they may name a patient."""
    if isinstance(error, ImageError):
        text = str(error)
    elif isinstance(error, OSError) and error.errno:
        text = os.strerror(error.errno)
    elif isinstance(error, MemoryError):
        text = "not enough memory"
    else:
        first = (str(error).strip().splitlines() or [""])[0].partition(" - ")[0]
        unquoted = re.sub(r"(?<!\w)b?(['\"]).*?\1(?!\w)", "...", first)
        text = re.split(r"(?<!\w)['\"]", unquoted)[0] or type(error).__name__
    return "".join(letter if letter.isprintable() else "?" for letter in text)[:MAX_REASON]
