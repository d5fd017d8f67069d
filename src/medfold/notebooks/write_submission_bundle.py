"""Trained folds, package and facts in one folder: the bundle, which becomes a private data set on Kaggle."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from medfold import __version__, files
from medfold.competition import Competition, Recipe
from medfold.notebooks import wheels
from medfold.notebooks.bundle import ABOUT, ENSEMBLE
from medfold.paths import CompetitionPaths
from medfold.run_paths import RunPaths
from medfold.scoring import FittedTransform


@dataclass(frozen=True)
class TrainedRun:
    """A run, as it goes into a kit.

    Args:
        paths: of the run.
        recipe: of the run.
        folds: that are done.
    """

    paths: RunPaths
    recipe: Recipe
    folds: list[int]


def write_bundle(
    competition: Competition,
    paths: CompetitionPaths,
    slug: str,
    runs: list[TrainedRun],
    fitted: FittedTransform,
    nothing: np.ndarray,
    score: str,
    out: Path,
) -> dict[str, int]:
    """Writes a kit; equal inputs give equal bytes.

    It holds no raw data, no id of a sample, a patient or a unit, no name of this machine's folders and no secret.

    Args:
        slug: of the competition at Kaggle, by which its data is found there.
        runs: in the order in which `fitted` takes them.
        fitted: how they are put together.
        nothing: float64 (columns,), what is predicted of a unit without a readable image.
        score: the OOF score in words.
        out: the folder to write.

    Returns:
        The size of each file, in bytes.

    Raises:
        UserError: the package cannot be built, or what Kaggle's image lacks cannot be downloaded.
    """
    with files.atomic_write(out) as folder:
        folder.mkdir(parents=True)
        packages = wheels.missing_packages(competition)
        wheels.build_wheel(folder)
        wheels.download_wheels(packages, paths.root / "data" / ".wheels", folder)
        fitted.save(folder / ENSEMBLE)
        if paths.plugins.is_file():
            shutil.copyfile(paths.plugins, folder / paths.plugins.name)
        about: dict[str, Any] = {
            "medfold": __version__,
            "competition": paths.name,
            "slug": slug,
            "score": score,
            "facts": competition.model_dump(mode="json"),
            "runs": [_weights_of(run, folder) for run in runs],
            "nothing": nothing.tolist(),
            "packages": list(packages),
            "folder": _texts(paths),
        }
        about["files"] = {path.name: files.sha256(path) for path in sorted(folder.iterdir())}
        # What predicts, whatever version of the package and of the texts goes with it.
        nets = {name: digest for name, digest in about["files"].items() if not name.endswith(".whl")}
        about["mark"] = files.fingerprint([nets, *(about[key] for key in ("slug", "facts", "runs", "nothing"))], 12)
        files.write_json(about, folder / ABOUT)
        return {path.name: path.stat().st_size for path in sorted(folder.iterdir())}


def _weights_of(run: TrainedRun, folder: Path) -> dict[str, Any]:
    names = []
    for fold in run.folds:
        names.append(f"{run.paths.name}-fold{fold}.h5")
        shutil.copyfile(run.paths.fold(fold).weights, folder / names[-1])
    return {"name": run.paths.name, "recipe": run.recipe.portable(), "folds": run.folds, "weights": names}


def _texts(paths: CompetitionPaths) -> dict[str, str]:
    """The competition folder: facts, recipes and README, to look up what was done."""
    found = [path for path in sorted(paths.folder.iterdir()) if path.suffix in (".yaml", ".md")]
    return {path.relative_to(paths.root).as_posix(): path.read_text(encoding="utf-8") for path in found}
