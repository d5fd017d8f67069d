"""Errors in the value of a key, with the file that holds the key: competition.yaml, a recipe, or SET."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from medfold import config
from medfold.competition.facts import CompetitionFacts
from medfold.competition.recipe import Recipe
from medfold.competition.recipe_files import recipe_location
from medfold.competition.settings_files import facts_location, read_facts_settings
from medfold.errors import MissingFileError, SettingError, UserError
from medfold.paths import CompetitionPaths
from medfold.project_root import display_path


@contextmanager
def setting_errors_located(
    paths: CompetitionPaths, recipe: str | None = None, overrides: dict[str, Any] | None = None
) -> Iterator[None]:
    """Turns an error of a key within the block into a UserError that also names the file with the key.

    The block is a command (`cli.opening.open_competition`), the training of a child process or on Kaggle, or
    `make_dataset` in a notebook.

    Args:
        paths: paths of the competition.yaml and the recipe files that may set the key.
        recipe: name of the recipe in use. Defaults to none: keys of recipes are left to the caller.
        overrides: keys of the recipe that SET changes, nested. Defaults to none.
    """
    try:
        yield
    except (SettingError, MissingFileError) as error:
        file = _file_of(error.key, paths, recipe, overrides or {}) if error.key else None
        if file is None:
            raise
        where = f"{file}: '{error.key}'"
        raise UserError(error.what, f"{where}, {error.item}" if error.item else where, error.fix) from error


def _file_of(key: str, paths: CompetitionPaths, recipe: str | None, overrides: dict[str, Any]) -> str | None:
    """Returns the file that sets a key, or SET, as text; None for an unknown key, or one of an unknown recipe."""
    section = key.partition(".")[0]
    if any(key == known or known.startswith(f"{key}.") for known in config.flat(Recipe().model_dump())):
        if recipe is None:
            return None
        return recipe_location(paths, recipe, overrides, key)
    if section not in CompetitionFacts.model_fields:
        return None
    where = read_facts_settings(paths).location(key)
    is_extended = where is not None and where != display_path(paths.facts_file)
    return where if is_extended else facts_location(paths)
