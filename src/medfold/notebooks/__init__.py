"""Kaggle notebooks: what is packed for them, and what runs there.

To submit, where a competition takes notebooks:

- `write_submission_bundle`: trained folds, package and facts -> a folder that becomes a private data set;
- `bundle`: that folder, opened there;
- `hidden_predictions`: the hidden test set, predicted within memory and time (`time_budget`).

To train:

- `training_bundle`: recipe, folds table and states -> such a folder, opened there; results, packed and brought back;
- `remote_training`: the training, as it is sent from home and as it runs there.

For both:

- `wheels`: what is installed there;
- `notebook_file`: the notebooks;
- `mounts`: where they find what is attached.
"""

from medfold.notebooks.bundle import SubmissionBundle
from medfold.notebooks.hidden_predictions import predict_hidden_test
from medfold.notebooks.remote_training import train_in_notebook
from medfold.notebooks.training_bundle import TrainingBundle

__all__ = ["SubmissionBundle", "TrainingBundle", "predict_hidden_test", "train_in_notebook"]
