"""Scores and submissions computed a second time, from the files alone and by other means: pandas and scikit-learn.

Nothing here imports what computed them the first time (scoring, ensemble, submission): a fault there cannot hide here.
"""

from medfold.recheck.definitions import has_definition
from medfold.recheck.run import run_differences
from medfold.recheck.submission import ledger_differences, plugin_maps, submission_differences

__all__ = [
    "has_definition",
    "ledger_differences",
    "plugin_maps",
    "run_differences",
    "submission_differences",
]
