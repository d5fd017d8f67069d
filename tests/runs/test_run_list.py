"""Summaries of the runs of a competition: settings that differ, and scores that do not compare."""

import pytest

from medfold.competition.project import Project
from medfold.errors import UserError
from medfold.runs.run_list import summarise_runs
from tests.support.helpers import finished_run


def test_best_run_of_all_folds_is_first_and_partial_runs_follow(folded):
    finished_run(folded, "weak", 0.3)
    finished_run(folded, "strong", 2.0)
    finished_run(folded, "partial", 3.0, folds=[1])
    summary = summarise_runs(folded)
    assert [run.name for run in summary.runs] == ["strong", "weak", "partial"]
    assert [run.folds_done for run in summary.runs] == [[0, 1, 2], [0, 1, 2], [1]]
    assert {run.problem for run in summary.runs} == {""}
    assert all(run.low < run.value < run.high for run in summary.runs[:2])


def test_only_settings_that_differ_from_most_runs_are_listed(folded):
    for name in ("a", "b"):
        finished_run(folded, name)
    finished_run(folded, "c", best=True)
    assert {run.name: run.differences for run in summarise_runs(folded).runs} == {
        "a": {},
        "b": {},
        "c": {"training.keep": "best"},
    }
    assert [run.name for run in summarise_runs(folded).runs if run.is_optimistic] == ["c"]


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (lambda run: run.score.unlink(), "score.json is missing"),
        (lambda run: run.score.write_text("{"), "score.json is damaged"),
        (lambda run: run.fold(1).test.write_text("id\n"), "fold 1 is damaged: test.csv is missing or changed"),
    ],
)
def test_damaged_run_has_no_score_but_a_problem(folded, damage, problem):
    finished_run(folded)
    damage(folded.paths.run("baseline"))
    (run,) = summarise_runs(folded).runs
    assert problem in run.problem
    assert (run.value, run.low, run.high) == (None, None, None)


def test_folder_without_run_json_is_named(folded):
    finished_run(folded, "kept")
    finished_run(folded, "lost")
    folded.paths.run("lost").metadata.unlink()
    assert summarise_runs(folded).without_metadata == ["lost"]
    folded.paths.run("kept").metadata.unlink()
    with pytest.raises(UserError, match="kept: run.json is missing"):
        summarise_runs(folded)


def test_competition_without_runs_raises(small):
    with pytest.raises(UserError, match="small: no run yet"):
        summarise_runs(Project.open("small"))
