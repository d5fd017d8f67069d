"""Folders that could be classes: the level of the folders whose names are classes."""

import re
import unicodedata
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from medfold.images import image_extension
from medfold.raw_files import split_from_name
from medfold.scaffold.class_order import is_healthy
from medfold.scaffold.draft import MAX_LABELS
from medfold.scaffold.image_files import ImageFiles

# Folders of patients or studies, with a number: patient00001, study_2.
PATIENT_FOLDER = re.compile(r"(patients?|subjects?|persons?|cases?|pat|subj?|study|series|exam)[\W_]*\d+", re.I)
# Folders that contain images and are not classes, with or without a number: images, part_1.
CONTAINER_FOLDER = re.compile(
    r"(images?|imgs?|data|dataset|jpe?g|png|dicom|files|scans|image_files|part|batch)[\W_]*\d*", re.I
)
DATE_FOLDER = re.compile(r"(19|20)\d\d[-_.]?\d\d([-_.]?\d\d)?")  # 2021-03-31, 202103
# Words in folder names for the origin of images, not for what they show.
ORIGIN_FOLDER = re.compile(
    r"original|augment|images?|sets?([\W_]|$)|fold|site|batch|part|scanner|\d+x([\W_]|$)|hospital|device", re.I
)


@dataclass(frozen=True)
class ImagePath:
    """The path of an image, divided at the folder that names its split.

    Args:
        path: path of the image below raw/.
        split: train, valid, test, or all if no folder names a split.
        before: the folders down to the one that names the split; empty if there is none.
        within: names of the folders below that one.
    """

    path: str
    split: str
    before: tuple[str, ...]
    within: tuple[str, ...]

    @classmethod
    def from_path(cls, path: str) -> "ImagePath":
        """Divides a path at the outermost folder that names a split, such as `train`."""
        folders = PurePosixPath(path).parts[:-1]
        index = next((number for number, folder in enumerate(folders) if split_from_name(folder)), -1)
        split = split_from_name(folders[index]) if index >= 0 else None
        return cls(path, split or "all", folders[: index + 1], folders[index + 1 :])

    def split_within(self) -> "ImagePath":
        """Returns the same image with all folders in `within`, for classes above the folder of the split."""
        return replace(self, before=(), within=(*self.before, *self.within))

    def label(self, level: int) -> str | None:
        """Returns the name of the folder at a level of `within`; None if the image is not as deep."""
        return unicodedata.normalize("NFC", self.within[level]) if len(self.within) > level else None

    def pattern(self, level: int | None) -> str:
        """Returns the pattern of this path, with {label} for the folder at a level of `within`; None for no label."""
        within = ["{label}" if number == level else folder for number, folder in enumerate(self.within)]
        return "/".join([*self.before, *within, f"{{id}}{image_extension(self.path)}"])


def class_names(image_files: ImageFiles) -> set[str]:
    """Returns the names of folders that could be classes; empty if there are none, or all name origins (`site1`)."""
    all_images = [ImagePath.from_path(path) for path in image_files.files]
    images = [image for image in all_images if image.split == "train"] or all_images
    level = class_level(images)
    names = names_at(images, level) if level is not None else set()
    return set() if all(ORIGIN_FOLDER.search(name) for name in names) else names


def class_level(images: list[ImagePath]) -> int | None:
    """Returns the level of folders, within the split, whose names could be classes; None if there is none."""
    for level in range(max((len(image.within) for image in images), default=0)):
        if names := names_at(images, level):
            deeper = names_at(images, level + 1)
            return level + 1 if deeper and _classes_are_deeper(images, level, names, deeper) else level
    return None


def names_at(images: list[ImagePath], level: int) -> set[str]:
    """Returns the names of the folders at a level if they could be classes, otherwise an empty set."""
    names = {label for image in images if (label := image.label(level))}
    fits = 2 <= len(names) <= MAX_LABELS
    others = (CONTAINER_FOLDER, PATIENT_FOLDER, DATE_FOLDER)
    fits = fits and not any(all(word.fullmatch(name) for name in names) for word in others)
    return names if fits else set()


def _classes_are_deeper(images: list[ImagePath], level: int, names: set[str], deeper: set[str]) -> bool:
    """Returns True if the classes are one level deeper: each folder of this level, an origin, has the same folders.

    Where all folders of this level are sets of images by their names, such as `lung_image_sets`, they may contain
    different classes.
    """
    subfolders = {name: {image.label(level + 1) for image in images if image.label(level) == name} for name in names}
    same_everywhere = all(inner == deeper for inner in subfolders.values())
    has_numbers = any(re.search(r"\d", name) for name in deeper)
    if not same_everywhere and not has_numbers and all(ORIGIN_FOLDER.search(name) for name in names):
        return all(None not in inner and len(inner) > 1 for inner in subfolders.values())
    if not same_everywhere or any(is_healthy(name) for name in names):
        return False
    are_patients = len(names) >= 3 * len(deeper) and all(re.search(r"\d", name) for name in names)
    are_origins = all(ORIGIN_FOLDER.search(name) for name in names)
    return are_patients or are_origins or any(is_healthy(name) for name in deeper)
