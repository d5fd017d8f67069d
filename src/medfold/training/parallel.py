"""Training of folds in parallel, in child processes that share the cores or have a GPU each."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from medfold.errors import UserError
from medfold.system import hardware
from medfold.system.reporting_processes import CrashedError, Message, ReportingProcesses, StoppedError
from medfold.terminal.console import EACH_EPOCH, console
from medfold.terminal.progress import live_table
from medfold.training.fold_inputs import FoldInputs
from medfold.training.fold_training import FoldTrainings
from medfold.training.run_plan import RunPlan


@dataclass(frozen=True)
class ResourceShare:
    """CPU threads and GPU of one of the folds that are trained at the same time.

    Args:
        threads: number of CPU threads.
        gpu: name of its GPU. Defaults to none.
    """

    threads: int
    gpu: str | None = None

    @property
    def environment(self) -> dict[str, str]:
        """Environment variables for the child process."""
        visible_gpu = {"CUDA_VISIBLE_DEVICES": self.gpu} if self.gpu is not None else {}
        return {**dict.fromkeys(hardware.THREAD_VARIABLES, str(self.threads)), **visible_gpu}


def resolve_jobs(jobs: int | None, num_folds: int) -> int:
    """Returns how many folds to train at once, at most all.

    Args:
        jobs: the requested number; None for one fold per GPU, or per core if there is no GPU.
        num_folds: the number of folds.
    """
    jobs = jobs or len(hardware.cuda_devices()) or hardware.num_cores()
    return max(1, min(num_folds, jobs))


def split_resources(num_jobs: int) -> list[ResourceShare]:
    """Divides the machine among folds that are trained at the same time: the cores evenly, the GPUs in turn."""
    threads = max(1, hardware.num_cores() // num_jobs)
    gpus = hardware.cuda_devices()
    return [ResourceShare(threads, gpus[number % len(gpus)] if gpus else None) for number in range(num_jobs)]


def train_in_parallel(root: Path, plan: RunPlan, num_jobs: int, finish: Callable[[], object]) -> dict[int, Exception]:
    """Trains the missing folds of a run in child processes (`training.child`), and shows their progress.

    Each child trains several folds, one after the other: only the first one waits for its start. After an error the
    next child trains the rest.

    Args:
        root: the project folder.
        plan: the run.
        num_jobs: how many folds share the machine, and how many are trained at once at most.
        finish: called after each fold that was trained; never twice at a time.

    Returns:
        Errors by fold; folds that are not listed are done.
    """
    each_epoch = {EACH_EPOCH: "1"} if console.is_terminal else {}
    children = ReportingProcesses("medfold.training.child", root)
    finishing = threading.Lock()
    errors: dict[int, Exception] = {}
    topics = [fold.topic for fold in plan.missing_folds]
    with live_table(topics) as show, ThreadPoolExecutor(num_jobs) as pool:

        def train_some(share: ResourceShare, folds: list[FoldInputs]) -> None:
            """Trains folds with a share of the machine."""
            waiting = list(folds)

            def listen(message: Message) -> None:
                if "trained" in message:
                    trained = waiting.pop(0)
                    try:
                        with finishing:
                            finish()
                    except Exception as error:  # raised later: the messages of the child must be read to the end
                        errors[trained.number] = error
                elif message["topic"] in topics:
                    show(message["topic"], message["text"])

            while waiting and not children.are_ending:
                try:
                    children.run(FoldTrainings(waiting, plan.plugins), {**share.environment, **each_epoch}, listen)
                except StoppedError:
                    if waiting:
                        show(waiting[0].topic, "stopped")
                    break
                except (UserError, CrashedError) as error:
                    if waiting:  # else all are trained
                        failed = waiting.pop(0)
                        show(failed.topic, f"failed: {error}")
                        errors[failed.number] = error

        shares = split_resources(num_jobs)
        try:
            list(pool.map(train_some, shares, [plan.missing_folds[number::num_jobs] for number in range(num_jobs)]))
        finally:
            children.end()  # after Ctrl-C some are still running
    for error in errors.values():
        if not isinstance(error, (UserError, CrashedError)):
            raise error
    return dict(sorted(errors.items()))
