"""The out-of-fold predictions and score of a run, from its trained folds."""

from typing import Any

import numpy as np
import pandas as pd

from medfold.competition import CompetitionFacts
from medfold.run_paths import RunPaths
from medfold.runs.fold_state import train_fold_command
from medfold.runs.trained_run import TrainedRun
from medfold.scoring import oof_by_unit, oof_score
from medfold.system import files, locks
from medfold.tables import write_csv
from medfold.terminal.console import warn
from medfold.text import shorten_list


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


def self_check_warnings(run_paths: RunPaths, folds: list[int]) -> dict[str, list[str]]:
    """Returns the warnings of each fold's self-check, by fold; folds without a warning are left out."""
    warnings = {str(fold): files.read_json(run_paths.fold(fold).self_check_warnings) for fold in folds}
    return {fold: lines for fold, lines in warnings.items() if lines}
