"""Work that one process does for a run: it trains a fold, or computes the features that all folds share."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType

from medfold.competition import use_plugins
from medfold.paths import FoldPaths
from medfold.runs import is_fold_trained
from medfold.scoring import format_score, metric_of
from medfold.system import hardware, locks
from medfold.system.native_output import silence_native_output
from medfold.terminal.console import format_duration, say
from medfold.training.run_inputs import RunInputs

MAX_DEFAULT_WORKERS = 8


@dataclass(frozen=True)
class FoldTraining:
    """A fold to train; it can be pickled for another process.

    Args:
        inputs: the settings and data of the run.
        number: number of the fold.
        paths: the files of the fold.
        plugins: plugins.py of the competition. Defaults to none.
    """

    inputs: RunInputs
    number: int
    paths: FoldPaths
    plugins: Path | None = None

    @property
    def topic(self) -> str:
        """Name of the training on the terminal and in messages."""
        return f"fold {self.number}"

    def carry_out(self) -> None:
        """Trains the fold in this process, with the plugins of the competition."""
        use_plugins(self.plugins)
        for _ in train_missing([self]):
            pass


@dataclass(frozen=True)
class FeatureComputation:
    """The computation of the features of a frozen backbone; it can be pickled for another process.

    Args:
        inputs: the settings and data of the run.
        plugins: plugins.py of the competition. Defaults to none.
    """

    inputs: RunInputs
    plugins: Path | None = None

    def carry_out(self) -> None:
        """Computes the features in this process, or in one per GPU, unless their file exists."""
        use_plugins(self.plugins)
        with silence_native_output(show_on_error=True):
            from medfold.training.fold.frozen_features import compute_features
        compute_features(self.inputs, hardware.cuda_devices())


def train_missing(trainings: Sequence[FoldTraining]) -> Iterator[FoldTraining]:
    """Trains folds of a run in this process, one after the other; yields each that was trained.

    A fold that another process has finished in the meantime is skipped; a lock keeps two processes from training the
    same one.
    """
    kept_nets = None
    for training in trainings:
        inputs = training.inputs
        if inputs.num_workers is None:
            inputs = replace(inputs, num_workers=default_num_workers())
        metric = metric_of(inputs.facts)
        began = time.monotonic()
        with locks.lock(training.paths.folder):
            if is_fold_trained(training.paths):
                continue
            fold = _import_fold()
            kept_nets = kept_nets or fold.KeptNets()
            score = fold.train_fold(inputs, training.number, training.paths, kept_nets)
        say(training.topic, f"{metric.title} {format_score(score)}, {format_duration(time.monotonic() - began)}")
        yield training


def default_num_workers() -> int:
    """Returns how many processes make the batches of one training: one per core with a GPU, else one per two cores.

    There are at most 8. With two cores or fewer and no GPU it is 0: a worker would take as much time from the training
    as it saves.
    """
    cores = hardware.num_cores()
    if hardware.cuda_devices():
        return min(cores, MAX_DEFAULT_WORKERS)
    return min(cores // 2, MAX_DEFAULT_WORKERS) if cores > 2 else 0


def _import_fold() -> ModuleType:
    """Imports the module that trains a fold; only when needed, since importing TensorFlow takes seconds."""
    with silence_native_output(show_on_error=True):  # TensorFlow logs the GPUs that it does not find
        from medfold.training.fold import fold
    return fold
