"""Writes the submission bundle: trained folds, package and facts in one folder, for a private data set at Kaggle."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from medfold import __version__
from medfold.competition import Competition, Recipe
from medfold.notebooks import wheels
from medfold.notebooks.bundle import ENSEMBLE, MANIFEST
from medfold.paths import CompetitionPaths
from medfold.run_paths import RunPaths
from medfold.scoring import FittedTransform
from medfold.system import files


@dataclass(frozen=True)
class TrainedRun:
    """A run to put into a bundle.

    Args:
        run_paths: paths of the run.
        recipe: resolved recipe of the run.
        fold_numbers: numbers of the trained folds.
    """

    run_paths: RunPaths
    recipe: Recipe
    fold_numbers: list[int]


def write_bundle(
    competition: Competition,
    paths: CompetitionPaths,
    slug: str,
    runs: list[TrainedRun],
    fitted: FittedTransform,
    fallback: np.ndarray,
    score_text: str,
    out: Path,
) -> dict[str, int]:
    """Writes a bundle; equal inputs give equal bytes.

    It holds no raw data, no id of a sample, patient or unit, no folder name of this machine and no secret.

    Args:
        competition: facts of the competition.
        paths: paths of the texts and plugins.py of the competition, which are packed.
        slug: name of the competition in Kaggle's URLs, by which the notebook finds its data.
        runs: runs to put into the bundle, in the order of `fitted`.
        fitted: fitted ensemble and post-processing.
        fallback: float64 (columns,), the prediction for a unit without a readable image.
        score_text: OOF score as text, for the notebook.
        out: folder to write.

    Returns:
        The size of each file, in bytes.

    Raises:
        UserError: the package cannot be built, or a package that Kaggle's image lacks cannot be downloaded.
    """
    with files.atomic_write(out) as folder:
        folder.mkdir(parents=True)
        packages = wheels.missing_packages(competition)
        wheels.build_wheel(folder)
        wheels.download_wheels(packages, paths.root / "data" / ".wheels", folder)
        fitted.save(folder / ENSEMBLE)
        if paths.plugins.is_file():
            shutil.copyfile(paths.plugins, folder / paths.plugins.name)
        manifest: dict[str, Any] = {
            "medfold": __version__,
            "competition": paths.name,
            "slug": slug,
            "score": score_text,
            "facts": competition.model_dump(mode="json"),
            "runs": [_copy_weights(run, folder) for run in runs],
            "fallback": fallback.tolist(),
            "packages": list(packages),
            "competition_files": _texts(paths),
        }
        manifest["files"] = {path.name: files.sha256(path) for path in sorted(folder.iterdir())}
        # The content id identifies what predicts; it is independent of the versions of package and texts.
        hashes = {name: digest for name, digest in manifest["files"].items() if not name.endswith(".whl")}
        contents = [
            {**entry, "recipe": run.recipe.identity()} for entry, run in zip(manifest["runs"], runs, strict=True)
        ]
        content = [hashes, slug, competition.identity(), contents, manifest["fallback"]]
        manifest["content_id"] = files.fingerprint(content, 12)
        files.write_json(manifest, folder / MANIFEST)
        return {path.name: path.stat().st_size for path in sorted(folder.iterdir())}


def _copy_weights(run: TrainedRun, folder: Path) -> dict[str, Any]:
    """Copies the weights of a run's folds into the bundle, and returns the entry of the run in kit.json."""
    names = []
    for fold in run.fold_numbers:
        names.append(f"{run.run_paths.name}-fold{fold}.h5")
        shutil.copyfile(run.run_paths.fold(fold).weights, folder / names[-1])
    return {"name": run.run_paths.name, "recipe": run.recipe.portable(), "folds": run.fold_numbers, "weights": names}


def _texts(paths: CompetitionPaths) -> dict[str, str]:
    """Reads the texts of the competition folder, by relative path: facts, recipes and README, as documentation."""
    text_files = [path for path in sorted(paths.folder.iterdir()) if path.suffix in (".yaml", ".md")]
    return {path.relative_to(paths.root).as_posix(): path.read_text(encoding="utf-8") for path in text_files}
