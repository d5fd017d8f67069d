"""`make folds`: the folds, audited."""

from dataclasses import replace

import numpy as np
import pandas as pd

from medfold import files
from medfold.competition import Competition, ImageSettings, Project, has_known_groups
from medfold.competition import FoldFacts as FoldOptions
from medfold.console import print_table, say, warn
from medfold.data import (
    Dataset,
    encode_targets,
    folds_in_words,
    load_dataset,
    mask_suspicion,
    near_duplicate_examples,
    read_extra_columns,
    sample_submission,
)
from medfold.errors import shorten_list
from medfold.folds import (
    SuspectedGroup,
    adversarial_auc,
    find_unnamed_groups,
    fold_balance,
    predictive_columns,
    scarce_classes,
)
from medfold.images import STATISTICS, is_dicom, path_of_image, read_headers, value_suspicions, write_contact_sheet
from medfold.submission import rehearse

SUSPECTS = 3  # groups that nobody named, on the terminal
SHOWN = 24  # pairs on the contact sheet
SUSPICIOUS = 0.7  # AUC from which train and test are told apart too well
HEADERS_READ = 2000  # files whose PatientID is looked at
IDLE = {"Rows", "Columns"}  # headers that the sizes of the images tell already


def make_folds(project: Project, force: bool = False, prepare: ImageSettings | None = None) -> Dataset:
    """Makes the folds, or checks those that are kept, and shows what the audit finds.

    Args:
        force: makes new ones in any case.
        prepare: if the images must be scanned first, they are prepared for the store of this recipe, too.

    Raises:
        UserError: as `load_dataset`; a sample submission that does not fit the facts.
    """
    data = load_dataset(project, prepare, audit=True, renew_folds=force)
    show_dataset(project, data)
    return data


def show_dataset(project: Project, data: Dataset) -> None:
    """Shows folds and audit, after a try at the submission that is to come.

    Args:
        data: loaded with its audit.

    Raises:
        UserError: a sample submission that does not fit the facts.
    """
    competition, train = project.competition, data.train
    rehearse(competition, sample_submission(competition, project.paths), data.test_groups.index.tolist())
    if competition.score.unit:
        warn_of_lost_labels(competition, train, data.unreadable)
    _show_folds(project, data)
    if told := mask_suspicion(pd.concat([train["image"], data.test["image"]])):
        warn("", f"{'masks among the images':<33}{told}")
    raw = project.paths.raw_root(competition.images.root)
    for told in value_suspicions(raw, train["image"].tolist(), competition.images):
        warn("", f"{'values of the images':<33}{told}")
    _show_unnamed_groups(project, train)
    _show_shift(project, data)
    _show_telling(project, data)
    _draw_near_duplicates(project, data)


def warn_of_lost_labels(competition: Competition, readable: pd.DataFrame, unreadable: pd.DataFrame) -> None:
    """Warns of units whose label stands with an image that cannot be read: only their other images count.

    Args:
        readable, unreadable: training samples: unit, and the columns of labels.
    """
    if not len(unreadable):
        return
    both = pd.concat([readable, unreadable], ignore_index=True)
    labels = pd.DataFrame(encode_targets(competition, both).reshape(len(both), -1))
    of_all = labels.groupby(both["unit"].to_numpy()).max()
    of_good = labels[: len(readable)].groupby(readable["unit"].to_numpy()).max()
    lost = of_good.index[(of_all.loc[of_good.index] != of_good).any(axis=1)]
    if len(lost):
        told = f"{len(lost):,} units have a label with an image that cannot be read, and count as without it"
        warn("folds", f"{told}: {shorten_list(lost)}")


def _show_unnamed_groups(project: Project, train: pd.DataFrame) -> None:
    """Warns of columns that could be a patient left unnamed, and that no groups are named."""
    competition = project.competition
    columns = read_extra_columns(competition, project.paths, train["id"])
    found = [*_patients_in_headers(project, train)]
    found += find_unnamed_groups(train["id"], train["image"], columns, train["fold"].to_numpy())
    for each in found[:SUSPECTS]:
        what = (
            f"{each.name}: {each.values:,} values, {each.images:,} images share theirs, {each.apart:,} values stand in"
        )
        warn("", f"{'groups that nobody named':<33}{what} several folds ({each.fact} keeps them together)")
    if not has_known_groups(competition):
        more = "" if found else "; no column, id or folder tells them"
        warn("", f"{'patients':<33}unknown: the OOF score may flatter{more}")


