"""The test set alone, as a notebook on Kaggle needs it, where it may have more images than the public data."""

from pathlib import Path

import pandas as pd

from medfold.competition import CompetitionFacts
from medfold.data import label_layouts
from medfold.data.sample_checks import check_ids
from medfold.data.sample_submission import blank_submission
from medfold.raw_files import read_table
from medfold.system.path_checks import path_inside


def read_test_set(facts: CompetitionFacts, raw: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Reads the test set and its sample submission, without the labels of the training set.

    Images may be missing; they count as unreadable later.

    Args:
        facts: facts of the competition (`labels`, `images` and `submission`).
        raw: folder that patterns start from.

    Returns:
        The images (id, image, unit), and the sample submission; all columns as text.

    Raises:
        UserError: no table of the test set, or no sample submission.
    """
    table = label_layouts.read_test_table(facts, raw)
    check_ids(table, "test set")
    submission_facts = facts.submission
    if submission_facts.sample:
        path = path_inside(raw, submission_facts.sample)
        return table, read_table(path, {submission_facts.id: "submission.id"}, "submission.sample")
    return table, blank_submission(facts, table["unit"].unique()).astype(str)
