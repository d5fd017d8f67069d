"""Scores and submissions recomputed independently: from the files alone, with pandas and scikit-learn.

This package imports no code of scoring, ensemble or submission, which computed them the first time, so that both cannot
share a bug.
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
