"""`make recipe`: all keys of a recipe with their values, and the file that sets each."""

import json
from typing import Any

from medfold.competition import Competition, RecipeKey, ineffective_settings, load_recipe, recipe_keys
from medfold.terminal.console import print_table, say, warn
from medfold.text import count_of


def show_recipe(competition: Competition, name: str, overrides: dict[str, Any]) -> list[RecipeKey]:
    """Prints a recipe as `make train` takes it: its own keys, those of the recipes that it extends, and the defaults.

    Args:
        competition: the competition of the recipe.
        name: name of the recipe.
        overrides: keys of the recipe that SET changes, nested.

    Returns:
        All keys, those that are set first.

    Raises:
        UserError: no such recipe, or a wrong key or value.
    """
    recipe = load_recipe(competition.paths, name, overrides)
    keys = sorted(recipe_keys(recipe, competition.paths, name, overrides), key=lambda each: not each.set_in)
    num_set = sum(bool(each.set_in) for each in keys)
    counts = f"{count_of(num_set, 'key is', 'keys are')} set, {len(keys) - num_set:,} have their default"
    say("recipe", f"{name} of {competition.paths.name}: {counts}")
    rows = [[each.key, _as_typed(each.value), each.set_in or "(default)"] for each in keys]
    print_table(["key", "value", "set in"], rows)
    for key, reason in ineffective_settings(recipe, competition.facts.images.symmetry).items():
        warn("", f"{key} has no effect: {reason}")
    return keys


def _as_typed(value: Any) -> str:
    """Returns a value as it is typed in YAML."""
    return value if isinstance(value, str) else json.dumps(value)
