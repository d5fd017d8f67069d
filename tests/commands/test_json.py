"""JSON=1: one object on standard output with the result of a command, for scripts."""

import json
import sys

import pytest

from medfold.cli import main
from medfold.commands.submit import submit
from medfold.system import json_files
from tests.support.finished_runs import finished_run


@pytest.fixture
def medfold(monkeypatch, capsys):
    """Runs a command with --json; returns its exit code and the printed object."""

    def run(*words):
        capsys.readouterr()
        monkeypatch.setattr(sys, "argv", ["medfold", *words, "--json"])
        code = 0
        try:
            main()
        except SystemExit as stop:
            code = stop.code or 0
        return code, json.loads(capsys.readouterr().out)

    return run


def test_json_of_runs_lists_the_best_first(two_runs, medfold):
    finished_run(two_runs, "other", 3.0)
    score = json_files.read(two_runs.paths.run("other").score)
    json_files.write({**score, "metric": "log_loss", "value": 0.1}, two_runs.paths.run("other").score)
    code, output = medfold("runs", "-c", "small")
    assert (code, output["error"]) == (0, None)
    listed = output["result"]
    assert (listed["competition"], listed["metric"], listed["untrained"]) == ("small", "auc", [])
    assert [run["name"] for run in listed["runs"]] == ["strong", "weak", "other"]
    strong, _, other = listed["runs"]
    assert strong["low"] < strong["value"] <= strong["high"]
    assert (strong["trained_folds"], strong["num_folds"], strong["problem"]) == ([0, 1, 2], 3, "")
    assert (other["value"], other["problem"]) == (None, "scored by log_loss")


def test_json_of_compare_names_the_better_side(two_runs, medfold):
    _, output = medfold("compare", "-c", "small", "--runs", "weak strong")
    result = output["result"]
    assert [side["name"] for side in result["sides"]] == ["weak", "strong"]
    assert result["better_side"] == "strong"
    assert result["difference"]["low"] > 0
    assert result["folds"] == [0, 1, 2]


def test_json_of_ensemble_marks_the_chosen_method(two_runs, medfold):
    _, output = medfold("ensemble", "-c", "small", "--runs", "weak strong")
    result = output["result"]
    assert [member["name"] for member in result["members"]] == ["strong", "weak"]
    assert result["members"][0]["error_correlation"][0] == 1
    chosen = [method for method in result["methods"] if method["is_chosen"]]
    assert [method["name"] for method in chosen] == [result["score"]["ensemble"]["method"]]
    assert result["methods"][0]["gain"] is None


def test_json_of_scores_and_recheck_holds_submissions_and_differences(two_runs, medfold):
    submit(two_runs, run_names=["strong"])
    _, output = medfold("scores", "-c", "small")
    (scores,) = output["result"]
    (row,) = scores["submissions"]
    assert (scores["competition"], scores["metric"], scores["rank_correlation"]) == ("small", "auc", None)
    assert (row["runs"], row["status"]) == ("strong", "scored")
    assert 0.5 < row["oof"] <= row["oof_high"]
    code, output = medfold("recheck", "-c", "small", "--runs", "strong")
    assert code == 0
    assert [result["kind"] for result in output["result"]] == ["run", "submission"]
    score = json_files.read(two_runs.paths.run("strong").score)
    json_files.write({**score, "value": 0.1}, two_runs.paths.run("strong").score)
    code, output = medfold("recheck", "-c", "small", "--runs", "strong")
    assert code == 2
    assert output["result"][0]["differences"]
    assert "1 difference: strong: value is" in output["error"]


def test_json_of_doctor_holds_the_level_of_each_finding(small, medfold):
    _, output = medfold("doctor", "-c", "small")
    levels = {finding["topic"]: finding["level"] for finding in output["result"]}
    assert levels["Python"] == "ok"
    assert levels["Kaggle"] in ("ok", "warning")


def test_json_of_an_error_has_no_result(two_runs, medfold):
    code, output = medfold("compare", "-c", "small", "--runs", "weak")
    assert code == 2
    assert output["result"] is None
    assert "expected two runs" in output["error"]
