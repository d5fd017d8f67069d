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
from medfold.notebooks.remote_training import data_at_kaggle, train_in_notebook, train_on_kaggle
from medfold.notebooks.submission_package import UNDER_WAY, bundle_folder, pack_submission
from medfold.notebooks.training_bundle import TrainingBundle

__all__ = [
    "UNDER_WAY",
    "SubmissionBundle",
    "TrainingBundle",
    "bundle_folder",
    "data_at_kaggle",
    "pack_submission",
    "predict_hidden_test",
    "train_in_notebook",
    "train_on_kaggle",
]
