"""Training of runs: the folds, in this process or in child processes. Importing this package imports no Keras.

- `request`: what is to be trained; `run`: a run, from the request to the OOF score; `run_plan`: what it trains;
  `run_start`: its folder and its missing folds; `run_inputs`, `run_metadata`: its settings and data, and what it is
  made from; `features_file`: the features of a frozen backbone, which runs share;
- `fold_training`: one fold of it, in this process; `parallel`, `child`: folds in child processes;
- `fold/`: one fold; `loop/`: the training loop; `batches/`: what it is trained on. Each imports only those after it.
"""

from medfold.training.request import TrainingRequest
from medfold.training.run import train_run
from medfold.training.run_start import begin_run, check_recipe_trainable, missing_folds, requested_folds

__all__ = [
    "TrainingRequest",
    "begin_run",
    "check_recipe_trainable",
    "missing_folds",
    "requested_folds",
    "train_run",
]
