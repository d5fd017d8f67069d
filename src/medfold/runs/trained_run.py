"""A run with its trained folds."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from medfold.competition import Competition, CompetitionFacts
from medfold.paths import FoldPaths
from medfold.runs.fold_state import require_trained_folds
from medfold.runs.predictions import read_predictions
from medfold.runs.run import Run


@dataclass(frozen=True)
class TrainedRun(Run):
    """A run with its trained folds, of which there is at least one; `paths` and `metadata` are those of `Run`.

    Args:
        trained_folds: numbers of the trained folds.
    """

    trained_folds: list[int]

    @classmethod
    def open(cls, competition: Competition, name: str) -> "TrainedRun":
        """Opens a run that can be used: at least one fold is trained, and none is damaged.

        Raises:
            UserError: no such run, no trained fold, or a damaged one.
        """
        return cls.from_run(Run.open(competition, name))

    @classmethod
    def from_run(cls, run: Run) -> "TrainedRun":
        """Finds the trained folds of an opened run: at least one is trained, and none is damaged.

        Raises:
            UserError: no trained fold, or a damaged one.
        """
        return cls(run.paths, run.metadata, require_trained_folds(run))

    @property
    def fold_paths(self) -> list[FoldPaths]:
        """Paths of the trained folds."""
        return [self.paths.fold(number) for number in self.trained_folds]

    @property
    def weights_files(self) -> list[Path]:
        """Weights files of the trained folds."""
        return [paths.weights for paths in self.fold_paths]

    def read_oof(self, facts: CompetitionFacts) -> pd.DataFrame:
        """Reads the OOF predictions of all trained folds as one table.

        Raises:
            UserError: a table lacks a column, or has a prediction that is not a finite number.
        """
        return pd.concat([read_predictions(facts, paths.oof) for paths in self.fold_paths], ignore_index=True)
