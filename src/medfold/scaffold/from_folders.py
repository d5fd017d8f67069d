"""Guesses the facts of a competition whose labels are names of folders."""

import re
import unicodedata
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from medfold.data import part_from_name, read_table
from medfold.errors import UserError, shorten_list
from medfold.images import image_ending, image_stem
from medfold.scaffold.draft import MOST_LABELS, Draft, is_healthy, sort_classes
from medfold.scaffold.image_names import Pictures

# Names of folders for persons or studies with a number: patient00001, study_2.
SOMEBODY = re.compile(r"(patients?|subjects?|persons?|cases?|pat|subj?|study|series|exam)[\W_]*\d+", re.I)
# Names of folders that hold images and are no classes, with or without a number: images, part_1.
HOLDERS = re.compile(r"(images?|imgs?|data|dataset|jpe?g|png|dicom|files|scans|pictures|part|batch)[\W_]*\d*", re.I)


# Words in names of folders that say where images come from, and not what they show.
SOURCES = re.compile(
    r"original|augment|images?|sets?([\W_]|$)|fold|site|batch|part|scanner|\d+x([\W_]|$)|hospital|device", re.I
)


FEW_CLASSES, PER_CLASS = 6, 8  # more folders with fewer images each may be patients


@dataclass(frozen=True)
class _Placed:
    """An image file, by the folders that it stands in.

    Args:
        path: below raw/.
        part: train, valid, test, or all where no folder says.
        before: folders down to that which names the part.
        within: those below it.
    """

    path: str
    part: str
    before: tuple[str, ...]
    within: tuple[str, ...]

    @classmethod
    def of(cls, path: str) -> "_Placed":
        folders = PurePosixPath(path).parts[:-1]
        at = next((number for number, folder in enumerate(folders) if part_from_name(folder)), -1)
        part = part_from_name(folders[at]) if at >= 0 else None
        return cls(path, part or "all", folders[: at + 1], folders[at + 1 :])

    def part_within(self) -> "_Placed":
        """The same image, with the folder of its part among those within: classes may stand above it."""
        return replace(self, before=(), within=(*self.before, *self.within))

    def label(self, level: int) -> str | None:
        return unicodedata.normalize("NFC", self.within[level]) if len(self.within) > level else None

    def pattern(self, level: int | None) -> str:
        """The pattern of such images, with the label at a level of the folders within; None for no label."""
        within = ["{label}" if number == level else folder for number, folder in enumerate(self.within)]
        return "/".join([*self.before, *within, f"{{id}}{image_ending(self.path)}"])


def from_folders(guess: Draft, raw: Path, pictures: Pictures, sample: str | None) -> None:
    """Images in folders named by their classes; a test part has the same folders, or no labels.

    Args:
        pictures: the image files.
        sample: the path of the sample submission below raw; None if there is none.

    Raises:
        UserError: no folders that could be classes; what was seen is told.
    """
    everything = [_Placed.of(path) for path in pictures.files]
    by_part = {part: [each for each in everything if each.part == part] for part in ("train", "valid", "test", "all")}
    labelled = by_part["train"] or by_part["all"]
    level = _level_of_classes(labelled)
    if level is None and labelled and labelled[0].part != "all":  # CLASS/train, CLASS/test
        everything = [each.part_within() for each in everything]
        by_part = {part: [each for each in everything if each.part == part] for part in by_part}
        labelled = by_part["train"]
        level = _level_of_classes(labelled)
    if level is None:
        seen = shorten_list(sorted({str(PurePosixPath(each.path).parent) for each in everything}), 6)
        what = f"neither a table with the ids of images, nor folders that could be classes; images stand in {seen}"
        raise UserError(what, raw, "Needed: a table of labels whose ids name images, or a folder for each class")
    other = _names_at(labelled, level + 1) or (_names_at(labelled, level - 1) if level else set())
    if other:
        guess.doubts.append(f"classes: folders have names at another level, too: {shorten_list(sorted(other), 6)}")
    classes = sort_classes({label for each in labelled if (label := each.label(level))})
    guess.facts |= {"task": "binary" if len(classes) == 2 else "multiclass", "classes": classes}
    guess.facts["labels"] = {"shape": "folders", "targets": ["label"]}
    guess.tell("labels.shape", "folders", f"no table names images, but folders do: {shorten_list(classes, 6)}")
    with_label = {part: [each for each in images if each.label(level) in classes] for part, images in by_part.items()}
    train, valid, test = with_label[labelled[0].part], with_label["valid"], with_label["test"]
    unlabelled = [] if test else by_part["test"]
    if valid and not test and not unlabelled:
        valid, test = [], valid
    train_patterns = _patterns([*train, *valid], level)
    guess.facts["images"] = {"train": train_patterns}
    joined = f", {len(valid):,} of them of the validation part: folds are made of all" if valid else ""
    guess.tell("images.train", _shown(train_patterns), f"{len(train) + len(valid):,} images{joined}")
    if test or unlabelled:
        test_patterns = _patterns(test or unlabelled, level if test else None)
        guess.facts["images"]["test"] = test_patterns
        why = "in the same folders" if test else "without labels"
        guess.tell("images.test", _shown(test_patterns), f"{len(test or unlabelled):,} images {why}")
    else:
        guess.facts["labels"]["holdout"] = 0.2
        guess.tell("labels.holdout", 0.2, "no test image: a share of the training part stands in for it")
    if unlabelled and sample is not None:
        _tell_submission(guess, raw, sample, unlabelled)
    left = len(everything) - len(train) - len(valid) - len(test or unlabelled)
    if left:
        used = {id(each) for each in (*train, *valid, *(test or unlabelled))}
        unused = {
            f"{PurePosixPath(each.path).parent}/*{image_ending(each.path)}"
            for each in everything
            if id(each) not in used
        }
        where = shorten_list(sorted(unused), 4)
        guess.doubts.append(f"images.train: {left:,} of {len(everything):,} images are not used: {where}")
    guess.facts["images"]["channels"] = pictures.told_depth([each.path for each in train], guess)
    if len(classes) > FEW_CLASSES and len(train) < PER_CLASS * len(classes):
        guess.doubts.append(f"classes: {len(classes)} folders with few images each: are they classes, or patients?")
    if not pictures.patients_in_headers(guess, [each.path for each in train]):
        guess.doubts.append("labels.group_pattern: do the file names tell patients?")
    if len(classes) == 2:
        guess.two_classes(classes)


