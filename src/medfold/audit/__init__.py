"""The audit beyond leaks: what else may make scores misleading. `folds` searches for leaks.

- `audit`: all results;
- `suspected_groups`: columns, ids and folders that look like groups;
- `extra_columns`: columns of the label table that no fact uses;
- `dataset_shift`: differences between training and test set;
- `class_differences`: columns that predict the class;
- `examples`: images to show: of each class, and pairs of near-duplicates.
"""

from medfold.audit.audit import AuditResult, GroupOverlap, audit_dataset
from medfold.audit.dataset_shift import DatasetShift
from medfold.audit.examples import Example, examples_of_classes, near_duplicate_examples, write_near_duplicates_sheet
from medfold.audit.suspected_groups import SuspectedGroup

__all__ = [
    "AuditResult",
    "DatasetShift",
    "Example",
    "GroupOverlap",
    "SuspectedGroup",
    "audit_dataset",
    "examples_of_classes",
    "near_duplicate_examples",
    "write_near_duplicates_sheet",
]
