"""`make prepare`: scans every raw image once, and prepares it for the store of a recipe."""

from typing import Any, Literal

from medfold.cluster import ClusterAddress, scan_on_cluster
from medfold.competition import Competition, load_recipe
from medfold.data import load_samples, scan_dataset, warn_of_unreadable
from medfold.images import read_measurements, store_exists, store_key
from medfold.project_root import display_path
from medfold.system import files
from medfold.terminal.command_text import variable
from medfold.terminal.console import say


def prepare(
    competition: Competition,
    recipe_name: str = "baseline",
    overrides: dict[str, Any] | None = None,
    force: bool = False,
    on: Literal["here", "ray"] = "here",
    address: ClusterAddress | None = None,
) -> None:
    """Makes the store of a recipe, or reports that it is complete.

    Args:
        competition: the competition; the store is put into its data/.
        recipe_name: name of the recipe. Defaults to `baseline`.
        overrides: values that replace values of the recipe. Defaults to none.
        force: scan and prepare every image again, including unreadable ones. Defaults to False.
        on: `here`, or `ray` to prepare them on a cluster. Defaults to `here`.
        address: the cluster of `ray`. Defaults to none: one on this machine, for this command.
    """
    scan_batches = scan_on_cluster(competition, address) if on == "ray" else None
    preparation = load_recipe(competition.paths, recipe_name, overrides or {}).preparation
    load_samples(competition)  # the key depends on the sample table
    key = store_key(competition, preparation)
    if force:
        paths = competition.paths
        for path in (paths.measurements, paths.appearance, paths.store(key), paths.unfinished_store(key)):
            files.remove(path)
    scanned = read_measurements(competition) is not None
    if scanned and store_exists(competition.paths, key):
        say(
            "prepare",
            f"complete: {display_path(competition.paths.store(key))} ({variable('FORCE')} makes it again)",
        )
    table, scan = scan_dataset(competition, preparation, scan_batches=scan_batches)
    if not scan.num_images:
        warn_of_unreadable(competition, table, scan.measurements)