def _patterns(images: list[_Placed], level: int | None) -> str | list[str]:
    found = list(dict.fromkeys(each.pattern(level) for each in images))
    return found[0] if len(found) == 1 else found


def _shown(patterns: str | list[str]) -> str:
    return patterns if isinstance(patterns, str) else shorten_list(patterns, 4)


def class_names(pictures: Pictures) -> set[str]:
    """The names of the folders that could be classes; none where images do not stand so, or folders name sources."""
    everything = [_Placed.of(path) for path in pictures.files]
    images = [each for each in everything if each.part == "train"] or everything
    level = _level_of_classes(images)
    names = _names_at(images, level) if level is not None else set()
    return set() if all(SOURCES.search(name) for name in names) else names


def _level_of_classes(images: list[_Placed]) -> int | None:
    """The first level of folders whose names differ and are no mere holders of images."""
    for level in range(max((len(each.within) for each in images), default=0)):
        if names := _names_at(images, level):
            deeper = _names_at(images, level + 1)
            return level + 1 if deeper and _is_deeper(images, level, names, deeper) else level
    return None


def _names_at(images: list[_Placed], level: int) -> set[str]:
    """The names of the folders at a level, if they could be classes."""
    names = {label for each in images if (label := each.label(level))}
    fits = 2 <= len(names) <= MOST_LABELS
    fits = fits and not any(all(rule.fullmatch(name) for name in names) for rule in (HOLDERS, SOMEBODY))
    return names if fits else set()


def _is_deeper(images: list[_Placed], level: int, names: set[str], deeper: set[str]) -> bool:
    """True if the classes are one level deeper: the same folders stand in each folder of this level, a source.

    Of folders that all are sets of images by their names, such as `lung_image_sets`, each may hold its own classes.
    """
    within = {name: {each.label(level + 1) for each in images if each.label(level) == name} for name in names}
    recur = all(found == deeper for found in within.values())
    numbered = any(re.search(r"\d", name) for name in deeper)
    if not recur and not numbered and all(SOURCES.search(name) for name in names):
        return all(None not in found and len(found) > 1 for found in within.values())
    if not recur or any(is_healthy(name) for name in names):
        return False
    persons = len(names) >= 3 * len(deeper) and all(re.search(r"\d", name) for name in names)
    return persons or all(SOURCES.search(name) for name in names) or any(is_healthy(name) for name in deeper)


def _tell_submission(guess: Draft, raw: Path, sample: str, test: list[_Placed]) -> None:
    """Takes the sample submission, if its ids name the test images; else says that they do not."""
    table = read_table(raw / sample, [])
    key = table.columns[0]
    if not table[key].isin({image_stem(each.path) for each in test}).all():
        guess.doubts.append(f"submission.sample: ids of {sample} name no test images")
        return
    guess.facts["submission"] = {"sample": sample, "id": key}
    guess.facts["upload"] = "csv"
    guess.tell("submission.id", key, f"the first column of {sample}")
