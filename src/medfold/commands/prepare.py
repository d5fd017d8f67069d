"""Stage `prepare`: every raw image decoded once, measured, and prepared for the store of a recipe."""

from typing import Any

from medfold import files
from medfold.competition import recipe as recipe_module
from medfold.competition.project import Project
from medfold.console import say
from medfold.data.dataset import scan_dataset
from medfold.data.raw_data import samples_of
from medfold.images import scan, store

SHOWN = 3  # bad images on the terminal


def prepare(
    project: Project, recipe: str = "baseline", overrides: dict[str, Any] | None = None, force: bool = False
) -> None:
    """Makes the store of a recipe, or says that it is there.

    Args:
        recipe, overrides: as `train` takes them.
        force: looks at every image again, those that could not be read before, too.
    """
    choices = recipe_module.load(project.paths, project.root.bases, recipe, overrides or {}).images
    samples_of(project)  # the key depends on the sample table
    key = store.key(project.competition, project.paths, choices)
    if force:
        paths = project.paths
        for old in (paths.pixels, paths.appearance, paths.store(key), paths.unfinished_store(key)):
            files.remove(old)
    there = scan.measured(project.competition, project.paths) is not None
    if there and store.complete(project.paths, key):
        say("prepare", f"complete: {project.shown(project.paths.store(key))} (FORCE=1 makes it again)")
    scan_dataset(project, choices, quiet=False)
