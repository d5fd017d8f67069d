"""The results of an audit beyond the leaks, which `medfold.folds.leaks` finds: signs that a score may mislead."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from medfold.audit.class_differences import predictive_columns
from medfold.audit.dataset_shift import DatasetShift, adversarial_auc
from medfold.audit.extra_columns import read_extra_columns
from medfold.audit.suspected_groups import SuspectedGroup, find_suspected_groups
from medfold.competition import Competition, CompetitionFacts, has_known_groups
from medfold.data import Dataset, encode_targets, read_samples, sample_attributes
from medfold.images import (
    STATISTICS,
    is_dicom,
    path_of_image,
    read_headers,
    read_measurements,
    value_warnings,
)
from medfold.raw_files import mask_warning
from medfold.tables import is_formula

MAX_HEADERS = 2000  # files whose PatientID is read
IGNORED_HEADERS = {"Rows", "Columns"}  # image size: preparation makes it equal, so it is no shortcut for a net


@dataclass(frozen=True)
class GroupOverlap:
    """Groups with images in the training and in the test set.

    Args:
        num_groups: number of these groups.
        num_train: number of their training images.
        num_test: number of their test images.
    """

    num_groups: int
    num_train: int
    num_test: int


@dataclass(frozen=True)
class AuditResult:
    """Signs that a score may mislead, apart from leaks (`Dataset.leaks`).

    Args:
        units_with_lost_labels: units that lose a label because only an unreadable image has it.
        mask_suspicion: a warning about images that may be masks of others; '' if there are none.
        value_warnings: warnings about implausible stored values.
        formulas: ids and names of classes or labels that a spreadsheet would run as a formula.
        suspected_groups: headers, columns, ids and folders that may identify patients, but are not named as groups.
        shift: how well the training and the test set can be told apart.
        compared_columns: columns of the sample table that `shift` compares, in addition to image statistics.
        predictive_columns: (column, class or label, strength) of columns that differ by class; None if there are no
            columns to examine.
        group_overlap: groups with images in the training and in the test set; None if there are none.
    """

    units_with_lost_labels: list[str]
    mask_suspicion: str
    value_warnings: list[str]
    formulas: list[str]
    suspected_groups: list[SuspectedGroup]
    shift: DatasetShift
    compared_columns: list[str]
    predictive_columns: list[tuple[str, str, float]] | None
    group_overlap: GroupOverlap | None = None


def audit_dataset(competition: Competition, dataset: Dataset, appearance: pd.DataFrame) -> AuditResult:
    """Audits a dataset; nothing is printed or written.

    Args:
        competition: the competition, with its raw data.
        dataset: the dataset.
        appearance: `images.read_appearance`, which the search for near-duplicates writes.
    """
    facts = competition.facts
    train, test = dataset.train, dataset.test
    raw = competition.paths.raw_root(facts.images.root)
    shift, compared_columns = compare_train_and_test(competition, dataset, appearance)
    return AuditResult(
        units_with_lost_labels=units_with_lost_labels(facts, train, dataset.unreadable) if facts.score.unit else [],
        mask_suspicion=mask_warning(pd.concat([train["image"], test["image"]])),
        value_warnings=value_warnings(raw, train["image"].tolist(), facts.images),
        formulas=[text for text in [*train["id"], *test["id"], *facts.label_names] if is_formula(text)],
        suspected_groups=find_unnamed_groups(competition, train),
        shift=shift,
        compared_columns=compared_columns,
        predictive_columns=columns_that_predict_classes(competition, dataset),
        group_overlap=find_group_overlap(competition, dataset),
    )


def find_group_overlap(competition: Competition, dataset: Dataset) -> GroupOverlap | None:
    """Counts the groups with images in the training and in the test set; None if there are none."""
    group_of = read_samples(competition.facts, competition.paths).set_index("id")["group"]  # not joined by duplicates
    train, test = (group_of.loc[part["id"]] for part in (dataset.train, dataset.test))
    groups = set(train) & set(test)
    if not groups:
        return None
    return GroupOverlap(len(groups), int(train.isin(groups).sum()), int(test.isin(groups).sum()))


def units_with_lost_labels(facts: CompetitionFacts, readable: pd.DataFrame, unreadable: pd.DataFrame) -> list[str]:
    """Returns the units that lose a label because only an unreadable image has it.

    Args:
        facts: facts of the competition (task and names of the labels).
        readable: training samples whose image can be read: unit and label columns.
        unreadable: training samples whose image cannot be read, with the same columns.
    """
    if not len(unreadable):
        return []
    samples = pd.concat([readable, unreadable], ignore_index=True)
    labels = pd.DataFrame(encode_targets(facts, samples).reshape(len(samples), -1))
    all_labels = labels.groupby(samples["unit"].to_numpy()).max()
    readable_labels = labels[: len(readable)].groupby(readable["unit"].to_numpy()).max()
    has_lost = (all_labels.loc[readable_labels.index] != readable_labels).any(axis=1)
    return readable_labels.index[has_lost].tolist()


def find_unnamed_groups(competition: Competition, train: pd.DataFrame) -> list[SuspectedGroup]:
    """Finds DICOM headers, columns, ids and folders that may identify patients, but are not named as groups.

    Args:
        competition: the competition, with its raw data.
        train: training samples with their folds.
    """
    columns = read_extra_columns(competition.facts, competition.paths, train["id"])
    suspects = find_suspected_groups(train["id"], train["image"], columns, train["fold"].to_numpy())
    return [*_patients_in_headers(competition, train), *suspects]


def _patients_in_headers(competition: Competition, train: pd.DataFrame) -> list[SuspectedGroup]:
    """Returns the DICOM PatientID as a suspected group, if no groups are named and it joins images of several folds."""
    raw = competition.paths.raw_root(competition.facts.images.root)
    sample = train.head(MAX_HEADERS)
    if has_known_groups(competition.facts) or not is_dicom(path_of_image(raw, train["image"].iloc[0])):
        return []
    columns = pd.DataFrame(read_headers(raw, sample["image"], ["PatientID"], complete=False), index=sample.index)
    suspects = find_suspected_groups(sample["id"], sample["image"], columns, sample["fold"].to_numpy())
    setting = "labels.group: PatientID with images.dicom_headers: [PatientID]"
    return [replace(suspect, setting=setting) for suspect in suspects if suspect.name == "PatientID"]


def compare_train_and_test(
    competition: Competition, dataset: Dataset, appearance: pd.DataFrame
) -> tuple[DatasetShift, list[str]]:
    """Measures how well the training and the test set can be told apart.

    Args:
        competition: the competition; its `labels.keep_columns` are compared, too.
        dataset: the dataset.
        appearance: `images.read_appearance`.

    Returns:
        The shift; the table columns that were compared, in addition to the statistics of the images.
    """
    train, test = dataset.train, dataset.test
    statistics = _image_statistics(competition, appearance)
    kept_columns = [
        column for column in competition.facts.labels.keep_columns if column in test and test[column].notna().any()
    ]
    train_columns, test_columns = (
        statistics.loc[part["id"]]
        .reset_index(drop=True)
        .join(part[kept_columns].reset_index(drop=True), rsuffix=" (table)")
        for part in (train, test)
    )
    groups = np.concatenate([train["group"].to_numpy(), test["group"].to_numpy()])
    return adversarial_auc(train_columns, test_columns, groups), kept_columns


def _image_statistics(competition: Competition, appearance: pd.DataFrame) -> pd.DataFrame:
    """Returns STATISTICS, height and width of all readable images, indexed by id."""
    sizes = read_measurements(competition).set_index("id")[["height", "width"]]
    return appearance.set_index("id")[STATISTICS].join(sizes, validate="one_to_one").astype(np.float64)


def columns_that_predict_classes(competition: Competition, dataset: Dataset) -> list[tuple[str, str, float]] | None:
    """Finds DICOM headers and kept columns that differ by class: a net can learn the scanner, not the disease.

    Args:
        competition: the competition, with the headers that the audit read.
        dataset: its training samples are examined.

    Returns:
        Column, class (or label) and strength, see `class_differences.predictive_columns`; None if there are no columns
        to examine.
    """
    facts = competition.facts
    attributes = sample_attributes(competition, dataset.train, IGNORED_HEADERS).astype(str)
    if not attributes.shape[1]:
        return None
    groups = dataset.train["group"].to_numpy()
    predictive = predictive_columns(attributes, dataset.targets, groups)
    return [(column, facts.label_names[number], strength) for column, number, strength in predictive]
