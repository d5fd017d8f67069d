"""Files with settings of a competition: competition.yaml with its facts, and recipes."""

from pathlib import Path
from typing import Any

from medfold.config import Settings, SettingsFiles, current_settings
from medfold.earlier_versions import FACTS, RECIPE
from medfold.paths import CompetitionPaths, split_variants
from medfold.project_root import display_path
from medfold.yaml_files import read_yaml


def load_settings(paths: CompetitionPaths, path: Path) -> Settings:
    """Loads competition.yaml or a recipe, with the files that it extends.

    Args:
        paths: paths of the competition, in whose folder and in `_base/` the extended files are looked for.
        path: the file.

    Raises:
        UserError: errors of `SettingsFiles.load`.
    """
    folders = (paths.folder, paths.base_folder)
    if _holds_facts(path.stem):
        return SettingsFiles(folders, FACTS, lambda name: True).load(path)  # what they share may have any name
    return SettingsFiles(folders, RECIPE, lambda name: not _holds_facts(name)).load(path)


def read_facts_settings(paths: CompetitionPaths) -> Settings:
    """Reads competition.yaml and what it extends; for a variant, the shared facts overridden by its own.

    Raises:
        UserError: errors of `load_settings`, or variants that are not mappings.
    """
    settings = load_settings(paths, paths.facts_file)
    facts, variants = split_variants(settings.content, paths.facts_file)
    shared = Settings(facts, settings.locations)
    if paths.name not in variants:
        return shared
    where = facts_location(paths)
    own = current_settings(variants[paths.name], FACTS, where)
    return shared.overridden_by(Settings.of(own, where))


def facts_location(paths: CompetitionPaths) -> str:
    """Returns competition.yaml as text for a message; for a variant with its name."""
    where = display_path(paths.facts_file)
    return where if paths.folder_name == paths.name else f"{where}, {paths.name}"


def read_own_settings(path: Path) -> dict[str, Any]:
    """Reads the keys that a file sets itself, by their current names, without those of the files that it extends.

    Raises:
        UserError: not YAML, not a mapping, or a key is there under two names.
    """
    return current_settings(read_yaml(path), FACTS if _holds_facts(path.stem) else RECIPE, path)


def _holds_facts(name: str) -> bool:
    """Returns True for competition.yaml and the shared facts that it extends."""
    return name == "competition" or name.endswith("_facts")
