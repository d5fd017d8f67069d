"""State of the folds of a run: trained, damaged, or neither, by the marker that ends a training."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from medfold.config import PlainName
from medfold.errors import UserError
from medfold.paths import FoldPaths, RunPaths
from medfold.runs.run import Run
from medfold.system import json_files
from medfold.system.hashes import sha256
from medfold.terminal.command_text import variable
from medfold.text import shorten_list


class FoldStates(NamedTuple):
    """Folds of a run that are trained or damaged; the others are not trained.

    Args:
        trained: numbers of the trained folds: those with a marker whose files are all intact.
        damaged_files: by the number of a damaged fold, its files that are missing or have changed.
    """

    trained: list[int]
    damaged_files: dict[int, list[str]]


def mark_fold_trained(fold_paths: FoldPaths, outputs: Iterable[Path]) -> None:
    """Writes the marker of a trained fold: the hashes of its files.

    Args:
        fold_paths: the files of the fold.
        outputs: the files to hash; all of them exist.
    """
    json_files.write({file.name: sha256(file) for file in outputs}, fold_paths.trained_marker)


def damaged_files(fold_paths: FoldPaths) -> list[str]:
    """Returns the files of a trained fold that are missing, or differ from their hashes in its marker.

    A fold without a marker is not trained; none of its files counts as damaged.
    """
    if not fold_paths.trained_marker.is_file():
        return []
    try:
        marker = json_files.read(fold_paths.trained_marker, schema=dict[PlainName, str])
    except UserError:
        return [fold_paths.trained_marker.name]
    if not marker:
        return [fold_paths.trained_marker.name]
    hashes = {
        name: sha256(fold_paths.folder / name) if (fold_paths.folder / name).is_file() else None for name in marker
    }
    return [name for name, digest in hashes.items() if digest != marker[name]]


def is_fold_trained(fold_paths: FoldPaths) -> bool:
    """Returns True if the fold has a marker, and every file with the hash that is in it."""
    return fold_paths.trained_marker.is_file() and not damaged_files(fold_paths)


def trained_folds(run_paths: RunPaths, num_folds: int) -> list[int]:
    """Returns the numbers of the trained folds: those with a marker whose files are all intact."""
    return fold_states(run_paths, num_folds).trained


def fold_states(run_paths: RunPaths, num_folds: int) -> FoldStates:
    """Returns which folds of a run are trained or damaged; hashes each file once."""
    marked = [number for number in range(num_folds) if run_paths.fold(number).trained_marker.is_file()]
    damaged = {number: names for number in marked if (names := damaged_files(run_paths.fold(number)))}
    return FoldStates([number for number in marked if number not in damaged], damaged)


def check_folds_exist(folds: Iterable[int], num_folds: int, choices: str) -> None:
    """Checks that there are folds of the numbers that the user typed.

    Args:
        folds: numbers of the folds.
        num_folds: number of folds.
        choices: what FOLD may be, for the error message.

    Raises:
        UserError: there is no fold of a number.
    """
    for number in folds:
        if not 0 <= number < num_folds:
            raise UserError(f"there is no fold {number}", variable("FOLD", number), f"Choose {choices}")


def require_trained_folds(run: Run) -> list[int]:
    """Returns the numbers of the trained folds of a run, of which there must be at least one.

    Raises:
        UserError: no fold is trained, or one is damaged.
    """
    trained, damaged = fold_states(run.paths, run.num_folds)
    for number, names in damaged.items():
        what = f"{shorten_list(names)} {'is' if len(names) == 1 else 'are'} missing or changed since the training"
        fix = f"Restore it from a backup, or train the fold again: {run.train_command(FOLD=number)}"
        raise UserError(what, run.paths.fold(number).folder, fix)
    if not trained:
        raise UserError(f"run '{run.name}' has no trained fold", run.paths.competition, f"Run: {run.train_command()}")
    return trained
