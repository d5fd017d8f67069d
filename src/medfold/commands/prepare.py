"""`make prepare`: every raw image scanned once, and prepared for the store of a recipe."""

from typing import Any

from medfold import files
from medfold.competition import Project, load_recipe
from medfold.console import say
from medfold.data import load_samples, scan_dataset
from medfold.images import read_measurements, store_exists, store_key

SHOWN = 3  # bad images on the terminal


def prepare(
    project: Project, recipe: str = "baseline", overrides: dict[str, Any] | None = None, force: bool = False
) -> None:
    """Makes the store of a recipe, or says that it is there.

    Args:
        recipe, overrides: as `train` takes them.
        force: looks at every image again, those that could not be read before, too.
    """
    choices = load_recipe(project.paths, project.workspace.base_folder, recipe, overrides or {}).images
    load_samples(project)  # the key depends on the sample table
    key = store_key(project.competition, project.paths, choices)
    if force:
        paths = project.paths
        for old in (paths.pixels, paths.appearance, paths.store(key), paths.unfinished_store(key)):
            files.remove(old)
    there = read_measurements(project.competition, project.paths) is not None
    if there and store_exists(project.paths, key):
        say("prepare", f"complete: {project.display(project.paths.store(key))} (FORCE=1 makes it again)")
    scan_dataset(project, choices, quiet=False)
