"""make runs: the list of runs, and their removal with DELETE=."""

import pytest

from medfold import config
from medfold.commands.folds import make_folds
from medfold.commands.runs import list_runs, remove_runs
from medfold.commands.submit import submit
from medfold.commands.train import train
from medfold.competition import Competition
from medfold.folds import folds_fingerprint
from medfold.project_root import display_path
from medfold.system import files, json_files
from tests.support.finished_runs import finished_run
from tests.support.helpers import refused, replaced
from tests.support.small_project import SMALL


def test_list_runs_puts_best_complete_run_first(two_runs, capsys):
    finished_run(two_runs, "begun", 3.0, folds=[1])
    finished_run(two_runs, "peeked", 1.0, best=True)
    list_runs(two_runs)
    lines = capsys.readouterr().out.splitlines()
    names = [line.split()[0] for line in lines[2:]]
    assert names == ["strong", "peeked", "weak", "begun"]
    assert "OPTIMISTIC training.keep=best" in lines[3]
    assert "1/3" in lines[5]


def test_list_runs_hides_scores_of_another_metric(two_runs, capsys):
    finished_run(two_runs, "other", 3.0)
    score = json_files.read(two_runs.paths.run("other").score)
    json_files.write({**score, "metric": "log_loss", "value": 0.1}, two_runs.paths.run("other").score)
    list_runs(two_runs)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[2:]] == ["strong", "weak", "other"]
    assert "(scored by log_loss)" in lines[4]
    assert "0.1" not in lines[4]


def test_list_runs_shows_runs_on_older_folds_separately(two_runs, capsys):
    before = folds_fingerprint(two_runs.paths)
    two_runs.paths.facts_file.write_text(replaced(SMALL, ("k: 3", "k: 4")))
    four = Competition.open("small")
    make_folds(four, force=True)
    assert "kept as" in capsys.readouterr().out
    kept = two_runs.paths.older_folds(before)
    assert kept.is_file()
    assert kept.with_suffix(".json").is_file()
    finished_run(four, "new", 1.0)
    with refused("started on a different folds table.* RUN=new-name"):
        train(four, run="weak")
    list_runs(four)
    said = capsys.readouterr().out
    today, older = said.split("on a different folds table, ")
    assert today.splitlines()[-2].split()[0] == "new"
    assert "weak" not in today
    assert older.startswith(f"{display_path(kept)} (k 3, seed ")
    assert [line.split()[0] for line in older.splitlines()[2:]] == ["strong", "weak"]
    assert older.count("3/3") == 2
    assert "trained with another" not in older


def test_list_runs_names_untrained_runs_below_the_table(two_runs, capsys):
    finished_run(two_runs, "begun", 1.0, folds=[0])
    files.remove(two_runs.paths.run("begun").fold(0).folder)
    files.remove(two_runs.paths.run("strong").fold(1).folder)
    list_runs(two_runs)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[2:4]] == ["weak", "strong"]
    assert "2/3" in lines[3]
    assert "outdated score: make train computes it again" in lines[3]
    assert "not shown, without a trained fold: begun (make runs COMPETITION=small DELETE=begun removes" in lines[4]


def test_list_runs_names_a_damaged_run_json_and_lists_the_others(two_runs, capsys):
    two_runs.paths.run("weak").metadata.write_text("{")
    list_runs(two_runs)
    lines = capsys.readouterr().out.splitlines()
    assert lines[2].split()[0] == "strong"
    assert "not shown, run.json of weak is damaged: not JSON, or cut off: restore it" in lines[3]
    assert "make runs COMPETITION=small DELETE=weak removes the run" in lines[3]


def test_list_runs_ignores_settings_without_effect(two_runs, capsys):
    for name, recipe in (("weak", {"training": {"focal_gamma": 5.0}}), ("strong", {"training": {"ema_decay": 0.5}})):
        origin = json_files.read(two_runs.paths.run(name).metadata)
        json_files.write(config.merge(origin, {"recipe": recipe}), two_runs.paths.run(name).metadata)
    list_runs(two_runs)
    said = capsys.readouterr().out
    assert "focal_gamma" not in said
    assert "training.ema_decay=" in said


def test_list_runs_without_runs_is_refused(small):
    with refused("no run yet. Run: make train COMPETITION=small"):
        list_runs(small)


@pytest.fixture
def answer(monkeypatch):
    """Fakes a terminal and the text that the user types; returns the questions asked."""

    def fake_terminal(text):
        asked = []
        monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
        monkeypatch.setattr("medfold.terminal.console.console.input", lambda question: asked.append(question) or text)
        return asked

    return fake_terminal


def test_remove_runs_asks_once_and_needs_yes(folded, answer, capsys):
    for name in ("a", "b", "c"):
        finished_run(folded, name)
    submit(folded, run_names=["b"])
    answer("n")
    remove_runs(folded, ["a"])
    assert "nothing was removed" in capsys.readouterr().out
    assert folded.paths.run("a").metadata.is_file()
    asked = answer("y")
    remove_runs(folded, ["a", "b"])
    said = capsys.readouterr().out
    assert "to be removed: a (3 of 3 folds, " in said
    assert "in 1 submission)" in said
    assert asked == ["[bold]           Remove this for good? [/](y/n) "]  # one question for both runs
    assert [path.name for path in folded.paths.runs.iterdir() if not path.name.startswith(".")] == ["c"]
    assert list(folded.paths.submissions.glob("*.csv"))


def test_remove_runs_without_terminal_raises_unless_yes_is_given(folded, monkeypatch):
    finished_run(folded, "a")
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    message = r"cannot ask 'Remove this for good\?' without a terminal. Use YES=1 to answer yes"
    with refused(message):
        remove_runs(folded, ["a"])
    assert folded.paths.run("a").metadata.is_file()
    remove_runs(folded, ["a"], skip_question=True)
    assert not folded.paths.run("a").folder.exists()


def test_remove_runs_with_an_unknown_run_removes_nothing(folded):
    finished_run(folded, "a")
    with refused('DELETE="a other": there is no other among the runs of small. Known: a'):
        remove_runs(folded, ["a", "other"], skip_question=True)
    assert folded.paths.run("a").metadata.is_file()
