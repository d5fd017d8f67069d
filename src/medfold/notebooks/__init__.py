"""Kaggle notebooks: the bundles that are packed for them, and the code that runs in them.

For submissions:

- `submission_bundle`: the folder with trained folds, package and facts, which becomes a private data set;
- `submission_packing`: writes that folder and the notebook beside it, for the commands;
- `hidden_predictions`: predicts the hidden test set within memory and time.

For training:

- `training_bundle`: the folder with recipe, folds table and checkpoints; packs and unpacks results;
- `remote_training`: what happens on this machine;
- `notebook_training`: what happens in the notebook.

For both:

- `packed_files`: the project's files that may be packed;
- `access_keys`: refuses texts that hold an access key;
- `bundle`: writes the manifest of a bundle, and opens a complete one;
- `wheels`: the packages that are installed in the notebook;
- `notebook_file`: the notebooks;
- `attached_data`: the competition's data on Kaggle, and where it is mounted.
"""

from medfold.notebooks.attached_data import find_data_on_kaggle
from medfold.notebooks.hidden_predictions import predict_hidden_test
from medfold.notebooks.notebook_training import train_in_notebook
from medfold.notebooks.remote_training import train_on_kaggle
from medfold.notebooks.submission_bundle import SubmissionBundle
from medfold.notebooks.submission_packing import pack_submission
from medfold.notebooks.training_bundle import TrainingBundle

__all__ = [
    "SubmissionBundle",
    "TrainingBundle",
    "find_data_on_kaggle",
    "pack_submission",
    "predict_hidden_test",
    "train_in_notebook",
    "train_on_kaggle",
]
