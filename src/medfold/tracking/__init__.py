"""Experiment trackers: the results of trained folds, written to TensorBoard, MLflow, Weights & Biases or your own.

Nothing is logged during a training: a tracker gets the files of a finished fold, so that no epoch is written twice.

- `results`: what a tracker gets: settings, epochs and scores of a fold, or the OOF score of a run;
- `trackers`: the registry and its decorator; `tensorboard_files`, `mlflow_store`, `wandb_runs`: the built-in trackers;
- `write`: writes the results that a tracker does not have yet, in a child process.
"""

from medfold.tracking.results import TrackedResult
from medfold.tracking.trackers import TRACKERS, tracker
from medfold.tracking.write import Tracking

__all__ = ["TRACKERS", "TrackedResult", "Tracking", "tracker"]
