"""Competition: one competition in one project folder, the starting point of every command."""

from dataclasses import dataclass

from medfold import config
from medfold.competition.facts import CompetitionFacts
from medfold.competition.plugins import use_plugins
from medfold.competition.recipe import Recipe
from medfold.competition.recipe_files import load_recipe, recipe_names
from medfold.competition.recipe_sections import PreparationSettings
from medfold.competition.settings_files import facts_location, read_facts_settings
from medfold.competition.slugs import ADDRESS_EXAMPLE, parse_slug
from medfold.errors import UserError
from medfold.paths import CompetitionPaths, ProjectPaths
from medfold.terminal.command_text import command, make_command, variable

RESEARCH_NOTICE = "For research and competitions, not for the diagnosis of patients."


@dataclass(frozen=True)
class Competition:
    """One competition in one project folder.

    Args:
        project_paths: paths of the project folder.
        paths: paths of the competition: its folder, data, folds, runs and submissions.
        facts: facts of the competition.
    """

    project_paths: ProjectPaths
    paths: CompetitionPaths
    facts: CompetitionFacts

    @classmethod
    def open(cls, name: str, project_paths: ProjectPaths | None = None) -> "Competition":
        """Opens a competition by name or by its address on Kaggle.

        The registries hold the plugins of one competition: opening a second one removes those of the first.

        Raises:
            UserError: no such competition, or a fault in its competition.yaml.
        """
        project_paths = project_paths or ProjectPaths.find()
        paths = project_paths.competition(find_competition(project_paths, name))
        facts = load_facts(paths)
        use_plugins(paths.plugins)
        return cls(project_paths, paths, facts)

    def command(self, target: str, **variables: object) -> str:
        """Returns a command for this competition as the user types it; see `command_text.command`."""
        return command(target, COMPETITION=self.paths.name, **variables)

    def make_command(self, target: str, **variables: object) -> str:
        """Returns a make command for this competition, for files and pages; see `command_text.make_command`."""
        return make_command(target, COMPETITION=self.paths.name, **variables)


def find_competition(project_paths: ProjectPaths, text: str) -> str:
    """Returns the name of the competition for a name, a Kaggle slug or a pasted Kaggle address.

    For an address it is the competition whose source or url is that address, else the last part of the address, even
    if there is no competition of that name.

    Raises:
        UserError: neither a name nor a Kaggle address.
    """
    if "/" not in text:
        return text
    slug = next((slug for folder in ("competitions", "datasets") if (slug := _slug(text, folder))), None)
    if slug is None:
        what = "neither a folder under competition/ nor a Kaggle address"
        raise UserError(what, variable("COMPETITION", text), ADDRESS_EXAMPLE)
    for name in project_paths.competitions():
        try:
            facts = read_facts_settings(project_paths.competition(name)).content
        except UserError:  # reported when that competition is opened
            continue
        source = facts.get("source")
        addresses = [source.get("slug") if isinstance(source, dict) else None, facts.get("url")]
        slugs = {_slug(str(address), folder) for address in addresses for folder in ("competitions", "datasets")}
        if slug in slugs:
            return name
    return slug.rpartition("/")[2]


def _slug(text: str, folder: str) -> str | None:
    try:
        return parse_slug(text, folder)
    except ValueError:
        return None


def load_facts(paths: CompetitionPaths) -> CompetitionFacts:
    """Reads competition.yaml and checks it.

    Raises:
        UserError: the file is missing, not YAML, or has an unknown key or a wrong value; the message names the key.
    """
    elsewhere = (Recipe, "a recipe, such as baseline.yaml")
    settings = read_facts_settings(paths)
    where = facts_location(paths)
    return config.validated(CompetitionFacts, settings.content, lambda key: settings.location(key) or where, elsewhere)


def preparation_settings(competition: Competition, recipe: str) -> PreparationSettings | None:
    """Returns how a recipe prepares images; None for `baseline`, the default, if the competition does not have it.

    Raises:
        UserError: errors of `load_recipe`, such as an unknown recipe.
    """
    paths = competition.paths
    if recipe == "baseline" and recipe not in recipe_names(paths):
        return None
    return load_recipe(paths, recipe, {}).preparation
