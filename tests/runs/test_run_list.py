"""Summaries of the runs of a competition: settings that differ, and scores that do not compare."""

import pytest

from medfold.competition import Competition
from medfold.runs.run_list import (
    RunSummary,
    most_common_settings,
    sort_key,
    summarise_runs,
)
from tests.support.finished_runs import finished_run
from tests.support.helpers import refused


def test_best_run_of_all_folds_is_first_and_partial_runs_follow(folded):
    finished_run(folded, "weak", 0.3)
    finished_run(folded, "strong", 2.0)
    finished_run(folded, "partial", 3.0, folds=[1])
    summary = summarise_runs(folded)
    assert [run.name for run in summary.runs] == ["strong", "weak", "partial"]
    assert [run.trained_folds for run in summary.runs] == [[0, 1, 2], [0, 1, 2], [1]]
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
        (lambda run: run.score.write_text("[]"), "score.json is damaged"),
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
    with refused("kept: run.json is missing"):
        summarise_runs(folded)


def test_damaged_run_json_is_named_and_the_other_runs_are_listed(folded):
    for name in ("intact", "cut", "changed"):
        finished_run(folded, name)
    cut, changed = (folded.paths.run(name).metadata for name in ("cut", "changed"))
    cut.write_text(cut.read_text()[:100])
    changed.write_text(changed.read_text().replace('"seed": 0', '"seed": 1'))
    run_list = summarise_runs(folded)
    assert [run.name for run in run_list.runs] == ["intact"]
    assert run_list.damaged == {"changed": "changed since medfold wrote it", "cut": "not JSON, or cut off"}
    folded.paths.run("intact").metadata.unlink()
    with refused("changed/run.json: changed since medfold wrote it"):
        summarise_runs(folded)


def test_competition_without_runs_is_refused(small):
    with refused("small: no run yet"):
        summarise_runs(Competition.open("small"))


def summary(name: str, value: float | None, folds: tuple[int, ...] = (0, 1, 2), problem: str = "") -> RunSummary:
    return RunSummary(name, value, None, None, False, problem, [*folds], 3, None, 0, {}, "")


@pytest.mark.parametrize(("sign", "expected"), [(1, "c b a d e f g"), (-1, "a b c d e f g")])
def test_runs_are_ranked_by_folds_score_and_name(sign, expected):
    runs = [
        summary("g", None, problem="trained on other labels"),
        summary("f", 0.99, (0, 1)),
        summary("e", None),
        summary("d", None),
        summary("b", 0.85),
        summary("a", 0.8),
        summary("c", 0.9),
    ]
    assert " ".join(run.name for run in sorted(runs, key=lambda run: sort_key(run, sign))) == expected


def test_most_common_value_of_each_setting_is_found():
    recipes = [{"a": 1, "b": [1]}, {"a": 2, "b": [1]}, {"a": 2, "b": [2], "c": None}]
    assert most_common_settings(recipes) == {"a": 2, "b": [1], "c": None}
