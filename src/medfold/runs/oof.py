"""The out-of-fold predictions and score of a run, from its trained folds: oof.csv and score.json."""

import numpy as np
import pandas as pd
from pydantic import TypeAdapter, ValidationError

from medfold.competition import CompetitionFacts
from medfold.config_errors import describe_errors
from medfold.earlier_versions import SCORE
from medfold.errors import UserError
from medfold.paths import RunPaths
from medfold.runs.fold_state import fold_states
from medfold.runs.prediction_files import write_prediction_table
from medfold.runs.run import read_run
from medfold.runs.train_command import train_command
from medfold.runs.trained_run import TrainedRun
from medfold.scoring import OofScore, oof_by_unit, oof_score
from medfold.system import json_files, locks
from medfold.terminal.console import warn
from medfold.text import shorten_list


def write_oof(
    facts: CompetitionFacts, run_paths: RunPaths, train: pd.DataFrame, targets: np.ndarray
) -> OofScore | None:
    """Concatenates the OOF tables of all trained folds, and writes oof.csv (or .npz) and score.json of the run.

    Args:
        facts: facts of the competition (the prediction columns, and the metrics).
        run_paths: paths of the run.
        train: the training samples: id, unit, group, fold; in the order of `targets`.
        targets: class numbers, int (n,); multilabel: 0 or 1 for each label, int (n, labels).

    Returns:
        The OOF score, as written; None, and nothing is written, if no fold is trained.
    """
    with locks.lock(run_paths.score):
        run = read_run(run_paths)
        states = fold_states(run_paths, run.num_folds)
        for number, names in states.damaged_files.items():
            text = f"{shorten_list(names)}: missing or changed since the training; not in the score"
            warn(f"fold {number}", f"{text}. To train it again: {run.train_command(FOLD=number)}")
        if not states.trained:
            return None
        oof = TrainedRun(run.paths, run.metadata, states.trained).read_oof(facts)
        units = oof_by_unit(facts, oof, train, targets, run_paths.oof, run.retrain_advice())
        score = oof_score(facts, units, run.is_optimistic)
        warnings = self_check_warnings(run_paths, states.trained)
        content = score.content() | ({"self_check_warnings": warnings} if warnings else {})
        write_prediction_table(oof, run_paths.oof)
        json_files.write(content, run_paths.score, sealed=True)
    return score


def read_score(run_paths: RunPaths) -> OofScore | None:
    """Reads the OOF score of a run from score.json; None if there is none.

    Raises:
        UserError: the file is damaged, lacks a key, or has a value of a different type.
    """
    if not run_paths.score.is_file():
        return None
    content = json_files.read(run_paths.score, SCORE)
    try:
        return TypeAdapter(OofScore).validate_python(content if isinstance(content, dict) else {})
    except ValidationError as error:
        fix = f"To compute it again, run: {train_command(run_paths)}"
        raise UserError(next(iter(describe_errors(error).values())), run_paths.score, fix) from None


def self_check_warnings(run_paths: RunPaths, folds: list[int]) -> dict[str, list[str]]:
    """Returns the warnings of each fold's self-check, by fold; folds without a warning are left out."""
    warnings = {
        str(number): json_files.read(run_paths.fold(number).self_check_warnings, schema=list[str]) for number in folds
    }
    return {number: lines for number, lines in warnings.items() if lines}
