"""Training of runs: the folds, in this process or in child processes. Importing this package imports no Keras.

- `request`: what is to be trained; `run`: a run, from the request to the OOF score; `run_start`: its folder and its
  missing folds; `run_metadata`: what it is made from; `parallel`, `child`: folds in child processes;
- `fold`: one fold, with `run_inputs` and `fold_inputs`, its settings and data, `trained_net`, its result, and
  `fold_files`, which writes it; `recipe_checks`, `self_check`: checks before and after the training;
  `tensorflow_errors`: its errors in one line;
- `phases`: the head alone, or all layers; `training_loop`: the epochs of a phase; `batch_trainer`: the net, trained
  batch by batch;
- `training_state`: what is saved during a training, and how it is resumed; `checkpoint`: the file with it;
  `earlier_checkpoints`: files of earlier versions;
- `batches`, `loader`: batches, computed in worker processes; `augmentation`, `augmentation_checks`,
  `mixup`: changes of their images;
- `losses`, `optimizer`, `callbacks`: what a recipe names;
- `frozen_features`: features for training the head alone; `batch_statistics`: batch normalisation.
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
