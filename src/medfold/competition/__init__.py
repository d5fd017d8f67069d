"""Competitions: their facts, recipes and plugins, and the project folder they stand in."""

from medfold.competition.facts import Competition, names_groups
from medfold.competition.facts_sections import FoldFacts, ImageFacts, Symmetry
from medfold.competition.plugins import active_plugins, plugins_hash, use_plugins
from medfold.competition.project import RESEARCH, Project, image_settings
from medfold.competition.recipe import (
    Recipe,
    effective_recipe,
    ineffective_settings,
    load_recipe,
    overrides_as_typed,
    parse_overrides,
    run_name,
)
from medfold.competition.recipe_sections import BackboneSettings, ImageSettings, TrainingSettings
from medfold.competition.slugs import kaggle_slug, slug_of

__all__ = [
    "RESEARCH",
    "BackboneSettings",
    "Competition",
    "FoldFacts",
    "ImageFacts",
    "ImageSettings",
    "Project",
    "Recipe",
    "Symmetry",
    "TrainingSettings",
    "active_plugins",
    "effective_recipe",
    "image_settings",
    "ineffective_settings",
    "kaggle_slug",
    "load_recipe",
    "names_groups",
    "overrides_as_typed",
    "parse_overrides",
    "plugins_hash",
    "run_name",
    "slug_of",
    "use_plugins",
]
