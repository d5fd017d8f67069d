"""Stage `notebook`: trained folds packed for a competition that takes notebooks only, and the notebook beside them."""

from pathlib import Path

from medfold import files
from medfold.competition.project import RESEARCH, Project, describe_score
from medfold.competition.recipe import Recipe
from medfold.console import say, size, table
from medfold.data.dataset import Table
from medfold.ensemble.run_ensemble import Ensemble, ensemble_of, show
from medfold.notebooks import notebook_file, wheels, write_submission_bundle
from medfold.notebooks.bundle import ABOUT
from medfold.notebooks.write_submission_bundle import Packed
from medfold.runs import identity, run_folder
from medfold.submission.leaderboards import kaggle

KIT, NOTEBOOK = "kit", "submission.ipynb"
UNDER_WAY = "these runs are being packed or submitted"


def notebook(project: Project, names: list[str], method: str | None = None, per_class: bool = False) -> Packed:
    """Packs runs and writes the notebook, for a look, or to be uploaded by hand; nothing leaves this machine.

    Args:
        names: of the runs.
        method, per_class: how to put several together, as `ensemble` takes them.

    Raises:
        UserError: runs that do not fit together or are not trained, or a package that cannot be made.
    """
    data = identity.data_for(project, names)
    found = ensemble_of(project, names, data, method, per_class)
    show(project, found, method)
    with files.alone(folder_of(project, found.names), UNDER_WAY):
        packed = pack(project, data, found)
    say("notebook", project.shown(packed.notebook))
    say("by hand", "upload the kit's files as a private data set; upload the notebook, attach data set and competition")
    say("", RESEARCH)
    return packed


def folder_of(project: Project, names: list[str]) -> Path:
    """Where runs are packed: beside the first of them."""
    folder = project.paths.run(names[0]).notebook
    return folder if len(names) == 1 else folder.with_name(f"{folder.name}-{run_folder.joined_name(names)}")


def pack(project: Project, data: Table, found: Ensemble) -> Packed:
    """Writes kit and notebook, and shows the sizes of what they hold; the folder is to be held by `files.alone`."""
    competition, paths = project.competition, project.paths
    members = [_trained(project, name) for name in found.names]
    score = describe_score(competition, found.score, data.train["unit"].nunique())
    folder = folder_of(project, found.names)
    slug = paths.name if competition.upload == "local" else kaggle.slug(competition)
    sizes = write_submission_bundle.pack(
        competition, paths, slug, members, found.decision.fitted, found.nothing, score, folder / KIT
    )
    packages = wheels.versions(wheels.lacking(competition))
    told = [f"{each.paths.name} ({len(each.folds)} folds)" for each in members]
    label = folder / KIT / ABOUT
    files.write_text(notebook_file.submission(competition, told, score, label, packages), folder / NOTEBOOK)
    say("kit", f"{len(sizes)} files, {size(sum(sizes.values()))} -> {project.shown(folder / KIT)}")
    table(["file", "size"], [[name, size(bytes)] for name, bytes in sizes.items()])
    return Packed(run_folder.joined_name(found.names), folder / KIT, folder / NOTEBOOK)


def _trained(project: Project, name: str) -> write_submission_bundle.Trained:
    paths = run_folder.paths_of(project.paths, name)
    recipe = Recipe.model_validate(run_folder.describe(paths)["recipe"])
    return write_submission_bundle.Trained(paths, recipe, run_folder.finished_folds(paths, project.competition.folds.k))