def _patients_in_headers(project: Project, train: pd.DataFrame) -> list[SuspectedGroup]:
    """The DICOM PatientID as a suspected group, if no groups are named and it joins images of several folds."""
    raw, first = project.paths.raw_root(project.competition.images.root), train.head(HEADERS_READ)
    if has_known_groups(project.competition) or not is_dicom(path_of_image(raw, train["image"].iloc[0])):
        return []
    columns = pd.DataFrame(read_headers(raw, first["image"], ["PatientID"], complete=False), index=first.index)
    found = find_unnamed_groups(first["id"], first["image"], columns, first["fold"].to_numpy())
    fact = "labels.group: PatientID with images.headers: [PatientID]"
    return [replace(each, fact=fact) for each in found if each.name == "PatientID"]


def _show_shift(project: Project, data: Dataset) -> None:
    train, test = data.train, data.test
    measured = data.appearance.set_index("id")[[*STATISTICS, "height", "width"]].astype(np.float64)
    kept = [column for column in project.competition.labels.keep if column in test and test[column].notna().any()]
    here, there = (
        measured.loc[part["id"]].reset_index(drop=True).join(part[kept].reset_index(drop=True))
        for part in (train, test)
    )
    groups = np.concatenate([train["group"].to_numpy(), test["group"].to_numpy()])
    found = adversarial_auc(here, there, groups)
    if np.isnan(found.auc):
        return
    telling = ", ".join(f"{column} {auc:.2f}" for column, auc in found.columns[:3])
    text = f"AUC {found.auc:.2f} by image statistics{' and table columns' if kept else ''} (0.5: alike; {telling})"
    (warn if found.auc >= SUSPICIOUS else say)("", f"{'train told from test':<33}{text}")


def _show_telling(project: Project, data: Dataset) -> None:
    """Warns of DICOM headers and kept columns that differ by class: a net can learn a scanner instead of a disease."""
    columns = data.train.set_index("id")[list(project.competition.labels.keep)].astype(str)
    if project.paths.headers.is_file():
        known = pd.read_csv(project.paths.headers, dtype=str, keep_default_na=False).set_index("id")
        columns = columns.join(known.drop(columns=[name for name in IDLE if name in known]).loc[columns.index])
    if not columns.shape[1]:
        return
    competition = project.competition
    names = competition.labels.targets if competition.task == "multilabel" else competition.class_names
    found = predictive_columns(columns.reset_index(drop=True), data.targets, data.train["group"].to_numpy())
    text = ", ".join(f"{column} ({names[label]}: {strength:.2f})" for column, label, strength in found[:4])
    more = f" and {len(found) - 4} more" if len(found) > 4 else ""
    (warn if found else say)("", f"{'columns that differ by class':<33}{text + more or 'none'}")


def _draw_near_duplicates(project: Project, data: Dataset) -> None:
    sheet, pairs = project.paths.contact_sheet, data.near_duplicates.pairs
    rows = [
        [(each.pixels, [each.id, ", ".join(each.facts)]) for each in pair]
        for pair in near_duplicate_examples(project, data, pairs, SHOWN)
    ]
    if not rows:
        files.remove(sheet)
        return
    escaped = write_contact_sheet(rows, sheet)
    say("", f"near-duplicates side by side: {project.display(sheet)}")
    if escaped:
        say(
            "", f"{escaped} captions have letters that no font of this machine has; they are written as codes (\\u4e2d)"
        )


def _show_folds(project: Project, data: Dataset) -> None:
    options, competition, train, leaks = project.competition.folds, project.competition, data.train, data.leaks
    names = competition.labels.targets if competition.task == "multilabel" else competition.class_names
    if not competition.classes and competition.task == "binary":
        names = [f"{competition.labels.targets[0]}={name}" for name in names]
    groups = train["group"].to_numpy()
    if not data.folds_made:
        say("folds", f"kept: {folds_in_words(project, train)}")
    for name, count in scarce_classes(data.targets, groups, names, options.k).items():
        warn("folds", f"warning: class {name} is in {count} groups only, so {options.k - count} folds have none of it")
    largest = int(train["group"].value_counts().max())
    if largest > len(train) / options.k:
        share = f"the largest group holds {largest:,} of {len(train):,} images"
        warn("folds", f"warning: {share}, so folds cannot be of one size{_chained(options)}")
    rows = fold_balance(data.targets, groups, train["fold"].to_numpy(), names)
    if len(names) <= 14:
        print_table(rows.columns, rows.to_numpy().tolist())
    for number, (fact, value) in enumerate(leaks.lines()):
        (warn if value != "none" else say)("audit" if number == 0 else "", f"{fact:<33}{value}")
    if any(leaks.counts().values()):
        say("", f"all of them: {project.display(project.paths.audit)}")


def _chained(options: FoldOptions) -> str:
    return "; near-duplicates make chains (folds.duplicates)" if options.duplicates == "near" else ""
