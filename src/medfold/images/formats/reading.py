"""One module per image format, each with `read(path, member, facts) -> (pixels, headers)`.

Pixels are uint8 (height, width) or (height, width, channels), colours in red, green, blue; headers tell how an image
was made, by DICOM keyword, and nothing of whom. `member` is what stands behind `#` in the image column of the sample
table, for files that hold many images. Whatever a module raises makes the image unreadable.
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
from medfold.errors import UserError
from medfold.images.formats.pixel_values import ImageError, convert_channels, count_frames
from medfold.registry import Registry

# A module and the ends of the names of its files. It is imported with the first of them: some take long to load.
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
    """A format of plugins.py.

    Args:
        suffixes: ends of the names of its files, in small letters.
        read: (path, member, facts) -> pixels and headers.
    """

    suffixes: tuple[str, ...]
    read: Callable[[Path, str, ImageFacts], tuple[np.ndarray, dict[str, str]]]


FORMATS: Registry[ImageFormat] = Registry("image format")


def image_format(*suffixes: str) -> Callable:
    """Registers a function (path, member, facts) -> (pixels, headers) for files with these endings.

    Pixels are uint8 or whatever `pixel_values.to_bytes` made uint8: (height, width) or (height, width, channels);
    headers a dictionary, mostly empty; `member` is what stands behind `#` in an image's path.

    Args:
        suffixes: ends of the names of its files, such as `.raw`.

    Example:
        >>> @image_format(".pixels")
        ... def pixels(path, member, facts):
        ...     return np.frombuffer(path.read_bytes(), np.uint8).reshape(64, 64), {}
    """

    def register(read: Callable) -> Callable:
        FORMATS.register(read.__name__, ImageFormat(tuple(end.lower() for end in suffixes), read))
        return read

    return register


# What people have, and this does not read: by the end of the name, what it is and what helps.
NOT_READ = {
    ".heic": ("HEIC", "Save it as PNG or JPEG"),
    ".nii": ("NIfTI", "Save its slices as PNG, TIFF or .npy"),
    ".nii.gz": ("NIfTI", "Save its slices as PNG, TIFF or .npy"),
    ".mha": ("MetaImage", "Save its slices as PNG, TIFF or .npy"),
    ".mhd": ("MetaImage", "Save its slices as PNG, TIFF or .npy"),
    ".nrrd": ("NRRD", "Save its slices as PNG, TIFF or .npy"),
    ".czi": ("a slide of Zeiss", "Save it as TIFF"),
    ".mrxs": ("a slide of 3DHistech", "Save it as TIFF"),
}
HOLD_MANY = ("npz", "hdf5")
LONGEST = 150  # letters of a reason
MEND = "Get it again, or take it out"


class DecodedImage(NamedTuple):
    """One image.

    Args:
        pixels: uint8 (height, width, channels).
        headers: how it was made, by DICOM keyword; empty for other formats.
    """

    pixels: np.ndarray
    headers: dict[str, str]


def image_endings() -> list[str]:
    """The ends of the names of files that can be read, of those that hold one image each."""
    built_in = [suffix for name, ends in FORMAT_MODULES.items() if name not in HOLD_MANY for suffix in ends]
    return sorted([*built_in, *(suffix for each in FORMATS.all() for suffix in each.suffixes)])


def image_ending(path: str) -> str:
    """The end of a file's name, if it is one that images have; '' for `1.2.840.5` and other names without."""
    end = PurePosixPath(path).suffix
    known = any(end.lower() in ends for ends in FORMAT_MODULES.values()) or _of_plugins(end) is not None
    return end if known else ""


def image_stem(path: str) -> str:
    """The name of an image file without folders and without its end."""
    return PurePosixPath(path).name.removesuffix(image_ending(path))


def is_dicom(path: Path) -> bool:
    """True for a DICOM file: by the end of its name, or by its bytes; False if there is none."""
    try:
        return _module_name(path) == "dicom"
    except OSError:
        return False


def read_image_with_headers(raw: Path, image: str, facts: ImageFacts) -> DecodedImage:
    """One image and its headers.

    Args:
        raw: the folder that image paths start from.
        image: a path below it, with `#member` behind it for files that hold many images; or several with `|` between
            them, a grey file for each channel, whose headers are those of the first.
        facts: decide on channels, windows, range and frame.

    Raises:
        UserError: an unknown format, a file that cannot be read (it is named), or channels of different sizes.
    """
    names = files_of_image(raw, image)
    if len(names) == 1:
        return _picture(raw, image, facts)
    if len(names) != facts.num_channels:
        raise UserError(f"{len(names)} files, but 'images.channels' are {facts.num_channels}", raw / names[0])
    grey = facts.model_copy(update={"channels": 1})
    channels = [_picture(raw, name, grey) for name in names]
    for name, channel in zip(names, channels, strict=True):
        (height, width), (first_height, first_width) = channel.pixels.shape[:2], channels[0].pixels.shape[:2]
        if (height, width) != (first_height, first_width):
            what = f"{height}x{width} pixels, but {names[0]} of the same image has {first_height}x{first_width}"
            raise UserError(what, raw / name, MEND)
    return DecodedImage(np.concatenate([channel.pixels for channel in channels], axis=2), channels[0].headers)


