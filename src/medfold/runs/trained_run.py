"""A run with its trained folds."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from medfold.competition import CompetitionFacts, Project, Recipe
from medfold.run_paths import FoldPaths, RunPaths
from medfold.runs.fold_state import require_trained_folds, trained_and_damaged_folds
from medfold.runs.predictions import read_predictions
from medfold.runs.run_json import read_run
from medfold.runs.run_names import find_run


@dataclass(frozen=True)
class TrainedRun:
    """A run with its trained folds.

    Args:
        paths: paths of its files.
        metadata: the contents of run.json.
        trained_folds: numbers of the trained folds.
        damaged_files: by the number of a damaged fold, its files that are missing or have changed. Defaults to none.
    """

    paths: RunPaths
    metadata: dict[str, Any]
    trained_folds: list[int]
    damaged_files: dict[int, list[str]] = field(default_factory=dict)

    @classmethod
    def read(cls, run_paths: RunPaths) -> "TrainedRun":
        """Reads a run as it is: folds may be damaged, or none may be trained.

        Raises:
            UserError: no such run, or run.json is damaged.
        """
        metadata = read_run(run_paths)
        return cls(run_paths, metadata, *trained_and_damaged_folds(run_paths, _num_folds(metadata)))

    @classmethod
    def open(cls, project: Project, name: str) -> "TrainedRun":
        """Opens a run that can be used: at least one fold is trained, and none is damaged.

        Raises:
            UserError: no such run, no trained fold, or a damaged one.
        """
        run_paths = find_run(project.paths, name)
        metadata = read_run(run_paths)
        return cls(run_paths, metadata, require_trained_folds(run_paths, _num_folds(metadata)))

    @property
    def name(self) -> str:
        """Name of the run."""
        return self.paths.name

    @property
    def recipe(self) -> Recipe:
        """The recipe that it was trained with."""
        return Recipe.model_validate(self.metadata["recipe"])

    @property
    def is_optimistic(self) -> bool:
        """True if epochs were chosen on the folds that are scored."""
        return self.metadata["recipe"]["training"]["keep"] == "best"

    @property
    def num_folds(self) -> int:
        """Number of folds of its folds table, trained or not."""
        return _num_folds(self.metadata)

    @property
    def folds(self) -> list[FoldPaths]:
        """Paths of the trained folds."""
        return [self.paths.fold(number) for number in self.trained_folds]

    @property
    def weights_files(self) -> list[Path]:
        """Weights files of the trained folds."""
        return [fold.weights for fold in self.folds]

    def read_oof(self, competition: CompetitionFacts) -> pd.DataFrame:
        """Reads the OOF predictions of all trained folds as one table.

        Raises:
            UserError: see `read_predictions`.
        """
        return pd.concat([read_predictions(competition, fold.oof) for fold in self.folds], ignore_index=True)


def _num_folds(metadata: dict[str, Any]) -> int:
    return metadata["facts"]["folds"]["k"]
