"""Syntax of image paths: `file`; `file#member` if a file contains many images; `file|file` for a file per channel."""

from pathlib import Path

from medfold.errors import UserError
from medfold.system.path_checks import stays_below


def files_of_image(raw: Path, image_path: str) -> list[str]:
    """Splits the path of an image at `|` into its files, unless one file has that name."""
    return [image_path] if "|" in image_path and (raw / image_path).is_file() else image_path.split("|")


def path_of_image(raw: Path, image_path: str) -> Path:
    """Returns the path of the file that contains an image; the first one if it has a file per channel."""
    return split_file_and_member(raw, files_of_image(raw, image_path)[0])[0]


def split_file_and_member(raw: Path, image_path: str) -> tuple[Path, str]:
    """Splits the path of an image at `#` into file and member, unless one file has that name.

    Raises:
        UserError: the path, which may be made from an id, leads out of `raw`.
    """
    if not stays_below(image_path):
        what = f"'{image_path}' leads out of this folder"
        raise UserError(what, raw, "Correct the ids, or the pattern of the images")
    if "#" in image_path and (raw / image_path).is_file():
        return raw / image_path, ""
    name, _, member = image_path.partition("#")
    return raw / name, member
