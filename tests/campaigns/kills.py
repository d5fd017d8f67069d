"""SIGKILL at a random moment in each stage: the same command then ends with the bytes of an undisturbed run.

The command alone is killed, or all its processes at once, as `kill -9` of a group and batch systems do.
"""

import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

from tests.campaigns import pipeline
from tests.campaigns.campaign import Campaign
from tests.campaigns.pipeline import STAGES, Undisturbed
from tests.campaigns.signals import private_shared_memory

OTHERS = [stage for stage in STAGES if stage not in ("train", "parallel")]
KILLS = {"train": 16, "parallel": 16, **dict.fromkeys(OTHERS, 7)}
SHARE = {"train": 1, "parallel": 1, "prepare": 1, "unpack": 1, "submit": 1}
# As the next command does that needs any.
CLAIM = "from medfold.system.shared_memory import reserve_name_prefix; reserve_name_prefix()"


def cases(seed: int, full: bool) -> list[str]:
    """A case is a stage, the share of its duration after which it is killed, and whether its processes are, too."""
    shares = pipeline.random_shares(KILLS if full else SHARE, seed, 0.05, 0.98)
    return [f"{stage} {share} {('process', 'group')[number % 2]}" for stage, number, share in shares]


def check(case: str, given: dict[str, Undisturbed], folder: Path) -> str:
    """Kills a stage, starts it again, compares, and looks for what is left in shared memory."""
    stage, share, killed_part = case.split()
    root = shutil.copytree(given[stage].before, folder / "my project")
    with private_shared_memory(folder / "shared") as shared:
        process = pipeline.start(stage, root, own_group=True, shared_memory=shared)
        try:
            process.communicate(timeout=float(share) * given[stage].seconds)
        except subprocess.TimeoutExpired:
            (os.killpg if killed_part == "group" else os.kill)(process.pid, signal.SIGKILL)
            process.communicate()
        killed = process.returncode == -signal.SIGKILL
        output = pipeline.finish(stage, root, shared)
        if shared:
            pipeline.start_python(["-c", CLAIM], root, shared_memory=shared).communicate()
            left = sorted(path.name for path in shared.iterdir())
            assert not left, f"left in shared memory: {left[:3]}"
    pipeline.check_result(stage, root, given[stage])
    resumed = re.search(r"resuming at (.*)", output)
    return "equal bytes" + (f", resumed at {resumed[1]}" if resumed else "" if killed else ", it had ended before")


CAMPAIGN = Campaign(
    question="Does a stage that is killed (SIGKILL) and started again end with equal bytes?",
    cases=cases,
    prepare=lambda folder: pipeline.prepare(),
    check=check,
)
