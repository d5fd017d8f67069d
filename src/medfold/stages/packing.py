"""Stage `notebook`: trained folds packed for a competition that takes notebooks only, and the notebook beside them."""

from pathlib import Path

from medfold import files, runs
from medfold.leaderboards import kaggle
from medfold.notebooks import ipynb, packing, wheels
from medfold.notebooks.kit import ABOUT
from medfold.notebooks.packing import Packed
from medfold.recipe import Recipe
from medfold.stages import trained
from medfold.stages.ensembling import Ensemble, ensemble_of, show
from medfold.stages.folding import Table
from medfold.stages.project import RESEARCH, Project, describe_score
from medfold.terminal import say, size, table

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
    data = trained.data_for(project, names)
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
    return folder if len(names) == 1 else folder.with_name(f"{folder.name}-{runs.joined_name(names)}")


def pack(project: Project, data: Table, found: Ensemble) -> Packed:
    """Writes kit and notebook, and shows the sizes of what they hold; the folder is to be held by `files.alone`."""
    competition, paths = project.competition, project.paths
    members = [_trained(project, name) for name in found.names]
    score = describe_score(competition, found.score, data.train["unit"].nunique())
    folder = folder_of(project, found.names)
    slug = paths.name if competition.upload == "local" else kaggle.slug(competition)
    sizes = packing.pack(competition, paths, slug, members, found.decision.fitted, found.nothing, score, folder / KIT)
    packages = wheels.versions(wheels.lacking(competition))
    told = [f"{each.paths.name} ({len(each.folds)} folds)" for each in members]
    label = folder / KIT / ABOUT
    files.write_text(ipynb.submission(competition, told, score, label, packages), folder / NOTEBOOK)
    say("kit", f"{len(sizes)} files, {size(sum(sizes.values()))} -> {project.shown(folder / KIT)}")
    table(["file", "size"], [[name, size(bytes)] for name, bytes in sizes.items()])
    return Packed(runs.joined_name(found.names), folder / KIT, folder / NOTEBOOK)


def _trained(project: Project, name: str) -> packing.Trained:
    paths = runs.paths_of(project.paths, name)
    recipe = Recipe.model_validate(runs.describe(paths)["recipe"])
    return packing.Trained(paths, recipe, runs.finished_folds(paths, project.competition.folds.k))
