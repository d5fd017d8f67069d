"""The dataset of a competition: samples, targets and folds; what is missing is made."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from medfold.competition import Competition, PreparationSettings, setting_errors_located
from medfold.data.holdout import set_aside_holdout
from medfold.data.sample_files import needs_holdout
from medfold.data.scanning import scan_dataset
from medfold.data.targets import encode_targets
from medfold.errors import SettingError, UserError
from medfold.folds import (
    LeakReport,
    NearDuplicates,
    assign_folds,
    cached_near_duplicates,
    check_folds,
    find_leaks,
    join_duplicates,
    restore_folds_metadata,
    save_new_folds,
)
from medfold.images import read_appearance
from medfold.tables import write_csv
from medfold.text import count_of, shorten_list


@dataclass(frozen=True)
class Dataset:
    """The samples of a competition with folds, ready for training; images that cannot be read are left out.

    Args:
        train: training samples: id, group (the same for samples with equal images), fold and the columns of the sample
            table.
        targets: int (n,) or (n, labels), in the order of `train`.
        test: readable samples of the test set, with the columns of the sample table.
        test_groups: group of each unit of the test set, indexed by unit; units with unreadable images included.
        leaks: leaks between folds and into the test set; near-duplicates only if they were searched for.
        unreadable: training samples that were left out because their images cannot be read.
        has_new_folds: True if the folds were made just now, False if existing ones were used.
    """

    train: pd.DataFrame
    targets: np.ndarray
    test: pd.DataFrame
    test_groups: pd.Series
    leaks: LeakReport
    unreadable: pd.DataFrame
    has_new_folds: bool

    @property
    def num_units(self) -> int:
        """Number of units of the training set."""
        return self.train["unit"].nunique()


def make_dataset(
    competition: Competition,
    preparation: PreparationSettings | None = None,
    with_near_duplicates: bool = False,
    renew_folds: bool = False,
) -> Dataset:
    """Makes what is missing of the dataset (scan, store, holdout, folds), and returns it.

    At the first call for a competition it scans all images, cuts off the holdout (`labels.holdout`), joins groups that
    share an image, assigns the folds, searches for leaks, and writes the folds table. Later calls read these files,
    scan only new images, and check that the folds still fit. Raw data must be there; only that of a phantom competition
    is drawn.

    Args:
        competition: the competition; what is missing is written to its data/ and folds/.
        preparation: `preparation` of a recipe; if images are scanned, they are also written to the store of these
            settings. Defaults to none: images are only measured.
        with_near_duplicates: also search for near-duplicates, and write all leaks to leaks.csv. Defaults to False: only
            if folds are made, or if `folds.duplicates` is near.
        renew_folds: make new folds even if there are some. Defaults to False.

    Returns:
        The dataset, with a fold for each training sample.

    Raises:
        UserError: no raw data; images that cannot be read; existing folds that no longer match the data or the facts,
            or that split a group.
    """
    with setting_errors_located(competition.paths):  # in a notebook no command adds the file to the error
        facts = competition.facts
        paths = competition.paths
        _check_fold_method(competition)
        makes_folds = renew_folds or not paths.folds_table.is_file()
        joins_near = facts.folds.duplicates == "near"
        all_samples, near = _measured_samples(
            competition, preparation, with_near_duplicates or makes_folds or joins_near
        )
        joining = near if joins_near else None  # near-duplicates that join groups
        if needs_holdout(paths):
            all_samples = set_aside_holdout(competition, all_samples, joining)
        train, test, unreadable = _split_readable(all_samples)
        targets = encode_targets(facts, train)
        train["group"] = join_duplicates(train, joining)
        train["fold"] = _assigned_folds(competition, train, targets, unreadable, makes_folds)
        leaks = find_leaks(train, test, targets, near.pairs if near else None)
        _check_groups_are_whole(competition, leaks)
        _save(competition, train, leaks, makes_folds, is_complete=near is not None)
        return Dataset(
            train,
            targets,
            test,
            test_groups=_test_groups(all_samples),
            leaks=leaks,
            unreadable=unreadable[unreadable["part"] == "train"],
            has_new_folds=makes_folds,
        )


def _check_fold_method(competition: Competition) -> None:
    """Raises UserError if `folds.method` would split the groups that competition.yaml defines."""
    facts = competition.facts
    group_keys = [key for key in ("group", "group_pattern") if getattr(facts.labels, key)]
    if facts.folds.method == "stratified" and group_keys:
        fix = f"Set it to stratified_group or group, or remove labels.{group_keys[0]}"
        raise SettingError("method stratified would split the groups defined in 'labels'", "folds.method", fix)


def _measured_samples(
    competition: Competition, preparation: PreparationSettings | None, with_near_duplicates: bool
) -> tuple[pd.DataFrame, NearDuplicates | None]:
    """Loads the sample table with what the scan found of each image, and scans images that have not been measured.

    Returns:
        The sample table with the columns `unreadable_reason` and `pixel_hash`; the near-duplicates, None if they are
        not requested.
    """
    table, scan = scan_dataset(competition, preparation, with_appearance=with_near_duplicates)
    measured = scan.measurements
    table = table.merge(measured[["id", "unreadable_reason", "pixel_hash"]], on="id", validate="one_to_one")
    if not with_near_duplicates:
        return table, None
    appearance = read_appearance(competition)
    appearance = appearance.merge(measured[["id", "pixel_hash"]], on="id", validate="one_to_one")
    return table, cached_near_duplicates(competition.paths, appearance)


def _split_readable(all_samples: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Returns the readable samples of the training set, those of the test set, and the unreadable samples."""
    is_readable = all_samples["unreadable_reason"] == ""
    readable, unreadable = all_samples[is_readable].drop(columns="unreadable_reason"), all_samples[~is_readable]
    train, test = (readable[readable["part"] == part].reset_index(drop=True) for part in ("train", "test"))
    return train, test, unreadable


