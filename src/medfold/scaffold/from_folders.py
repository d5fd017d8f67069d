"""Drafts the facts of a competition whose labels are folder names."""

from pathlib import PurePosixPath
from typing import NamedTuple

from medfold.errors import UserError
from medfold.images import image_extension, image_stem
from medfold.scaffold.class_folders import ImagePath, class_level, names_at
from medfold.scaffold.class_order import sort_classes
from medfold.scaffold.draft import Draft
from medfold.scaffold.group_facts import group_by_headers
from medfold.scaffold.image_contents import guess_channels
from medfold.scaffold.image_files import ImageFiles
from medfold.scaffold.raw_folder import RawFolder, SampleSubmission
from medfold.text import count_of, shorten_list

FEW_CLASSES, FEW_PER_CLASS = 6, 8  # more folders than this, with fewer images each, may be patients
SPLITS = ("train", "valid", "test", "all")


class _Splits(NamedTuple):
    """The images of each split.

    Args:
        train: images with a class, to train on.
        valid: images of the validation set, also to train on.
        test: images of the test set with a class.
        unlabelled: images of the test set without a class, if none has one.
    """

    train: list[ImagePath]
    valid: list[ImagePath]
    test: list[ImagePath]
    unlabelled: list[ImagePath]


def draft_from_folders(folder: RawFolder) -> Draft:
    """Drafts the facts from folders named after classes; the test set has the same folders, or no labels.

    Raises:
        UserError: no folders that could be classes; the message names the folders with images.
    """
    draft = Draft()
    all_images, level = _find_class_level(folder.image_files)
    by_split = _by_split(all_images)
    labelled = by_split["train"] or by_split["all"]
    other = names_at(labelled, level + 1) or (names_at(labelled, level - 1) if level else set())
    if other:
        names = shorten_list(sorted(other), 6)
        draft.add_doubt("classes", f"folders at another level could be classes, too: {names}")
    classes = sort_classes({label for image in labelled if (label := image.label(level))})
    draft.facts |= {"task": "binary" if len(classes) == 2 else "multiclass", "classes": classes}
    draft.facts["labels"] = {"layout": "folders", "targets": ["label"]}
    draft.add_reason("labels.layout", "folders", f"no table names images, but folders do: {shorten_list(classes, 6)}")
    splits = _choose_splits(by_split, labelled[0].split, classes, level)
    _add_patterns(draft, splits, level)
    if splits.unlabelled and (sample_submission := folder.read_sample_submission()):
        _add_submission(draft, sample_submission, splits.unlabelled)
    _doubt_unused_images(draft, all_images, splits)
    draft.num_images = len(splits.train) + len(splits.valid)
    train = [image.path for image in splits.train]
    draft.facts["images"]["channels"] = guess_channels(draft, folder.path, train)
    if len(classes) > FEW_CLASSES and len(train) < FEW_PER_CLASS * len(classes):
        draft.add_doubt("classes", f"{len(classes)} folders with few images each: are they classes, or patients?")
    if not group_by_headers(draft, folder.image_files, train):
        draft.add_doubt("labels.group_pattern", "do the file names contain patient ids?")
    if len(classes) == 2:
        draft.set_two_classes(classes)
    return draft


def _find_class_level(image_files: ImageFiles) -> tuple[list[ImagePath], int]:
    """Returns the paths of the images, and the level of the folders that could be classes.

    Raises:
        UserError: there is no such level.
    """
    all_images = [ImagePath.from_path(path) for path in image_files.files]
    by_split = _by_split(all_images)
    labelled = by_split["train"] or by_split["all"]
    level = class_level(labelled)
    if level is None and labelled and labelled[0].split != "all":  # CLASS/train, CLASS/test
        all_images = [image.split_within() for image in all_images]
        level = class_level(_by_split(all_images)["train"])
    if level is None:
        names = {str(PurePosixPath(image.path).parent) for image in all_images}
        folders = shorten_list(sorted("this folder itself" if name == "." else name for name in names), 6)
        what = f"neither a table with the ids of images, nor folders that could be classes; images are in {folders}"
        raise UserError(
            what, image_files.raw, "Add a table of labels whose ids name images, or a folder for each class"
        )
    return all_images, level


def _by_split(images: list[ImagePath]) -> dict[str, list[ImagePath]]:
    return {split: [image for image in images if image.split == split] for split in SPLITS}


def _choose_splits(by_split: dict[str, list[ImagePath]], train_split: str, classes: list[str], level: int) -> _Splits:
    """Chooses the images to train and to test on.

    Args:
        by_split: images by the split that their folders name.
        train_split: the split to train on: train, or all.
        classes: names of the class folders.
        level: level of the folders that name them.
    """
    with_label = {
        split: [image for image in images if image.label(level) in classes] for split, images in by_split.items()
    }
    valid, test = with_label["valid"], with_label["test"]
    unlabelled = [] if test else by_split["test"]
    if valid and not test and not unlabelled:  # the validation set serves as the test set
        valid, test = [], valid
    return _Splits(with_label[train_split], valid, test, unlabelled)


def _add_patterns(draft: Draft, splits: _Splits, level: int) -> None:
    """Adds images.train, and images.test or labels.holdout."""
    train, valid, test, unlabelled = splits
    train_patterns = _patterns([*train, *valid], level)
    draft.facts["images"] = {"train": train_patterns}
    joined = f", including {len(valid):,} of the validation set" if valid else ""
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


def _doubt_unused_images(draft: Draft, all_images: list[ImagePath], splits: _Splits) -> None:
    """Adds a doubt about images that are in no split."""
    used = {id(image) for split in splits for image in split}
    unused = [image for image in all_images if id(image) not in used]
    if unused:
        folders = {f"{PurePosixPath(image.path).parent}/*{image_extension(image.path)}" for image in unused}
        patterns = shorten_list(sorted(folders), 4)
        draft.add_doubt("images.train", f"{len(unused):,} of {len(all_images):,} images are not used: {patterns}")


def _patterns(images: list[ImagePath], level: int | None) -> str | list[str]:
    patterns = list(dict.fromkeys(image.pattern(level) for image in images))
    return patterns[0] if len(patterns) == 1 else patterns


def _pattern_text(patterns: str | list[str]) -> str:
    return patterns if isinstance(patterns, str) else shorten_list(patterns, 4)


def _add_submission(draft: Draft, sample_submission: SampleSubmission, test: list[ImagePath]) -> None:
    """Adds the facts of the sample submission if its ids name the test images, otherwise a doubt."""
    key = sample_submission.table.columns[0]
    if not sample_submission.table[key].isin({image_stem(image.path) for image in test}).all():
        draft.add_doubt("submission.sample", f"ids of {sample_submission.path} are not names of test images")
        return
    draft.facts["submission"] = {"sample": sample_submission.path, "id": key}
    draft.facts["upload"] = "csv"
    draft.add_reason("submission.id", key, f"the first column of {sample_submission.path}")
