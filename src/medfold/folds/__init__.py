"""Folds: splitters, the kept table, and the audit for leaks."""

from medfold.folds.dataset_shift import adversarial_auc, predictive_columns
from medfold.folds.folds_table import check_folds, folds_fingerprint, write_folds
from medfold.folds.kept_near_duplicates import NearDuplicates, kept_pairs, near_duplicates_of
from medfold.folds.leaks import LeakReport, find_leaks
from medfold.folds.splitters import assign_folds, choose_holdout, fold_balance, join_groups, scarce_classes
from medfold.folds.unnamed_groups import (
    GROUP_WORDS,
    PERSON_WORDS,
    SuspectedGroup,
    find_unnamed_groups,
    group_word_of,
    names_a_group,
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
    "find_leaks",
    "find_unnamed_groups",
    "fold_balance",
    "folds_fingerprint",
    "group_word_of",
    "join_groups",
    "kept_pairs",
    "names_a_group",
    "near_duplicates_of",
    "predictive_columns",
    "scarce_classes",
    "write_folds",
]