def _test_groups(all_samples: pd.DataFrame) -> pd.Series:
    """Returns the group of each unit of the test set, indexed by unit."""
    return all_samples[all_samples["part"] == "test"].drop_duplicates("unit").set_index("unit")["group"]


def _assigned_folds(
    competition: Competition, train: pd.DataFrame, targets: np.ndarray, unreadable: pd.DataFrame, makes_folds: bool
) -> np.ndarray:
    """Assigns a fold to each training sample, or reads the existing folds.

    Args:
        competition: the competition, with the number of folds and their method.
        train: readable training samples: id, group.
        targets: the targets, in the order of `train`.
        unreadable: samples that were left out; existing folds may hold them.
        makes_folds: False to read the existing folds.

    Returns:
        The fold of each sample, in the order of `train`.

    Raises:
        UserError: fewer groups than folds; or existing folds that do not fit the samples.
    """
    fold_facts = competition.facts.folds
    if makes_folds:
        return assign_folds(train["id"], targets, train["group"].to_numpy(), fold_facts)
    table = check_folds(competition.paths, train["id"], fold_facts, set(unreadable["id"]))
    return table.set_index("id")["fold"].loc[train["id"]].to_numpy()


def _check_groups_are_whole(competition: Competition, leaks: LeakReport) -> None:
    """Raises UserError if a group is in two folds."""
    if leaks.split_groups:
        groups = leaks.split_groups
        what = f"{count_of(len(groups), 'group is', 'groups are')} in two folds: {shorten_list(groups)}"
        raise UserError(what, competition.paths.folds_table, f"Run: {competition.command('folds', FORCE=1)}")


def _save(
    competition: Competition, train: pd.DataFrame, leaks: LeakReport, has_new_folds: bool, is_complete: bool
) -> None:
    """Writes new folds; and the leaks, if they are complete: near-duplicates were searched for."""
    if has_new_folds:
        save_new_folds(competition, train, leaks)
    else:
        restore_folds_metadata(competition, train, leaks)
    if is_complete:
        write_csv(leaks.table(), competition.paths.leaks)
