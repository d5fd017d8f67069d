"""Tables of predictions."""

import numpy as np
import pandas as pd
import pytest

from medfold.runs.predictions import predictions_table, read_predictions
from tests.support.helpers import competition_facts, refused


def test_ordinal_predictions_include_expected_grade():
    facts = competition_facts("ordinal")
    table = predictions_table(facts, pd.Series(["x", "y"]), np.array([[0.2, 0.3, 0.5], [1, 0, 0]]), fold=1)
    assert list(table.columns) == ["id", "fold", "0", "1", "2", "expected"]
    assert table["expected"].tolist() == pytest.approx([1.3, 0.0])


def write(path, **columns: list):
    pd.DataFrame({"id": ["x", "y", "z"], **columns}).to_csv(path, index=False)
    return path


def test_table_is_read_with_ids_as_text(tmp_path):
    path = tmp_path / "oof.csv"
    pd.DataFrame({"id": ["007", "1"], "target": [0.25, 0.5]}).to_csv(path, index=False)
    assert read_predictions(competition_facts(), path)["id"].tolist() == ["007", "1"]


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        ([0.1, np.nan, 0.3], [0.1, 0.2, 0.3], "1 of 3 predictions is not a number: y"),
        ([0.1, np.inf, 0.3], [0.1, 0.2, 0.3], "1 of 3 predictions is not a number: y"),
        ([0.1, 0.2, 0.3], ["0.1", "high", "0.3"], "1 of 3 predictions is not a number: y"),
        ([np.nan, 0.2, 0.3], [0.1, 0.2, np.nan], "2 of 3 predictions are not numbers: x, z"),
    ],
)
def test_row_with_one_undefined_prediction_is_refused(tmp_path, a, b, message):
    with refused(rf"oof\.csv: {message}\. The weights overflowed in the training, or the file was changed\. Lower "):
        read_predictions(competition_facts("multilabel"), write(tmp_path / "oof.csv", a=a, b=b))


def test_table_of_another_competition_is_refused(tmp_path):
    with refused(r"oof\.csv: no column 'b'\. It is not a table of this competition: restore it\. Or remove "):
        read_predictions(competition_facts("multilabel"), write(tmp_path / "oof.csv", a=[0.1, 0.2, 0.3]))


def test_fold_that_is_no_number_is_refused(tmp_path):
    path = tmp_path / "oof.csv"
    pd.DataFrame({"id": ["a", "b"], "fold": ["0", "x"], "target": [0.25, 0.5]}).to_csv(path, index=False)
    with refused(r"oof\.csv: a fold that is not a number\. Restore it from a backup\. Or remove "):
        read_predictions(competition_facts(), path)
