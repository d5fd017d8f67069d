"""Folds: splitters, the folds table, and the audit for leaks."""

from medfold.folds.dataset_shift import adversarial_auc, predictive_columns
from medfold.folds.folds_table import check_folds, folds_fingerprint, write_folds
from medfold.folds.kept_near_duplicates import NearDuplicates, load_near_duplicates, read_near_duplicates
from medfold.folds.leaks import LeakReport, find_leaks
from medfold.folds.splitters import assign_folds, choose_holdout, fold_balance, merge_groups, scarce_classes
from medfold.folds.unnamed_groups import (
    GROUP_WORDS,
    PERSON_WORDS,
    SuspectedGroup,
    find_group_word,
    find_suspected_groups,
    is_group_name,
)

__all__ = [
    "GROUP_WORDS",
    "PERSON_WORDS",
    "LeakReport",
    "NearDuplicates",
    "SuspectedGroup",
    "adversarial_auc",
    "assign_folds",
    "check_folds",
    "choose_holdout",
    "find_group_word",
    "find_leaks",
    "find_suspected_groups",
    "fold_balance",
    "folds_fingerprint",
    "is_group_name",
    "load_near_duplicates",
    "merge_groups",
    "predictive_columns",
    "read_near_duplicates",
    "scarce_classes",
    "write_folds",
]
