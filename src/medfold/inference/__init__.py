"""Prediction of images that no dataset holds: new images, and the hidden test set of a notebook competition.

- `choice_for_new_images`: how a submission combines the runs;
- `ensemble_predictor`: predicts arrays of pixels with the nets of all runs; `image_predictions`: predicts image files
  with it; `time_budget`: the time for that in a notebook;
- `new_images`: the table of predictions; `heat_maps`: pictures that explain them.
"""

from medfold.inference.choice_for_new_images import PLAIN_MEAN_CHOICE, submission_choice
from medfold.inference.ensemble_predictor import BATCH_SIZE, EnsemblePredictor, MemberRun
from medfold.inference.heat_maps import check_same_image_area, write_heat_maps
from medfold.inference.image_predictions import predict_images
from medfold.inference.new_images import member_runs, predict_new_images
from medfold.inference.time_budget import TimeBudget

__all__ = [
    "BATCH_SIZE",
    "PLAIN_MEAN_CHOICE",
    "EnsemblePredictor",
    "MemberRun",
    "TimeBudget",
    "check_same_image_area",
    "member_runs",
    "predict_images",
    "predict_new_images",
    "submission_choice",
    "write_heat_maps",
]
