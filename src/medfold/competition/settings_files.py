"""Files with settings of a competition: competition.yaml with its facts, and recipes."""

from pathlib import Path
from typing import Any

from medfold.config import Settings, SettingsFiles, current_settings
from medfold.earlier_versions import FACTS, RECIPE
from medfold.paths import CompetitionPaths
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


def read_own_settings(path: Path) -> dict[str, Any]:
    """Reads the keys that a file sets itself, by their current names, without those of the files that it extends.

    Raises:
        UserError: not YAML, not a mapping, or a key is there under two names.
    """
    return current_settings(read_yaml(path), FACTS if _holds_facts(path.stem) else RECIPE, path)


def _holds_facts(name: str) -> bool:
    """Returns True for competition.yaml and the shared facts that it extends."""
    return name == "competition" or name.endswith("_facts")
