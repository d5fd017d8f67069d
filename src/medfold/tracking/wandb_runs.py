"""Weights & Biases: a run for each result, in a folder of the run; offline unless WANDB_MODE says otherwise.

The project is the competition, the group the run. Of the machine W&B gets the platform and the version of Python: the
settings below turn off all else. Some of them are internal to W&B, so that its versions are limited.
"""

import os
from pathlib import Path

from medfold.system import files
from medfold.tracking.results import OOF, TrackedResult
from medfold.tracking.trackers import Tracker

MODE = "WANDB_MODE"
# Seconds to wait for a server; W&B itself waits for 90, and at the end for ever.
INIT_TIMEOUT, FINISH_TIMEOUT = 20, 120
PRIVATE = {
    "console": "off",
    "disable_code": True,
    "disable_git": True,
    "save_code": False,
    "host": "",
    "program": "",
    "username": "",
    "x_disable_machine_info": True,
    "x_disable_meta": True,
    "x_disable_stats": True,
    "x_executable": "",
    "x_save_requirements": False,
}


def destination(result: TrackedResult) -> Path | str:
    """Returns the folder of the offline files; online, the address of the project."""
    mode = os.environ.get(MODE, "offline")
    if mode == "offline":
        return result.run_paths.folder / "wandb"
    parts = [os.environ.get(name) for name in ("WANDB_BASE_URL", "WANDB_ENTITY")]
    return "/".join(["wandb", mode, *filter(None, parts), result.run_paths.competition])


def write(result: TrackedResult) -> None:
    """Writes a result as a run of W&B; files of earlier runs of the same id are removed."""
    os.environ["WANDB_ERROR_REPORTING"] = "false"  # no reports of crashes to its makers
    import wandb

    folder = result.run_paths.folder / "wandb"
    for earlier in folder.glob(f"*run-*-{result.id}"):
        files.remove(earlier)
    settings = wandb.Settings(
        **PRIVATE,
        silent=True,
        symlink=False,
        init_timeout=INIT_TIMEOUT,
        finish_timeout=FINISH_TIMEOUT,
        finish_timeout_raises=True,
    )
    run = wandb.init(
        project=result.run_paths.competition,
        group=result.run_paths.name,
        name=f"{result.run_paths.name}/{result.name}",
        job_type="oof" if result.name == OOF else "fold",
        id=result.id,
        dir=str(result.run_paths.folder),
        config=dict(result.settings),
        mode=os.environ.get(MODE, "offline"),
        settings=settings,
    )
    with run:
        for step, numbers in enumerate(result.epochs, 1):
            run.log(numbers, step=step)
        run.summary.update(result.scores)
    for logs in folder.glob(f"*run-*-{result.id}/logs"):  # they hold paths of this machine
        files.remove(logs)


TRACKER = Tracker(write, destination, ("wandb>=0.31,<0.32",))
