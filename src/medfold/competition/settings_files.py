"""Files with settings of a competition: competition.yaml with its facts, and recipes."""

from pathlib import Path

from medfold.config import Settings, SettingsFiles
from medfold.earlier_versions import FACTS, RECIPE
from medfold.paths import CompetitionPaths


def load_settings(paths: CompetitionPaths, path: Path) -> Settings:
    """Reads facts or a recipe, by the name of the file, with what the file extends.

    Args:
        paths: paths of the competition, in whose folder and in `_base/` the extended files are looked for.
        path: the file.

    Raises:
        UserError: errors of `SettingsFiles.load`.
    """
    folders = (paths.folder, paths.base_folder)
    if _holds_facts(path.stem):
        return SettingsFiles(folders, FACTS, _holds_facts).load(path)
    return SettingsFiles(folders, RECIPE, lambda name: not _holds_facts(name)).load(path)


def _holds_facts(name: str) -> bool:
    """Returns True for competition.yaml and the shared facts that it extends."""
    return name == "competition" or name.endswith("_facts")
