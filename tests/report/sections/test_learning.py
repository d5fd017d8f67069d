"""The section on the course of the training."""

import pandas as pd
import pytest

from medfold.commands.report import report
from medfold.tables import write_csv
from tests.support.report_pages import read_page


@pytest.mark.slow
def test_history_of_another_metric_is_left_out(competition):
    fold = competition.paths.run("good").fold(0)
    write_csv(pd.DataFrame({"epoch": [1], "loss": [0.5], "log_loss": [0.4]}), fold.history)
    assert "Learning curves" not in read_page(report(competition, ["good"]))
    write_csv(pd.DataFrame({"epoch": [1], "loss": [0.5], "auc": [0.8]}), fold.history)
    assert "Learning curves" in read_page(report(competition, ["good"]))
    fold.history.unlink()
