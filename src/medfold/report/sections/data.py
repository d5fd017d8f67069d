"""Report sections about the data and the folds."""

import numpy as np

from medfold.competition import Project
from medfold.data import Dataset, Example, examples_of_classes, near_duplicate_examples
from medfold.folds import fold_balance, read_near_duplicates
from medfold.images import thumbnail
from medfold.report import page as pages
from medfold.report.drawing import CaptionedImage, Drawing, Strip
from medfold.report.names import isolate, listed
from medfold.report.page import MAX_ROWS, Section
from medfold.scoring import targets_as_columns
from medfold.system import files

MAX_PAIRS = 12  # pairs of near-duplicates that are shown
IMAGE_SIZE = 176  # px: the longest side of an image on a sheet


def data_section(project: Project, data: Dataset) -> Section:
    """Shows the number of images, the findings of the audit, and example images."""
    competition = project.competition
    paths = project.paths
    section = Section("data", "Data")
    rows = [
        ["training images", f"{len(data.train):,}"],
        ["test images", f"{len(data.test):,}"],
        ["groups, such as patients: never split", f"{data.train['group'].nunique():,}"],
    ]
    if competition.score.unit:
        rows.insert(1, ["units that are scored", f"{data.train['unit'].nunique():,}"])
    if competition.task == "binary":
        negative, positive = competition.class_names
        target = competition.labels.targets[0]
        rows.append(
            [
                "predicted is the probability of",
                f"{isolate(target)} = {isolate(positive)} (positive), not {isolate(negative)}",
            ]
        )
    audit = dict((files.read_json(paths.folds_metadata) or {}).get("audit", {}))
    if paths.audit.is_file():  # the findings of the last audit, which include near-duplicates
        counts = files.read_csv(paths.audit)["kind"].value_counts()
        audit |= {kind: int(counts.get(kind, 0)) for kind in (*audit, "near", "near_split", "near_leaked")}
    titles = {
        "duplicates": "exact duplicates in train",
        "contradicting": "duplicates with different labels",
        "leaked": "training images found in test",
        "plain": "training images of one value",
        "near": "near-duplicates in train",
        "near_split": "near-duplicates in different folds",
        "near_leaked": "near-duplicates of training images in test",
    }
    rows += [[titles[kind], f"{count:,}"] for kind, count in audit.items() if kind in titles]
    section.table("Counts, and findings of the audit", ["", "value"], rows)
    if competition.licence:
        section.text(f"Licence of the data: {competition.licence}.")
    section.figures([*_examples(project, data), *_near_duplicates(project, data)])
    return section


def _examples(project: Project, data: Dataset) -> list[Drawing]:
    """Draws a sheet with some images of each class or label."""
    competition = project.competition
    members = targets_as_columns(data.targets, len(competition.prediction_columns))
    if competition.task == "binary":
        members = np.stack([1 - members[:, 0], members[:, 0]], axis=1)
    names = competition.labels.targets if competition.task == "multilabel" else competition.class_names
    strips = [
        Strip(names[column], [_captioned(example) for example in examples])
        for column, examples in examples_of_classes(project, data, members)
    ]
    if not strips:
        return []
    text = (
        f"Training images drawn at random, a row for each class or label: {listed([strip.title for strip in strips])}."
    )
    return [Drawing("examples", "Example images", text, sheet=strips, is_wide=True)]


def _near_duplicates(project: Project, data: Dataset) -> list[Drawing]:
    """Draws a sheet with the most similar pairs."""
    pairs = near_duplicate_examples(project, data, read_near_duplicates(project.paths), MAX_PAIRS)
    if not pairs:
        return []
    text = "Pairs of images that show nearly the same picture, the most similar first, with their folds and labels."
    strips = [Strip("", [_captioned(example) for example in pair]) for pair in pairs]
    return [Drawing("near-duplicates", "Near-duplicates", text, sheet=strips, is_wide=True)]


def _captioned(example: Example) -> CaptionedImage:
    """Returns an image of a sheet with id and facts below it."""
    lines = [example.id, listed(example.caption_lines)] if example.caption_lines else [example.id]
    return CaptionedImage(pages.jpeg(thumbnail(example.pixels, IMAGE_SIZE)), lines)


def folds_section(project: Project, data: Dataset) -> Section:
    """Shows the settings of the folds, and the content of each."""
    competition = project.competition
    folds = project.competition.folds
    section = Section("folds", "Folds")
    section.text(
        f"{folds.k} folds, {folds.method}, seed {folds.seed}. Never split: groups, images with equal pixels"
        + (", near-duplicates." if folds.duplicates == "near" else ".")
    )
    names = competition.labels.targets if competition.task == "multilabel" else competition.class_names
    targets = data.targets[:, :MAX_ROWS] if data.targets.ndim == 2 else data.targets
    rows = fold_balance(targets, data.train["group"].to_numpy(), data.train["fold"].to_numpy(), names[:MAX_ROWS])
    section.table("Images, groups and labels in each fold", list(rows.columns), rows.to_numpy().tolist())
    return section
