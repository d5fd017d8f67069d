"""Training: a run, its folds here or in processes of their own. The face imports no Keras."""

from medfold.training.run import (
    TrainingRequest,
    begin_run,
    missing_folds,
    refuse_impossible_words,
    refuse_unknown_folds,
    refuse_untrainable,
    train_run,
)

__all__ = [
    "TrainingRequest",
    "begin_run",
    "missing_folds",
    "refuse_impossible_words",
    "refuse_unknown_folds",
    "refuse_untrainable",
    "train_run",
]
