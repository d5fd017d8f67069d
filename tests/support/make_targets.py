"""Clones of the repository, and make targets that run in them."""

import os
import shutil
import subprocess
import sys

from medfold.paths import ProjectPaths
from tests.support.helpers import REPOSITORY, shipped
from tests.support.small_project import SMALL, add_competition


def clone_repository(root):
    """Copies what make needs into an empty folder, and adds the small phantom."""
    for name in ("Makefile", "pyproject.toml", "requirements.txt", "requirements.lock", "requirements-gpu.lock"):
        shutil.copy(REPOSITORY / name, root)
    shutil.copytree(REPOSITORY / "src", root / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    for folder in {ProjectPaths(REPOSITORY).competition(name).folder for name in shipped()} | {
        REPOSITORY / "competition" / "_base"
    }:
        shutil.copytree(folder, root / "competition" / folder.name)
    add_competition(root, "small", SMALL)


def argument_printer(folder):
    """Writes a program that prints its arguments, as a line of JSON; for make's PYTHON."""
    printer = folder / "print arguments"
    # Started by a shell: the path of the interpreter may have a space, which the first line of a program may not.
    code = "import json, sys; print(json.dumps(sys.argv[1:]))"
    printer.write_text(f"#!/bin/sh\nexec '{sys.executable}' -c '{code}' \"$@\"\n")
    printer.chmod(0o755)
    return printer


def make(clone, *words):
    """Runs make from another folder, with an empty home."""
    home = clone.parent / "home"
    home.mkdir(exist_ok=True)
    command = ["make", "-C", str(clone), "--no-print-directory", *words, f"PYTHON={sys.executable}"]
    environment = {**os.environ, "HOME": str(home)}
    environment.pop("PYTHONPATH", None)
    result = subprocess.run(command, cwd=clone.parent, capture_output=True, text=True, env=environment)
    print(result.stdout, result.stderr)  # shown if the test fails; the `kaggle` fixture searches it for secrets
    return result


def succeed(clone, *words):
    result = make(clone, *words)
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stderr == ""
    return result.stdout
