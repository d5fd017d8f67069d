"""The out-of-fold predictions and score of a run, from its trained folds: oof.csv and score.json."""

from typing import Any

import numpy as np
import pandas as pd

from medfold.competition import CompetitionFacts
from medfold.earlier_versions import SCORE
from medfold.errors import UserError
from medfold.run_paths import RunPaths
from medfold.runs.fold_state import train_fold_command
from medfold.runs.run_json import first_train_command
from medfold.runs.trained_run import TrainedRun
from medfold.scoring import oof_by_unit, oof_score
from medfold.system import files, locks
from medfold.tables import write_csv
from medfold.terminal.console import warn
from medfold.text import shorten_list

# Keys of score.json without which it cannot be read.
REQUIRED_SCORE_KEYS = ("value", "low", "high", "trained_folds")


def write_oof(facts: CompetitionFacts, run_paths: RunPaths, train: pd.DataFrame, targets: np.ndarray) -> dict[str, Any]:
    """Concatenates the OOF tables of all trained folds, and writes oof.csv and score.json of the run.

    Args:
        facts: facts of the competition (the prediction columns, and the metrics).
        run_paths: paths of the run.
        train: the training samples: id, unit, group, fold; in the order of `targets`.
        targets: int (n,) or (n, labels).

    Returns:
        The contents of score.json.
    """
    with locks.lock(run_paths.oof):
        run = TrainedRun.read(run_paths)
        for fold, names in run.damaged_files.items():
            text = f"{shorten_list(names)}: missing or changed since the training; not in the score"
            warn(f"fold {fold}", f"{text}. To train it again: {train_fold_command(run_paths, fold)}")
        oof = run.read_oof(facts)
        result = oof_score(facts, oof_by_unit(facts, oof, train, targets), run.is_optimistic)
        if warnings := self_check_warnings(run_paths, run.trained_folds):
            result["self_check_warnings"] = warnings
        write_csv(oof, run_paths.oof)
        files.write_json(result, run_paths.score, sealed=True)
    return result


def read_score(run_paths: RunPaths) -> dict[str, Any] | None:
    """Reads score.json of a run; None if there is none.

    Raises:
        UserError: the file is damaged, or lacks a key.
    """
    if not run_paths.score.is_file():
        return None
    score = files.read_json(run_paths.score, SCORE)
    if missing := [key for key in REQUIRED_SCORE_KEYS if not isinstance(score, dict) or key not in score]:
        fix = f"To compute it again, run: {first_train_command(run_paths)}"
        raise UserError(f"no key '{missing[0]}'", run_paths.score, fix)
    return score


def self_check_warnings(run_paths: RunPaths, folds: list[int]) -> dict[str, list[str]]:
    """Returns the warnings of each fold's self-check, by fold; folds without a warning are left out."""
    warnings = {str(fold): files.read_json(run_paths.fold(fold).self_check_warnings) for fold in folds}
    return {fold: lines for fold, lines in warnings.items() if lines}
