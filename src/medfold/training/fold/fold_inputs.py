"""Settings and data for training one fold."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from medfold.paths import FoldPaths
from medfold.training.run_inputs import RunInputs


@dataclass(frozen=True)
class FoldInputs:
    """Settings and data for training one fold.

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
    def is_held_out(self) -> np.ndarray:
        """True for each training sample of the fold, which the net must not see: bool (samples,)."""
        return (self.run_inputs.train["fold"] == self.number).to_numpy()

    @property
    def held_out(self) -> pd.DataFrame:
        """The held-out samples: id, unit, group, fold."""
        return self.run_inputs.train[self.is_held_out]

    @property
    def held_out_targets(self) -> np.ndarray:
        """The targets of the held-out samples, in their order."""
        return self.run_inputs.targets[self.is_held_out]
