"""Masks and other companions among the images: files named like another image, with an addition."""

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import NamedTuple

from medfold.raw_files.listing import is_excluded
from medfold.text import count_of

# Words that mark a companion, in the addition to its name or in the name of its folder.
MASK = re.compile(
    r"mask|segm|annot|ground.?truth|contour|overlay|heatmap|(^|[\W_])(seg|gt|rois?|labels?)([\W_\d]|$)", re.I
)
CERTAIN_MASK = re.compile(r"mask|annot|ground.?truth|contour", re.I)
IMAGE_WORDS = ("image", "img", "original", "orig", "raw", "ct", "xray")  # at the end of the name of the image itself
MANY_FOLDERS = 2  # image folders that contain the same name: then the name is a running number and proves nothing
SUSPICIOUS_SHARE = 0.2  # if more images have a companion with the same addition, it is no accident


class Companions(NamedTuple):
    """Companions among the images.

    Args:
        patterns: patterns that match the companions.
        count: the number of images that they match.
        unclear: for each addition to a name that may or may not mark a mask, its number of images.
    """

    patterns: list[str]
    count: int
    unclear: dict[str, int]


def find_companions(image_paths: list[str]) -> Companions:
    """Finds masks and other companions: `x_mask.png` beside `x.png`, `masks/x.png` beside `images/x.png`.

    Args:
        image_paths: paths of all images below raw/.
    """
    by_folder: dict[str, set[str]] = {}
    for path in image_paths:
        by_folder.setdefault(str(PurePosixPath(path).parent), set()).add(PurePosixPath(path).stem)
    by_name, unclear = _named_like_others(by_folder, len(image_paths))
    patterns = sorted(by_name | _mask_folders(by_folder) | _parallel_mask_folders(image_paths))
    return Companions(patterns, sum(is_excluded(path, patterns) for path in image_paths), unclear)


def _named_like_others(by_folder: dict[str, set[str]], num_images: int) -> tuple[set[str], dict[str, int]]:
    """Finds images named like another one of their folder, with an addition: x_mask beside x, mask_x beside x.

    Args:
        by_folder: names of the images, without extension, by folder.
        num_images: number of all images.

    Returns:
        Patterns of those whose addition says mask; and the number of the others, by an addition that is frequent.
    """
    counts = Counter(addition for stems in by_folder.values() for stem in stems if (addition := _addition(stem, stems)))
    num_originals = max(1, num_images - sum(counts.values()))
    patterns: set[str] = set()
    unclear = {}
    for addition, count in counts.items():
        if addition.endswith("*"):  # mask_x beside x
            patterns |= {addition, f"*/{addition}"}
        elif MASK.search(addition):
            patterns.add(f"*{addition}.*")
        elif count >= SUSPICIOUS_SHARE * num_originals and count > 3:
            unclear[addition] = count
    return patterns, unclear


def _mask_folders(by_folder: dict[str, set[str]]) -> set[str]:
    """Finds patterns of folders that are named like masks, and whose images are named like those of other folders.

    Args:
        by_folder: names of the images, without extension, by folder.
    """
    names = {folder: PurePosixPath(folder).name for folder in by_folder}
    image_folders = [stems for folder, stems in by_folder.items() if not MASK.search(names[folder])]
    originals = set().union(*image_folders)
    patterns = set()
    for folder, stems in by_folder.items():
        name = names[folder]
        if not MASK.search(name):
            continue
        paired = [stem for stem in stems if stem in originals or _addition(stem, originals | {stem}) is not None]
        # Numbers that recur in every folder do not prove that the images belong together.
        recurrences = sum(sum(stem in image_stems for image_stems in image_folders) for stem in paired)
        mean_recurrences = recurrences / max(1, len(paired))
        if len(paired) >= len(stems) / 2 and (mean_recurrences < MANY_FOLDERS or CERTAIN_MASK.search(name)):
            patterns.add(f"{name}/*" if folder == name else f"*/{name}/*")
    return patterns


def _addition(stem: str, stems: set[str]) -> str | None:
    """Returns what a name adds to that of another image: '_mask' of x_mask beside x or x_image, 'mask_*' of mask_x."""
    for separator in re.finditer(r"[\W_]", stem):
        before, after = stem[: separator.start()], stem[separator.start() :]
        if before in stems:
            return after
        if MASK.search(after) and any(f"{before}{separator[0]}{word}" in stems for word in IMAGE_WORDS):
            return after
        if MASK.search(before) and stem[separator.end() :] in stems:
            return f"{before}{separator[0]}*"
    return None


def _parallel_mask_folders(image_paths: list[str]) -> set[str]:
    """Finds patterns of mask folders with the same subfolders as the image folders: masks/CLASS/x.png."""
    # The names that the folder at one level takes, for paths that are equal in all else.
    variants: dict[tuple[int, tuple[str, ...], tuple[str, ...]], set[str]] = {}
    for path in image_paths:
        *folders, name = PurePosixPath(path).parts
        for level in range(len(folders) - 1):
            rest = (*folders[level + 1 :], PurePosixPath(name).stem)
            variants.setdefault((level, tuple(folders[:level]), rest), set()).add(folders[level])
    paired, unpaired = Counter(), Counter()
    for (_, front, _), names in variants.items():
        for name in names:
            is_paired = bool(CERTAIN_MASK.search(name)) and any(not CERTAIN_MASK.search(other) for other in names)
            (paired if is_paired else unpaired)["/".join([*front, name])] += 1
    return {f"{folder}/*" for folder, count in paired.items() if count > unpaired[folder]}


def mask_warning(image_paths: Iterable[str]) -> str:
    """Returns a warning about images that may be masks of others; '' if there are none.

    Args:
        image_paths: the paths of samples; several files of one image are separated by `|`.
    """
    patterns, count, unclear = find_companions([name for image_path in image_paths for name in image_path.split("|")])
    if patterns:
        return (
            f"{count_of(count, 'image is named like a mask', 'images are named like masks')} of others: "
            f"images.exclude: {patterns} leaves them out"
        )
    if unclear:
        addition, count = max(unclear.items(), key=lambda item: item[1])
        return (
            f"{count_of(count, 'image is', 'images are')} named like others with '{addition}' added: "
            "masks? images.exclude leaves them out"
        )
    return ""
