"""make report: the page is written beside the run, and what it says in short is printed."""

import pytest

from medfold.commands.report import report
from medfold.report.page import Section
from tests.support.finished_runs import finished_run
from tests.support.helpers import refused


@pytest.fixture
def competition(folded):
    """The small phantom with a finished run, `good`."""
    finished_run(folded, "good", 2.0)
    return folded


def test_summaries_and_the_path_are_printed(competition, capsys, monkeypatch):
    section = Section("images", "Images", summary="heat maps: in the finding in 3 of 4")
    monkeypatch.setattr("medfold.report.build.explanations_section", lambda *_: section)
    path = report(competition, ["good"])
    assert path == competition.paths.run("good").folder / "report.html"
    said = capsys.readouterr().out
    assert "report     heat maps: in the finding in 3 of 4\n" in said
    assert "report     runs/small/good/report.html, " in said


def test_report_of_untrained_run_is_refused(competition):
    with refused("run 'nobody' is not trained"):
        report(competition, ["nobody"])
    assert not (competition.project_paths.root / "runs/small/nobody").exists()


def test_unknown_method_is_refused_before_anything_is_read(competition):
    with refused("METHOD=median: unknown method"):
        report(competition, ["good"], method="median")
