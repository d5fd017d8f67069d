"""Run folders: what was trained, which folds are trained, and whether a run still fits the competition.

- `run_folder`: run.json, the state of each fold, predictions and the OOF score;
- `identity`: checks that a run fits the facts, folds, labels and images of today;
- `run_list`: all runs of a competition; `comparison`: two runs, by a paired bootstrap.
"""

from medfold.runs.comparison import Comparison, compare_runs
from medfold.runs.identity import (
    IDENTITY_FACTS,
    SAMPLE_FACTS,
    check_same_facts,
    check_same_facts_and_folds,
    check_same_images,
    facts_of_run,
    find_changed_fact,
    has_same_folds,
    has_same_labels,
    images_fingerprint,
    labels_fingerprint,
    load_dataset_for,
    recipe_of_run,
)
from medfold.runs.run_folder import (
    combined_name,
    find_run,
    git_commit,
    is_fold_trained,
    is_optimistic,
    open_run,
    predictions_table,
    read_predictions,
    read_run,
    require_trained_folds,
    self_check_warnings,
    trained_folds,
    write_oof,
)
from medfold.runs.run_list import RunList, RunSummary, summarise_runs

__all__ = [
    "IDENTITY_FACTS",
    "SAMPLE_FACTS",
    "Comparison",
    "RunList",
    "RunSummary",
    "check_same_facts",
    "check_same_facts_and_folds",
    "check_same_images",
    "combined_name",
    "compare_runs",
    "facts_of_run",
    "find_changed_fact",
    "find_run",
    "git_commit",
    "has_same_folds",
    "has_same_labels",
    "images_fingerprint",
    "is_fold_trained",
    "is_optimistic",
    "labels_fingerprint",
    "load_dataset_for",
    "open_run",
    "predictions_table",
    "read_predictions",
    "read_run",
    "recipe_of_run",
    "require_trained_folds",
    "self_check_warnings",
    "summarise_runs",
    "trained_folds",
    "write_oof",
]
