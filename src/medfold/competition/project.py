"""The project: one competition in one project folder, which every command starts from."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from medfold import config
from medfold.competition.facts import Competition
from medfold.competition.plugins import use_plugins
from medfold.competition.recipe import load_recipe
from medfold.competition.recipe_sections import ImageSettings
from medfold.competition.slugs import slug_of
from medfold.errors import UserError
from medfold.paths import CompetitionPaths, Workspace

RESEARCH = "For research and competitions, not for the diagnosis of patients."


@dataclass(frozen=True)
class Project:
    """One competition in one project folder."""

    workspace: Workspace
    paths: CompetitionPaths
    competition: Competition

    @classmethod
    def open(cls, name: str, workspace: Workspace | None = None) -> "Project":
        """Opens a competition by name or by its address at Kaggle.

        Raises:
            UserError: no such competition, or a fault in its competition.yaml.
        """
        workspace = workspace or Workspace.find()
        paths = workspace.competition(find_competition(workspace, name))
        facts = load_facts(paths, workspace.base_folder)
        use_plugins(paths.plugins)
        return cls(workspace, paths, facts)

    def command(self, target: str, **words: object) -> str:
        """The make command for a target of this competition, as it is typed."""
        words = {"COMPETITION": self.paths.name, **words}
        return " ".join(["make", target, *(f"{key}={value}" for key, value in words.items())])

    def display(self, path: Path) -> str:
        """A path as people read it: from the project folder on."""
        return self.workspace.display(path)


def find_competition(workspace: Workspace, text: str) -> str:
    """The competition folder that a name, a Kaggle slug or a pasted Kaggle address stands for.

    An address stands for the folder whose source or url is that competition or data set, else for the folder of its
    last part, whether there is one or not.

    Raises:
        UserError: neither a name nor an address of Kaggle.
    """
    if "/" not in text:
        return text
    slug = next((slug for folder in ("competitions", "datasets") if (slug := _slug(text, folder))), None)
    if slug is None:
        raise UserError("neither a folder under competition/ nor a Kaggle address", text)
    for name in workspace.competitions():
        facts = _facts(workspace.competition(name), workspace.base_folder)
        source = facts.get("source")
        addresses = [source.get("slug") if isinstance(source, dict) else None, facts.get("url")]
        known = {_slug(str(address), folder) for address in addresses for folder in ("competitions", "datasets")}
        if slug in known:
            return name
    return slug.rpartition("/")[2]


def _slug(text: str, folder: str) -> str | None:
    try:
        return slug_of(text, folder)
    except ValueError:
        return None


def load_facts(paths: CompetitionPaths, bases: Path) -> Competition:
    """The facts of a competition.

    Raises:
        UserError: the file is missing, not YAML, or holds an unknown key or a wrong value; the key is named.
    """
    where = paths.facts.relative_to(paths.root)
    return config.validated(
        Competition, _facts(paths, bases), f"{where}, {paths.name}" if paths.home != paths.name else where
    )


def _facts(paths: CompetitionPaths, bases: Path) -> dict[str, Any]:
    """What competition.yaml says; of a variant, its own facts laid over those that all variants share."""
    facts = config.load(paths.facts, bases)
    variants = facts.pop("variants", {})
    return config.merge(facts, variants[paths.name]) if paths.name in variants else facts


def image_settings(project: Project, recipe: str) -> ImageSettings | None:
    """How a recipe wants the images; None if the competition has no such recipe."""
    if not (project.paths.folder / f"{recipe}.yaml").is_file():
        return None
    return load_recipe(project.paths, project.workspace.base_folder, recipe, {}).images
