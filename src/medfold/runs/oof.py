"""The out-of-fold predictions and score of a run, from its trained folds."""

from typing import Any

import numpy as np
import pandas as pd

from medfold.competition import CompetitionFacts
from medfold.run_paths import RunPaths
from medfold.runs.fold_state import train_fold_command, trained_and_damaged_folds
from medfold.runs.predictions import read_predictions
from medfold.runs.run_json import is_optimistic, read_run
from medfold.scoring import oof_by_unit, oof_score
from medfold.system import files, locks
from medfold.terminal.console import warn
from medfold.text import shorten_list


def write_oof(
    competition: CompetitionFacts, run_paths: RunPaths, train: pd.DataFrame, targets: np.ndarray
) -> dict[str, Any]:
    """Concatenates the OOF tables of all trained folds, and writes oof.csv and score.json of the run.

    Args:
        competition: the facts (the number of folds, and the metrics).
        run_paths: paths of the run.
        train: the training samples: id, unit, group, fold; in the order of `targets`.
        targets: int (n,) or (n, labels).

    Returns:
        The contents of score.json.
    """
    with locks.lock(run_paths.oof):
        folds, damaged = trained_and_damaged_folds(run_paths, competition.folds.k)
        for fold, names in damaged.items():
            text = f"{shorten_list(names)}: missing or changed since the training; not in the score"
            warn(f"fold {fold}", f"{text}. To train it again: {train_fold_command(run_paths, fold)}")
        oof = pd.concat([read_predictions(competition, run_paths.fold(fold).oof) for fold in folds], ignore_index=True)
        result = oof_score(
            competition, oof_by_unit(competition, oof, train, targets), is_optimistic(read_run(run_paths))
        )
        if warnings := self_check_warnings(run_paths, folds):
            result["self_check_warnings"] = warnings
        files.write_csv(oof, run_paths.oof)
        files.write_json(result, run_paths.score, sealed=True)
    return result


def self_check_warnings(run_paths: RunPaths, folds: list[int]) -> dict[str, list[str]]:
    """Returns the warnings of each fold's self-check, by fold; folds without a warning are left out."""
    warnings = {str(fold): files.read_json(run_paths.fold(fold).checks) for fold in folds}
    return {fold: lines for fold, lines in warnings.items() if lines}
