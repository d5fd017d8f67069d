"""Trained folds packed for a competition that takes notebooks only, and the notebook beside them."""

from pathlib import Path

from medfold import files
from medfold.competition import Project, Recipe, kaggle_slug
from medfold.console import say, size, table
from medfold.data import Dataset
from medfold.ensemble import Ensemble
from medfold.kaggle import RemoteRun, name_of
from medfold.notebooks import notebook_file, wheels, write_submission_bundle
from medfold.notebooks.bundle import ABOUT
from medfold.runs import joined_name, read_run, run_paths_of, trained_folds
from medfold.scoring import describe_score

KIT, NOTEBOOK = "kit", "submission.ipynb"
UNDER_WAY = "these runs are being packed or submitted"


def bundle_folder(project: Project, names: list[str]) -> Path:
    """Where runs are packed: beside the first of them."""
    folder = project.paths.run(names[0]).notebook
    return folder if len(names) == 1 else folder.with_name(f"{folder.name}-{joined_name(names)}")


def pack_submission(project: Project, data: Dataset, found: Ensemble) -> RemoteRun:
    """Writes bundle and notebook, and shows the sizes of what they hold; the folder is to be held by `files.alone`.

    Returns:
        What is to be run at Kaggle; nothing is sent yet.
    """
    competition, paths = project.competition, project.paths
    members = [_trained(project, name) for name in found.names]
    score = describe_score(competition, found.score, data.train["unit"].nunique())
    folder = bundle_folder(project, found.names)
    slug = paths.name if competition.upload == "local" else kaggle_slug(competition)
    sizes = write_submission_bundle.pack(
        competition, paths, slug, members, found.decision.fitted, found.nothing, score, folder / KIT
    )
    packages = wheels.versions(wheels.lacking(competition))
    told = [f"{each.paths.name} ({len(each.folds)} folds)" for each in members]
    label = folder / KIT / ABOUT
    files.write_text(notebook_file.submission(competition, told, score, label, packages), folder / NOTEBOOK)
    say("kit", f"{len(sizes)} files, {size(sum(sizes.values()))} -> {project.shown(folder / KIT)}")
    table(["file", "size"], [[name, size(bytes)] for name, bytes in sizes.items()])
    words = ("medfold", paths.name, joined_name(found.names))
    return RemoteRun(name_of(*words), name_of(*words, "kit"), label, folder / NOTEBOOK, [], slug)


def _trained(project: Project, name: str) -> write_submission_bundle.Trained:
    paths = run_paths_of(project.paths, name)
    recipe = Recipe.model_validate(read_run(paths)["recipe"])
    return write_submission_bundle.Trained(paths, recipe, trained_folds(paths, project.competition.folds.k))
