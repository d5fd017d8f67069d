"""Ensembles of runs: methods, the choice among them, and a predictor for new images.

- `methods`: the ways to combine runs, one with `greedy_selection`;
- `members`: the OOF predictions of the runs; `method_choice`: the choice by cross-fitted score; `choice_file`: saves
  it; `calibration`: what temperature scaling would change;
- `ensemble`: the ensemble of trained runs; `ensemble_summary`: its scores;
- `combination`: the mean over folds, and the combination of runs by the choice;
- `ensemble_predictor`: the one predictor for submissions, new images and notebooks; `image_predictions`: predicts raw
  images with it; `time_budget`: the time for that in a notebook;
- `choice_for_new_images`: how a submission combines runs; `new_images`: predicts new images with it;
  `new_image_heat_maps`: explains these predictions;
- `recheck_files`: what `make recheck` needs of an ensemble.
"""

from medfold.ensemble.choice_file import SavedChoice, save_choice
from medfold.ensemble.choice_for_new_images import PLAIN_MEAN_CHOICE, submission_choice
from medfold.ensemble.ensemble import Ensemble, ensemble_runs
from medfold.ensemble.ensemble_predictor import BATCH_SIZE, EnsemblePredictor, MemberRun, PredictionLimit
from medfold.ensemble.ensemble_summary import EnsembleSummary, PostProcessingSummary, summarise_ensemble
from medfold.ensemble.image_predictions import predict_images
from medfold.ensemble.method_choice import check_method
from medfold.ensemble.methods import ensemble_method, mean_of
from medfold.ensemble.new_image_heat_maps import check_same_image_area, write_heat_maps
from medfold.ensemble.new_images import member_runs, predict_new_images
from medfold.ensemble.recheck_files import write_recheck_files
from medfold.ensemble.time_budget import TimeBudget

__all__ = [
    "BATCH_SIZE",
    "PLAIN_MEAN_CHOICE",
    "Ensemble",
    "EnsemblePredictor",
    "EnsembleSummary",
    "MemberRun",
    "PostProcessingSummary",
    "PredictionLimit",
    "SavedChoice",
    "TimeBudget",
    "check_method",
    "check_same_image_area",
    "ensemble_method",
    "ensemble_runs",
    "mean_of",
    "member_runs",
    "predict_images",
    "predict_new_images",
    "save_choice",
    "submission_choice",
    "summarise_ensemble",
    "write_heat_maps",
    "write_recheck_files",
]
