"""Commands and variables in messages, spelled as the user types them: for make, or for the program `medfold`."""

import os
import re
import shlex
import sys
from pathlib import Path

BY_MAKE = "MEDFOLD_BY_MAKE"  # set by the Makefile; child processes inherit it
FLAGS = ("DEBUG", "DRY_RUN", "EXPLAIN", "FORCE", "GPU", "JSON", "PER_CLASS", "YES")  # variables that are on or off
NEEDS_QUOTES = re.compile(r"[^\w@%+=:,./~-]")


def is_started_by_make() -> bool:
    """Returns True if the user typed a make command, False if `medfold` or `python -m medfold`."""
    return BY_MAKE in os.environ


def program() -> str:
    """Returns the program as the user started it: `medfold`, or `python -m medfold` with that path of python."""
    python, *words = sys.orig_argv
    if words[:2] != ["-m", "medfold"]:
        return "medfold"
    return f'"{python}" -m medfold' if " " in python else f"{python} -m medfold"


def install_command(*requirements: str) -> str:
    """Returns the command that installs packages for the Python that runs: `.venv/bin/python -m pip install "ray>=2"`.

    Args:
        requirements: names of packages, with limits of their versions.
    """
    python = Path(sys.executable)
    shown = python.relative_to(Path.cwd()) if python.is_relative_to(Path.cwd()) else python
    return " ".join([_quoted(shown), "-m pip install", *(_quoted(requirement) for requirement in requirements)])


def setup_command(gpu: bool = False) -> str:
    """Returns the command that installs medfold's packages: `make setup`, or the script that it runs.

    Args:
        gpu: True for the packages with CUDA. Defaults to False.
    """
    if is_started_by_make():
        return make_command("setup", GPU=gpu)
    return f"python {Path('src', 'medfold', 'commands', 'setup.py')}{' --gpu' if gpu else ''}"


def variable(name: str, value: object = None) -> str:
    """Returns a variable as the user types it: `FOLD=9`, or `--fold 9` for `medfold`.

    Args:
        name: name of a make variable. Names in `FLAGS` are written `FORCE=1` or `--force`, with any value.
        value: Defaults to None: the name alone.
    """
    if is_started_by_make():
        return _make_variable(name, value)
    option = f"--{name.lower().replace('_', '-')}"
    return option if value is None or name in FLAGS else f"{option} {_quoted(value)}"


def command(target: str, **variables: object) -> str:
    """Returns a command as the user types it: `make folds FORCE=1`, or `medfold folds --force`.

    Args:
        target: name of a make target, such as `train`.
        variables: values by the name of a make variable; those that are None or False are left out.
    """
    if is_started_by_make():
        return make_command(target, **variables)
    return " ".join([program(), target, *(variable(name, value) for name, value in _given(variables).items())])


def make_command(target: str, **variables: object) -> str:
    """Returns a make command, for files and pages: they name make commands whoever writes them.

    Args:
        target: name of a make target, such as `train`.
        variables: values by the name of a make variable; those that are None or False are left out.
    """
    return " ".join(["make", target, *(_make_variable(name, value) for name, value in _given(variables).items())])


def as_typed(text: str, **changed: object) -> str:
    """Returns a make command that was read from a file as the user types it; any other text stays as it is.

    Args:
        text: a command such as `make train FOLD=0`.
        changed: variables to add, or whose value is replaced.
    """
    try:
        _, target, *words = shlex.split(text)
        return command(target, **dict(word.split("=", 1) for word in words) | changed)
    except ValueError:  # unbalanced quotes, or a word without =
        return text


def _make_variable(name: str, value: object) -> str:
    if name in FLAGS:
        return f"{name}=1"
    return name if value is None else f"{name}={_quoted(value)}"


def _given(variables: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in variables.items() if value is not None and value is not False}


def _quoted(value: object) -> str:
    """Returns a value as a shell needs it: in quotes if it is empty or has spaces or special signs."""
    text = str(value)
    if text and not NEEDS_QUOTES.search(text):
        return text
    return shlex.quote(text) if re.search(r'["$`\\!]', text) else f'"{text}"'
