"""Ensembles of runs: methods, and the choice among them.

- `methods`: the ways to combine runs, one with `greedy_selection`;
- `members`: the OOF predictions of the runs;
- `choose_method`: chooses by cross-fitted score;
- `scored_methods`: the methods that were tried, and the chosen one;
- `calibration`: what temperature scaling would change;
- `ensemble`: the ensemble of trained runs;
- `ensemble_summary`: the scores of an ensemble;
- `fitted_ensemble`: saves what was fitted;
- `combination`: the mean over folds, and the combination of runs by a fitted method;
- `recheck_files`: what `make recheck` needs of an ensemble.
"""

from medfold.ensemble.choose_method import check_method
from medfold.ensemble.combination import combine_runs, mean_of_arrays
from medfold.ensemble.ensemble import Ensemble, ensemble_runs
from medfold.ensemble.ensemble_summary import EnsembleSummary, PostProcessingSummary, summarise_ensemble
from medfold.ensemble.fitted_ensemble import (
    FittedEnsemble,
    fitted_ensemble_of,
    read_fitted_ensemble,
    save_fitted_ensemble,
)
from medfold.ensemble.methods import ensemble_method, mean_of
from medfold.ensemble.recheck_files import write_recheck_files

__all__ = [
    "Ensemble",
    "EnsembleSummary",
    "FittedEnsemble",
    "PostProcessingSummary",
    "check_method",
    "combine_runs",
    "ensemble_method",
    "ensemble_runs",
    "fitted_ensemble_of",
    "mean_of",
    "mean_of_arrays",
    "read_fitted_ensemble",
    "save_fitted_ensemble",
    "summarise_ensemble",
    "write_recheck_files",
]