def read_image(raw: Path, image: str, facts: ImageFacts) -> np.ndarray:
    """The pixels that `look` gives: uint8 (height, width, channels)."""
    return read_image_with_headers(raw, image, facts).pixels


def read_dicom_headers(path: Path, keywords: Iterable[str]) -> dict[str, str]:
    """The values of DICOM headers by keyword, '' where one is missing; see `dicom.read_headers`.

    Raises:
        UserError: an unknown keyword, or a file that cannot be read.
    """
    try:
        return _load("dicom").read_headers(path, keywords)
    except UserError:
        raise
    except Exception as error:
        raise UserError(f"unreadable headers ({_reason(error)})", path, MEND) from None


def list_members(path: Path) -> list[str]:
    """The images in a file that holds many, by what stands behind `#`: the data sets at the top of an HDF5 file.

    Raises:
        UserError: it cannot be read.
    """
    try:
        return _load("hdf5").member_names(path)
    except Exception as error:
        raise UserError(f"unreadable file ({_reason(error)})", path, MEND) from None


def files_of_image(raw: Path, image: str) -> list[str]:
    """The single files of an image: several with `|` between, unless a file is called so."""
    return [image] if "|" in image and (raw / image).is_file() else image.split("|")


def path_of_image(raw: Path, image: str) -> Path:
    """The file that an image, or the first channel of one, is in."""
    return _file_and_member(raw, files_of_image(raw, image)[0])[0]


def _file_and_member(raw: Path, image: str) -> tuple[Path, str]:
    """The file, and what stands behind `#`, unless a file is called so."""
    if "#" in image and (raw / image).is_file():
        return raw / image, ""
    name, _, member = image.partition("#")
    return raw / name, member


def count_pages(path: Path, facts: ImageFacts) -> int:
    """Number of pages of a TIFF, or of frames of a DICOM or .npy file; 1 for other and for unreadable files."""
    try:
        if path.suffix.lower() in (".tif", ".tiff"):
            return _load("tiff").count_directories(path)
        if path.suffix.lower() == ".npy":
            return count_frames(np.load(path, mmap_mode="r", allow_pickle=False).shape, facts)
        return int(read_dicom_headers(path, ["NumberOfFrames"])["NumberOfFrames"] or 1) if is_dicom(path) else 1
    except Exception:  # whoever reads its pixels tells what is wrong with it
        return 1


def min_hounsfield(path: Path) -> float | None:
    """The smallest value of a CT slice, in Hounsfield units; None if the file is no CT in DICOM."""
    return _load("dicom").min_hounsfield(path) if _module_name(path) == "dicom" else None


def stored_values(path: Path) -> np.ndarray | None:
    """Stored values of the first frame of a grey DICOM file; None if the file has a window to show them by."""
    return _load("dicom").stored_values(path)


def _picture(raw: Path, image: str, facts: ImageFacts) -> DecodedImage:
    path, member = _file_and_member(raw, image)
    try:
        try:
            pixels, found = _module(path).read(path, member, facts)
        except ImageError:  # what is called .png may be DICOM all the same
            if _module_name(path) == "dicom" or not _has_mark_of_dicom(path):
                raise
            pixels, found = _load("dicom").read(path, member, facts)
        return DecodedImage(convert_channels(pixels, facts.num_channels), found)
    except UserError:
        raise
    except Exception as error:  # decoders raise all kinds of them, and the image is unreadable by each
        raise UserError(f"unreadable image ({_reason(error)})", raw / image, MEND) from None


def _module_name(path: Path) -> str | None:
    """The module for a file, by the end of its name; DICOM files, often named by their UID alone, by their bytes."""
    suffix = path.suffix.lower()
    for name, ends in FORMAT_MODULES.items():
        if suffix in ends:
            return name
    return "dicom" if _has_mark_of_dicom(path) else None


def _of_plugins(suffix: str) -> ImageFormat | None:
    return next((each for each in FORMATS.all() if suffix.lower() in each.suffixes), None) if suffix else None


def _has_mark_of_dicom(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(132)[128:] == b"DICM"


def _module(path: Path) -> ModuleType | ImageFormat:
    if name := _module_name(path):
        return _load(name)
    if found := _of_plugins(path.suffix):
        return found
    for end, (kind, help_) in NOT_READ.items():
        if path.name.lower().endswith(end):
            raise UserError(f"{kind} is not read", path, help_)
    known = ", ".join(suffix for ends in FORMAT_MODULES.values() for suffix in ends)
    raise UserError(f"unknown image format '{path.suffix}'", path, f"Known: {known}")


def _load(name: str) -> ModuleType:
    return importlib.import_module(f"medfold.images.formats.{name}")


def _reason(error: Exception) -> str:
    """What went wrong, in one short line, without what a library quotes from the file: that may name a patient."""
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
    return "".join(letter if letter.isprintable() else "?" for letter in text)[:LONGEST]
