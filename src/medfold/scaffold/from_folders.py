"""Drafts the facts of a competition whose labels are folder names."""

import re
import unicodedata
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from medfold.data import part_from_name, read_table
from medfold.errors import UserError, count_of, shorten_list
from medfold.images import image_extension, image_stem
from medfold.scaffold.draft import MAX_LABELS, Draft, is_healthy, sort_classes
from medfold.scaffold.image_names import ImageFiles

# Folders of patients or studies, with a number: patient00001, study_2.
PATIENT_FOLDER = re.compile(r"(patients?|subjects?|persons?|cases?|pat|subj?|study|series|exam)[\W_]*\d+", re.I)
# Folders that contain images and are not classes, with or without a number: images, part_1.
CONTAINER_FOLDER = re.compile(
    r"(images?|imgs?|data|dataset|jpe?g|png|dicom|files|scans|image_files|part|batch)[\W_]*\d*", re.I
)
# Words in folder names for the origin of images, not for what they show.
ORIGIN_FOLDER = re.compile(
    r"original|augment|images?|sets?([\W_]|$)|fold|site|batch|part|scanner|\d+x([\W_]|$)|hospital|device", re.I
)
FEW_CLASSES, FEW_PER_CLASS = 6, 8  # more folders than this, with fewer images each, may be patients


@dataclass(frozen=True)
class _ImagePath:
    """The path of an image, split at the folder that names its part.

    Args:
        path: path below raw/.
        part: train, valid, test, or all if no folder names a part.
        before: the folders down to the one that names the part; empty if there is none.
        within: the folders below that one.
    """

    path: str
    part: str
    before: tuple[str, ...]
    within: tuple[str, ...]

    @classmethod
    def from_path(cls, path: str) -> "_ImagePath":
        folders = PurePosixPath(path).parts[:-1]
        index = next((number for number, folder in enumerate(folders) if part_from_name(folder)), -1)
        part = part_from_name(folders[index]) if index >= 0 else None
        return cls(path, part or "all", folders[: index + 1], folders[index + 1 :])

    def part_within(self) -> "_ImagePath":
        """The same image with all folders in `within`, for classes above the folder of the part."""
        return replace(self, before=(), within=(*self.before, *self.within))

    def label(self, level: int) -> str | None:
        return unicodedata.normalize("NFC", self.within[level]) if len(self.within) > level else None

    def pattern(self, level: int | None) -> str:
        """The pattern of this path, with {label} for the folder at a level of `within`; None for no label."""
        within = ["{label}" if number == level else folder for number, folder in enumerate(self.within)]
        return "/".join([*self.before, *within, f"{{id}}{image_extension(self.path)}"])


