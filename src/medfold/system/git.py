"""The state of a git repository."""

import subprocess
from pathlib import Path


def git_commit(root: Path) -> str | None:
    """Returns the commit of the project folder, with '+' if files differ from it; None outside git."""
    try:
        words = ["git", "-C", str(root), "describe", "--always", "--dirty=+", "--abbrev=12", "--exclude=*"]
        result = subprocess.run(words, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return result.stdout.strip()
