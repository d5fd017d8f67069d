"""Report sections about the data and the folds."""

import numpy as np

from medfold.audit import Example, examples_of_classes, near_duplicate_examples
from medfold.competition import Competition
from medfold.data import Dataset
from medfold.earlier_versions import LEAK_KINDS, current_by_former
from medfold.errors import UserError
from medfold.folds import fold_balance, read_folds_metadata, read_near_duplicates
from medfold.images import thumbnail
from medfold.paths import CompetitionPaths
from medfold.report import page as pages
from medfold.report.drawing import CaptionedImage, Drawing, ImageRow
from medfold.report.names import isolate, join_names
from medfold.report.page import MAX_ROWS, Section
from medfold.scoring import targets_as_columns
from medfold.tables import read_csv
from medfold.terminal.command_text import command

MAX_PAIRS = 12  # pairs of near-duplicates that are shown
FINDING_TITLES = {
    "duplicates": "exact duplicates in train",
    "contradicting_duplicates": "duplicates with different labels",
    "duplicates_in_test": "training images found in test",
    "images_of_one_value": "training images of one value",
    "near_duplicates": "near-duplicates in train",
    "split_near_duplicates": "near-duplicates in different folds",
    "near_duplicates_in_test": "near-duplicates of training images in test",
}
IMAGE_SIZE = 176  # px: the longest side of an image on a sheet


def data_section(competition: Competition, dataset: Dataset) -> Section:
    """Shows the number of images, the results of the audit, and example images."""
    facts = competition.facts
    paths = competition.paths
    section = Section("data", "Data")
    rows = [
        ["training images", f"{len(dataset.train):,}"],
        ["test images", f"{len(dataset.test):,}"],
        ["groups, such as patients", f"{dataset.train['group'].nunique():,}"],
    ]
    if facts.score.unit:
        rows.insert(1, ["units that are scored", f"{dataset.train['unit'].nunique():,}"])
    if facts.task == "binary":
        negative, positive = facts.class_names
        target = facts.labels.targets[0]
        rows.append(
            [
                "predicted is the probability of",
                f"{isolate(target)} = {isolate(positive)} (positive), not {isolate(negative)}",
            ]
        )
    rows += [
        [FINDING_TITLES[kind], f"{count:,}"] for kind, count in audit_counts(paths).items() if kind in FINDING_TITLES
    ]
    section.table("Counts, and results of the audit", ["", "value"], rows)
    if facts.licence:
        section.text(f"Licence of the data: {facts.licence}.")
    section.figures([*_examples(competition, dataset), *_near_duplicates(competition, dataset)])
    return section


def audit_counts(paths: CompetitionPaths) -> dict[str, int]:
    """Returns the number of leaks of each kind: of the last audit, else as recorded with the folds."""
    counts = dict(read_folds_metadata(paths.folds_metadata).leak_counts)
    if paths.leaks.is_file():  # the leaks that the last audit found, which include near-duplicates
        leaks = read_csv(paths.leaks)
        if "kind" not in leaks:
            fix = f"Make it again: {command('folds', COMPETITION=paths.name)}"
            raise UserError("no column 'kind'", paths.leaks, fix)
        found = leaks["kind"].value_counts().rename(current_by_former(LEAK_KINDS))
        near = ("near_duplicates", "split_near_duplicates", "near_duplicates_in_test")
        counts |= {kind: int(found.get(kind, 0)) for kind in (*counts, *near)}
    return counts


def _examples(competition: Competition, dataset: Dataset) -> list[Drawing]:
    """Draws a sheet with some images of each class or label."""
    facts = competition.facts
    members = targets_as_columns(dataset.targets, len(facts.prediction_columns))
    if facts.task == "binary":
        members = np.stack([1 - members[:, 0], members[:, 0]], axis=1)
    names = facts.label_names
    image_rows = [
        ImageRow(names[column], [_captioned(example) for example in examples])
        for column, examples in examples_of_classes(competition, dataset, members)
    ]
    if not image_rows:
        return []
    titles = join_names([row.title for row in image_rows])
    text = f"Training images drawn at random, a row for each class or label: {titles}."
    return [Drawing("examples", "Example images", text, sheet=image_rows, is_wide=True)]


def _near_duplicates(competition: Competition, dataset: Dataset) -> list[Drawing]:
    """Draws a sheet with the most similar pairs."""
    pairs = near_duplicate_examples(competition, dataset, read_near_duplicates(competition.paths), MAX_PAIRS)
    if not pairs:
        return []
    text = "Pairs of images that show nearly the same picture, the most similar first, with their folds and labels."
    image_rows = [ImageRow("", [_captioned(example) for example in pair]) for pair in pairs]
    return [Drawing("near-duplicates", "Near-duplicates", text, sheet=image_rows, is_wide=True)]


def _captioned(example: Example) -> CaptionedImage:
    """Returns an image of a sheet with id and facts below it."""
    lines = [example.id, join_names(example.caption_lines)] if example.caption_lines else [example.id]
    return CaptionedImage(pages.jpeg(thumbnail(example.pixels, IMAGE_SIZE)), lines)


def folds_section(competition: Competition, dataset: Dataset) -> Section:
    """Shows the settings of the folds, and the content of each."""
    facts = competition.facts
    folds = competition.facts.folds
    section = Section("folds", "Folds")
    section.text(
        f"{folds.k} folds, {folds.method}, seed {folds.seed}. Never split: groups, images with equal pixels"
        + (", near-duplicates." if folds.duplicates == "near" else ".")
    )
    names = facts.label_names
    targets = dataset.targets[:, :MAX_ROWS] if dataset.targets.ndim == 2 else dataset.targets
    rows = fold_balance(targets, dataset.train["group"].to_numpy(), dataset.train["fold"].to_numpy(), names[:MAX_ROWS])
    section.table("Images, groups and labels in each fold", list(rows.columns), rows.to_numpy().tolist())
    return section
