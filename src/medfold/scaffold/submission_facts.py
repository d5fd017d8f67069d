"""Facts about the submission, from the sample submission."""

import pandas as pd

from medfold.scaffold.draft import Draft
from medfold.scaffold.id_column import Ids
from medfold.scaffold.raw_folder import SampleSubmission
from medfold.text import count_of


def guess_submission(
    draft: Draft, sample_submission: SampleSubmission | None, ids: Ids, test: pd.DataFrame | None
) -> None:
    """Guesses upload, submission and score.unit.

    Args:
        draft: filled in; has the labels.
        sample_submission: the sample submission; None if there is none.
        ids: the id column of the label table.
        test: rows of the test set; None if they are unknown.
    """
    facts = draft.facts
    if sample_submission is None or facts["labels"].get("holdout"):
        facts["upload"] = "none"
        return
    key = sample_submission.table.columns[0]
    layout = facts["labels"]["layout"]
    facts["submission"] = {"sample": sample_submission.path, "id": key}
    if layout == "long" or (layout == "lists" and len(sample_submission.table.columns) == 2):
        facts["submission"]["layout"] = layout
    draft.add_reason("submission.id", key, f"the first column of {sample_submission.path}")
    if test is not None and key != ids.column and key in test:
        unit = _unit(test, key)
        if unit:
            facts["score"] = {"unit": unit}
            draft.add_reason("score.unit", unit, f"it gives the values of {key} in {facts['labels']['test_file']}")
            draft.add_doubt("score.aggregate", "mean, or max of the predictions of a unit's images")
    facts["upload"] = "notebook" if len(sample_submission.table) < 10 else "csv"
    draft.add_reason(
        "upload", facts["upload"], f"the sample submission has {count_of(len(sample_submission.table), 'row')}"
    )
    draft.add_doubt("upload", "csv, or notebook if Kaggle accepts notebooks only")


def _unit(test: pd.DataFrame, key: str) -> str | None:
    """Finds the pattern of other columns that gives the values of the column `key`: '{patient}_{side}' or '{study}'."""
    columns = [column for column in test.columns if column != key]
    for first in columns:
        for second in columns:
            if first != second and (test[first] + "_" + test[second] == test[key]).all():
                return f"{{{first}}}_{{{second}}}"
    return next((f"{{{column}}}" for column in columns if (test[column] == test[key]).all()), None)
