"""Report sections: data and folds."""

from pathlib import Path

import numpy as np

from medfold import files
from medfold.competition import Project
from medfold.data import Dataset
from medfold.errors import UserError
from medfold.folds import fold_balance
from medfold.images import draw_contact_sheet, read_image
from medfold.report import page as pages
from medfold.report.page import ROWS, Drawing, Section
from medfold.report.sections.performance import truth_of


def data_section(project: Project, data: Dataset) -> Section:
    competition, paths = project.competition, project.paths
    section = Section("data", "The data")
    facts = [
        ["training images", f"{len(data.train):,}"],
        ["test images", f"{len(data.test):,}"],
        ["groups (patients, or what must not be split)", f"{data.train['group'].nunique():,}"],
    ]
    if competition.score.unit:
        facts.insert(1, ["units that are scored", f"{data.train['unit'].nunique():,}"])
    if competition.task == "binary":
        negative, positive = competition.class_names
        target = competition.labels.targets[0]
        facts.append(["predicted is the probability of", f"{target} = {positive} (positive), not {negative}"])
    audit = dict((files.read_json(paths.folds_origin) or {}).get("audit", {}))
    if paths.audit.is_file():  # what was found the last time somebody looked, near-duplicates too
        found = files.read_csv(paths.audit)["kind"].value_counts()
        audit |= {kind: int(found.get(kind, 0)) for kind in (*audit, "near", "near_split", "near_leaked")}
    words = {
        "duplicates": "exact duplicates in train",
        "contradicting": "duplicates with different labels",
        "leaked": "training images found in test",
        "plain": "training images of one value",
        "near": "near-duplicates in train",
        "near_split": "near-duplicates in different folds",
        "near_leaked": "near-duplicates of training images in test",
    }
    facts += [[words[kind], f"{count:,}"] for kind, count in audit.items() if kind in words]
    section.table("What there is, and what the audit found", ["", "value"], facts)
    if competition.licence:
        section.text(f"Licence of the data: {competition.licence}.")
    sheets = [
        _examples(project, data),
        _near_duplicates(paths.contact_sheet) if paths.contact_sheet.is_file() else None,
    ]
    section.figures([sheet for sheet in sheets if sheet])
    return section


def _near_duplicates(path: Path) -> Drawing:
    import cv2

    sheet = cv2.imread(str(path))[..., ::-1]
    first = np.ascontiguousarray(sheet[: sheet.shape[1] * 2 // 3])
    scale = min(1.0, 1100 / sheet.shape[1])
    shown = cv2.resize(first, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    text = "Pairs of images that show nearly the same picture, the most alike first, with their folds and labels."
    return Drawing("near-duplicates", "Near-duplicates", text, image=pages.jpeg(shown), wide=True)


def _examples(project: Project, data: Dataset) -> Drawing | None:
    """Some images of each class, or with each label, as a sheet."""
    competition, rng = project.competition, np.random.default_rng(0)
    truth = truth_of(competition, data.targets)
    if competition.task == "binary":
        truth = np.stack([1 - truth[:, 0], truth[:, 0]], axis=1)
    names = competition.labels.targets if competition.task == "multilabel" else competition.class_names
    rows, raw = [], project.paths.raw_root(competition.images.root)
    for column, name in list(enumerate(names))[:KINDS]:
        there = np.flatnonzero(truth[:, column])
        cells = []
        for row in np.sort(rng.permutation(there)[:EACH]):
            sample = data.train.iloc[row]
            try:
                pixels = read_image(raw, sample["image"], competition.images)
            except UserError:
                continue  # it was readable once; the sheet does without
            cells.append((pixels, [name, sample["id"]]))
        if cells:
            rows.append(cells)
    if not rows:
        return None
    text = f"Training images drawn at random, a row for each class or label: {', '.join(names[:KINDS])}."
    return Drawing("examples", "What they look like", text, image=pages.jpeg(draw_contact_sheet(rows, 1)), wide=True)


def folds_section(project: Project, data: Dataset) -> Section:
    competition, options = project.competition, project.competition.folds
    section = Section("folds", "The folds")
    section.text(
        f"{options.k} folds, {options.method}, seed {options.seed}. Never split: groups, images with equal pixels"
        + (", near-duplicates." if options.duplicates == "near" else ".")
    )
    names = competition.labels.targets if competition.task == "multilabel" else competition.class_names
    targets = data.targets[:, :ROWS] if data.targets.ndim == 2 else data.targets
    rows = fold_balance(targets, data.train["group"].to_numpy(), data.train["fold"].to_numpy(), names[:ROWS])
    section.table("Images, groups and labels in each fold", list(rows.columns), rows.to_numpy().tolist())
    return section


KINDS, EACH = 8, 6  # classes or labels on the sheet of examples, images of each
