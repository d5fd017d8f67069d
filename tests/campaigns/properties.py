"""The property tests (hypothesis) with many more examples than in `make test`."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.campaigns.campaign import Campaign
from tests.support.helpers import REPOSITORY


def cases(seed: int, full: bool) -> list[str]:
    """A case is a test module, a profile of tests/conftest.py, and a seed."""
    profile = "campaign" if full else "all"
    paths = sorted((REPOSITORY / "tests").rglob("test_*.py"))
    having = [path for path in paths if "from hypothesis import" in path.read_text(encoding="utf-8")]
    return [f"{path.relative_to(REPOSITORY).as_posix()} {profile} {seed}" for path in having]


def check(case: str, given: None, folder: Path) -> str:
    """Runs the property tests of a module."""
    path, profile, seed = case.rsplit(" ", 2)
    options = ["-q", "-m", "hypothesis", "-p", "no:cacheprovider", f"--basetemp={folder / 'made'}"]
    chosen = [f"--hypothesis-profile={profile}", f"--hypothesis-seed={seed}"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    command = [sys.executable, "-m", "pytest", *options, *chosen, path]
    ended = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True)
    passed = re.search(r"(\d+) passed", ended.stdout)
    assert ended.returncode == 0, ended.stdout[-3000:]
    return f"{passed[1]} properties"


CAMPAIGN = Campaign(
    question="Do the properties hold for 500 random examples each?",
    cases=cases,
    prepare=lambda folder: None,
    check=check,
)
