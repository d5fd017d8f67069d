"""State of the folds of a run: trained, damaged, or neither, by the marker that ends a training."""

from medfold.errors import UserError, shorten_list
from medfold.run_paths import FoldPaths, RunPaths
from medfold.runs.run_json import first_train_command, read_run
from medfold.system import files
from medfold.terminal.command_text import as_typed, command


def damaged_files(fold_paths: FoldPaths) -> list[str]:
    """Returns the files of a trained fold that are missing, or differ from their hashes in its marker.

    A fold without a marker is not trained; none of its files counts as damaged.
    """
    if not fold_paths.done.is_file():
        return []
    try:
        marker = files.read_json(fold_paths.done)
    except UserError:
        return [fold_paths.done.name]
    if not isinstance(marker, dict) or not marker:
        return [fold_paths.done.name]
    hashes = {
        name: files.sha256(fold_paths.folder / name) if (fold_paths.folder / name).is_file() else None
        for name in marker
    }
    return [name for name, digest in hashes.items() if digest != marker[name]]


def is_fold_trained(fold_paths: FoldPaths) -> bool:
    """Returns True if the fold has a marker, and every file with the hash that is in it."""
    return fold_paths.done.is_file() and not damaged_files(fold_paths)


def trained_folds(run_paths: RunPaths, k: int) -> list[int]:
    """Returns the numbers of the trained folds: those with a marker whose files are all intact."""
    return [fold for fold in range(k) if is_fold_trained(run_paths.fold(fold))]


def marked_folds(run_paths: RunPaths, k: int) -> list[int]:
    """Returns the numbers of the folds that have a marker, damaged or not."""
    return [fold for fold in range(k) if run_paths.fold(fold).done.is_file()]


def damaged_folds(run_paths: RunPaths, k: int) -> dict[int, list[str]]:
    """Returns the damaged files of each fold that has a marker and damaged files."""
    return {fold: damaged for fold in range(k) if (damaged := damaged_files(run_paths.fold(fold)))}


def require_trained_folds(run_paths: RunPaths, k: int) -> list[int]:
    """Returns the numbers of the trained folds, of which there must be at least one.

    Raises:
        UserError: none is trained, or one is damaged.
    """
    done = marked_folds(run_paths, k)
    for fold, damaged in damaged_folds(run_paths, k).items():
        what = f"{shorten_list(damaged)} {'is' if len(damaged) == 1 else 'are'} missing or changed since the training"
        fix = f"Restore a copy, or train the fold again: {train_fold_command(run_paths, fold)}"
        raise UserError(what, run_paths.fold(fold).folder, fix)
    if not done:
        competition = run_paths.folder.parent.name
        fix = f"Run: {first_train_command(run_paths)}"
        raise UserError(f"run '{run_paths.name}' has no finished fold", competition, fix)
    return done


def train_fold_command(run_paths: RunPaths, fold: int) -> str:
    """Returns the command that trains a fold of a run again: the one recorded in run.json, for this fold."""
    recorded = read_run(run_paths).get("command")
    if recorded:
        return as_typed(recorded, FOLD=fold)
    return command("train", COMPETITION=run_paths.folder.parent.name, RUN=run_paths.name, FOLD=fold)
