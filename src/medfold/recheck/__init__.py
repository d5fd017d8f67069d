"""Scores and submissions recomputed independently: from the files alone, with pandas and scikit-learn.

This package imports no code of scoring, ensemble or submission, which computed them the first time, so that both cannot
share a bug.

- `run_check`: the files and the score of a run; `submission_check`: the file and the score of a submission;
- `differences`: their list, also of damaged files;
- `definitions`: the metrics, defined a second time; `tables`: labels, predictions and submissions, read as text.
"""

from medfold.recheck.definitions import has_definition
from medfold.recheck.differences import collect_differences
from medfold.recheck.run_check import run_differences
from medfold.recheck.submission_check import ledger_differences, plugin_steps, submission_differences

__all__ = [
    "collect_differences",
    "has_definition",
    "ledger_differences",
    "plugin_steps",
    "run_differences",
    "submission_differences",
]
