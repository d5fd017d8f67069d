"""SIGKILL at a random moment in each stage: the same command then ends with the bytes of an undisturbed run."""

import re
import shutil
import signal
import subprocess
from pathlib import Path

from tests.campaigns import pipeline
from tests.campaigns.campaign import Campaign
from tests.campaigns.pipeline import STAGES, Undisturbed

KILLS = {"train": 25, **dict.fromkeys((stage for stage in STAGES if stage not in ("train", "parallel")), 8)}
SHARE = {"train": 3, "prepare": 1, "submit": 1}


def cases(seed: int, full: bool) -> list[str]:
    """A case is a stage, and the share of its duration after which it is killed."""
    shares = pipeline.random_shares(KILLS if full else SHARE, seed, 0.05, 0.98)
    return [f"{stage} {share}" for stage, _, share in shares]


def check(case: str, given: dict[str, Undisturbed], folder: Path) -> str:
    """Kills a stage, starts it again, and compares."""
    stage, share = case.split()
    root = shutil.copytree(given[stage].before, folder / "my project")
    process = pipeline.start(stage, root)
    try:
        process.communicate(timeout=float(share) * given[stage].seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    killed = process.returncode == -signal.SIGKILL
    output = pipeline.finish(stage, root)
    pipeline.check_result(stage, root, given[stage])
    resumed = re.search(r"resuming at (.*)", output)
    return "equal bytes" + (f", resumed at {resumed[1]}" if resumed else "" if killed else ", it had ended before")


CAMPAIGN = Campaign(
    question="Does a stage that is killed (SIGKILL) and started again end with equal bytes?",
    cases=cases,
    prepare=lambda folder: pipeline.prepare(),
    check=check,
)
