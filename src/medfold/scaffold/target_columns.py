"""The target columns of a table of labels."""

import re
from pathlib import Path

import pandas as pd

from medfold.errors import UserError
from medfold.raw_files import BINARY_MARKS, is_group_name, normalise_text, split_from_name
from medfold.scaffold.draft import Draft
from medfold.scaffold.id_column import INDEX, Ids
from medfold.scaffold.raw_folder import SampleSubmission
from medfold.text import shorten_list

# Names of label columns: general words first, then words for what is to be predicted.
TARGET_NAMES = (
    r"target|label|class|diagnos|(^|[\W_])dx([\W_]|$)",
    r"level|grade|cancer|malignant|finding|isup|birads|bi-rads|stage|severity",
)
NO_TARGET = re.compile(r"(^|[\W_])(history|type|source|date|path|id|uid|split|fold|set|part|subset)([\W_]|$)", re.I)
# Names of columns with facts about a patient or a view, not findings: labels only if they match TARGET_NAMES, too.
PATIENT_DATA = re.compile(r"(^|[\W_])(age|sex|gender|male|female|view|position|side|laterality|eye)([\W_]|$)", re.I)
MIN_REPEATS = 3  # a word that more images have is a category, not a person
MIN_BINARY_COLUMNS = 3  # from this number on, neighbouring columns of 0 and 1 are labels


class NoLabelError(UserError):
    """A table names images but has no column that could be a label."""


def guess_targets(
    draft: Draft, raw: Path, table: pd.DataFrame, ids: Ids, sample_submission: SampleSubmission | None
) -> tuple[list[str], bool]:
    """Guesses the target columns: columns of the sample submission, marks, or a column by its name or its values.

    Args:
        draft: the reason and doubts are added to it.
        raw: the folder of the competition, for the error message.
        table: the table of labels, with text columns.
        ids: id column of the table.
        sample_submission: the sample submission; None if there is none.

    Returns:
        The columns; and False for a column that was chosen by its values alone.

    Raises:
        NoLabelError: no column could be a label.
    """
    if sample_submission is not None and (columns := _targets_of_sample(draft, table, ids, sample_submission)):
        return columns, True
    columns = _possible_labels(table, ids)
    others = [column for column in columns if not is_group_name(column)]
    named = [column for pattern in TARGET_NAMES for column in others if is_named(column, pattern)]
    marks = _neighbouring_marks(table, others)
    if marks and (not named or set(named) & set(marks)):
        draft.add_reason("labels.targets", shorten_list(marks, 8), f"{len(marks)} columns of 0 and 1 beside each other")
        return marks, True
    candidates = list(dict.fromkeys(named)) or _candidates_by_values(table, columns, others)
    if not candidates:
        fix = "Rename the label column to 'label', or write competition.yaml (docs/your-data.md)"
        raise NoLabelError(f"no column of {shorten_list(table.columns, 10)} could be a label", raw, fix)
    chosen = candidates[0]
    draft.add_reason("labels.targets", chosen, "by its name" if named else "the column with the fewest values")
    if len(candidates) > 1:
        which = shorten_list(candidates, 6)
        draft.add_doubt("labels.targets", f"unclear which of {which} is the label; {chosen} is used")
    elif not named:
        draft.add_doubt("labels.targets", f"no column is named like a label; {chosen} is used")
    if sample_submission is not None:
        draft.add_doubt("labels.targets", f"no column of {sample_submission.path} is in the table")
    return [chosen], bool(named)


def _candidates_by_values(table: pd.DataFrame, columns: list[str], others: list[str]) -> list[str]:
    """Returns the columns that could be labels although none is named like one, those with the fewest values first.

    Args:
        table: the table of labels.
        columns: the columns that are not ids.
        others: those of them that are not named like groups; columns named like groups are the second choice.
    """
    candidates = [column for column in others if not PATIENT_DATA.search(column) and not NO_TARGET.search(column)]
    candidates = candidates or [column for column in columns if is_group_name(column) and _is_category(table, column)]
    return sorted(candidates, key=lambda column: table[column].nunique())


