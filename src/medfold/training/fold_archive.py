"""Archive of folds that were trained on another machine: trained folds, and checkpoints of unfinished ones."""

import tempfile
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile

from medfold.errors import UserError
from medfold.paths import FoldPaths, RunPaths
from medfold.runs import is_fold_trained
from medfold.system import files, json_files, locks
from medfold.system.archives import unpack_archive


def pack_folds(run_paths: RunPaths, folds: list[int], out: Path, comment: str = "") -> None:
    """Packs trained folds, and the checkpoints of unfinished ones, into one archive.

    Args:
        run_paths: paths of the run.
        folds: numbers of the folds.
        out: path of the archive to write.
        comment: comment of the archive. Defaults to none.
    """
    with files.atomic_write(out) as temporary, ZipFile(temporary, "w", ZIP_STORED) as archive:
        archive.comment = comment.encode()
        for number in folds:
            fold = run_paths.fold(number)
            names = (
                [*json_files.read(fold.trained_marker), fold.trained_marker.name, fold.timing.name]
                if is_fold_trained(fold)
                else []
            )
            for name in names or [fold.checkpoint.name]:
                if (fold.folder / name).is_file():
                    archive.write(fold.folder / name, f"{fold.folder.name}/{name}")


def unpack_folds(archive: Path, run_paths: RunPaths, folds: list[int]) -> tuple[list[int], list[int]]:
    """Moves the folds of an archive into the folder of a run, and removes the archive.

    Args:
        archive: path of an archive that `pack_folds` wrote.
        run_paths: paths of the run.
        folds: numbers of the folds.

    Returns:
        Numbers of the trained folds, and of the unfinished ones with a checkpoint.

    Raises:
        UserError: the archive is damaged, or has a fold that differs from its hashes.
    """
    trained, unfinished = [], []
    run_paths.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".brought.", suffix=".tmp", dir=run_paths.folder) as unpacked:
        unpack_archive(archive, Path(unpacked))
        for number in folds:
            fold = FoldPaths(Path(unpacked) / f"fold{number}")
            target = run_paths.fold(number)
            if fold.trained_marker.is_file() and not is_fold_trained(fold):
                raise UserError(f"fold {number} was damaged in transfer", archive, "Run the same command again")
            with locks.lock(target.folder):
                if fold.trained_marker.is_file():
                    if target.folder.is_dir():  # the old fold is removed with the temporary folder
                        target.folder.replace(Path(unpacked) / f"before{number}")
                    fold.folder.replace(target.folder)
                    trained.append(number)
                elif fold.checkpoint.is_file():
                    target.folder.mkdir(parents=True, exist_ok=True)
                    fold.checkpoint.replace(target.checkpoint)
                    unfinished.append(number)
    archive.unlink()
    return trained, unfinished
