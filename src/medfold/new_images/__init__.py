"""Prediction of images that no dataset holds: new images, and the hidden test set of a notebook competition.

- `ensemble_for_new_images`: how a submission combines the runs;
- `ensemble_predictor`: predicts arrays of pixels with the nets of all runs; `image_predictions`: predicts image files
  with it; `time_budget`: the time for that in a notebook;
- `predict`: the table of predictions; `heat_maps`: pictures that explain them.
"""

from medfold.new_images.ensemble_for_new_images import MEAN_TRANSFORM, load_or_fit_ensemble
from medfold.new_images.ensemble_predictor import BATCH_SIZE, EnsemblePredictor, MemberRun
from medfold.new_images.heat_maps import check_same_image_area, write_heat_maps
from medfold.new_images.image_predictions import predict_images
from medfold.new_images.predict import member_runs, predict_new_images
from medfold.new_images.time_budget import TimeBudget

__all__ = [
    "BATCH_SIZE",
    "MEAN_TRANSFORM",
    "EnsemblePredictor",
    "MemberRun",
    "TimeBudget",
    "check_same_image_area",
    "load_or_fit_ensemble",
    "member_runs",
    "predict_images",
    "predict_new_images",
    "write_heat_maps",
]
