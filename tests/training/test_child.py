"""Training in a child process: its request, its messages as lines of JSON, its exit codes; the training is imitated."""

import io
import json
import os
from types import SimpleNamespace

import pytest

from medfold.errors import INTERRUPTED, UserError
from medfold.terminal.console import say
from medfold.training import child

REQUEST = {
    "competition": "small",
    "request": {"recipe": "baseline", "overrides": {"training": {"epochs": 7}}, "seed": 2, "folds": [1]},
}


@pytest.fixture
def run_child(small, monkeypatch):
    """Returns a function that runs the child with a training; it returns the exit code and the messages."""
    read, write = os.pipe()
    opened, called = [], []

    def fdopen(*given, **options):
        opened.append(os.fdopen(*given, **options))
        return opened[-1]

    monkeypatch.setattr(child, "os", SimpleNamespace(fdopen=fdopen, dup=lambda number: write, dup2=lambda *_: None))
    for name in ("end_with_parent", "stop_on_signals", "begin_exit"):
        monkeypatch.setattr(child, name, lambda name=name: called.append(name))

    def run(train_run, request=REQUEST):
        monkeypatch.setattr(child, "make_dataset", lambda competition, preparation: preparation)
        monkeypatch.setattr(child, "train_run", train_run)
        monkeypatch.setattr(child.sys, "stdin", io.StringIO(json.dumps(request) + "\n"))
        code = child.main()
        opened[0].close()  # as the end of the process does
        with os.fdopen(read, encoding="utf-8") as lines:
            return code, [json.loads(line) for line in lines]

    run.called = called
    return run


def test_requested_fold_is_trained_and_its_lines_are_sent(run_child, capsys):
    seen = []

    def train_run(competition, request, recipe, data):
        seen.append((competition.paths.name, request.seed, request.folds, recipe.training.epochs))
        assert data.size == 16  # the dataset was loaded with the images of the recipe
        say("fold 1", "AUC 0.9")
        say("fold 1", "weights -> runs/")

    code, messages = run_child(train_run)
    assert code == 0
    assert seen == [("small", 2, [1], 7)]
    assert messages == [{"topic": "fold 1", "text": "AUC 0.9"}, {"topic": "fold 1", "text": "weights -> runs/"}]
    assert capsys.readouterr().out == ""
    assert run_child.called == ["end_with_parent", "stop_on_signals"]


def test_problem_is_sent_in_one_line(run_child):
    def train_run(competition, request, recipe, data):
        say("fold 1", "begins")
        raise UserError("the loss is not a number", "fold 1", "Lower training.learning_rate")

    code, messages = run_child(train_run)
    assert code == 2
    problem = "fold 1: the loss is not a number. Lower training.learning_rate"
    assert messages == [{"topic": "fold 1", "text": "begins"}, {"problem": problem}]


def test_full_disk_is_a_problem_too(run_child):
    def train_run(competition, request, recipe, data):
        raise OSError(28, "No space left on device", "runs/weights.h5")

    code, (message,) = run_child(train_run)
    assert code == 2
    assert "runs/weights.h5" in message["problem"]


def test_unknown_competition_is_a_problem(run_child):
    code, (message,) = run_child(lambda *_: None, {**REQUEST, "competition": "smal"})
    assert code == 2
    assert "unknown competition (did you mean 'small'?)" in message["problem"]


def test_error_in_settings_is_located_in_the_override(run_child):
    request = {**REQUEST, "request": {**REQUEST["request"], "overrides": {"training": {"epoch": 3}}}}
    code, (message,) = run_child(lambda *_: None, request)
    assert code == 2
    assert message["problem"].startswith("SET: unknown key 'training.epoch'")


def test_interruption_is_no_problem(run_child):
    def train_run(competition, request, recipe, data):
        raise KeyboardInterrupt

    assert run_child(train_run) == (INTERRUPTED, [])
    assert run_child.called[-1] == "begin_exit"
