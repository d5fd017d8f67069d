"""Registry of trackers, the names in TRACK: the built-in ones, and functions of plugins.py."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from medfold.registry import Registry
from medfold.tracking.results import TrackedResult


def _run_folder(result: TrackedResult) -> Path:
    """Returns the folder of the run."""
    return result.run_paths.folder


@dataclass(frozen=True)
class Tracker:
    """A tracker.

    Args:
        write: writes one result. It may be called again for a result of the same id, after the fold was trained anew or
            if the process was killed meanwhile: it then replaces what it wrote before.
        destination: where `write` puts a result: a file or folder, or an address. A result is written again if this has
            changed, or if the file is gone. Defaults to the folder of the run.
        packages: the packages that it needs, with their versions, as pip takes them. Defaults to none.
    """

    write: Callable[[TrackedResult], None]
    destination: Callable[[TrackedResult], Path | str] = _run_folder
    packages: tuple[str, ...] = ()


TRACKERS: Registry[Tracker] = Registry("tracker")
for _name, _module in (("tensorboard", "tensorboard_files"), ("mlflow", "mlflow_store"), ("wandb", "wandb_runs")):
    TRACKERS.register_lazily(_name, f"{__package__}.{_module}", "TRACKER")


def tracker(write: Callable[[TrackedResult], None]) -> Callable[[TrackedResult], None]:
    """Registers a function (result) as a tracker under its own name.

    It is called once for each trained fold, and for the OOF score, in a child process.

    Args:
        write: `write` of a `Tracker`.

    Example:
        >>> @tracker
        ... def notes(result):
        ...     (result.run_paths.folder / f"{result.name}.txt").write_text(str(result.scores))
    """
    TRACKERS.register(write.__name__, Tracker(write), write.__module__)
    return write
