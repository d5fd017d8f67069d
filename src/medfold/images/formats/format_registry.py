"""Registry of image formats: the module that reads each file extension, and the formats of plugins.py.

Each built-in format is a module of this package with a function `read`, a `Reader`.
"""

import importlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np

from medfold.competition import ImageFacts
from medfold.errors import UserError
from medfold.registry import Registry

# Function (path, member, image_facts) -> (pixels, headers) that reads an image of a file; see `image_format`. Any
# exception makes the image unreadable.
Reader = Callable[[Path, str, ImageFacts], tuple[np.ndarray, dict[str, str]]]

# File extensions in lower case, by module.
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
CONTAINER_MODULES = ("npz", "hdf5")  # formats whose files contain many images
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


class PluginFormat(NamedTuple):
    """An image format of plugins.py.

    Args:
        extensions: file extensions in lower case.
        read: function (path, member, image_facts) -> (pixels, headers).
    """

    extensions: tuple[str, ...]
    read: Reader


FORMATS: Registry[PluginFormat] = Registry("image format")


def image_format(*extensions: str) -> Callable:
    """Registers a function (path, member, image_facts) -> (pixels, headers) for files with the given extensions.

    Pixels are uint8 (height, width) or (height, width, channels), colours as RGB; `pixel_values.image_to_uint8`
    converts other depths. Headers are technical DICOM headers by keyword, which identify no patient; usually none.
    `member` is the part after `#` in the path of an image, for files that contain many images; else ''.

    Args:
        extensions: file extensions, such as `.raw`.

    Example:
        >>> @image_format(".pixels")
        ... def pixels(path, member, image_facts):
        ...     return np.frombuffer(path.read_bytes(), np.uint8).reshape(64, 64), {}
    """

    def register(read: Callable) -> Callable:
        plugin_format = PluginFormat(tuple(extension.lower() for extension in extensions), read)
        FORMATS.register(read.__name__, plugin_format, read.__module__)
        return read

    return register


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
    return extension if built_in or _find_plugin_format(extension) is not None else ""


def image_stem(path: str) -> str:
    """Returns the name of an image file without folders and extension."""
    return PurePosixPath(path).name.removesuffix(image_extension(path))


def is_dicom(path: Path) -> bool:
    """Returns True for a DICOM file, recognised by its extension or its content; False for a missing file."""
    try:
        return _module_name(path) == "dicom"
    except OSError:
        return False


def find_reader(path: Path) -> Reader:
    """Returns the function that reads a file; its module is imported now, since some import slowly.

    Raises:
        UserError: the format is unknown or not supported.
        OSError: the file cannot be opened.
    """
    if name := _module_name(path):
        return importlib.import_module(f"medfold.images.formats.{name}").read
    if plugin := _find_plugin_format(path.suffix):
        return plugin.read
    for extension, (kind, advice) in UNSUPPORTED_FORMATS.items():
        if path.name.lower().endswith(extension):
            raise UserError(f"{kind} is not supported", path, advice)
    known = ", ".join(extension for extensions in FORMAT_MODULES.values() for extension in extensions)
    raise UserError(f"unknown image format '{path.suffix}'", path, f"Known: {known}")


def _module_name(path: Path) -> str | None:
    """Returns the name of the module for a file, by extension; for DICOM, whose files often have none, by content."""
    extension = path.suffix.lower()
    for name, extensions in FORMAT_MODULES.items():
        if extension in extensions:
            return name
    return "dicom" if has_dicom_prefix(path) else None


def _find_plugin_format(extension: str) -> PluginFormat | None:
    if not extension:
        return None
    return next((plugin for plugin in FORMATS.all() if extension.lower() in plugin.extensions), None)


def has_dicom_prefix(path: Path) -> bool:
    """Returns True if the content of a file is marked as DICOM.

    Raises:
        OSError: the file cannot be opened.
    """
    with path.open("rb") as file:
        return file.read(132)[128:] == b"DICM"
