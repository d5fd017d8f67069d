"""Tables of predictions."""

import numpy as np
import pandas as pd
import pytest

from medfold.runs.predictions import predictions_table
from tests.support.helpers import competition


def test_ordinal_predictions_include_expected_grade():
    facts = competition("ordinal")
    table = predictions_table(facts, pd.Series(["x", "y"]), np.array([[0.2, 0.3, 0.5], [1, 0, 0]]), fold=1)
    assert list(table.columns) == ["id", "fold", "0", "1", "2", "expected"]
    assert table["expected"].tolist() == pytest.approx([1.3, 0.0])
