"""Competitions: facts, recipes and plugins.

- `competition`: a competition in a project folder, the starting point of every command;
- `facts`: competition.yaml; `facts_sections`: its sections;
- `recipe`: a recipe; `recipe_sections`: its sections; `recipe_files`: where recipes are, and their loading;
  `recipe_consistency`: settings that contradict each other, have no effect or harm; `overrides`: SET=;
- `settings_files`: the YAML files of both, with what they extend;
- `located_errors`: the file of a key with a wrong value;
- `plugins`: runs and hashes plugins.py;
- `slugs`: names of competitions and data sets on Kaggle.
"""

from medfold.competition.competition import RESEARCH_NOTICE, Competition, load_facts, preparation_settings
from medfold.competition.facts import CompetitionFacts, has_known_groups
from medfold.competition.facts_sections import DEFAULT_MAX_MEGABYTES, MAX_SEED, FoldFacts, ImageFacts, Symmetry
from medfold.competition.located_errors import setting_errors_located
from medfold.competition.overrides import (
    command_without_folders,
    format_overrides,
    parse_overrides,
    run_name,
)
from medfold.competition.plugins import active_plugins, plugins_hash, use_plugins
from medfold.competition.recipe import Recipe, weights_without_folders
from medfold.competition.recipe_consistency import batch_size_warning, effective_recipe, ineffective_settings
from medfold.competition.recipe_files import RecipeKey, load_recipe, own_settings, recipe_keys, recipe_names
from medfold.competition.recipe_sections import BackboneSettings, PreparationSettings, TrainingSettings
from medfold.competition.settings_files import read_own_settings
from medfold.competition.slugs import ADDRESS_EXAMPLE, kaggle_slug, parse_slug

__all__ = [
    "ADDRESS_EXAMPLE",
    "DEFAULT_MAX_MEGABYTES",
    "MAX_SEED",
    "RESEARCH_NOTICE",
    "BackboneSettings",
    "Competition",
    "CompetitionFacts",
    "FoldFacts",
    "ImageFacts",
    "PreparationSettings",
    "Recipe",
    "RecipeKey",
    "Symmetry",
    "TrainingSettings",
    "active_plugins",
    "batch_size_warning",
    "command_without_folders",
    "effective_recipe",
    "format_overrides",
    "has_known_groups",
    "ineffective_settings",
    "kaggle_slug",
    "load_facts",
    "load_recipe",
    "own_settings",
    "parse_overrides",
    "parse_slug",
    "plugins_hash",
    "preparation_settings",
    "read_own_settings",
    "recipe_keys",
    "recipe_names",
    "run_name",
    "setting_errors_located",
    "use_plugins",
    "weights_without_folders",
]
