"""The bundle for a training: what it needs at Kaggle, in one folder, which is a private data set there."""

import json
import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import ZIP_STORED, BadZipFile, ZipFile

from medfold import __version__, config, files
from medfold.competition import Competition, Recipe, plugins_hash
from medfold.data import unpack_archive
from medfold.errors import UserError
from medfold.notebooks import wheels
from medfold.notebooks.bundle import open_bundle
from medfold.paths import CompetitionPaths, Workspace
from medfold.run_paths import FoldPaths, RunPaths
from medfold.runs import is_fold_done
from medfold.training import TrainingRequest

ABOUT = "job.json"  # written last: names all other files and their hashes
TRAINED = "trained.zip"


@dataclass(frozen=True)
class TrainingBundle:
    """A bundle for a training, opened.

    Args:
        folder: that holds its files.
        about: what job.json says.
    """

    folder: Path
    about: dict[str, Any]

    @classmethod
    def open(cls, folder: Path | str) -> "TrainingBundle":
        """Opens a bundle and checks that it is whole.

        Raises:
            UserError: no bundle, a file that is missing or damaged, or a package that is not installed.
        """
        return cls(Path(folder), open_bundle(Path(folder), ABOUT))

    def __str__(self) -> str:
        order = self.order
        lines = {
            "competition": self.about["competition"],
            "run": order.run,
            "folds": ", ".join(map(str, order.folds)),
            "going on": ", ".join(self.about["states"]) or "no, from the start",
            "medfold": self.about["medfold"],
        }
        return "\n".join(f"{fact:<13}{value}" for fact, value in lines.items())

    @property
    def order(self) -> TrainingRequest:
        """What is to be trained, with the weights file that came along in place of that of home."""
        order = TrainingRequest(**self.about["order"])
        if name := self.about["weights"]:
            order.overrides.setdefault("backbone", {})["weights"] = str(self.folder / name)
        return order

    def lay_out(self, root: Path) -> CompetitionPaths:
        """Writes a project folder as it is at home, but for data: facts, recipes, folds, and where trainings stand."""
        for name, text in self.about["project"].items():
            files.write_text(text, root / name)
        paths = Workspace(root).competition(self.about["competition"])
        for name, fold in self.about["states"].items():
            state = paths.run(self.about["order"]["run"]).fold(fold).state
            state.parent.mkdir(parents=True)
            shutil.copyfile(self.folder / name, state)
        return paths


def write_training_bundle(
    paths: CompetitionPaths,
    facts: Competition,
    recipe: Recipe,
    order: TrainingRequest,
    packages: tuple[str, ...],
    out: Path,
) -> dict[str, int]:
    """Writes a bundle; equal inputs give equal bytes. It holds no image, no patient's id and no secret.

    Args:
        facts: of the competition.
        recipe: that `order` comes to.
        packages: that Kaggle's image lacks.
        out: the folder to write.

    Returns:
        The size of each file, in bytes.

    Raises:
        UserError: no such weights file; what `wheels.build` and `wheels.fetch` raise.
    """
    run = paths.run(order.run)
    with files.atomic_write(out) as folder:
        folder.mkdir(parents=True)
        wheels.build_wheel(folder)
        wheels.download_wheels(packages, paths.root / "data" / ".wheels", folder)
        states = {}
        for fold in order.folds:
            if run.fold(fold).state.is_file():
                states[f"fold{fold}-state.npz"] = fold
                shutil.copyfile(run.fold(fold).state, folder / f"fold{fold}-state.npz")
        about: dict[str, Any] = {
            "medfold": __version__,
            "competition": paths.name,
            "order": _portable(order),
            "weights": _weights(recipe, folder),
            "states": states,
            "packages": list(packages),
            "project": _project(paths),
        }
        about["files"] = {path.name: files.sha256(path) for path in sorted(folder.iterdir())}
        # What is trained, whatever version of the package and of the texts goes with it.
        given = {name: digest for name, digest in about["files"].items() if not name.endswith(".whl")}
        sent = [given, facts.model_dump(mode="json"), recipe.portable(), about["order"], files.sha256(paths.folds)]
        if plugins := plugins_hash(paths.plugins):
            sent.append(plugins)
        about["mark"] = files.fingerprint(sent, 12)
        files.write_json(about, folder / ABOUT)
        return {path.name: path.stat().st_size for path in sorted(folder.iterdir())}


