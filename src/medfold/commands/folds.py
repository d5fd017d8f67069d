"""`make folds`: builds the folds, and prints them with an audit of the data."""

from dataclasses import replace

import numpy as np
import pandas as pd

from medfold.competition import CompetitionFacts, FoldFacts, ImageSettings, Project, has_known_groups
from medfold.data import (
    Dataset,
    encode_targets,
    load_dataset,
    near_duplicate_examples,
    read_extra_columns,
    read_sample_submission,
)
from medfold.errors import count_of, shorten_list
from medfold.folds import (
    SuspectedGroup,
    adversarial_auc,
    find_suspected_groups,
    fold_balance,
    format_folds,
    predictive_columns,
    scarce_classes,
)
from medfold.images import STATISTICS, is_dicom, path_of_image, read_headers, value_suspicions, write_contact_sheet
from medfold.raw_files import mask_warning
from medfold.submission import check_sample_submission
from medfold.system import files
from medfold.terminal.console import print_table, say, warn

MAX_SUSPECTS = 3  # suspected groups on the terminal
MAX_PAIRS = 24  # pairs on the contact sheet
SUSPICIOUS_AUC = 0.7  # train and test can be distinguished too well from this AUC on
MAX_HEADERS = 2000  # files whose PatientID is read
IGNORED_HEADERS = {"Rows", "Columns"}  # headers that repeat the image size


def make_folds(project: Project, force: bool = False, image_settings: ImageSettings | None = None) -> Dataset:
    """Makes the folds, or checks the existing ones, and prints them with the findings of the audit.

    Args:
        project: the competition; its raw data is there.
        force: replace existing folds. Defaults to False.
        image_settings: `images` of a recipe; if the images must be scanned, they are also prepared for its store.
            Defaults to no preparation.

    Returns:
        The dataset, with its folds and audit.

    Raises:
        UserError: errors of `load_dataset`; a sample submission that does not fit the facts.
    """
    data = load_dataset(project, image_settings, audit=True, renew_folds=force)
    show_dataset(project, data)
    return data


def show_dataset(project: Project, data: Dataset) -> None:
    """Prints folds and audit, after a rehearsal of the submission.

    Args:
        project: the competition of the dataset.
        data: the dataset, loaded with its audit.

    Raises:
        UserError: a sample submission that does not fit the facts.
    """
    competition = project.competition
    train = data.train
    check_sample_submission(
        competition, read_sample_submission(competition, project.paths), data.test_groups.index.tolist()
    )
    if competition.score.unit:
        warn_of_lost_labels(competition, train, data.unreadable)
    _show_folds(project, data)
    if suspicion := mask_warning(pd.concat([train["image"], data.test["image"]])):
        warn("", f"{'masks among the images':<33}{suspicion}")
    raw = project.paths.raw_root(competition.images.root)
    for suspicion in value_suspicions(raw, train["image"].tolist(), competition.images):
        warn("", f"{'values of the images':<33}{suspicion}")
    _show_suspected_groups(project, train)
    _show_shift(project, data)
    _show_predictive_columns(project, data)
    _draw_near_duplicates(project, data)


def warn_of_lost_labels(competition: CompetitionFacts, readable: pd.DataFrame, unreadable: pd.DataFrame) -> None:
    """Warns of units that lose a label because only an unreadable image has it.

    Args:
        competition: the facts.
        readable: training samples whose image can be read: unit and label columns.
        unreadable: training samples whose image cannot be read, with the same columns.
    """
    if not len(unreadable):
        return
    samples = pd.concat([readable, unreadable], ignore_index=True)
    labels = pd.DataFrame(encode_targets(competition, samples).reshape(len(samples), -1))
    all_labels = labels.groupby(samples["unit"].to_numpy()).max()
    readable_labels = labels[: len(readable)].groupby(readable["unit"].to_numpy()).max()
    lost = readable_labels.index[(all_labels.loc[readable_labels.index] != readable_labels).any(axis=1)]
    if len(lost):
        num_units = count_of(len(lost), "unit has", "units have")
        text = f"{num_units} a label only with an image that cannot be read: counted as negative"
        warn("folds", f"{text}: {shorten_list(lost)}")


def _show_suspected_groups(project: Project, train: pd.DataFrame) -> None:
    """Warns of columns that may identify patients without being named as groups, and of missing groups."""
    competition = project.competition
    columns = read_extra_columns(competition, project.paths, train["id"])
    suspects = [*_patients_in_headers(project, train)]
    suspects += find_suspected_groups(train["id"], train["image"], columns, train["fold"].to_numpy())
    for suspect in suspects[:MAX_SUSPECTS]:
        text = (
            f"{suspect.name}: {count_of(suspect.num_values, 'value')}, "
            f"{count_of(suspect.num_shared_images, 'image shares its value', 'images share theirs')}"
        )
        split = (
            f"{count_of(suspect.num_split_values, 'value is', 'values are')} in several folds "
            f"({suspect.setting} keeps them together)"
        )
        warn("", f"{'suspected groups':<33}{text}, {split}")
    if not has_known_groups(competition):
        hint = "" if suspects else "; no column, id or folder identifies them"
        warn("", f"{'patients':<33}unknown: the OOF score may be too high{hint}")


