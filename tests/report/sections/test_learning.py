"""The section on the course of the training."""

import pandas as pd
import pytest

from medfold.commands.report import report
from medfold.report.sections.learning import learning_section
from medfold.scoring import METRICS
from medfold.tables import write_csv
from tests.support.report_pages import read_page

HISTORIES = {
    0: pd.DataFrame({"loss": [0.7, 0.5], "val_auc": [0.6, 0.8]}),
    2: pd.DataFrame({"loss": [0.6, 0.4], "val_auc": [0.7, 0.9]}),
}


def test_section_plots_loss_and_score_of_each_fold():
    section = learning_section(HISTORIES, METRICS["auc"], seconds=90)
    assert (section.name, [part["kind"] for part in section.parts]) == ("learning", ["text", "figures"])
    assert section.parts[0]["text"].endswith("Training took 90 s.")
    loss, score = section.parts[1]["content"]
    assert (loss.title, score.title) == ("Loss", "AUC of the validation images")
    assert score.text == "By epoch; at the end fold 0 0.800, fold 2 0.900."


@pytest.mark.parametrize(("seconds", "is_said"), [(0, True), (None, False)])
def test_unknown_training_time_is_left_out(seconds, is_said):
    section = learning_section(HISTORIES, METRICS["auc"], seconds)
    assert ("Training took" in section.parts[0]["text"]) is is_said


@pytest.mark.slow
@pytest.mark.parametrize("column", ["val_auc", "auc"])  # auc: in histories of earlier versions
def test_history_of_another_metric_is_left_out(competition, column):
    fold = competition.paths.run("good").fold(0)
    write_csv(pd.DataFrame({"epoch": [1], "loss": [0.5], "val_log_loss": [0.4]}), fold.history)
    assert "Learning curves" not in read_page(report(competition, ["good"]))
    write_csv(pd.DataFrame({"epoch": [1], "loss": [0.5], column: [0.8]}), fold.history)
    assert "Learning curves" in read_page(report(competition, ["good"]))
    fold.history.unlink()
