"""Lines, tables and JSON on the terminal."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from medfold.errors import UserError
from medfold.terminal import console
from tests.support.helpers import refused


def test_table_in_a_pipe_is_not_truncated(capsys):
    long = "x" * 120
    console.print_table(["name", "n"], [[long, 1]])
    assert long in capsys.readouterr().out


def test_words_in_brackets_are_not_read_as_markup(capsys):
    console.say("stage", "a [b] c")
    assert "a [b] c" in capsys.readouterr().out


def test_markup_and_control_characters_of_names_are_shown_not_obeyed(capsys):
    console.say("[/]", "[red]\x1b[2J")
    console.warn("fold\n0", "[/]")
    console.print_table(["[/bold]", "n"], [["\x1b]0;title\a[/]", 1]])
    printed = capsys.readouterr().out
    assert "\x1b" not in printed
    assert printed.count("\n") == 4
    for shown in ("[/]        [red]\\x1b[2J", "fold\\n0", "[/bold]", "\\x1b]0;title\\x07[/]"):
        assert shown in printed


@pytest.mark.parametrize(("value", "shown"), [(999, "999 B"), (3_290_000, "3.29 MB"), (1.5e9, "1.5 GB")])
def test_format_size_rounds_to_a_unit(value, shown):
    assert console.format_size(value) == shown


@pytest.mark.parametrize(("seconds", "shown"), [(42.4, "42 s"), (99.4, "99 s"), (99.5, "1.7 min"), (378, "6.3 min")])
def test_format_duration_gives_seconds_or_minutes(seconds, shown):
    assert console.format_duration(seconds) == shown


@dataclass
class Found:
    score: float
    folds: np.ndarray
    table: pd.DataFrame
    file: Path


def test_print_json_prints_fields_of_the_result_and_text_to_stderr(capsys):
    def command():
        console.say("stage", "some text")
        console.warn("stage", "look at this")
        console.print_table(["name"], [["row"]])
        return [Found(float("nan"), np.array([0, 2]), pd.DataFrame({"id": ["a"], "p": [0.25]}), Path("x.csv"))]

    result = console.run_and_print_json(command)
    assert result[0].file == Path("x.csv")
    printed = capsys.readouterr()
    assert json.loads(printed.out) == {
        "result": [{"score": None, "folds": [0, 2], "table": [{"id": "a", "p": 0.25}], "file": "x.csv"}],
        "warnings": ["look at this"],
        "error": None,
    }
    assert [line.split()[0] for line in printed.err.splitlines()] == ["stage", "stage", "name", "row"]
    console.warn("stage", "later")  # on the screen again
    assert "later" in capsys.readouterr().out


def test_print_json_reports_errors_of_users_and_of_the_disk(tmp_path, capsys):
    def refuse():
        error = UserError("no such fold", "FOLD=9")
        error.result = {"done": 1}
        raise error

    with refused("no such fold"):
        console.run_and_print_json(refuse)
    assert json.loads(capsys.readouterr().out) == {
        "result": {"done": 1},
        "warnings": [],
        "error": "FOLD=9: no such fold",
    }

    def write():
        raise OSError(28, "No space left on device", str(tmp_path / "x"))

    with refused("no disk space left"):
        console.run_and_print_json(write)
    assert "no disk space left" in json.loads(capsys.readouterr().out)["error"]
