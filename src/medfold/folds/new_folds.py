"""Writes new folds with metadata of how they were made, and says so."""

from typing import Any

import pandas as pd

from medfold.competition import Competition
from medfold.folds.folds_table import DAMAGED, write_folds
from medfold.folds.leaks import LeakReport
from medfold.project_root import display_path
from medfold.system import json_files
from medfold.terminal.console import say, warn
from medfold.text import count_of


def save_new_folds(competition: Competition, train: pd.DataFrame, leaks: LeakReport) -> None:
    """Writes new folds, their counts and those of their leaks; different earlier folds are renamed and stay.

    Args:
        competition: the competition whose facts the folds were made by.
        train: training samples with the columns id, group and fold.
        leaks: what was found in these folds; its counts are recorded.
    """
    backup = write_folds(competition.paths, train, _metadata(competition, train, leaks))
    say("folds", f"made: {format_folds(competition, train)}")
    if backup == competition.paths.older_folds(DAMAGED):
        say("folds", f"the damaged folds table is kept as {display_path(backup)}")
    elif backup:
        say("folds", f"the earlier folds are kept as {display_path(backup)}; the scores of runs on them stay valid")


def restore_folds_metadata(competition: Competition, train: pd.DataFrame, leaks: LeakReport) -> None:
    """Writes the metadata of folds that have none, as if they had been made by the current facts, and says so.

    Args:
        competition: its `folds` facts are recorded as the facts of these folds.
        train: training samples with the columns id, group and fold.
        leaks: what was found in these folds; its counts are recorded.
    """
    path = competition.paths.folds_metadata
    if not path.is_file():
        json_files.write(_metadata(competition, train, leaks), path)
        warn(
            "folds",
            f"{path.name} was missing: made again from competition.yaml, "
            "which may have changed since the folds were made",
        )


def _metadata(competition: Competition, train: pd.DataFrame, leaks: LeakReport) -> dict[str, Any]:
    return {
        "folds": competition.facts.folds.model_dump(),
        "num_samples": len(train),
        "num_groups": int(train["group"].nunique()),
        "leak_counts": leaks.counts(),
    }


def format_folds(competition: Competition, train: pd.DataFrame) -> str:
    """Formats the folds as text: '5 folds, stratified_group, seed 42, 80 groups -> folds/x.csv'.

    Args:
        competition: the competition: fold settings, and the path of the folds table.
        train: training samples with the column group.
    """
    fold_facts = competition.facts.folds
    description = (
        f"{fold_facts.k} folds, {fold_facts.method}, seed {fold_facts.seed}, "
        f"{count_of(train['group'].nunique(), 'group')}"
    )
    return f"{description} -> {display_path(competition.paths.folds_table)}"
