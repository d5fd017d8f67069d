"""Stage `prepare`: every raw image decoded once, measured, and prepared for the store of a recipe."""

from typing import Any

import pandas as pd

from medfold import files
from medfold.competition import recipe as recipe_module
from medfold.competition.project import Project
from medfold.competition.recipe import Images
from medfold.console import minutes, say, warn
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
    looked_at(project, choices, quiet=False)


def images_of(project: Project, recipe: str) -> Images | None:
    """How a recipe wants the images; None if the competition has no such recipe."""
    if not (project.paths.folder / f"{recipe}.yaml").is_file():
        return None
    return recipe_module.load(project.paths, project.root.bases, recipe, {}).images


def looked_at(
    project: Project, choices: Images | None = None, with_appearance: bool = False, quiet: bool = True
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The sample table and what was measured of each image; looks at them first, where that is missing.

    Args:
        choices: prepares the images too, for the store of this recipe. Defaults to measuring only.
        with_appearance: also sees to what the audit needs.
        quiet: warns of bad images only if it looked at any just now.

    Returns:
        The sample table; the measurements, in its order.
    """
    competition, paths = project.competition, project.paths
    table = samples_of(project)
    done = scan.look(competition, paths, table, choices, with_appearance)
    if done.images:
        made = f"{done.images:,} images looked at"
        if choices:
            made = f"{done.images:,} images at {choices.size}x{choices.size} px"
            made += f" -> {project.shown(paths.store(store.key(competition, paths, choices)))}"
        rate = f", {done.images / done.seconds:,.0f} a second" if done.seconds > 1 else ""
        say("prepare", f"{made}, {minutes(done.seconds)}{rate}")
    if done.images or not quiet:
        _warn_of_bad(project, table, done.measured)
    return table, done.measured


def _warn_of_bad(project: Project, table: pd.DataFrame, known: pd.DataFrame) -> None:
    bad = (known["bad"] != "").to_numpy()
    if not bad.any():
        return
    parts = table.loc[bad, "part"].value_counts()
    told = " and ".join(
        f"{parts[part]:,} {word}" for part, word in (("train", "training"), ("test", "test")) if part in parts
    )
    fate = "left out of training; a test image among them gets the mean of the training labels"
    warn("prepare", f"{told} images cannot be read: {fate}")
    for row in bad.nonzero()[0][:SHOWN]:
        warn("", f"{table['image'].iloc[row]}: {known['bad'].iloc[row]}")
    warn("", f"all of them: {project.shown(project.paths.bad_images)}")
