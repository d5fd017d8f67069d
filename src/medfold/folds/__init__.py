"""Folds: splitters, the folds table, and the search for leaks.

- `splitters`: assign folds; `holdout_selection`: selects the holdout; `class_counts`: classes in groups and folds;
- `duplicate_groups`: groups joined by images that they share;
- `folds_table`: reads, checks and writes `folds/<name>.csv`; `new_folds`: writes new folds with their record;
- `leaks`: leaks between folds;
- `near_duplicates`: the search; `near_duplicates_cache`: its result, kept in data/.
"""

from medfold.folds.class_counts import fold_balance, scarce_classes
from medfold.folds.duplicate_groups import join_duplicates
from medfold.folds.folds_table import check_folds, folds_fingerprint, read_folds_metadata
from medfold.folds.holdout_selection import select_holdout
from medfold.folds.leaks import LeakReport, find_leaks
from medfold.folds.near_duplicates import NearDuplicates
from medfold.folds.near_duplicates_cache import cached_near_duplicates, read_near_duplicates
from medfold.folds.new_folds import format_folds, restore_folds_metadata, save_new_folds
from medfold.folds.splitters import assign_folds

__all__ = [
    "LeakReport",
    "NearDuplicates",
    "assign_folds",
    "cached_near_duplicates",
    "check_folds",
    "find_leaks",
    "fold_balance",
    "folds_fingerprint",
    "format_folds",
    "join_duplicates",
    "read_folds_metadata",
    "read_near_duplicates",
    "restore_folds_metadata",
    "save_new_folds",
    "scarce_classes",
    "select_holdout",
]