def _patients_in_headers(project: Project, train: pd.DataFrame) -> list[SuspectedGroup]:
    """Returns the DICOM PatientID as a suspected group, if no groups are named and it joins images of several folds."""
    raw = project.paths.raw_root(project.competition.images.root)
    sample = train.head(MAX_HEADERS)
    if has_known_groups(project.competition) or not is_dicom(path_of_image(raw, train["image"].iloc[0])):
        return []
    columns = pd.DataFrame(read_headers(raw, sample["image"], ["PatientID"], complete=False), index=sample.index)
    suspects = find_suspected_groups(sample["id"], sample["image"], columns, sample["fold"].to_numpy())
    setting = "labels.group: PatientID with images.dicom_headers: [PatientID]"
    return [replace(suspect, setting=setting) for suspect in suspects if suspect.name == "PatientID"]


def _show_shift(project: Project, data: Dataset) -> None:
    train, test = data.train, data.test
    statistics = data.appearance.set_index("id")[[*STATISTICS, "height", "width"]].astype(np.float64)
    kept_columns = [
        column for column in project.competition.labels.keep_columns if column in test and test[column].notna().any()
    ]
    train_columns, test_columns = (
        statistics.loc[part["id"]].reset_index(drop=True).join(part[kept_columns].reset_index(drop=True))
        for part in (train, test)
    )
    groups = np.concatenate([train["group"].to_numpy(), test["group"].to_numpy()])
    shift = adversarial_auc(train_columns, test_columns, groups)
    if np.isnan(shift.auc):
        return
    top_columns = ", ".join(f"{column} {auc:.2f}" for column, auc in shift.columns[:3])
    inputs = "image statistics and table columns" if kept_columns else "image statistics"
    text = f"AUC {shift.auc:.2f} by {inputs} (0.5: alike; {top_columns})"
    (warn if shift.auc >= SUSPICIOUS_AUC else say)("", f"{'train vs test':<33}{text}")


def _show_predictive_columns(project: Project, data: Dataset) -> None:
    """Warns of DICOM headers and kept columns that differ by class: a net can learn the scanner, not the disease."""
    columns = data.train.set_index("id")[list(project.competition.labels.keep_columns)].astype(str)
    if project.paths.headers.is_file():
        headers = pd.read_csv(project.paths.headers, dtype=str, keep_default_na=False).set_index("id")
        columns = columns.join(
            headers.drop(columns=[name for name in IGNORED_HEADERS if name in headers]).loc[columns.index]
        )
    if not columns.shape[1]:
        return
    competition = project.competition
    names = competition.label_names
    predictive = predictive_columns(columns.reset_index(drop=True), data.targets, data.train["group"].to_numpy())
    text = ", ".join(f"{column} ({names[label]}: {strength:.2f})" for column, label, strength in predictive[:4])
    rest = f" and {len(predictive) - 4} more" if len(predictive) > 4 else ""
    (warn if predictive else say)("", f"{'columns that differ by class':<33}{text + rest or 'none'}")


def _draw_near_duplicates(project: Project, data: Dataset) -> None:
    sheet = project.paths.contact_sheet
    pairs = data.near_duplicates.pairs
    rows = [
        [(image.pixels, [image.id, ", ".join(image.caption_lines)]) for image in pair]
        for pair in near_duplicate_examples(project, data, pairs, MAX_PAIRS)
    ]
    if not rows:
        files.remove(sheet)
        return
    escaped = write_contact_sheet(rows, sheet)
    say("", f"near-duplicates side by side: {project.display(sheet)}")
    if escaped:
        say("", f"{escaped} captions have characters that no installed font has; they are written as codes (\\u4e2d)")


def _show_folds(project: Project, data: Dataset) -> None:
    fold_facts = project.competition.folds
    competition = project.competition
    train = data.train
    leaks = data.leaks
    names = competition.label_names
    if not competition.classes and competition.task == "binary":
        names = [f"{competition.labels.targets[0]}={name}" for name in names]
    groups = train["group"].to_numpy()
    if not data.has_new_folds:
        say("folds", f"kept: {format_folds(project, train)}")
    for name, count in scarce_classes(data.targets, groups, names, fold_facts.k).items():
        folds_without = count_of(fold_facts.k - count, "fold has", "folds have")
        text = f"class {name} is in {count_of(count, 'group')} only, so {folds_without} no sample of it"
        if not count:
            text = f"no sample is of class {name}: check labels.targets, labels.map and classes"
        warn("folds", text)
    largest = int(train["group"].value_counts().max())
    if largest > len(train) / fold_facts.k:
        share = f"the largest group holds {largest:,} of {len(train):,} images"
        warn("folds", f"{share}, so folds cannot have equal sizes{_chain_hint(fold_facts)}")
    rows = fold_balance(data.targets, groups, train["fold"].to_numpy(), names)
    if len(names) <= 14:
        print_table(rows.columns, rows.to_numpy().tolist())
    for index, (finding, value) in enumerate(leaks.lines()):
        (warn if value != "none" else say)("audit" if index == 0 else "", f"{finding:<33}{value}")
    if any(leaks.counts().values()):
        say("", f"all of them: {project.display(project.paths.audit)}")


def _chain_hint(fold_facts: FoldFacts) -> str:
    return "; near-duplicates make chains (folds.duplicates)" if fold_facts.duplicates == "near" else ""
