"""Work that one process does for a run: it trains folds, or computes the features that all folds share."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType

from medfold.competition import use_plugins
from medfold.runs import is_fold_trained
from medfold.scoring import format_score, metric_of
from medfold.system import hardware, locks
from medfold.system.native_output import silence_native_output
from medfold.terminal.console import format_duration, say
from medfold.training.fold_inputs import FoldInputs
from medfold.training.run_inputs import RunInputs

MAX_DEFAULT_WORKERS = 8


@dataclass(frozen=True)
class FoldTrainings:
    """Folds that one process trains, one after the other; they can be pickled for another process.

    Args:
        folds: the folds, all of one run.
        plugins: plugins.py of the competition. Defaults to none.
    """

    folds: Sequence[FoldInputs]
    plugins: Path | None = None

    def carry_out(self, send: Callable[..., None]) -> None:
        """Trains the folds in this process, with the plugins of the competition; sends `trained=number` after each."""
        use_plugins(self.plugins)
        for fold in train_missing(self.folds):
            send(trained=fold.number)


@dataclass(frozen=True)
class FeatureComputation:
    """The computation of the features of a frozen backbone; it can be pickled for another process.

    Args:
        run_inputs: the settings and data of the run.
        plugins: plugins.py of the competition. Defaults to none.
    """

    run_inputs: RunInputs
    plugins: Path | None = None

    def carry_out(self, send: Callable[..., None] | None = None) -> None:
        """Computes the features in this process, or in one per GPU, unless their file exists; sends nothing."""
        use_plugins(self.plugins)
        with silence_native_output(show_on_error=True):
            from medfold.training.fold.frozen_features import compute_features
        compute_features(self.run_inputs, hardware.cuda_devices())


def train_missing(folds: Sequence[FoldInputs]) -> Iterator[FoldInputs]:
    """Trains folds of a run in this process, one after the other; yields each when it is trained.

    A fold that another process has trained in the meantime is not trained again; a lock keeps two processes from
    training the same one.
    """
    kept_nets = None
    for fold in folds:
        if fold.run_inputs.num_workers is None:
            fold = replace(fold, run_inputs=replace(fold.run_inputs, num_workers=default_num_workers()))
        began = time.monotonic()
        with locks.lock(fold.paths.folder):
            if not is_fold_trained(fold.paths):
                module = _import_fold_module()
                kept_nets = kept_nets or module.KeptNets()
                score = module.train_fold(fold, kept_nets)
                metric = metric_of(fold.run_inputs.facts)
                say(fold.topic, f"{metric.title} {format_score(score)}, {format_duration(time.monotonic() - began)}")
        yield fold


def default_num_workers() -> int:
    """Returns how many processes make the batches of one training: one per core with a GPU, else one per two cores.

    At most `MAX_DEFAULT_WORKERS`. With two cores or fewer and no GPU it is 0: a worker would take as much time from the
    training as it saves.
    """
    cores = hardware.num_cores()
    if hardware.cuda_devices():
        return min(cores, MAX_DEFAULT_WORKERS)
    return min(cores // 2, MAX_DEFAULT_WORKERS) if cores > 2 else 0


def _import_fold_module() -> ModuleType:
    """Imports the module that trains a fold; only when needed, since importing TensorFlow takes seconds."""
    with silence_native_output(show_on_error=True):  # TensorFlow logs the GPUs that it does not find
        from medfold.training.fold import train_fold
    return train_fold
