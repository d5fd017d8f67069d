"""What the machine has, cores and GPUs, asked without TensorFlow; processes that end with the one that began them."""

import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from typing import Any

from medfold.errors import UserError

THREADS = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS")

STOP_AT = "MEDFOLD_STOP_AT"  # set, trainings stop at that time (seconds since 1970) and keep where they stand


def time_is_up() -> bool:
    """True if trainings are to stop now."""
    return time.time() >= float(os.environ.get(STOP_AT, "inf"))


def cores() -> int:
    """The cores that this process may use; of several trainings side by side, those of its share."""
    share = os.environ.get(THREADS[0], "")
    if share.isdigit() and int(share) > 0:
        return int(share)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def gpus() -> list[str]:
    """The GPUs there are to use, by the names that CUDA_VISIBLE_DEVICES takes."""
    if "CUDA_VISIBLE_DEVICES" in os.environ:
        names = [name.strip() for name in os.environ["CUDA_VISIBLE_DEVICES"].split(",")]
        return [name for name in names if name not in ("", "-1")]
    if shutil.which("nvidia-smi") is None:
        return []
    listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, check=False)
    found = [line for line in listed.stdout.splitlines() if line.startswith("GPU ")] if listed.returncode == 0 else []
    return [str(number) for number in range(len(found))]


def end_with_parent() -> None:
    """From now on this process ends when the one that started it does, even if that one is killed.

    One that was not started by multiprocessing must have a pipe from its parent as standard input.
    """
    parent = parent_process()

    def watch() -> None:
        if parent is None:
            while os.read(0, 1024):
                pass
        else:
            parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def apart(what: str, function: Callable[..., Any], *arguments: Any) -> Any:
    """Calls a function in a process of its own: what it takes of memory and GPU is free again afterwards.

    Args:
        what: it does, for the error.

    Raises:
        UserError: the process was killed.
    """
    with ProcessPoolExecutor(1, get_context("spawn"), end_with_parent) as process:
        try:
            return process.submit(function, *arguments).result()
        except BrokenProcessPool:
            raise UserError("the process was killed", what, "Was it short of memory?") from None
