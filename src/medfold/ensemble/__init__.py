"""Ensembles of runs: methods, the choice among them, and a predictor for new images."""

from medfold.ensemble.choice_file import SavedChoice, choice_of_ensemble, read_choice, save_choice
from medfold.ensemble.methods import ensemble_method, mean_of
from medfold.ensemble.predictor import BATCH_SIZE, EnsemblePredictor, MemberRun, PredictionLimit
from medfold.ensemble.recheck_files import write_recheck_files
from medfold.ensemble.run_ensemble import Ensemble, ensemble_runs
from medfold.ensemble.summary import EnsembleSummary, PostProcessingSummary, summarise_ensemble

__all__ = [
    "BATCH_SIZE",
    "Ensemble",
    "EnsemblePredictor",
    "EnsembleSummary",
    "MemberRun",
    "PostProcessingSummary",
    "PredictionLimit",
    "SavedChoice",
    "choice_of_ensemble",
    "ensemble_method",
    "ensemble_runs",
    "mean_of",
    "read_choice",
    "save_choice",
    "summarise_ensemble",
    "write_recheck_files",
]
