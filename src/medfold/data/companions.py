"""Masks and the like among images: files that are named like another image, with an addition."""

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import PurePosixPath

from medfold.data.image_patterns import is_excluded

# Words for what stands beside an image and is none: in additions to its name, or in the name of a folder.
MASK = re.compile(
    r"mask|segm|annot|ground.?truth|contour|overlay|heatmap|(^|[\W_])(seg|gt|rois?|labels?)([\W_\d]|$)", re.I
)
SURELY = re.compile(r"mask|annot|ground.?truth|contour", re.I)
IMAGE = ("image", "img", "original", "orig", "raw", "ct", "xray")  # at the end of an image's own name
MANY_FOLDERS = 2  # that hold images of the same name
OFTEN = 0.2  # of the images have a companion, where it is no accident


def find_companions(images: list[str]) -> tuple[list[str], int, dict[str, int]]:
    """Finds masks and the like: `x_mask.png` beside `x.png`, `masks/x.png` beside `images/x.png`.

    Args:
        images: paths.

    Returns:
        Patterns of those that are masks or the like, how many images they match, and by addition the number of those
        of which one cannot tell.
    """
    by_folder: dict[str, set[str]] = {}
    for path in images:
        by_folder.setdefault(str(PurePosixPath(path).parent), set()).add(PurePosixPath(path).stem)
    exclude, unclear = set(), {}
    counted = Counter(
        addition for stems in by_folder.values() for stem in stems if (addition := _addition(stem, stems))
    )
    bases = max(1, len(images) - sum(counted.values()))
    for addition, count in counted.items():
        if addition.endswith("*"):  # mask_x beside x
            exclude |= {addition, f"*/{addition}"}
        elif MASK.search(addition):
            exclude.add(f"*{addition}.*")
        elif count >= OFTEN * bases and count > 3:
            unclear[addition] = count
    plain = {folder: stems for folder, stems in by_folder.items() if not MASK.search(PurePosixPath(folder).name)}
    for folder, stems in by_folder.items():
        name = PurePosixPath(folder).name
        if folder in plain:
            continue
        others = {stem for found in plain.values() for stem in found}
        alike = [stem for stem in stems if stem in others or _addition(stem, others | {stem}) is not None]
        # Numbers that recur in folder after folder tell nothing.
        often = sum(sum(stem in found for found in plain.values()) for stem in alike) / max(1, len(alike))
        if len(alike) >= len(stems) / 2 and (often < MANY_FOLDERS or SURELY.search(name)):
            exclude.add(f"{name}/*" if folder == name else f"*/{name}/*")
    exclude |= _in_parallel_folders(images)
    patterns_found = sorted(exclude)
    return patterns_found, sum(is_excluded(path, patterns_found) for path in images), unclear


def _addition(stem: str, stems: set[str]) -> str | None:
    """What is added to the name of another image: '_mask' of x_mask beside x or x_image, 'mask_*' of mask_x."""
    for cut in re.finditer(r"[\W_]", stem):
        before, behind = stem[: cut.start()], stem[cut.start() :]
        if before in stems:
            return behind
        if MASK.search(behind) and any(f"{before}{cut[0]}{word}" in stems for word in IMAGE):
            return behind
        if MASK.search(before) and stem[cut.end() :] in stems:
            return f"{before}{cut[0]}*"
    return None


def _in_parallel_folders(images: list[str]) -> set[str]:
    """Patterns of folders of masks that have the same folders within as those of the images: masks/CLASS/x.png."""
    places: dict[tuple[int, tuple[str, ...], tuple[str, ...]], set[str]] = {}
    for path in images:
        *folders, name = PurePosixPath(path).parts
        for level in range(len(folders) - 1):
            rest = (*folders[level + 1 :], PurePosixPath(name).stem)
            places.setdefault((level, tuple(folders[:level]), rest), set()).add(folders[level])
    shared, alone = Counter(), Counter()
    for (_, front, _), names in places.items():
        for name in names:
            parallel = bool(SURELY.search(name)) and any(not SURELY.search(other) for other in names)
            (shared if parallel else alone)["/".join([*front, name])] += 1
    return {f"{folder}/*" for folder, count in shared.items() if count > alone[folder]}


def mask_suspicion(images: Iterable[str]) -> str:
    """What to say of images that may be masks of others; '' where none is.

    Args:
        images: the paths of samples.
    """
    exclude, count, unclear = find_companions([name for image in images for name in image.split("|")])
    if exclude:
        return f"{count:,} images are named like masks of others: images.exclude: {exclude} leaves them out"
    if unclear:
        addition, count = max(unclear.items(), key=lambda item: item[1])
        return f"{count:,} images are named like others with '{addition}' behind: masks? images.exclude leaves them out"
    return ""
