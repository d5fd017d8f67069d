"""Ensembles of runs: methods, and the choice among them.

- `methods`: the ways to combine runs, one with `greedy_selection`;
- `members`: the OOF predictions of the runs; `method_choice`: chooses by cross-fitted score; `choice`: what was chosen;
  `choice_file`: saves it; `calibration`: what temperature scaling would change;
- `ensemble`: the ensemble of trained runs; `ensemble_summary`: its scores;
- `combination`: the mean over folds, and the combination of runs by the choice;
- `recheck_files`: what `make recheck` needs of an ensemble.
"""

from medfold.ensemble.choice_file import SavedChoice, choice_of_ensemble, read_choice, save_choice
from medfold.ensemble.combination import combine_runs, mean_of_arrays
from medfold.ensemble.ensemble import Ensemble, ensemble_runs
from medfold.ensemble.ensemble_summary import EnsembleSummary, PostProcessingSummary, summarise_ensemble
from medfold.ensemble.method_choice import check_method
from medfold.ensemble.methods import ensemble_method, mean_of
from medfold.ensemble.recheck_files import write_recheck_files

__all__ = [
    "Ensemble",
    "EnsembleSummary",
    "PostProcessingSummary",
    "SavedChoice",
    "check_method",
    "choice_of_ensemble",
    "combine_runs",
    "ensemble_method",
    "ensemble_runs",
    "mean_of",
    "mean_of_arrays",
    "read_choice",
    "save_choice",
    "summarise_ensemble",
    "write_recheck_files",
]
