"""Training of runs: the folds, in this process or in child processes. Importing this package imports no Keras."""

from medfold.training.run import (
    TrainingRequest,
    begin_run,
    check_folds_exist,
    check_parallelism,
    check_recipe_trainable,
    missing_folds,
    train_run,
)

__all__ = [
    "TrainingRequest",
    "begin_run",
    "check_folds_exist",
    "check_parallelism",
    "check_recipe_trainable",
    "missing_folds",
    "train_run",
]
