"""A submission built of predictions, and checked."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from medfold.competition import CompetitionFacts
from medfold.submission.check import check_submission
from medfold.submission.table import build_submission, complete_sample_submission, fill_missing


def check_sample_submission(facts: CompetitionFacts, sample_submission: pd.DataFrame, units: list[str]) -> None:
    """Checks the sample submission before training, by building and checking a submission of equal predictions.

    Args:
        facts: facts of the competition (classes, metric and `submission.layout`).
        sample_submission: the sample submission, all columns as text.
        units: ids of the units of the test set, in the order of the sample table.

    Raises:
        UserError: the sample submission does not fit the classes or the metric, or its units differ from the test set.
    """
    equal = np.full(len(facts.prediction_columns), 1 / len(facts.prediction_columns))
    predictions = pd.DataFrame(np.tile(equal, (len(units), 1)), columns=facts.prediction_columns)
    predictions.insert(0, "id", units)
    checked_submission(facts, predictions, sample_submission, units, fallback=equal)


class CheckedSubmission(NamedTuple):
    """A submission that was checked.

    Args:
        table: the submission.
        sample_submission: the sample submission with a row for each test unit.
    """

    table: pd.DataFrame
    sample_submission: pd.DataFrame


def checked_submission(
    facts: CompetitionFacts,
    predictions: pd.DataFrame,
    sample_submission: pd.DataFrame,
    units: list[str],
    fallback: np.ndarray,
) -> CheckedSubmission:
    """Builds a submission of predictions, and checks it.

    Args:
        facts: facts of the competition (classes, metric and `submission.layout`).
        predictions: id (of the unit) and prediction columns; rows in any order.
        sample_submission: the sample submission, all columns as text.
        units: ids of the units of the test set, in the order of the sample table.
        fallback: float64 (columns,), the prediction of units without one, see `MethodChoice.fallback`.

    Raises:
        UserError: the sample submission does not fit the competition, or the submission is faulty.
    """
    complete_sample = complete_sample_submission(facts, sample_submission, units)
    table = build_submission(facts, fill_missing(facts, predictions, units, fallback), complete_sample)
    check_submission(facts, table, complete_sample)
    return CheckedSubmission(table, complete_sample)
