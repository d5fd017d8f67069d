"""The sample submission: that of the data, or else one that medfold writes."""

import numpy as np
import pandas as pd

from medfold.competition import CompetitionFacts
from medfold.paths import CompetitionPaths
from medfold.raw_files import read_table
from medfold.system.path_checks import path_inside


def read_sample_submission(facts: CompetitionFacts, paths: CompetitionPaths) -> pd.DataFrame:
    """Reads the sample submission, that of the data or else the one that medfold wrote; all columns as text.

    Raises:
        UserError: no such file, or it has no id column.
    """
    submission_facts = facts.submission
    raw = paths.raw_root(facts.images.root)
    path = path_inside(raw, submission_facts.sample) if submission_facts.sample else paths.sample_submission
    key = "submission.sample" if submission_facts.sample else None
    return read_table(path, {submission_facts.id: "submission.id"}, key)


def blank_submission(facts: CompetitionFacts, units: np.ndarray) -> pd.DataFrame:
    """Returns a sample submission: one row per unit, each class equally probable."""
    blank = pd.DataFrame({facts.submission.id: units})
    blank[facts.prediction_columns] = 1 / len(facts.prediction_columns) if facts.has_exclusive_classes else 0.5
    return blank