def from_folders(draft: Draft, raw: Path, image_files: ImageFiles, sample: str | None) -> None:
    """Guesses the facts from folders named after classes; the test part has the same folders, or no labels.

    Args:
        draft: filled in.
        raw: the folder with the files of the competition.
        image_files: the image files of the competition.
        sample: the path of the sample submission below `raw`; None if there is none.

    Raises:
        UserError: no folders that could be classes; the message names the folders with images.
    """
    all_images = [_ImagePath.from_path(path) for path in image_files.files]
    by_part = {
        part: [image for image in all_images if image.part == part] for part in ("train", "valid", "test", "all")
    }
    labelled = by_part["train"] or by_part["all"]
    level = _class_level(labelled)
    if level is None and labelled and labelled[0].part != "all":  # CLASS/train, CLASS/test
        all_images = [image.part_within() for image in all_images]
        by_part = {part: [image for image in all_images if image.part == part] for part in by_part}
        labelled = by_part["train"]
        level = _class_level(labelled)
    if level is None:
        folders = shorten_list(sorted({str(PurePosixPath(image.path).parent) for image in all_images}), 6)
        what = f"neither a table with the ids of images, nor folders that could be classes; images are in {folders}"
        raise UserError(what, raw, "Needed: a table of labels whose ids name images, or a folder for each class")
    other = _names_at(labelled, level + 1) or (_names_at(labelled, level - 1) if level else set())
    if other:
        draft.doubts.append(
            f"classes: folders at another level could be classes, too: {shorten_list(sorted(other), 6)}"
        )
    classes = sort_classes({label for image in labelled if (label := image.label(level))})
    draft.facts |= {"task": "binary" if len(classes) == 2 else "multiclass", "classes": classes}
    draft.facts["labels"] = {"shape": "folders", "targets": ["label"]}
    draft.add_reason("labels.shape", "folders", f"no table names images, but folders do: {shorten_list(classes, 6)}")
    with_label = {
        part: [image for image in images if image.label(level) in classes] for part, images in by_part.items()
    }
    train, valid, test = with_label[labelled[0].part], with_label["valid"], with_label["test"]
    unlabelled = [] if test else by_part["test"]
    if valid and not test and not unlabelled:  # the validation part serves as the test part
        valid, test = [], valid
    train_patterns = _patterns([*train, *valid], level)
    draft.facts["images"] = {"train": train_patterns}
    joined = f", including {len(valid):,} of the validation part" if valid else ""
    draft.add_reason(
        "images.train", _pattern_text(train_patterns), f"{count_of(len(train) + len(valid), 'image')}{joined}"
    )
    if test or unlabelled:
        test_patterns = _patterns(test or unlabelled, level if test else None)
        draft.facts["images"]["test"] = test_patterns
        why = "in the same folders" if test else "without labels"
        draft.add_reason(
            "images.test", _pattern_text(test_patterns), f"{count_of(len(test or unlabelled), 'image')} {why}"
        )
    else:
        draft.facts["labels"]["holdout"] = 0.2
        draft.add_reason("labels.holdout", 0.2, "no test images: a share of the training images is used instead")
    if unlabelled and sample is not None:
        _add_submission(draft, raw, sample, unlabelled)
    num_unused = len(all_images) - len(train) - len(valid) - len(test or unlabelled)
    if num_unused:
        used = {id(image) for image in (*train, *valid, *(test or unlabelled))}
        unused = {
            f"{PurePosixPath(image.path).parent}/*{image_extension(image.path)}"
            for image in all_images
            if id(image) not in used
        }
        patterns = shorten_list(sorted(unused), 4)
        draft.doubts.append(f"images.train: {num_unused:,} of {len(all_images):,} images are not used: {patterns}")
    draft.facts["images"]["channels"] = image_files.guess_channels([image.path for image in train], draft)
    if len(classes) > FEW_CLASSES and len(train) < FEW_PER_CLASS * len(classes):
        draft.doubts.append(f"classes: {len(classes)} folders with few images each: are they classes, or patients?")
    if not image_files.group_by_headers(draft, [image.path for image in train]):
        draft.doubts.append("labels.group_pattern: do the file names contain patient ids?")
    if len(classes) == 2:
        draft.set_two_classes(classes)


def _patterns(images: list[_ImagePath], level: int | None) -> str | list[str]:
    patterns = list(dict.fromkeys(image.pattern(level) for image in images))
    return patterns[0] if len(patterns) == 1 else patterns


def _pattern_text(patterns: str | list[str]) -> str:
    return patterns if isinstance(patterns, str) else shorten_list(patterns, 4)


def class_names(image_files: ImageFiles) -> set[str]:
    """Returns the names of folders that could be classes; empty if there are none, or if they all name origins."""
    all_images = [_ImagePath.from_path(path) for path in image_files.files]
    images = [image for image in all_images if image.part == "train"] or all_images
    level = _class_level(images)
    names = _names_at(images, level) if level is not None else set()
    return set() if all(ORIGIN_FOLDER.search(name) for name in names) else names


def _class_level(images: list[_ImagePath]) -> int | None:
    """The level of folders, within the part, whose names could be classes; None if there is none."""
    for level in range(max((len(image.within) for image in images), default=0)):
        if names := _names_at(images, level):
            deeper = _names_at(images, level + 1)
            return level + 1 if deeper and _classes_are_deeper(images, level, names, deeper) else level
    return None


def _names_at(images: list[_ImagePath], level: int) -> set[str]:
    """The names of the folders at a level if they could be classes, otherwise an empty set."""
    names = {label for image in images if (label := image.label(level))}
    fits = 2 <= len(names) <= MAX_LABELS
    fits = fits and not any(all(word.fullmatch(name) for name in names) for word in (CONTAINER_FOLDER, PATIENT_FOLDER))
    return names if fits else set()


def _classes_are_deeper(images: list[_ImagePath], level: int, names: set[str], deeper: set[str]) -> bool:
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


def _add_submission(draft: Draft, raw: Path, sample: str, test: list[_ImagePath]) -> None:
    """Adds the facts of the sample submission if its ids name the test images, otherwise a doubt."""
    table = read_table(raw / sample, [])
    key = table.columns[0]
    if not table[key].isin({image_stem(image.path) for image in test}).all():
        draft.doubts.append(f"submission.sample: ids of {sample} are not names of test images")
        return
    draft.facts["submission"] = {"sample": sample, "id": key}
    draft.facts["upload"] = "csv"
    draft.add_reason("submission.id", key, f"the first column of {sample}")
