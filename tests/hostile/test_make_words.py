"""What the user types after make reaches the program as it is: neither make nor the shell runs any of it."""

import json
import os
import shutil
import subprocess

import pytest

from tests.support.helpers import REPOSITORY
from tests.support.make_targets import argument_printer

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")

HOSTILE = {
    "double quotes": 'x"; touch pwned; "',
    "single quotes": "x'; touch pwned; '",
    "backticks": "`touch pwned`",
    "shell": "$(touch pwned)",
    "make": "$(shell touch pwned)",
    "make, doubled": "$$(shell touch pwned)",
    "make, braces": "${shell touch pwned}",
    "semicolon": "x; touch pwned",
    "ampersand": "x && touch pwned",
    "pipe": "x | touch pwned",
    "lines": "x\ntouch pwned",
    "comment": "x # touch pwned",
    "make's eval": "$(eval $(shell touch pwned))",
}
VARIABLES = ["COMPETITION", "RECIPE", "SEEDS", "FOLD", "SET", "RUN", "JOBS", "WORKERS", "ON", "TRACK"]


@pytest.fixture
def run_make(tmp_path):
    """Runs make with a PYTHON that prints the arguments of the program, and returns them."""
    printer = argument_printer(tmp_path)

    def run(*words, **environment):
        command = ["make", "-f", str(REPOSITORY / "Makefile"), *words, f"PYTHON={printer}"]
        result = subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, env={**os.environ, **environment}, check=True
        )
        return [json.loads(line) for line in result.stdout.splitlines()]

    yield run
    assert not list(tmp_path.rglob("pwned*"))


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_variables_of_the_command_line_are_not_run(run_make, text):
    *_, arguments = run_make("train", *(f"{name}={text}" for name in VARIABLES))
    assert arguments.count(text) == len(VARIABLES)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_variables_of_the_environment_are_not_run(run_make, text):
    *_, arguments = run_make("train", **dict.fromkeys(VARIABLES, text))
    assert arguments.count(text) == len(VARIABLES)


@pytest.mark.parametrize(
    ("target", "variable"),
    [
        ("new", "FROM"),
        ("predict", "OUT"),
        ("train", "UNKNOWN"),
        *(
            pytest.param(target, variable, marks=pytest.mark.slow)
            for target, variable in (
                ("download", "FILES"),
                ("data", "DELETE"),
                ("predict", "IMAGES"),
                ("submit", "METHOD"),
                ("compare", "RUNS"),
                ("campaigns", "WHAT"),
                ("campaigns", "SEED"),
                ("test", "ORDER"),
                ("pictures", "RECORDING"),
            )
        ),
    ],
)
def test_no_variable_of_any_target_is_run(run_make, target, variable):
    for text in HOSTILE.values():
        run_make(target, f"{variable}={text}")


def test_names_of_targets_are_not_run(run_make):
    for text in HOSTILE.values():
        assert run_make(text)[0][-1] == text


def test_help_runs_no_variable(tmp_path):
    for name in ("Makefile", "src/medfold/commands/setup.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / name, tmp_path / name)
    for text in HOSTILE.values():
        subprocess.run(["make", f"COMPETITION={text}"], cwd=tmp_path, check=True)
    assert {path.name for path in tmp_path.iterdir()} == {"Makefile", "src"}


def test_flags_are_not_run(run_make):
    for name in ("FORCE", "DEBUG", "GPU"):
        run_make("folds", f'{name}=1"; touch pwned; "')
        run_make("folds", f"{name}=$(shell touch pwned)")
