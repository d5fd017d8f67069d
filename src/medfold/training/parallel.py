"""Training of folds in parallel, in child processes that share the cores or have a GPU each."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from medfold.errors import UserError
from medfold.system import hardware
from medfold.system.reporting_processes import ChildMessage, CrashedError, ReportingProcesses, StoppedError
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


def train_in_parallel(
    root: Path, plan: RunPlan, num_jobs: int, fold_trained: Callable[[], object]
) -> dict[int, Exception]:
    """Trains the missing folds of a run in child processes (`training.child`), and shows their progress.

    Each child trains several folds, one after the other: only the first one waits for its start. After an error the
    next child trains the rest.

    Args:
        root: the project folder.
        plan: the run.
        num_jobs: how many folds share the machine, and how many are trained at once at most.
        fold_trained: called after each fold; never twice at a time.

    Returns:
        Errors by fold; folds that are not listed are trained, or were being trained when all were stopped.

    Raises:
        Exception: the first error of `fold_trained`, when all folds are trained.
    """
    each_epoch = {EACH_EPOCH: "1"} if console.is_terminal else {}
    children = ReportingProcesses("medfold.training.child", root)
    one_at_a_time = threading.Lock()
    errors: dict[int, Exception] = {}
    errors_after_folds: list[Exception] = []
    topics = [fold.topic for fold in plan.folds]
    with live_table(topics) as show, ThreadPoolExecutor(num_jobs) as pool:

        def train_some(share: ResourceShare, folds: list[FoldInputs]) -> None:
            """Trains folds with a share of the machine."""
            waiting = {fold.number: fold for fold in folds}

            def listen(message: ChildMessage) -> None:
                match message:
                    case {"trained": number}:
                        del waiting[number]
                        try:
                            with one_at_a_time:
                                fold_trained()
                        except Exception as error:  # raised later: the messages of the child must be read to the end
                            errors_after_folds.append(error)
                    case {"topic": topic, "text": text} if topic in topics:
                        show(topic, text)

            while waiting and not children.are_ending:
                begun = tuple(waiting.values())
                try:
                    children.run(FoldTrainings(begun, plan.plugins), {**share.environment, **each_epoch}, listen)
                except StoppedError as error:
                    if waiting:
                        show(next(iter(waiting.values())).topic, "stopped")
                    if not children.are_ending:  # only this child, by somebody else
                        errors.update(dict.fromkeys(waiting, error))
                    break
                except (UserError, CrashedError) as error:
                    if waiting:  # else all are trained
                        failed = waiting.pop(next(iter(waiting)))
                        show(failed.topic, f"failed: {error}")
                        errors[failed.number] = error

        shares = split_resources(num_jobs)
        try:
            list(pool.map(train_some, shares, [plan.folds[number::num_jobs] for number in range(num_jobs)]))
        finally:
            children.end()  # after Ctrl-C some are still running
    if errors_after_folds:
        raise errors_after_folds[0]
    return dict(sorted(errors.items()))
