"""SIGKILL before and after each rename of a stage: the same command then ends with the bytes of an undisturbed run.

A file gets its final name by a rename, so these are the moments at which it might look complete and is not, or is
complete and nothing knows of it.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

from tests.campaigns import pipeline
from tests.campaigns.campaign import Campaign
from tests.campaigns.pipeline import Undisturbed

# Renames of each stage, in all its processes. Those of the 200 images that are unpacked are alike: a few are tried.
# Python imports `sitecustomize` in each process before anything else.
RENAMES = {
    "unpack": 208,
    "download": 7,
    "prepare": 8,
    "folds": 9,
    "features": 16,
    "train": 34,
    "parallel": 32,
    "submit": 10,
    "report": 2,
    "predict": 2,
    "notebook": 7,
}
SHARE = ("train 4 before", "submit 5 after")
HOOK = """
import os, signal

replace, log, wanted = os.replace, os.environ["RENAMES"], os.environ.get("KILL_AT", "")

def counted(source, target, **keywords):
    with open(log, "ab") as file:
        file.write(b".")
    number = os.path.getsize(log)
    if wanted == f"{number} before":
        os.kill(os.getpid(), signal.SIGKILL)
    replace(source, target, **keywords)
    if wanted == f"{number} after":
        os.kill(os.getpid(), signal.SIGKILL)

os.replace = counted
"""


@dataclass(frozen=True)
class Hooked:
    """The undisturbed stages, and the folder with the hook."""

    undisturbed: dict[str, Undisturbed]
    folder: Path


def cases(seed: int, full: bool) -> list[str]:
    """A case is a stage, the number of the rename, and whether the kill comes before or after it."""
    every = [
        f"{stage} {number} {moment}"
        for stage, count in RENAMES.items()
        for number in range(1, count + 1)
        if stage != "unpack" or number < 4 or number > 200
        for moment in ("before", "after")
    ]
    return every if full else list(SHARE)


def prepare(folder: Path) -> Hooked:
    """Runs the pipeline, and writes the hook."""
    hook = folder / "hook"
    hook.mkdir()
    (hook / "sitecustomize.py").write_text(HOOK)
    return Hooked(pipeline.prepare(), hook)


def check(case: str, given: Hooked, folder: Path) -> str:
    """Kills a stage at a rename, starts it again, and compares."""
    stage, number, moment = case.split()
    root, log = shutil.copytree(given.undisturbed[stage].before, folder / "my project"), folder / "renames"
    environment = {"RENAMES": str(log), "KILL_AT": f"{number} {moment}"}
    process = pipeline.start(stage, root, first_on_path=given.folder, **environment)
    process.communicate()
    if process.returncode == 0:
        count = len(log.read_bytes()) if log.is_file() else 0
        if count >= int(number):
            return "a file that is not needed"
        return f"it has {count} renames only"
    pipeline.finish(stage, root)
    pipeline.check_result(stage, root, given.undisturbed[stage])
    return "equal bytes"


CAMPAIGN = Campaign(
    question="Does a stage that is killed before or after any of its renames, and started again, end with equal bytes?",
    cases=cases,
    prepare=prepare,
    check=check,
)
