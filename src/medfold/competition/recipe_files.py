"""The recipes of a competition: its own files and the shared ones, loaded with the overrides of SET=."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from medfold import config
from medfold.competition.facts import CompetitionFacts
from medfold.competition.recipe import Recipe
from medfold.competition.recipe_consistency import check_no_contradictions
from medfold.competition.settings_files import load_settings, read_own_settings
from medfold.earlier_versions import RECIPE
from medfold.errors import UserError
from medfold.paths import CompetitionPaths
from medfold.project_root import display_path
from medfold.terminal.command_text import variable
from medfold.text import did_you_mean

# Recipes in `_base/` that every competition has; a file of that name in its folder replaces them.
SHARED_RECIPES = ("debug", "gpu", "mobilenet", "simple_cnn")


@dataclass(frozen=True)
class RecipeKey:
    """A key of a loaded recipe.

    Args:
        key: the key, such as `training.epochs`.
        value: its value.
        set_in: the file that sets it, `SET` (`--set` without make), or '' if it has its default.
    """

    key: str
    value: Any
    set_in: str


def recipe_names(paths: CompetitionPaths) -> list[str]:
    """Returns the names of a competition's recipes: its own files, and the shared recipes."""
    own = {path.stem for path in paths.folder.glob("*.yaml") if path != paths.facts_file}
    return sorted(own | {name for name in SHARED_RECIPES if (paths.base_folder / f"{name}.yaml").is_file()})


def recipe_file(paths: CompetitionPaths, name: str) -> Path:
    """Returns the file of a recipe: the competition's own one, else the shared one."""
    file = paths.folder / f"{name}.yaml"
    return file if file.is_file() else paths.base_folder / file.name


def load_recipe(paths: CompetitionPaths, name: str, overrides: dict[str, Any]) -> Recipe:
    """Loads a recipe of a competition and applies the overrides.

    Args:
        paths: paths of the competition; its folder holds the recipes.
        name: name of the recipe: a file of the competition, else one of `SHARED_RECIPES`.
        overrides: nested, as returned by `parse_overrides`.

    Returns:
        The resolved recipe.

    Raises:
        UserError: an unknown recipe (the message names the nearest one), an unknown key, a wrong value, or settings
            that contradict each other.
    """
    known = recipe_names(paths)
    if name not in known and (paths.base_folder / f"{name}.yaml").is_file():
        own_file = display_path(paths.folder / f"{name}.yaml")
        fix = f"It has: {', '.join(known)}. To add it, write extends: {name} into {own_file}"
        what = f"{paths.name} has no such recipe; the shared file of that name is only to be extended"
        raise UserError(what, variable("RECIPE", name), fix)
    if name not in known:
        raise UserError(
            f"unknown recipe{did_you_mean(name, known)}",
            variable("RECIPE", name),
            f"{paths.name} has: {', '.join(known)}",
        )
    settings = _recipe_settings(paths, name, overrides)

    def location(key: str) -> str:
        return settings.location(key) or display_path(recipe_file(paths, name))

    recipe = config.validated(Recipe, settings.content, location, (CompetitionFacts, paths.facts_file.name))
    check_no_contradictions(recipe.training, location)
    return recipe


def recipe_keys(recipe: Recipe, paths: CompetitionPaths, name: str, overrides: dict[str, Any]) -> list[RecipeKey]:
    """Lists all keys of a loaded recipe with their values, and where each is set.

    Args:
        recipe: the recipe, as `load_recipe` returns it for the other arguments.
        paths: paths of the competition of the recipe.
        name: name of the recipe.
        overrides: keys that SET changes, nested.
    """
    values = config.flat(recipe.model_dump(mode="json"))
    settings = _recipe_settings(paths, name, overrides)
    return [RecipeKey(key, value, settings.location(key) or "") for key, value in values.items()]


def own_settings(paths: CompetitionPaths, name: str, overrides: dict[str, Any]) -> set[str]:
    """Returns the keys that a recipe sets itself or SET= sets, such as `training.epochs`; not those that it extends.

    Args:
        paths: paths of the competition of the recipe.
        name: name of a recipe that can be loaded.
        overrides: keys that SET changes, nested.
    """
    content = read_own_settings(recipe_file(paths, name))
    overrides = config.current_settings(overrides, RECIPE, variable("SET"))
    return set(config.flat(config.merge(content, overrides)))


def recipe_location(paths: CompetitionPaths, name: str, overrides: dict[str, Any], key: str) -> str:
    """Returns where a key of a recipe is set, as text for a message: SET, the file of the recipe, or one it extends.

    Args:
        paths: paths of the competition of the recipe.
        name: name of the recipe.
        overrides: keys that SET changes, nested.
        key: the key, such as `training.epochs`.
    """
    return _recipe_settings(paths, name, overrides).location(key) or display_path(recipe_file(paths, name))


def _recipe_settings(paths: CompetitionPaths, name: str, overrides: dict[str, Any]) -> config.Settings:
    """Returns the keys of a recipe and of SET, with where each is set."""
    overrides = config.current_settings(overrides, RECIPE, variable("SET"))
    settings = load_settings(paths, recipe_file(paths, name))
    return settings.overridden_by(config.Settings.of(overrides, variable("SET")))
