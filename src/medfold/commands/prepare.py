"""`make prepare`: scans every raw image once, and prepares it for the store of a recipe."""

from typing import Any

from medfold.competition import Project, load_recipe
from medfold.data import load_samples, scan_dataset, warn_of_unreadable
from medfold.images import read_measurements, store_exists, store_key
from medfold.system import files
from medfold.terminal.command_text import variable
from medfold.terminal.console import say


def prepare(
    project: Project, recipe: str = "baseline", overrides: dict[str, Any] | None = None, force: bool = False
) -> None:
    """Makes the store of a recipe, or reports that it is complete.

    Args:
        project: the competition; the store is put into its data/.
        recipe: name of the recipe. Defaults to `baseline`.
        overrides: values that replace those of the recipe. Defaults to none.
        force: scan and prepare every image again, including unreadable ones. Defaults to False.
    """
    image_settings = load_recipe(project.paths, project.project_paths.base_folder, recipe, overrides or {}).images
    load_samples(project)  # the key depends on the sample table
    key = store_key(project.competition, project.paths, image_settings)
    if force:
        paths = project.paths
        for path in (paths.measurements, paths.appearance, paths.store(key), paths.unfinished_store(key)):
            files.remove(path)
    scanned = read_measurements(project.competition, project.paths) is not None
    if scanned and store_exists(project.paths, key):
        say("prepare", f"complete: {project.display(project.paths.store(key))} ({variable('FORCE')} makes it again)")
    table, scan = scan_dataset(project, image_settings)
    if not scan.num_images:
        warn_of_unreadable(project, table, scan.measurements)
