"""Registry of image formats: the function that reads the files of each extension.

Each built-in format is a module of this package with a function `read`, a `Reader`.
"""

from collections.abc import Callable
from pathlib import Path, PurePosixPath

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
CONTAINER_EXTENSIONS = (*FORMAT_MODULES["npz"], *FORMAT_MODULES["hdf5"])  # files that contain many images
DICOM_EXTENSIONS = FORMAT_MODULES["dicom"]
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


READERS: Registry[Reader] = Registry("image format")  # by file extension in lower case
for _module, _extensions in FORMAT_MODULES.items():
    for _extension in _extensions:
        READERS.register_lazily(_extension, f"{__package__}.{_module}", "read")


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
        for extension in extensions:
            READERS.register(extension.lower(), read, read.__module__)
        return read

    return register


def may_be_dicom(extension: str) -> bool:
    """Returns True for a file extension in lower case that no other format has; DICOM files often have none."""
    return extension in DICOM_EXTENSIONS or extension not in READERS


def image_extensions() -> list[str]:
    """Returns the file extensions of all formats whose files contain one image each."""
    return sorted(extension for extension in READERS.names() if extension not in CONTAINER_EXTENSIONS)


def image_extension(path: str) -> str:
    """Returns the extension of an image file, or '' if it is not that of a known format, as in `1.2.840.5`."""
    extension = PurePosixPath(path).suffix
    return extension if extension and extension.lower() in READERS else ""


def image_stem(path: str) -> str:
    """Returns the name of an image file without folders and extension."""
    return PurePosixPath(path).name.removesuffix(image_extension(path))


def is_dicom(path: Path) -> bool:
    """Returns True for a DICOM file, recognised by its extension or its content; False for a missing file."""
    try:
        return path.suffix.lower() in DICOM_EXTENSIONS or _is_dicom_by_content(path)
    except OSError:
        return False


def find_reader(path: Path) -> Reader:
    """Returns the function that reads a file; its module is imported now, since some import slowly.

    Raises:
        UserError: the format is unknown or not supported.
        OSError: the file cannot be opened.
    """
    if _is_dicom_by_content(path):
        return READERS[DICOM_EXTENSIONS[0]]
    if image_extension(path.name):
        return READERS[path.suffix.lower()]
    for extension, (kind, advice) in UNSUPPORTED_FORMATS.items():
        if path.name.lower().endswith(extension):
            raise UserError(f"{kind} is not supported", path, advice)
    raise UserError(f"unknown image format '{path.suffix}'", path, f"Known: {', '.join(READERS.names())}")


def _is_dicom_by_content(path: Path) -> bool:
    """Returns True for DICOM under an extension that is not a built-in one; DICOM files often have none."""
    return not READERS.is_built_in(path.suffix.lower()) and has_dicom_prefix(path)


def has_dicom_prefix(path: Path) -> bool:
    """Returns True if the content of a file is marked as DICOM.

    Raises:
        OSError: the file cannot be opened.
    """
    with path.open("rb") as file:
        return file.read(132)[128:] == b"DICM"
