"""Run folders: what was trained, which folds are trained, and whether a run still fits the competition.

- `run_names`: names of runs;
- `run_json`: what a run was started with;
- `run`: a run by its run.json;
- `train_command`: the command that trains a run;
- `packing_locks`: runs that are packed for a notebook;
- `fold_state`: which folds are trained, which are damaged;
- `trained_run`: a run with its trained folds;
- `predictions`: tables of predictions;
- `prediction_files`: files with these tables;
- `oof`: the OOF predictions and score of a run;
- `run_list`: all runs of a competition;
- `timing`: how long runs were trained;
- `comparison`: two runs, by a paired bootstrap;
- `checks/`: whether a run still fits the competition.
"""

from medfold.runs.checks.checked_dataset import dataset_of_runs
from medfold.runs.checks.same_data import (
    advice_to_restore_folds,
    check_same_images,
    check_same_labels,
    has_same_folds,
    images_fingerprints,
    labels_fingerprint,
    open_run_on_current_folds,
)
from medfold.runs.checks.same_facts import IDENTITY_FACTS, check_same_facts, facts_of_run, shared_facts
from medfold.runs.checks.scored_facts import facts_of_score
from medfold.runs.comparison import Comparison, compare_runs
from medfold.runs.fold_state import (
    check_folds_exist,
    is_fold_trained,
    mark_fold_trained,
    require_trained_folds,
    trained_folds,
)
from medfold.runs.oof import read_score, self_check_warnings, write_oof
from medfold.runs.packing_locks import packing_lock
from medfold.runs.prediction_files import has_many_columns, write_prediction_table
from medfold.runs.predictions import check_finite, predictions_table, read_predictions
from medfold.runs.run import Run
from medfold.runs.run_json import (
    RunMetadata,
    check_run_json_not_lost,
    read_run_json,
    read_saved_run_json,
    write_run_json,
)
from medfold.runs.run_list import RunList, RunSummary, summarise_runs
from medfold.runs.run_names import checked_run_paths
from medfold.runs.timing import training_seconds
from medfold.runs.trained_run import TrainedRun

__all__ = [
    "IDENTITY_FACTS",
    "Comparison",
    "Run",
    "RunList",
    "RunMetadata",
    "RunSummary",
    "TrainedRun",
    "advice_to_restore_folds",
    "check_finite",
    "check_folds_exist",
    "check_run_json_not_lost",
    "check_same_facts",
    "check_same_images",
    "check_same_labels",
    "checked_run_paths",
    "compare_runs",
    "dataset_of_runs",
    "facts_of_run",
    "facts_of_score",
    "has_many_columns",
    "has_same_folds",
    "images_fingerprints",
    "is_fold_trained",
    "labels_fingerprint",
    "mark_fold_trained",
    "open_run_on_current_folds",
    "packing_lock",
    "predictions_table",
    "read_predictions",
    "read_run_json",
    "read_saved_run_json",
    "read_score",
    "require_trained_folds",
    "self_check_warnings",
    "shared_facts",
    "summarise_runs",
    "trained_folds",
    "training_seconds",
    "write_oof",
    "write_prediction_table",
    "write_run_json",
]
