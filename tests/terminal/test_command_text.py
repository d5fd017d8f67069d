"""Commands and variables in messages: for make, and for the program `medfold`."""

import shlex
import sys

import pytest

from medfold.commands import setup
from medfold.terminal.command_text import FLAGS, as_typed, command, install_command, make_command, variable

WORDS = [
    (variable, ("FOLD", 9), {}, "FOLD=9", "--fold 9"),
    (variable, ("FOLD",), {}, "FOLD", "--fold"),
    (variable, ("FORCE",), {}, "FORCE=1", "--force"),
    (variable, ("PER_CLASS", 1), {}, "PER_CLASS=1", "--per-class"),
    (variable, ("RUNS", "a b"), {}, 'RUNS="a b"', '--runs "a b"'),
    (variable, ("FOLD", ""), {}, 'FOLD=""', '--fold ""'),
    (variable, ("FROM", "a$b c"), {}, "FROM='a$b c'", "--from 'a$b c'"),
    (variable, ("RUN", "it's"), {}, 'RUN="it\'s"', '--run "it\'s"'),
    (command, ("scores",), {}, "make scores", "medfold scores"),
    (
        command,
        ("folds",),
        {"COMPETITION": "x", "FORCE": 1, "RECIPE": None, "PER_CLASS": False},
        "make folds COMPETITION=x FORCE=1",
        "medfold folds --competition x --force",
    ),
    (make_command, ("train",), {"SEEDS": 0}, "make train SEEDS=0", "make train SEEDS=0"),
    (
        as_typed,
        ('make train SEEDS=0 SET="tta=false preparation.size=9"',),
        {},
        'make train SEEDS=0 SET="tta=false preparation.size=9"',
        'medfold train --seeds 0 --set "tta=false preparation.size=9"',
    ),
    (as_typed, ('make train SET="a',), {}, *['make train SET="a'] * 2),
    (as_typed, ("make train x",), {}, *["make train x"] * 2),
]


@pytest.mark.parametrize(("function", "arguments", "variables", "by_make", "by_medfold"), WORDS)
def test_commands_and_variables_are_spelled_as_the_user_types_them(
    function, arguments, variables, by_make, by_medfold, request
):
    assert function(*arguments, **variables) == by_make
    request.getfixturevalue("typed_medfold")
    assert function(*arguments, **variables) == by_medfold


@pytest.mark.parametrize(
    "value", ["a b", "a'b", 'a"b', "a$b", "`a`", "a\\b", "", "*", "a;b", "~/é", "½", "x!y", "a\tb"]
)
def test_a_shell_reads_the_value_that_was_written(value, typed_medfold):
    assert shlex.split(variable("FROM", value)) == ["--from", value]


@pytest.mark.parametrize(
    ("started", "expected"),
    [
        (["python", "-m", "medfold", "demo"], "python -m medfold scores"),
        ([".venv/bin/python", "-m", "medfold", "demo"], ".venv/bin/python -m medfold scores"),
        (["/my tools/python", "-m", "medfold", "demo"], '"/my tools/python" -m medfold scores'),
        (["/venv/bin/python", "/venv/bin/medfold", "demo"], "medfold scores"),
        (["python", "-m", "pytest"], "medfold scores"),
        (["python"], "medfold scores"),
    ],
)
def test_command_begins_with_the_program_as_it_was_started(started, expected, typed_medfold, monkeypatch):
    monkeypatch.setattr(sys, "orig_argv", started)
    assert command("scores") == expected


@pytest.mark.parametrize(
    ("python", "expected"),
    [
        (".venv/bin/python", '.venv/bin/python -m pip install "ray>=2,<3" x'),
        ("/opt/my tools/python", '"/opt/my tools/python" -m pip install "ray>=2,<3" x'),
    ],
)
def test_packages_are_installed_for_the_python_that_runs(python, expected, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "executable", str(tmp_path / python))
    assert install_command("ray>=2,<3", "x") == expected


def test_make_checks_the_values_of_all_flags():
    assert {*FLAGS, "GPU"} == setup.FLAGS  # GPU is a variable of set-up alone
