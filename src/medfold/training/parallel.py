"""Training of folds in parallel, in child processes that share the cores or have a GPU each."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
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
    children = ReportingProcesses("medfold.training.child", root)
    topics = [fold.topic for fold in plan.folds]
    with live_table(topics) as show, ThreadPoolExecutor(num_jobs) as pool:
        folds = _ParallelFolds(plan, children, show, fold_trained)
        shares = split_resources(num_jobs)
        try:
            list(pool.map(folds.train_some, shares, [plan.folds[number::num_jobs] for number in range(num_jobs)]))
        finally:
            children.end()  # after Ctrl-C some are still running
    if folds.errors_after_folds:
        raise folds.errors_after_folds[0]
    return dict(sorted(folds.errors.items()))


class _ParallelFolds:
    """The folds of a run that children train; each thread trains some of them by one child after the other.

    Args:
        plan: the run.
        children: starts the children, and ends them.
        show: shows a text for a topic.
        fold_trained: called after each fold; never twice at a time.
    """

    def __init__(
        self,
        plan: RunPlan,
        children: ReportingProcesses,
        show: Callable[[str, str], None],
        fold_trained: Callable[[], object],
    ):
        self._plan, self._children, self._show, self._fold_trained = plan, children, show, fold_trained
        self._topics = {fold.topic for fold in plan.folds}
        self._each_epoch = {EACH_EPOCH: "1"} if console.is_terminal else {}
        self._one_at_a_time = threading.Lock()
        self.errors: dict[int, Exception] = {}  # by fold
        self.errors_after_folds: list[Exception] = []  # raised by `fold_trained`

    def train_some(self, share: ResourceShare, folds: list[FoldInputs]) -> None:
        """Trains folds with a share of the machine; after an error the next child trains the rest."""
        waiting = {fold.number: fold for fold in folds}
        environment = {**share.environment, **self._each_epoch}
        while waiting and not self._children.are_ending:
            work = FoldTrainings(tuple(waiting.values()), self._plan.plugins)
            try:
                self._children.run(work, environment, partial(self._listen, waiting))
            except StoppedError as error:
                if waiting:
                    self._show(next(iter(waiting.values())).topic, "stopped")
                if not self._children.are_ending:  # only this child, by somebody else
                    self.errors.update(dict.fromkeys(waiting, error))
                break
            except (UserError, CrashedError) as error:
                if waiting:  # else all are trained
                    failed = waiting.pop(next(iter(waiting)))
                    self._show(failed.topic, f"failed: {error}")
                    self.errors[failed.number] = error

    def _listen(self, waiting: dict[int, FoldInputs], message: ChildMessage) -> None:
        """Takes a trained fold out of those that wait; shows other messages."""
        match message:
            case {"trained": number}:
                del waiting[number]
                try:
                    with self._one_at_a_time:
                        self._fold_trained()
                except Exception as error:  # raised later: the messages of the child must be read to the end
                    self.errors_after_folds.append(error)
            case {"topic": topic, "text": text} if topic in self._topics:
                self._show(topic, text)
