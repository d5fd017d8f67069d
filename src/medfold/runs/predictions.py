"""The tables of predictions of a run: oof.csv and test.csv, or oof.npz and test.npz."""

from pathlib import Path

import numpy as np
import pandas as pd

from medfold.competition import CompetitionFacts
from medfold.errors import UserError
from medfold.project_root import display_path
from medfold.runs.prediction_files import read_prediction_table
from medfold.text import count_of, shorten_list


def predictions_table(
    facts: CompetitionFacts, ids: pd.Series, predictions: np.ndarray, fold: int | None = None
) -> pd.DataFrame:
    """Returns predictions as a table: id, fold (OOF only), a column per class or label, `expected` if ordinal.

    Args:
        facts: facts of the competition (the prediction columns, and whether the task is ordinal).
        ids: text (n,), the ids of the rows.
        predictions: float (n, columns).
        fold: the fold of these samples, for an OOF table. Defaults to none.
    """
    table = pd.DataFrame(predictions, columns=facts.prediction_columns)
    if facts.task == "ordinal":
        table["expected"] = predictions @ np.arange(predictions.shape[1])
    if fold is not None:
        table.insert(0, "fold", fold)
    table.insert(0, "id", ids.to_numpy())
    return table


def read_predictions(facts: CompetitionFacts, path: Path) -> pd.DataFrame:
    """Reads an OOF or test table and checks its columns.

    Raises:
        UserError: a missing column, or a prediction that is not a finite number.
    """
    table = read_prediction_table(path)
    for column in ("id", *facts.prediction_columns):
        if column not in table:
            raise UserError(
                f"no column '{column}'", path, f"It is not a table of this competition: restore it. {_retrain(path)}"
            )
    if "fold" in table and not pd.api.types.is_integer_dtype(table["fold"]):
        raise UserError("a fold that is not a number", path, f"Restore it from a backup. {_retrain(path)}")
    numbers = table[facts.prediction_columns]
    if path.suffix == ".csv":  # a cell may have become text
        numbers = numbers.apply(pd.to_numeric, errors="coerce")
    check_finite(numbers.to_numpy(np.float64), table["id"], path)
    return table


def _retrain(path: Path) -> str:
    """Returns the advice to train the fold of a file again."""
    return f"Or remove {display_path(path.parent)}, and train the run again: only missing folds are trained"


def check_finite(predictions: np.ndarray, ids: pd.Series, where: object) -> None:
    """Refuses predictions that are not finite numbers.

    Args:
        predictions: float (n, columns).
        ids: text (n,), the ids of the rows.
        where: file or fold of the predictions, for the error message.

    Raises:
        UserError: the message counts the samples, and says why this happens.
    """
    wrong = ~np.isfinite(predictions).all(axis=1)
    if wrong.any():
        verb = "is not a number" if wrong.sum() == 1 else "are not numbers"
        listed = shorten_list(ids.to_numpy()[wrong])
        what = f"{wrong.sum():,} of {count_of(len(wrong), 'prediction')} {verb}: {listed}"
        cause = "The weights overflowed in the training, or the file was changed"
        fix = "Lower training.learning_rate, or training.head_learning_rate if only the head is trained"
        raise UserError(what, where, f"{cause}. {fix}")
