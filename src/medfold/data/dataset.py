"""Stage `folds`: made once, then kept, and audited each time."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from medfold import files
from medfold.commands.prepare import looked_at
from medfold.competition.facts import Competition
from medfold.competition.facts import Folds as FoldOptions
from medfold.competition.project import Project
from medfold.competition.recipe import Images
from medfold.console import say, table, warn
from medfold.data import samples
from medfold.errors import UserError, some
from medfold.folds import splitters
from medfold.folds.audit import Near, near_duplicates_of, show_suspicions
from medfold.folds.leaks import Audit, audit
from medfold.images import scan
from medfold.submission import table as submission


@dataclass(frozen=True)
class Table:
    """Samples with folds, ready to train on; images that cannot be read are left out.

    Args:
        train: id, group (duplicates joined), fold and the columns of the sample table.
        targets: int (n,) or (n, labels), in the order of `train`.
        test: the test samples.
        test_groups: the group of each unit of the test part, of unreadable images too, by unit.
        audit: what was found.
    """

    train: pd.DataFrame
    targets: np.ndarray
    test: pd.DataFrame
    test_groups: pd.Series
    audit: Audit


def make_folds(project: Project, force: bool = False, quiet: bool = False, choices: Images | None = None) -> Table:
    """Builds the folds, or checks those that are kept, and audits them.

    Args:
        force: builds new ones in any case.
        quiet: says something only if folds were built; audits no more than is needed to trust them.
        choices: if the images must be looked at first, they are prepared for the store of this recipe, too.

    Raises:
        UserError: kept folds that no longer fit data or facts, or that split a group.
    """
    competition, paths, options = project.competition, project.paths, project.competition.folds
    if options.method == "stratified" and (competition.labels.group or competition.labels.group_pattern):
        fix = "Set it to stratified-group or group, or take labels.group out"
        raise UserError("method stratified would split the groups that 'labels' names", "folds.method", fix)
    kept = paths.folds.is_file() and not force
    audited = options.duplicates == "near" or not (quiet and kept)
    everything, known = looked_at(project, choices, with_appearance=audited)
    everything = everything.merge(known[["id", "bad", "hash"]], on="id", validate="one_to_one")
    seen = near = None
    if audited:
        sizes_and_hashes = known[["id", "height", "width", "hash"]]
        seen = scan.appearance(competition, paths).merge(sizes_and_hashes, on="id", validate="one_to_one")
        near = near_duplicates_of(project, seen)
    together = near if options.duplicates == "near" else None
    if samples.undivided(paths):
        everything = _set_aside(project, everything, together)
    test_groups = everything[everything["part"] == "test"].drop_duplicates("unit").set_index("unit")["group"]
    good = everything[everything["bad"] == ""].drop(columns="bad")
    train = good[good["part"] == "train"].reset_index(drop=True)
    test = good[good["part"] == "test"].reset_index(drop=True)
    targets = samples.encode(competition, train)
    if not (quiet and kept):
        submission.rehearse(competition, samples.sample_submission(competition, paths), test_groups.index.tolist())
    if competition.score.unit and not quiet:
        tell_of_lost_labels(competition, everything[everything["part"] == "train"])
    train["group"] = _joined(train, together)

    if kept:
        unreadable = set(everything.loc[everything["bad"] != "", "id"])
        fold = splitters.check(paths, train["id"], options, unreadable).set_index("id")["fold"]
        train["fold"] = fold.loc[train["id"]].to_numpy()
    else:
        train["fold"] = splitters.assign(train["id"], targets, train["group"].to_numpy(), options)
    found = audit(train, test, targets, near.pairs if near else None)
    if found.split:
        fix = f"Run: {project.command('folds', FORCE=1)}"
        raise UserError(f"{len(found.split)} groups stand in two folds: {some(found.split)}", paths.folds, fix)
    if not kept:
        origin = {
            "folds": options.model_dump(),
            "samples": len(train),
            "groups": int(train["group"].nunique()),
            "audit": found.counts(),
        }
        before = splitters.write(paths, train, origin)
        if before:
            say("folds", f"the former ones are kept as {project.shown(before)}; runs on them keep their scores")
    if near is not None:
        files.write_csv(found.table(), paths.audit)
    if not (quiet and kept):
        _show_folds(project, train, targets, found, kept)
        show_suspicions(project, train, test, targets, seen, near)
    return Table(train, targets, test, test_groups, found)


def _joined(good: pd.DataFrame, near: Near | None) -> np.ndarray:
    """The groups of samples whose images can be read: those of equal images are one, and of alike ones where given."""
    shared = [good["hash"].to_numpy()]
    if near is not None:
        shared.append(near.cluster_of(good["id"]))
    return splitters.join_groups(good["group"].to_numpy(), *shared)


def _set_aside(project: Project, everything: pd.DataFrame, near: Near | None) -> pd.DataFrame:
    """Cuts the hold-out: images that cannot be read stay in the training part, where they are left out.

    Args:
        everything: the sample table, with `bad` and `hash` of each image.
        near: what looks alike, where that joins groups.
    """
    competition, share = project.competition, project.competition.labels.holdout
    good = (everything["bad"] == "").to_numpy()
    readable = everything[good]
    aside = np.zeros(len(everything), bool)
    targets = samples.encode(competition, readable)
    aside[good] = splitters.aside(readable["id"], targets, _joined(readable, near), share, competition.folds.seed)
    columns = everything.drop(columns=["bad", "hash"])
    with files.lock(project.paths.samples):
        table = samples.set_aside(competition, project.paths, columns, aside)
    cut = f"{aside.sum():,} of {good.sum():,} images ({aside.sum() / good.sum():.1%}, {share:.1%} asked for)"
    say("holdout", f"{cut} become the test part, copies of an image in one part")
    return table.assign(bad=everything["bad"], hash=everything["hash"])


def _show_folds(project: Project, train: pd.DataFrame, targets: np.ndarray, found: Audit, kept: bool) -> None:
    options, competition = project.competition.folds, project.competition
    names = competition.labels.targets if competition.task == "multilabel" else competition.class_names
    if not competition.classes and competition.task == "binary":
        names = [f"{competition.labels.targets[0]}={name}" for name in names]
    groups = train["group"].to_numpy()
    state = "kept" if kept else "made"
    how = f"{options.k} folds, {options.method}, seed {options.seed}, {train['group'].nunique():,} groups"
    say("folds", f"{state}: {how} -> {project.shown(project.paths.folds)}")
    for name, count in splitters.scarce(targets, groups, names, options.k).items():
        warn("folds", f"warning: class {name} is in {count} groups only, so {options.k - count} folds have none of it")
    largest = int(train["group"].value_counts().max())
    if largest > len(train) / options.k:
        share = f"the largest group holds {largest:,} of {len(train):,} images"
        warn("folds", f"warning: {share}, so folds cannot be of one size{_chained(options)}")
    rows = splitters.balance(targets, groups, train["fold"].to_numpy(), names)
    if len(names) <= 14:
        table(rows.columns, rows.to_numpy().tolist())
    for number, (fact, value) in enumerate(found.lines()):
        (warn if value != "none" else say)("audit" if number == 0 else "", f"{fact:<33}{value}")
    if any(found.counts().values()):
        say("", f"all of them: {project.shown(project.paths.audit)}")


def _chained(options: FoldOptions) -> str:
    return "; near-duplicates make chains (folds.duplicates)" if options.duplicates == "near" else ""


def tell_of_lost_labels(competition: Competition, train: pd.DataFrame) -> None:
    """Units whose label stands with an image that cannot be read: they are trained and scored by the others alone."""
    good = (train["bad"] == "").to_numpy()
    if good.all():
        return
    labels = pd.DataFrame(samples.encode(competition, train).reshape(len(train), -1))
    of_all, of_good = (labels[rows].groupby(train["unit"].to_numpy()[rows]).max() for rows in (good | True, good))
    lost = of_good.index[(of_all.loc[of_good.index] != of_good).any(axis=1)]
    if len(lost):
        told = f"{len(lost):,} units have a label with an image that cannot be read, and count as without it"
        warn("folds", f"{told}: {some(lost)}")
