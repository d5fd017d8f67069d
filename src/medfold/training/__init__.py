"""Training of runs: the folds, in this process or in child processes. Importing this package imports no Keras.

A run, from the request to its OOF score:

- `request`: what is to be trained;
- `run`: the order of work;
- `run_start`: the folder of a run, and its missing folds;
- `same_start`: whether a run goes on as it was started;
- `run_scores`: the OOF score after each fold;
- `run_plan`: the folds that are to be trained, with all they need;
- `run_inputs`, `fold_inputs`: settings and data of a run, and of one of its folds;
- `run_metadata`: what a run was made from, in run.json;
- `features_file`: the features of a frozen backbone, which runs share;
- `fold_training`: trains folds in this process;
- `parallel`, `child`: train folds in child processes;
- `fold_archive`: packs folds for another machine, and unpacks them.

What trains a fold, each importing only those after it:

- `fold/`: one fold;
- `loop/`: the training loop;
- `batches/`: the batches it is trained on.
"""

from medfold.training.features_file import features_hashes_path
from medfold.training.fold_archive import pack_folds, unpack_folds
from medfold.training.fold_inputs import FoldInputs
from medfold.training.fold_training import FeatureComputation, FoldTrainings
from medfold.training.parallel import ResourceShare
from medfold.training.request import TrainingRequest
from medfold.training.run import train_run
from medfold.training.run_inputs import RunInputs
from medfold.training.run_metadata import package_versions
from medfold.training.run_plan import RunPlan, open_plan
from medfold.training.run_scores import RunScores
from medfold.training.run_start import (
    begin_run,
    check_recipe_trainable,
    missing_fold_numbers,
    requested_folds,
)

__all__ = [
    "FeatureComputation",
    "FoldInputs",
    "FoldTrainings",
    "ResourceShare",
    "RunInputs",
    "RunPlan",
    "RunScores",
    "TrainingRequest",
    "begin_run",
    "check_recipe_trainable",
    "features_hashes_path",
    "missing_fold_numbers",
    "open_plan",
    "pack_folds",
    "package_versions",
    "requested_folds",
    "train_run",
    "unpack_folds",
]
