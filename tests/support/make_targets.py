"""Runs make targets in a clone of the repository."""

import os
import subprocess
import sys


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
