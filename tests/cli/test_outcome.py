"""The outcome of a command: exit code, and one line after an error."""

import os
import re
import signal
import sys
from pathlib import Path

import pytest
import typer

from medfold import cli
from medfold.cli import outcome
from medfold.errors import UserError


@pytest.fixture
def outcome_of(monkeypatch, capsys):
    """Returns a function: exit code and error line of a command that calls `action`."""
    monkeypatch.setattr(outcome, "stop_on_signals", lambda: None)

    def run(action, *words):
        app = typer.Typer(pretty_exceptions_enable=False)

        @app.command()
        def work(folds: int = 5, debug: bool = False):
            action()

        @app.command()
        def other():
            pass

        monkeypatch.setattr(sys, "argv", ["medfold", "work", *words])
        with pytest.raises(SystemExit) as ended:
            outcome.run_and_exit(app)
        return ended.value.code, capsys.readouterr().err

    return run


def raise_error(error):
    raise error


def test_command_that_works_ends_with_0(outcome_of):
    assert outcome_of(lambda: None) == (0, "")


def test_exit_code_of_a_command_is_kept(outcome_of):
    assert outcome_of(lambda: raise_error(typer.Exit(2))) == (2, "")


def test_user_error_is_one_line(outcome_of):
    error = UserError("no such column", "train.csv", "Check labels.id")
    assert outcome_of(lambda: raise_error(error)) == (2, "medfold: train.csv: no such column. Check labels.id\n")


def test_full_disk_is_one_line(outcome_of):
    code, line = outcome_of(lambda: raise_error(OSError(28, os.strerror(28), "runs/a.csv")))
    assert code == 2
    assert re.fullmatch(r"medfold: runs/a\.csv: .*disk.*\n", line)


def test_mistyped_option_is_one_line_with_the_nearest(outcome_of):
    code, line = outcome_of(lambda: None, "--fold", "3")
    assert code == 2
    assert re.fullmatch(r"medfold: no such option: --fold.*--folds.*\. See: medfold work --help\n", line)


def test_option_before_the_command_is_one_line_with_the_order(monkeypatch, capsys):
    monkeypatch.setattr(outcome, "stop_on_signals", lambda: None)
    monkeypatch.setattr(sys, "argv", ["medfold", "-c", "tiny", "train"])
    with pytest.raises(SystemExit) as ended:
        outcome.run_and_exit(cli.app)
    assert ended.value.code == 2
    line = "medfold: no such option: -c. Write the command first, then its options. See: medfold --help\n"
    assert capsys.readouterr().err == line


def test_unexpected_error_names_a_file_with_the_traceback(outcome_of):
    code, line = outcome_of(lambda: raise_error(RuntimeError("lost\ncount")))
    assert code == 1
    named = re.fullmatch(
        r"medfold: unexpected error, RuntimeError: lost count\. .*report it with this file, .*: (\S+)\n", line
    )
    file = Path(named[1])
    assert "Traceback" in file.read_text()
    file.unlink()


def test_errors_are_shown_whole_with_debug(monkeypatch, capsys):
    monkeypatch.setattr(outcome, "stop_on_signals", lambda: None)
    monkeypatch.setattr(sys, "argv", ["medfold", "--debug"])
    app = lambda words, standalone_mode: raise_error(UserError("wrong"))  # noqa: E731
    with pytest.raises(SystemExit) as ended:
        outcome.run_and_exit(app)
    assert ended.value.code == 2
    assert re.search("Traceback.*UserError: wrong", capsys.readouterr().err, flags=re.DOTALL)


@pytest.mark.parametrize(
    ("number", "line"),
    [
        (signal.SIGINT, "medfold: stopped; run the same command again to continue\n"),
        (signal.SIGTERM, "medfold: stopped by SIGTERM; run the same command again to continue\n"),
    ],
)
def test_stopped_command_ends_with_128_and_the_number_of_the_signal(outcome_of, monkeypatch, number, line):
    monkeypatch.setattr(outcome, "begin_exit", lambda: number)
    assert outcome_of(lambda: raise_error(KeyboardInterrupt())) == (128 + number, line)
