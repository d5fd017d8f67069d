"""Stage `folds`: made once, then kept, and audited each time."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from medfold import files, folds, samples
from medfold.audit import Audit, audit
from medfold.errors import UserError, some
from medfold.images import store
from medfold.stages.data import samples_of
from medfold.stages.project import Project
from medfold.terminal import say, table, warn


@dataclass(frozen=True)
class Table:
    """Samples with folds, ready to train on.

    Args:
        train: id, group (duplicates joined), fold and the columns of the sample table.
        targets: int (n,) or (n, labels), in the order of `train`.
        test: the test samples.
    """

    train: pd.DataFrame
    targets: np.ndarray
    test: pd.DataFrame
    audit: Audit


def make_folds(project: Project, force: bool = False, quiet: bool = False) -> Table:
    """Builds the folds, or checks those that are kept, and audits them.

    Args:
        force: builds new ones in any case.
        quiet: says something only if folds were built.

    Raises:
        UserError: kept folds that no longer fit data or facts, or that split a group.
    """
    competition, paths, options = project.competition, project.paths, project.competition.folds
    everything = samples_of(project)
    if options.method == "stratified" and (competition.labels.group or competition.labels.group_pattern):
        fix = "Set it to stratified-group or group, or take labels.group out"
        raise UserError("method stratified would split the groups that 'labels' names", "folds.method", fix)
    everything = everything.merge(
        store.pixel_hashes(competition, paths, everything)[["id", "hash"]], on="id", validate="one_to_one"
    )
    train = everything[everything["part"] == "train"].reset_index(drop=True)
    test = everything[everything["part"] == "test"].reset_index(drop=True)
    targets = samples.encode(competition, train)
    train["group"] = folds.join_duplicates(train["group"].to_numpy(), train["hash"].to_numpy())

    kept = paths.folds.is_file() and not force
    if kept:
        fold = folds.check(paths, train["id"], options).set_index("id")["fold"]
        train["fold"] = fold.loc[train["id"]].to_numpy()
    else:
        train["fold"] = folds.assign(train["id"], targets, train["group"].to_numpy(), options)
    found = audit(train, test, targets)
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
        folds.write(paths, train, origin)
    files.write_csv(found.table(), paths.audit)
    if not (quiet and kept):
        _show_folds(project, train, targets, found, kept)
    return Table(train, targets, test, found)


def _show_folds(project: Project, train: pd.DataFrame, targets: np.ndarray, found: Audit, kept: bool) -> None:
    options, competition = project.competition.folds, project.competition
    names = competition.labels.targets if competition.task == "multilabel" else competition.class_names
    if not competition.classes and competition.task == "binary":
        names = [f"{competition.labels.targets[0]}={name}" for name in names]
    groups = train["group"].to_numpy()
    state = "kept" if kept else "made"
    how = f"{options.k} folds, {options.method}, seed {options.seed}, {train['group'].nunique():,} groups"
    say("folds", f"{state}: {how} -> {project.shown(project.paths.folds)}")
    for name, count in folds.scarce(targets, groups, names, options.k).items():
        warn("folds", f"warning: class {name} is in {count} groups only, so {options.k - count} folds have none of it")
    rows = folds.balance(targets, groups, train["fold"].to_numpy(), names)
    if len(names) <= 14:
        table(rows.columns, rows.to_numpy().tolist())
    for number, (fact, value) in enumerate(found.lines()):
        (warn if value != "none" else say)("audit" if number == 0 else "", f"{fact:<33}{value}")
    if any(found.counts().values()):
        say("", f"all of them: {project.shown(project.paths.audit)}")
