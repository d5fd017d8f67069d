"""The lock held while runs are packed and submitted as a notebook, which can take hours."""

from contextlib import AbstractContextManager

from medfold.paths import CompetitionPaths, EnsemblePaths
from medfold.system import locks


def packing_lock(competition_paths: CompetitionPaths, run_names: list[str]) -> AbstractContextManager[None]:
    """Returns a lock for packing and submitting runs as a notebook: a second process fails instead of waiting hours.

    Args:
        competition_paths: paths of the competition of the runs.
        run_names: names of the runs.

    Raises:
        UserError: in a `with` statement, if another process holds the lock.
    """
    folder = EnsemblePaths(competition_paths, run_names).notebook
    return locks.exclusive_lock(folder, "these runs are being packed or submitted")
