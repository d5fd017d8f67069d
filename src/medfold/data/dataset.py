"""The dataset of a competition: samples, targets and folds. Scans the images; makes the folds once and keeps them."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from medfold import files
from medfold.competition import ImageSettings, Project
from medfold.console import say
from medfold.data import samples
from medfold.data.samples import encode_targets, needs_holdout
from medfold.data.scanning import scan_dataset
from medfold.errors import UserError, count_of, shorten_list
from medfold.folds import (
    LeakReport,
    NearDuplicates,
    assign_folds,
    check_folds,
    choose_holdout,
    find_leaks,
    load_near_duplicates,
    merge_groups,
    write_folds,
)
from medfold.images import read_appearance


@dataclass(frozen=True)
class Dataset:
    """The samples of a competition with folds, ready for training; images that cannot be read are left out.

    Args:
        train: training samples: id, group (duplicates joined), fold and the columns of the sample table.
        targets: int (n,) or (n, labels), in the order of `train`.
        test: test samples.
        test_groups: group of each unit of the test part, indexed by unit; units with unreadable images included.
        leaks: leaks that the audit found; near-duplicates only if the audit ran.
        unreadable: training samples that were left out because their images cannot be read.
        has_new_folds: True if the folds were made just now, False if existing ones were used.
        appearance: one row per image with its hash, size and appearance, for the audit; None without an audit.
        near_duplicates: images that look alike; None without an audit.
    """

    train: pd.DataFrame
    targets: np.ndarray
    test: pd.DataFrame
    test_groups: pd.Series
    leaks: LeakReport
    unreadable: pd.DataFrame
    has_new_folds: bool
    appearance: pd.DataFrame | None
    near_duplicates: NearDuplicates | None


def load_dataset(
    project: Project, image_settings: ImageSettings | None = None, audit: bool = False, renew_folds: bool = False
) -> Dataset:
    """Loads samples, targets and folds; gets the data, scans the images and makes the folds where they are missing.

    Args:
        image_settings: those of a recipe; if images must be scanned first, also prepares them for the store of it.
        audit: also searches for near-duplicates. Defaults to False: only if folds are made, or if they join
            near-duplicates.
        renew_folds: makes new folds even if there are some.

    Raises:
        UserError: existing folds that no longer match the data or the facts, or that split a group.
    """
    competition, paths, fold_facts = project.competition, project.paths, project.competition.folds
    if fold_facts.method == "stratified" and (competition.labels.group or competition.labels.group_pattern):
        fix = "Set it to stratified-group or group, or remove labels.group"
        raise UserError("method stratified would split the groups defined in 'labels'", "folds.method", fix)
    has_folds = paths.folds.is_file() and not renew_folds
    audit = audit or not has_folds or fold_facts.duplicates == "near"
    all_samples, measured = scan_dataset(project, image_settings, with_appearance=audit)
    all_samples = all_samples.merge(measured[["id", "bad", "hash"]], on="id", validate="one_to_one")
    appearance = near = None
    if audit:
        sizes_and_hashes = measured[["id", "height", "width", "hash"]]
        appearance = read_appearance(competition, paths).merge(sizes_and_hashes, on="id", validate="one_to_one")
        near = load_near_duplicates(paths, appearance)
    joined = near if fold_facts.duplicates == "near" else None  # near-duplicates that join groups
    if needs_holdout(paths):
        all_samples = _split_off_holdout(project, all_samples, joined)
    test_groups = all_samples[all_samples["part"] == "test"].drop_duplicates("unit").set_index("unit")["group"]
    readable = all_samples[all_samples["bad"] == ""].drop(columns="bad")
    train = readable[readable["part"] == "train"].reset_index(drop=True)
    test = readable[readable["part"] == "test"].reset_index(drop=True)
    targets = encode_targets(competition, train)
    train["group"] = _merged_groups(train, joined)

    if has_folds:
        unreadable = set(all_samples.loc[all_samples["bad"] != "", "id"])
        fold = check_folds(paths, train["id"], fold_facts, unreadable).set_index("id")["fold"]
        train["fold"] = fold.loc[train["id"]].to_numpy()
    else:
        train["fold"] = assign_folds(train["id"], targets, train["group"].to_numpy(), fold_facts)
    leaks = find_leaks(train, test, targets, near.pairs if near else None)
    if leaks.split:
        fix = f"Run: {project.command('folds', FORCE=1)}"
        raise UserError(
            f"{count_of(len(leaks.split), 'group is', 'groups are')} in two folds: {shorten_list(leaks.split)}",
            paths.folds,
            fix,
        )
    if not has_folds:
        metadata = {
            "folds": fold_facts.model_dump(),
            "samples": len(train),
            "groups": int(train["group"].nunique()),
            "audit": leaks.counts(),
        }
        backup = write_folds(paths, train, metadata)
        say("folds", f"made: {format_folds(project, train)}")
        if backup:
            say(
                "folds",
                f"the earlier folds are kept as {project.display(backup)}; the scores of runs on them stay valid",
            )
    if near is not None:
        files.write_csv(leaks.table(), paths.audit)
    unreadable = all_samples[(all_samples["part"] == "train") & (all_samples["bad"] != "")]
    return Dataset(train, targets, test, test_groups, leaks, unreadable, not has_folds, appearance, near)


def format_folds(project: Project, train: pd.DataFrame) -> str:
    """Folds as text: '5 folds, stratified-group, seed 42, 80 groups -> folds/x.csv'.

    Args:
        train: training samples with the column group.
    """
    fold_facts = project.competition.folds
    description = (
        f"{fold_facts.k} folds, {fold_facts.method}, seed {fold_facts.seed}, "
        f"{count_of(train['group'].nunique(), 'group')}"
    )
    return f"{description} -> {project.display(project.paths.folds)}"


def _merged_groups(readable: pd.DataFrame, near: NearDuplicates | None) -> np.ndarray:
    """The group of each readable sample; groups that share equal or near-duplicate images are merged."""
    shared = [readable["hash"].to_numpy()]
    if near is not None:
        shared.append(near.cluster_of(readable["id"]))
    return merge_groups(readable["group"].to_numpy(), *shared)


def _split_off_holdout(project: Project, all_samples: pd.DataFrame, near: NearDuplicates | None) -> pd.DataFrame:
    """Chooses the hold-out and moves it to the test part.

    Images that cannot be read stay in the training part, where they are left out.

    Args:
        all_samples: the sample table with `bad` and `hash` of each image.
        near: near-duplicates, where they join groups.
    """
    competition, share = project.competition, project.competition.labels.holdout
    is_readable = (all_samples["bad"] == "").to_numpy()
    readable = all_samples[is_readable]
    in_holdout = np.zeros(len(all_samples), bool)
    targets, groups = encode_targets(competition, readable), _merged_groups(readable, near)
    in_holdout[is_readable] = choose_holdout(readable["id"], targets, groups, share, competition.folds.seed)
    columns = all_samples.drop(columns=["bad", "hash"])
    with files.lock(project.paths.samples):
        table = samples.split_off_holdout(competition, project.paths, columns, in_holdout)
    count, total = in_holdout.sum(), is_readable.sum()
    moved = f"{count:,} of {total:,} images ({count / total:.1%}, {share:.1%} requested)"
    say("holdout", f"{moved} become the test part; copies of an image stay in one part")
    return table.assign(bad=all_samples["bad"], hash=all_samples["hash"])
