"""The predictions and scores that a submission is made from."""

from typing import Any, Protocol

import numpy as np
import pandas as pd

from medfold.scoring import OofPredictions


class CombinedRuns(Protocol):
    """The combined predictions of one run or several, with their OOF score; `ensemble.Ensemble` is one.

    A protocol, since this package may not import `ensemble`.
    """

    @property
    def run_names(self) -> list[str]:
        """Names of the runs."""

    @property
    def oof(self) -> OofPredictions:
        """The OOF predictions that are scored."""

    @property
    def score(self) -> dict[str, Any]:
        """The content of score.json."""

    @property
    def test_predictions(self) -> pd.DataFrame:
        """Table of `id` (of the unit) and the prediction columns."""

    @property
    def test_probabilities(self) -> pd.DataFrame:
        """The same table of probabilities; differs if `test_predictions` holds decisions or ranks."""

    @property
    def fallback(self) -> np.ndarray:
        """float64 (columns,), the prediction for a unit without an image."""

    @property
    def prior(self) -> np.ndarray:
        """float64 (columns,), the mean of the units' labels: the probabilities for a unit without an image."""

    @property
    def inputs(self) -> dict[str, str]:
        """Hashes of the files that the predictions were made from, by path."""
