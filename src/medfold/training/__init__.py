"""Training of runs: the folds, in this process or in child processes. Importing this package imports no Keras.

- `request`: what is to be trained; `run`: a run, from the request to the OOF score; `run_plan`: what it trains;
  `run_start`: its folder and its missing folds; `run_inputs`, `fold_inputs`, `run_metadata`: settings and data of a run
  and of a fold, and what they are made from; `features_file`: the features of a frozen backbone, which runs share;
- `fold_training`: trains folds in this process; `parallel`, `child`: folds in child processes; `fold_archive`: folds
  from another machine;
- `fold/`: one fold; `loop/`: the training loop; `batches/`: what it is trained on. Each imports only those after it.
"""

from medfold.training.features_file import features_hashes_path
from medfold.training.fold_archive import pack_folds, unpack_folds
from medfold.training.fold_inputs import FoldInputs
from medfold.training.fold_training import FeatureComputation, FoldTrainings
from medfold.training.parallel import ResourceShare
from medfold.training.request import TrainingRequest
from medfold.training.run import locate_setting_error, plan_as_text, train_run
from medfold.training.run_inputs import RunInputs
from medfold.training.run_metadata import package_versions
from medfold.training.run_plan import RunPlan, plan_run
from medfold.training.run_start import (
    begin_run,
    check_recipe_trainable,
    missing_fold_numbers,
    remove_run_if_no_fold_started,
    requested_folds,
)

__all__ = [
    "FeatureComputation",
    "FoldInputs",
    "FoldTrainings",
    "ResourceShare",
    "RunInputs",
    "RunPlan",
    "TrainingRequest",
    "begin_run",
    "check_recipe_trainable",
    "features_hashes_path",
    "locate_setting_error",
    "missing_fold_numbers",
    "pack_folds",
    "package_versions",
    "plan_as_text",
    "plan_run",
    "remove_run_if_no_fold_started",
    "requested_folds",
    "train_run",
    "unpack_folds",
]
