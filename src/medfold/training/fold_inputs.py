"""Settings and data for training one fold."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from medfold.paths import FoldPaths
from medfold.training.run_inputs import RunInputs


@dataclass(frozen=True)
class FoldInputs:
    """Settings and data for training one fold; they can be pickled for another process.

    Args:
        run_inputs: the settings and data of the run.
        number: number of the fold.
        paths: the files of the fold.
    """

    run_inputs: RunInputs
    number: int
    paths: FoldPaths

    @property
    def topic(self) -> str:
        """Name of the training on the terminal and in messages."""
        return f"fold {self.number}"

    @property
    def is_validation(self) -> np.ndarray:
        """True for each validation sample, which the net must not see: bool (samples,)."""
        return (self.run_inputs.train["fold"] == self.number).to_numpy()

    @property
    def validation(self) -> pd.DataFrame:
        """The validation samples: id, unit, group, fold."""
        return self.run_inputs.train[self.is_validation]

    @property
    def validation_targets(self) -> np.ndarray:
        """The targets of the validation samples, in their order."""
        return self.run_inputs.targets[self.is_validation]
