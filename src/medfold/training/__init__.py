"""Training of runs: the folds, in this process or in child processes. Importing this package imports no Keras."""

from medfold.training.run import (
    TrainingRequest,
    begin_run,
    missing_folds,
    refuse_invalid_parallelism,
    refuse_unknown_folds,
    refuse_untrainable_recipe,
    train_run,
)

__all__ = [
    "TrainingRequest",
    "begin_run",
    "missing_folds",
    "refuse_invalid_parallelism",
    "refuse_unknown_folds",
    "refuse_untrainable_recipe",
    "train_run",
]
