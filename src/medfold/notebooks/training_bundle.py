"""The bundle of a training on Kaggle: one folder, a private data set there; and the archive of its results."""

import json
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from zipfile import BadZipFile, ZipFile

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, NonNegativeInt, PositiveInt

from medfold import __version__, config
from medfold.competition import CompetitionFacts, Recipe, plugins_hash
from medfold.config import PlainName
from medfold.earlier_versions import REQUEST, with_former_names
from medfold.errors import SettingError, UserError
from medfold.notebooks.bundle import (
    BundleManifest,
    add_wheels,
    aligned_lines,
    complete_bundle,
    open_bundle,
    packed_file,
    path_in_bundle,
)
from medfold.notebooks.packed_files import copy_checkpoint, copy_weights, training_texts
from medfold.paths import CompetitionPaths, ProjectPaths, RunPaths
from medfold.project_root import display_path
from medfold.runs import checked_run_paths
from medfold.system import files
from medfold.system.hashes import sha256
from medfold.terminal.command_text import command
from medfold.training import TrainingRequest, pack_folds, unpack_folds

MANIFEST = "job.json"  # the manifest; written last, with the hashes of all other files
RESULTS_ARCHIVE = "trained.zip"  # the archive of results


class _PackedRequest(BaseModel):
    """The training request in job.json; see `TrainingRequest`."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    recipe: PlainName
    run: PlainName
    folds: list[NonNegativeInt]
    overrides: dict[str, Any] = {}
    seed: NonNegativeInt = 0
    jobs: Annotated[str, Field(pattern="^(auto|[1-9][0-9]{0,3})$")] = "1"
    thread_shares: Annotated[
        PositiveInt | None, Field(validation_alias=AliasChoices("thread_shares", REQUEST["thread_shares"]))
    ] = None


class TrainingManifest(BundleManifest):
    """The contents of job.json.

    Args:
        medfold: version of medfold.
        competition: name of the competition.
        request: run and folds to train.
        weights: name of the file of pretrained weights; None without one.
        checkpoints: numbers of the folds with a checkpoint, by the name of its file.
        project_files: texts of facts, recipes, folds and plugins.py, by path below the project folder.
        content_id: hash of the content.
    """

    medfold: str
    competition: PlainName
    request: _PackedRequest
    weights: PlainName | None
    checkpoints: dict[str, NonNegativeInt]
    project_files: dict[str, str]
    content_id: str


@dataclass(frozen=True)
class TrainingBundle:
    """An opened training bundle.

    Args:
        folder: folder of the bundle.
        manifest: content of job.json.
    """

    folder: Path
    manifest: TrainingManifest

    @classmethod
    def open(cls, folder: Path | str) -> "TrainingBundle":
        """Opens a bundle and checks that it is complete.

        Raises:
            UserError: no bundle, a missing or damaged file, or a package that is not installed.
        """
        return cls(Path(folder), open_bundle(Path(folder), MANIFEST, TrainingManifest))

    def __str__(self) -> str:
        request = self.request
        values = {
            "competition": self.manifest.competition,
            "run": request.run_name,
            "folds": ", ".join(map(str, request.fold_numbers)),
            "checkpoints": ", ".join(self.manifest.checkpoints) or "none",
            "medfold": self.manifest.medfold,
        }
        return aligned_lines(values)

    @property
    def request(self) -> TrainingRequest:
        """The training request; its weights file is the one in the bundle."""
        packed = self.manifest.request.model_copy(deep=True)  # its overrides get the path of the weights
        jobs = None if packed.jobs == "auto" else int(packed.jobs)
        request = TrainingRequest(
            packed.recipe, packed.overrides, packed.seed, packed.run, packed.folds, jobs, packed.thread_shares
        )
        if name := self.manifest.weights:
            request.overrides.setdefault("backbone", {})["weights"] = str(packed_file(self.folder, self.manifest, name))
        return request

    def write_competition(self, root: Path) -> CompetitionPaths:
        """Writes the project folder into `root`, except data: facts, recipes, folds and checkpoints.

        Returns:
            Paths of the competition in this project folder.

        Raises:
            UserError: job.json names a file outside `root`, or outside the bundle.
        """
        for name, text in self.manifest.project_files.items():
            files.write_text(text, path_in_bundle(root, name, MANIFEST))
        paths = ProjectPaths(root).competition(self.manifest.competition)
        for name, fold in self.manifest.checkpoints.items():
            run_paths = checked_run_paths(paths, self.manifest.request.run)
            checkpoint = path_in_bundle(root, str(run_paths.fold(fold).checkpoint), MANIFEST)
            checkpoint.parent.mkdir(parents=True)
            shutil.copyfile(packed_file(self.folder, self.manifest, name), checkpoint)
        return paths


def write_training_bundle(
    paths: CompetitionPaths,
    facts: CompetitionFacts,
    recipe: Recipe,
    request: TrainingRequest,
    packages: tuple[str, ...],
    out: Path,
) -> dict[str, int]:
    """Writes a bundle; equal inputs give equal bytes. It holds no image, no patient id and no secret.

    Args:
        paths: paths of the folds, the recipes and plugins.py, which are packed, and the checkpoints of the run.
        facts: facts of the competition; they are packed.
        recipe: resolved recipe of `request`.
        request: run and folds to train.
        packages: names of the packages that Kaggle's image lacks.
        out: folder to write; an existing one is replaced.

    Returns:
        The size of each file, in bytes.

    Raises:
        UserError: the weights file does not exist, a wheel cannot be built or downloaded, or a file is a link or not
            what it must be.
    """
    run_paths = paths.run(request.run_name)
    with files.atomic_write(out) as folder:
        folder.mkdir(parents=True)
        add_wheels(folder, packages, ProjectPaths(paths.root))
        checkpoints = {}
        for fold in request.fold_numbers:
            if run_paths.fold(fold).checkpoint.is_file():
                name = f"fold{fold}-state.npz"  # as earlier versions call it, so that the content id stays
                checkpoints[name] = fold
                copy_checkpoint(run_paths.fold(fold).checkpoint, folder / name)
        manifest = {
            "medfold": __version__,
            "competition": paths.name,
            "request": _portable_request(request),
            "weights": _copy_weights(recipe, folder),
            "checkpoints": checkpoints,
            "packages": list(packages),
            "project_files": training_texts(paths),
        }
        identity = [
            facts.fingerprint_input(),
            recipe.fingerprint_input(),
            with_former_names(manifest["request"], REQUEST),
            sha256(paths.folds_table),
        ]
        if plugins := plugins_hash(paths.plugins):
            identity.append(plugins)
        return complete_bundle(folder, manifest, MANIFEST, identity)


def pack_results(run_paths: RunPaths, folds: list[int], content_id: str, out: Path) -> None:
    """Packs trained folds, and the checkpoints of unfinished ones, into one archive.

    Args:
        run_paths: paths of the run.
        folds: numbers of the requested folds.
        content_id: content id of the bundle; stored as the comment of the archive.
        out: path of the archive to write.
    """
    pack_folds(run_paths, folds, out, comment=content_id)


def unpack_results(
    archive: Path, run_paths: RunPaths, folds: list[int], content_id: str
) -> tuple[list[int], list[int]]:
    """Moves the results of `pack_results` into the run's folder, and removes the archive.

    Args:
        archive: path of an archive that `pack_results` wrote.
        run_paths: paths of the run.
        folds: numbers of the requested folds.
        content_id: content id of the bundle that was sent.

    Returns:
        Numbers of the trained folds, and of the unfinished ones with a checkpoint.

    Raises:
        UserError: the archive is damaged, belongs to another bundle, or has a fold that differs from its hashes.
    """
    with suppress(BadZipFile), ZipFile(archive) as opened:  # `unpack_folds` reports a damaged one
        if opened.comment != content_id.encode():
            fix = f"Delete the notebook on Kaggle, and start again: {command('clean-kaggle')} lists it"
            raise UserError("the results are of another training", archive, fix)
    return unpack_folds(archive, run_paths, folds)


def _copy_weights(recipe: Recipe, folder: Path) -> str | None:
    """Copies the file of the backbone's weights into the bundle and returns its name; None without such a file."""
    weights = Path(recipe.backbone.weights).expanduser()
    if recipe.backbone.weights in ("none", "imagenet"):
        return None
    if not weights.is_file():
        raise SettingError(f"{display_path(weights)}: no such weights file", "backbone.weights", "Check the path")
    copy_weights(weights, folder / weights.name)
    return weights.name


def _portable_request(request: TrainingRequest) -> dict[str, Any]:
    """Returns the request as JSON without folders of this machine: a weights file by its name only."""
    overrides = json.loads(json.dumps(request.overrides))
    if weights := config.flat(overrides).get("backbone.weights"):
        overrides["backbone"]["weights"] = Path(weights).name
    return {  # without `workers`: Kaggle's machine has a different number of cores
        "overrides": overrides,
        "seed": request.seed,
        "run": request.run_name,
        "folds": request.fold_numbers,
        "jobs": "auto" if request.jobs is None else str(request.jobs),
        "thread_shares": request.thread_shares,
        "recipe": request.recipe_name,
    }