def pack_results(run: RunPaths, folds: list[int], mark: str, out: Path) -> None:
    """Packs what a training left: folds that are done, and of others where they stand; with the mark of the job."""
    with files.atomic_write(out) as temporary, ZipFile(temporary, "w", ZIP_STORED) as archive:
        archive.comment = mark.encode()
        for number in folds:
            fold = run.fold(number)
            names = [*files.read_json(fold.done), fold.done.name, fold.log.name] if is_fold_done(fold) else []
            for name in names or [fold.state.name]:
                if (fold.folder / name).is_file():
                    archive.write(fold.folder / name, f"{fold.folder.name}/{name}")


def unpack_results(archive: Path, run: RunPaths, folds: list[int], mark: str) -> tuple[list[int], list[int]]:
    """Puts what `pack` packed in its place, and removes the archive.

    Args:
        mark: of the job that was sent.

    Returns:
        The folds that are done, and those that are not but can be gone on with.

    Raises:
        UserError: a damaged archive, one of another job, or a fold in it that is not what its marker says.
    """
    done, unfinished = [], []
    run.folder.mkdir(parents=True, exist_ok=True)
    with suppress(BadZipFile), ZipFile(archive) as opened_archive:  # a damaged one is told of when it is unpacked
        if opened_archive.comment != mark.encode():
            raise UserError("this is what another job left", archive, "Delete the notebook at Kaggle to begin anew")
    with tempfile.TemporaryDirectory(prefix=".brought.", suffix=".tmp", dir=run.folder) as arrived:
        unpack_archive(archive, Path(arrived))
        for number in folds:
            fold, home = FoldPaths(Path(arrived) / f"fold{number}"), run.fold(number)
            if fold.done.is_file() and not is_fold_done(fold):
                raise UserError(f"fold {number} arrived damaged", archive, "Run it again: it is fetched once more")
            with files.lock(home.folder):
                if fold.done.is_file():
                    if home.folder.is_dir():  # what stood there goes with the temporary folder, once this is in place
                        home.folder.replace(Path(arrived) / f"before{number}")
                    fold.folder.replace(home.folder)
                    done.append(number)
                elif fold.state.is_file():
                    home.folder.mkdir(parents=True, exist_ok=True)
                    fold.state.replace(home.state)
                    unfinished.append(number)
    archive.unlink()
    return done, unfinished


def _weights(recipe: Recipe, folder: Path) -> str | None:
    """The name, in a bundle, of the file that the backbone's weights come from; None without one."""
    weights = Path(recipe.backbone.weights).expanduser()
    if recipe.backbone.weights in ("none", "imagenet"):
        return None
    if not weights.is_file():
        raise UserError("no such file", f"backbone.weights={weights}")
    shutil.copyfile(weights, folder / weights.name)
    return weights.name


def _portable(order: TrainingRequest) -> dict[str, Any]:
    """An order without the folders of this machine: of a weights file, its name alone."""
    content = json.loads(json.dumps(vars(order)))
    del content["workers"]  # the machine there has other cores
    weights = config.flat(content["overrides"]).get("backbone.weights")
    if weights:
        content["overrides"]["backbone"]["weights"] = Path(weights).name
    return content


def _project(paths: CompetitionPaths) -> dict[str, str]:
    """The texts of a project folder that a training reads."""
    yaml = [*sorted(Workspace(paths.root).base_folder.rglob("*.yaml")), *sorted(paths.folder.glob("*.yaml"))]
    plugins = [paths.plugins] if paths.plugins.is_file() else []
    found = [*yaml, *plugins, paths.folds, paths.folds_metadata]
    return {path.relative_to(paths.root).as_posix(): path.read_bytes().decode("utf-8") for path in found}
