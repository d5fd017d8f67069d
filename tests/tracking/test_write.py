"""Which results are written, replaced or left; failures in one line that end nothing."""

import importlib.metadata
import re
import sys

import pytest

from medfold.competition import Competition
from medfold.registry import set_plugin_loader
from medfold.system import json_files
from medfold.tracking import Tracking, write
from tests.support.helpers import refused
from tests.support.tracked_runs import tracked_run, train_anew

NOTES = """
import os
from medfold.plugins import tracker

@tracker
def notes(result):
    if os.environ.get("NOTES_FAIL_AT") == result.name:
        raise RuntimeError("no answer from http://bob:secret@127.0.0.1:9/x")
    with (result.run_paths.root / "notes.txt").open("a") as file:
        print(result.run_paths.name, result.name, file=file)
"""


@pytest.fixture
def competition(folded, in_this_process):
    """The small phantom with a tracker of its own, which notes each call."""
    folded.paths.plugins.write_text(NOTES)
    competition = Competition.open("small")
    tracked_run(competition)
    return competition


def noted(competition):
    file = competition.project_paths.root / "notes.txt"
    return file.read_text().splitlines() if file.exists() else []


ALL = ["baseline fold0", "baseline fold1", "baseline fold2", "baseline oof"]


def test_each_result_is_written_once(competition, capsys):
    for _ in range(2):
        Tracking(competition, ["notes"]).write("baseline")
    assert noted(competition) == ALL
    said = capsys.readouterr().out
    assert "tracking   notes: wrote fold0, fold1, fold2, oof to runs/small/baseline\n" in said
    assert said.count("notes: up to date") == 1


def test_folds_that_follow_in_one_command_are_added_without_further_words(competition, capsys):
    tracked_run(competition, "other", folds=[0])
    tracking = Tracking(competition, ["notes"])
    tracking.write("other")
    tracked_run(competition, "other")
    tracking.write("other")
    tracking.write("other")
    assert noted(competition) == ["other fold0", "other fold1", "other fold2", "other oof"]
    assert "up to date" not in capsys.readouterr().out


def test_fold_trained_anew_is_written_again(competition):
    Tracking(competition, ["notes"]).write("baseline")
    train_anew(competition, 1, 0.7)
    Tracking(competition, ["notes"]).write("baseline")
    assert noted(competition) == [*ALL, "baseline fold1", "baseline oof"]


def test_failure_is_one_line_keeps_what_was_written_and_is_made_up_for(competition, capsys, monkeypatch):
    monkeypatch.setenv("NOTES_FAIL_AT", "fold1")
    tracking = Tracking(competition, ["notes"])
    tracking.write("baseline")
    tracking.write("baseline")  # not tried again in this command
    assert capsys.readouterr().out == (
        "tracking   notes: wrote fold0 to runs/small/baseline\n"
        "tracking   notes: fold1, fold2, oof not written to runs/small/baseline (no answer from http://127.0.0.1:9/x). "
        "The same command tries again\n"
    )
    monkeypatch.delenv("NOTES_FAIL_AT")
    Tracking(competition, ["notes"]).write("baseline")
    assert noted(competition) == ALL


def test_kill_before_the_record_is_written_makes_the_tracker_write_again(competition):
    Tracking(competition, ["notes"]).write("baseline")
    competition.paths.run("baseline").tracking.unlink()
    Tracking(competition, ["notes"]).write("baseline")
    assert noted(competition) == 2 * ALL


def test_destination_that_is_gone_or_another_one_is_filled_again(competition, tmp_path):
    places = {"place": tmp_path / "my project" / "store"}
    tracker = write.Tracker(lambda result: places["place"].touch(), lambda result: places["place"])
    set_plugin_loader(lambda: write.TRACKERS.register("placed", tracker, "plugins"))
    for place in (places["place"], places["place"].with_name("other")):
        places["place"] = place
        Tracking(competition, ["placed"]).write("baseline")
        assert place.exists()
        place.unlink()
        Tracking(competition, ["placed"]).write("baseline")
        assert place.exists()


def test_misspelt_tracker_is_refused_with_the_nearest_name(competition):
    with refused(
        r"TRACK=\"notes tensorbord\": unknown tracker 'tensorbord' \(did you mean 'tensorboard'\?\)\. "
        "Known: tensorboard, mlflow, wandb, notes"
    ):
        Tracking(competition, ["notes", "tensorbord"])


def test_missing_package_is_one_line_before_the_training(competition, capsys, monkeypatch):
    def none(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(write, "version", none)
    monkeypatch.setattr(sys, "executable", "/opt/python")
    Tracking(competition, ["mlflow", "notes"]).write("baseline")
    said = capsys.readouterr().out.splitlines()
    assert said[0] == (
        "tracking   mlflow: nothing is written to it, mlflow-skinny is not installed. "
        'Run: /opt/python -m pip install "mlflow-skinny>=3.17,<4" "sqlalchemy>=2" "alembic>=1.13"'
    )
    assert len(said) == 2
    assert noted(competition) == ALL


def test_package_of_another_version_is_named(competition, capsys, monkeypatch):
    monkeypatch.setattr(write, "version", lambda name: "0.15.0")
    Tracking(competition, ["wandb"])
    assert "wandb is 0.15.0, needed <0.32,>=0.31. Run:" in capsys.readouterr().out


@pytest.mark.parametrize("content", ["no JSON", '{"notes": [1]}'])
def test_damaged_record_is_named_and_ends_no_training(competition, capsys, content):
    competition.paths.run("baseline").tracking.write_text(content)
    tracking = Tracking(competition, ["notes"])
    for _ in range(2):
        tracking.write("baseline")
    (said,) = capsys.readouterr().out.splitlines()
    assert re.search(r"nothing is written any more: runs/small/baseline/tracking\.json: .*Restore it", said)
    assert noted(competition) == []


def test_run_without_a_trained_fold_is_passed_over(competition, capsys):
    tracking = Tracking(competition, ["notes"])
    tracking.write("not-started")
    assert capsys.readouterr().out == ""
    tracking.write("baseline")
    assert noted(competition) == ALL


def test_reason_of_the_system_describes_an_error_of_a_library():
    refusal, error = ConnectionRefusedError(111, "Connection refused"), ValueError("a long text about retries")
    error.__context__ = refusal
    assert write.describe_error(error) == "Connection refused"
    assert write.describe_error(ValueError("two\n  lines")) == "two lines"
    assert write.describe_error(ValueError()) == "ValueError"


@pytest.mark.slow
def test_a_child_process_writes(folded, capfd):
    folded.paths.plugins.write_text(NOTES)
    competition = Competition.open("small")
    tracked_run(competition)
    Tracking(competition, ["notes"]).write("baseline")
    assert noted(competition) == ALL
    assert set(json_files.read(competition.paths.run("baseline").tracking)["notes"]) == {
        "fold0",
        "fold1",
        "fold2",
        "oof",
    }
    assert capfd.readouterr().err == ""
