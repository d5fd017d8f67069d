"""Syntax of image paths: `file`; `file#member` if a file contains many images; `file|file` for a file per channel."""

from pathlib import Path

from medfold.errors import UserError
from medfold.system.path_checks import stays_below


def files_of_image(raw: Path, image: str) -> list[str]:
    """Splits the path of an image at `|` into its files, unless one file has that name."""
    return [image] if "|" in image and (raw / image).is_file() else image.split("|")


def path_of_image(raw: Path, image: str) -> Path:
    """Returns the path of the file that contains an image; the first one if it has a file per channel."""
    return split_file_and_member(raw, files_of_image(raw, image)[0])[0]


def split_file_and_member(raw: Path, image: str) -> tuple[Path, str]:
    """Splits the path of an image at `#` into file and member, unless one file has that name.

    Raises:
        UserError: the path, which may be made from an id, leads out of `raw`.
    """
    if not stays_below(image):
        raise UserError(f"'{image}' leads out of this folder", raw, "Correct the ids, or the pattern of the images")
    if "#" in image and (raw / image).is_file():
        return raw / image, ""
    name, _, member = image.partition("#")
    return raw / name, member