def _targets_of_sample(draft: Draft, table: pd.DataFrame, ids: Ids, sample_submission: SampleSubmission) -> list[str]:
    """Finds columns that the sample submission has, too, or whose values are its columns; empty if there are none."""
    columns = sample_submission.table.columns[1:]
    shared = [column for column in columns if column in table and column != ids.column]
    if shared:
        why = f"{'columns' if len(shared) > 1 else 'a column'} of {sample_submission.path} that the table has, too"
        draft.add_reason("labels.targets", shorten_list(shared), why)
        return shared
    for column in table.columns:
        values = set(table[column].unique()) - {""}
        if column != ids.column and len(values) > 1 and values <= set(columns):
            draft.add_reason("labels.targets", column, f"its values are columns of {sample_submission.path}")
            return [column]
    return []


def _possible_labels(table: pd.DataFrame, ids: Ids) -> list[str]:
    """Finds the columns of several values that are not ids, row numbers or names of splits."""
    id_columns = {ids.column, *ids.others}
    others = [
        column
        for column in table.columns
        if column not in id_columns and table[column].nunique() >= 2 and not INDEX.fullmatch(column)
    ]
    split_columns = [column for column in others if all(map(split_from_name, table[column].unique()))]
    return [column for column in others if column not in split_columns]


def _is_category(table: pd.DataFrame, column: str) -> bool:
    """Returns True for marks of 0 and 1, or words of which one is frequent: `lesion` may be a label, not an id."""
    values = table[column][table[column] != ""]
    is_word = not values.str.contains(r"\d").any() and values.value_counts().max() > MIN_REPEATS
    return is_binary_column(table, column) or is_word


def _neighbouring_marks(table: pd.DataFrame, others: list[str]) -> list[str]:
    """Finds the longest run of neighbouring columns of 0 and 1, one per class or label; empty if it is too short."""
    runs: list[list[str]] = [[]]
    possible = set(others)
    for column in table.columns:
        if column in possible and is_binary_column(table, column):
            runs[-1].append(column)
        else:
            runs.append([])
    longest = max(runs, key=len)
    return longest if len(longest) >= MIN_BINARY_COLUMNS else []


def keep_targets_of_sample(draft: Draft, ids: Ids, sample_submission: SampleSubmission | None) -> None:
    """Keeps only the targets that are columns of the sample submission; the others go to labels.ignore."""
    labels = draft.facts["labels"]
    columns = (
        [column for column in sample_submission.table.columns[1:] if column != ids.column]
        if sample_submission is not None
        else []
    )
    if len(columns) < 2 or not set(columns) <= set(labels["targets"]):
        return
    others = [name for name in labels["targets"] if name not in columns]
    labels["targets"] = columns
    draft.drop_doubts("labels.targets")
    draft.add_reason(
        "labels.targets", shorten_list(columns, 8), f"columns of {sample_submission.path}, which the lists hold"
    )
    if others:
        labels["ignore"] = others
        draft.add_reason("labels.ignore", shorten_list(others, 8), f"not columns of {sample_submission.path}")


def is_named(column: str, pattern: str) -> bool:
    """Returns True if a column is named like a label, by one of `TARGET_NAMES`."""
    return bool(re.search(pattern, column, re.I)) and not NO_TARGET.search(column)


def is_binary_column(table: pd.DataFrame, column: str) -> bool:
    """Returns True for a column of 0 and 1 that is not about sex, side or the like; some cells may be empty or -1."""
    values = {normalise_text(value).lower() for value in set(table[column].tolist())}
    return not PATIENT_DATA.search(column) and bool(values & set(BINARY_MARKS)) and values <= {*BINARY_MARKS, "", "-1"}
