"""The dataset of a competition: samples, targets and folds; images scanned, folds made once and then kept."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from medfold import files
from medfold.competition import ImageSettings, Project
from medfold.console import format_duration, say, warn
from medfold.data import samples
from medfold.data.raw_data import load_samples
from medfold.data.samples import encode_targets, needs_holdout
from medfold.errors import UserError, shorten_list
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
from medfold.images import read_appearance, scan_images, store_key

SHOWN = 3  # bad images on the terminal


@dataclass(frozen=True)
class Dataset:
    """The samples of a competition with folds, ready to train on; images that cannot be read are left out.

    Args:
        train: id, group (duplicates joined), fold and the columns of the sample table.
        targets: int (n,) or (n, labels), in the order of `train`.
        test: the test samples.
        test_groups: the group of each unit of the test part, of unreadable images too, by unit.
        leaks: what the audit found; near-duplicates only if they were looked for.
        unreadable: the training samples that were left out, since their images cannot be read.
        folds_made: True if the folds were made just now, False if they were kept.
        appearance: a row for each image, for the audit; None if it was not asked for.
        near_duplicates: images that look alike; None if they were not looked for.
    """

    train: pd.DataFrame
    targets: np.ndarray
    test: pd.DataFrame
    test_groups: pd.Series
    leaks: LeakReport
    unreadable: pd.DataFrame
    folds_made: bool
    appearance: pd.DataFrame | None
    near_duplicates: NearDuplicates | None


def load_dataset(
    project: Project, prepare: ImageSettings | None = None, audit: bool = False, renew_folds: bool = False
) -> Dataset:
    """Loads samples, targets and folds; gets data, scans images and makes folds where these are missing.

    Args:
        prepare: if the images must be scanned first, they are prepared for the store of this recipe, too.
        audit: also looks for near-duplicates. Defaults to False: only if folds are made, or join them.
        renew_folds: makes new folds even if some are kept.

    Raises:
        UserError: kept folds that no longer fit data or facts, or that split a group.
    """
    competition, paths, options = project.competition, project.paths, project.competition.folds
    if options.method == "stratified" and (competition.labels.group or competition.labels.group_pattern):
        fix = "Set it to stratified-group or group, or take labels.group out"
        raise UserError("method stratified would split the groups that 'labels' names", "folds.method", fix)
    kept = paths.folds.is_file() and not renew_folds
    audit = audit or not kept or options.duplicates == "near"
    everything, known = scan_dataset(project, prepare, with_appearance=audit)
    everything = everything.merge(known[["id", "bad", "hash"]], on="id", validate="one_to_one")
    appearance = near = None
    if audit:
        sizes_and_hashes = known[["id", "height", "width", "hash"]]
        appearance = read_appearance(competition, paths).merge(sizes_and_hashes, on="id", validate="one_to_one")
        near = load_near_duplicates(paths, appearance)
    together = near if options.duplicates == "near" else None
    if needs_holdout(paths):
        everything = _set_aside(project, everything, together)
    test_groups = everything[everything["part"] == "test"].drop_duplicates("unit").set_index("unit")["group"]
    good = everything[everything["bad"] == ""].drop(columns="bad")
    train = good[good["part"] == "train"].reset_index(drop=True)
    test = good[good["part"] == "test"].reset_index(drop=True)
    targets = encode_targets(competition, train)
    train["group"] = _joined(train, together)

    if kept:
        unreadable = set(everything.loc[everything["bad"] != "", "id"])
        fold = check_folds(paths, train["id"], options, unreadable).set_index("id")["fold"]
        train["fold"] = fold.loc[train["id"]].to_numpy()
    else:
        train["fold"] = assign_folds(train["id"], targets, train["group"].to_numpy(), options)
    leaks = find_leaks(train, test, targets, near.pairs if near else None)
    if leaks.split:
        fix = f"Run: {project.command('folds', FORCE=1)}"
        raise UserError(f"{len(leaks.split)} groups stand in two folds: {shorten_list(leaks.split)}", paths.folds, fix)
    if not kept:
        origin = {
            "folds": options.model_dump(),
            "samples": len(train),
            "groups": int(train["group"].nunique()),
            "audit": leaks.counts(),
        }
        before = write_folds(paths, train, origin)
        say("folds", f"made: {folds_in_words(project, train)}")
        if before:
            say("folds", f"the former ones are kept as {project.display(before)}; runs on them keep their scores")
    if near is not None:
        files.write_csv(leaks.table(), paths.audit)
    unreadable = everything[(everything["part"] == "train") & (everything["bad"] != "")]
    return Dataset(train, targets, test, test_groups, leaks, unreadable, not kept, appearance, near)


def folds_in_words(project: Project, train: pd.DataFrame) -> str:
    """'5 folds, stratified-group, seed 42, 80 groups -> folds/x.csv'.

    Args:
        train: the training samples: group.
    """
    options = project.competition.folds
    how = f"{options.k} folds, {options.method}, seed {options.seed}, {train['group'].nunique():,} groups"
    return f"{how} -> {project.display(project.paths.folds)}"


def _joined(good: pd.DataFrame, near: NearDuplicates | None) -> np.ndarray:
    """The group of each sample whose image can be read; groups that share equal or near-duplicate images are merged."""
    shared = [good["hash"].to_numpy()]
    if near is not None:
        shared.append(near.cluster_of(good["id"]))
    return merge_groups(good["group"].to_numpy(), *shared)


def _set_aside(project: Project, everything: pd.DataFrame, near: NearDuplicates | None) -> pd.DataFrame:
    """Cuts the hold-out: images that cannot be read stay in the training part, where they are left out.

    Args:
        everything: the sample table, with `bad` and `hash` of each image.
        near: what looks alike, where that joins groups.
    """
    competition, share = project.competition, project.competition.labels.holdout
    good = (everything["bad"] == "").to_numpy()
    readable = everything[good]
    aside = np.zeros(len(everything), bool)
    targets = encode_targets(competition, readable)
    aside[good] = choose_holdout(readable["id"], targets, _joined(readable, near), share, competition.folds.seed)
    columns = everything.drop(columns=["bad", "hash"])
    with files.lock(project.paths.samples):
        table = samples.split_off_holdout(competition, project.paths, columns, aside)
    cut = f"{aside.sum():,} of {good.sum():,} images ({aside.sum() / good.sum():.1%}, {share:.1%} asked for)"
    say("holdout", f"{cut} become the test part, copies of an image in one part")
    return table.assign(bad=everything["bad"], hash=everything["hash"])


def scan_dataset(
    project: Project, choices: ImageSettings | None = None, with_appearance: bool = False, quiet: bool = True
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The sample table and what was measured of each image; looks at them first, where that is missing.

    Args:
        choices: prepares the images too, for the store of this recipe. Defaults to measuring only.
        with_appearance: also sees to what the audit needs.
        quiet: warns of bad images only if it looked at any just now.

    Returns:
        The sample table; the measurements, in its order.
    """
    competition, paths = project.competition, project.paths
    table = load_samples(project)
    done = scan_images(competition, paths, table, choices, with_appearance)
    if done.images:
        made = f"{done.images:,} images looked at"
        if choices:
            made = f"{done.images:,} images at {choices.size}x{choices.size} px"
            made += f" -> {project.display(paths.store(store_key(competition, paths, choices)))}"
        rate = f", {done.images / done.seconds:,.0f} a second" if done.seconds > 1 else ""
        say("prepare", f"{made}, {format_duration(done.seconds)}{rate}")
    if done.images or not quiet:
        _warn_of_bad(project, table, done.measured)
    return table, done.measured


def _warn_of_bad(project: Project, table: pd.DataFrame, known: pd.DataFrame) -> None:
    bad = (known["bad"] != "").to_numpy()
    if not bad.any():
        return
    parts = table.loc[bad, "part"].value_counts()
    told = " and ".join(
        f"{parts[part]:,} {word}" for part, word in (("train", "training"), ("test", "test")) if part in parts
    )
    fate = "left out of training; a test image among them gets the mean of the training labels"
    warn("prepare", f"{told} images cannot be read: {fate}")
    for row in bad.nonzero()[0][:SHOWN]:
        warn("", f"{table['image'].iloc[row]}: {known['bad'].iloc[row]}")
    warn("", f"all of them: {project.display(project.paths.bad_images)}")
