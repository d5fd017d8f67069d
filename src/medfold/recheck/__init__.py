"""Scores and submissions recomputed independently: from the files alone, with pandas and scikit-learn.

Nothing here imports the code that computed them the first time (scoring, ensemble, submission), so that a bug there
cannot hide itself.
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
