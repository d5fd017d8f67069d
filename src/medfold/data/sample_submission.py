"""The sample submission: that of the data, or else one that medfold writes."""

import numpy as np
import pandas as pd

from medfold.competition import CompetitionFacts
from medfold.paths import CompetitionPaths
from medfold.raw_files import read_table


def read_sample_submission(competition: CompetitionFacts, paths: CompetitionPaths) -> pd.DataFrame:
    """Reads the sample submission, that of the data or else the one that medfold wrote; all columns as text.

    Raises:
        UserError: no such file, or it has no id column.
    """
    submission_facts = competition.submission
    raw = paths.raw_root(competition.images.root)
    path = raw / submission_facts.sample if submission_facts.sample else paths.sample_submission
    key = "submission.sample" if submission_facts.sample else None
    return read_table(path, {submission_facts.id: "submission.id"}, key)


def blank_submission(competition: CompetitionFacts, units: np.ndarray) -> pd.DataFrame:
    """Returns a sample submission: one row per unit, each class equally probable."""
    blank = pd.DataFrame({competition.submission.id: units})
    blank[competition.prediction_columns] = (
        1 / len(competition.prediction_columns) if competition.exclusive_classes else 0.5
    )
    return blank
