"""Paths of a project folder, and the competitions in it."""

from dataclasses import dataclass
from pathlib import Path

from medfold.errors import UserError
from medfold.paths.competition import CompetitionPaths
from medfold.paths.variants import variant_names
from medfold.project_root import find_root
from medfold.terminal.command_text import command, variable
from medfold.text import did_you_mean, shorten_list


@dataclass(frozen=True)
class ProjectPaths:
    """Paths of a project folder.

    Args:
        root: the folder that holds `competition/`, `folds/`, `submissions/`, `data/` and `runs/`.
    """

    root: Path

    @classmethod
    def find(cls, start: Path | None = None) -> "ProjectPaths":
        """Finds the project folder: the nearest one, from `start` upwards, with `competition/<name>/competition.yaml`.

        Args:
            start: folder to begin with. Defaults to the working directory.

        Raises:
            UserError: neither `start` nor a folder above it is a project folder.
        """
        start = (start or Path.cwd()).absolute()
        if root := find_root(start):
            return cls(root)
        raise UserError("no competition folder here or above", start, "Change into your clone of medfold")

    def competitions(self) -> list[str]:
        """Returns the names of all competitions, sorted."""
        return sorted(self._folders())

    def competition(self, name: str) -> CompetitionPaths:
        """Returns the paths of one competition.

        Raises:
            UserError: no folder or variant of that name under `competition/`; the message names the nearest one.
        """
        folders = self._folders()
        if name not in folders:
            variants = [variant for variant, folder in folders.items() if folder == name]
            hint = f" (it is the folder of {shorten_list(variants)})" if variants else did_you_mean(name, folders)
            listed = "All are folders of competition/"
            if not hint:
                listed = f"Known: {shorten_list(sorted(folders), 4)}; all are folders of competition/"
            fix = f"{listed}. To add it: {command('new', COMPETITION=name)}"
            raise UserError(f"unknown competition{hint}", variable("COMPETITION", name), fix)
        return CompetitionPaths(self.root, name, folders[name])

    def _folders(self) -> dict[str, str]:
        """Returns the folder under `competition/` of each competition: its own, or one shared by variants."""
        folders: dict[str, str] = {}
        for file in sorted(self.root.glob("competition/*/competition.yaml")):
            folders |= dict.fromkeys(variant_names(file) or [file.parent.name], file.parent.name)
        return folders

    @property
    def wheels(self) -> Path:
        """Folder of downloaded wheels, kept for the next bundle."""
        return self.root / "data" / ".wheels"

    @property
    def mlflow_store(self) -> Path:
        """Local store of MLflow, of all competitions."""
        return self.root / "runs" / "mlflow.db"

    @property
    def ledger(self) -> Path:
        """CSV with a row for every submission, with its scores."""
        return self.root / "submissions" / "ledger.csv"
