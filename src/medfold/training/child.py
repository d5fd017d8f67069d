"""Training of one fold in a child process: `python -m medfold.training.child`; see `system.reporting_processes`."""

import sys
from collections.abc import Callable

from medfold.competition import use_plugins
from medfold.system.reporting_processes import report
from medfold.training.fold_training import FoldTraining, train_fold_once


def main() -> int:
    """Trains the fold that standard input requests, and returns the exit code."""
    return report(_train)


def _train(training: FoldTraining, send: Callable[..., None]) -> None:
    use_plugins(training.plugins)
    train_fold_once(training)


if __name__ == "__main__":
    sys.exit(main())
