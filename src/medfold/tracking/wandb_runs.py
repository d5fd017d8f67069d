"""Weights & Biases: a run for each result, in a folder of the run; offline unless WANDB_MODE says otherwise.

The project is the competition, the group the run. Of the machine W&B gets the platform and the version of Python: the
settings below turn off all else. Some of them are internal to W&B, so that its versions are limited.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
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
    """Returns the folder of the offline files; online, the server and the project."""
    mode = os.environ.get(MODE, "offline")
    if mode == "offline":
        return result.run_paths.folder / "wandb"
    server = os.environ.get("WANDB_BASE_URL", "W&B's server")
    project = "/".join(filter(None, [os.environ.get("WANDB_ENTITY"), result.run_paths.competition]))
    return f"{server}, project {project} ({mode})"


def write(result: TrackedResult) -> None:
    """Writes a result as a run of W&B; then removes the files of earlier runs of the same id."""
    os.environ["WANDB_ERROR_REPORTING"] = "false"  # no reports of crashes to its makers
    import wandb

    settings = wandb.Settings(
        **PRIVATE,
        silent=True,
        symlink=False,
        init_timeout=INIT_TIMEOUT,
        finish_timeout=FINISH_TIMEOUT,
        finish_timeout_raises=True,
    )
    with (
        _one_folder(result),
        wandb.init(
            project=result.run_paths.competition,
            group=result.run_paths.name,
            name=f"{result.run_paths.name}/{result.name}",
            job_type="oof" if result.name == OOF else "fold",
            id=result.id,
            dir=str(result.run_paths.folder),
            config=dict(result.settings),
            mode=os.environ.get(MODE, "offline"),
            settings=settings,
        ) as run,
    ):
        for step, numbers in enumerate(result.epochs, 1):
            run.log(numbers, step=step)
        run.summary.update(result.scores)


@contextmanager
def _one_folder(result: TrackedResult) -> Iterator[None]:
    """Keeps one folder of W&B for a result: the new one, or after an error the earlier one.

    W&B puts the time into its name. The logs are removed, because they hold paths of this machine.
    """
    parent = result.run_paths.folder / "wandb"
    earlier = set(parent.glob(f"*run-*-{result.id}*"))
    stale = set()
    try:
        yield
        stale = earlier
    except BaseException:
        stale = set(parent.glob(f"*run-*-{result.id}*")) - earlier
        raise
    finally:
        for path in (*stale, *parent.glob(f"*run-*-{result.id}*/logs")):
            files.remove(path)


TRACKER = Tracker(write, destination, ("wandb>=0.31,<0.32",))
