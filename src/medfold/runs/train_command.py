"""The command that trains a run."""

import re

from medfold.competition import recipe_names
from medfold.paths import ProjectPaths, RunPaths
from medfold.terminal.command_text import as_typed, make_command


def train_command(run_paths: RunPaths, recorded: str | None = None, **changed: object) -> str:
    """Returns the command that trains a run, as the user types it.

    Args:
        run_paths: paths of the run.
        recorded: the command in its run.json. Defaults to none, as for a run that was not started: then it is the
            command with the recipe and seed of its name, else with RUN.
        changed: variables to add, or whose value is replaced.
    """
    return as_typed(recorded or _command_of_name(run_paths), **changed)


def is_named_by_recipe(run_paths: RunPaths) -> bool:
    """Returns True if a run is named by a recipe of its competition, with or without a seed."""
    return _recipe_and_seed(run_paths) is not None


def _command_of_name(run_paths: RunPaths) -> str:
    """Returns the make command that trains a run of this name."""
    competition = run_paths.competition
    if not (found := _recipe_and_seed(run_paths)):
        return make_command("train", COMPETITION=competition, RUN=run_paths.name)
    recipe, seed = found
    return make_command("train", COMPETITION=competition, RECIPE=None if recipe == "baseline" else recipe, SEEDS=seed)


def _recipe_and_seed(run_paths: RunPaths) -> tuple[str, str | None] | None:
    """Returns the recipe and the seed that a run is named by; None if it has another name.

    The seed is None without the ending -s<n>: a run of seed 0.
    """
    names = _recipe_names(run_paths)
    if run_paths.name in names:
        return run_paths.name, None
    match = re.fullmatch(r"(.+)-s(\d+)", run_paths.name)
    return (match[1], match[2]) if match and match[1] in names else None


def _recipe_names(run_paths: RunPaths) -> list[str]:
    """Returns the names of the recipes of the competition of a run."""
    project_paths = ProjectPaths(run_paths.root)
    if run_paths.competition not in project_paths.competitions():
        return []
    return recipe_names(project_paths.competition(run_paths.competition))
