"""Prediction with an ensemble, for new images and for a hidden test set.

The submission, `make predict` and the notebook use the same steps: the mean over the folds of each run (each fold
rounded to nine digits, as in test.csv), then the fitted ensemble of the runs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from medfold.competition import CompetitionFacts, PreparationSettings, Recipe
from medfold.ensemble import combine_runs, mean_of_arrays
from medfold.runs import is_wide
from medfold.scoring import FittedTransform
from medfold.system.native_output import silence_native_output
from medfold.tables import FLOAT_FORMAT

BATCH_SIZE = 64  # images per forward pass


@dataclass(frozen=True)
class MemberRun:
    """A run of an ensemble as it predicts, read from its folder or from a bundle.

    Args:
        name: name of the run.
        recipe: the recipe that it was trained with.
        weights_files: weights files, one per fold.
    """

    name: str
    recipe: Recipe
    weights_files: list[Path]


class PredictionLimit(NamedTuple):
    """Limit on the number of predictions per image.

    Args:
        max_folds: maximum number of folds of each run.
        max_views: maximum number of views (test-time augmentation) of each image.
    """

    max_folds: int
    max_views: int


class EnsemblePredictor:
    """Predicts images with the trained folds of one or several runs.

    There is one net per run, which gets the weights of each fold in turn: building and compiling a net takes longer
    than predicting a few images with it.

    Args:
        facts: facts of the competition that the runs were trained with.
        members: the runs, in the order of the members of the ensemble.
        fitted: combines the predictions of the runs.
        batch_size: images per forward pass. Defaults to 64.

    Attributes:
        preparations: the distinct ways in which the runs prepare images.

    Raises:
        UserError: a weights file is damaged, or belongs to another net.
    """

    def __init__(
        self,
        facts: CompetitionFacts,
        members: Sequence[MemberRun],
        fitted: FittedTransform,
        batch_size: int = BATCH_SIZE,
    ):
        self._facts = facts
        self._fitted = fitted
        self._runs = [_RunPredictor(facts, member, batch_size) for member in members]
        self.preparations: list[PreparationSettings] = []
        for member in members:
            if member.recipe.preparation not in self.preparations:
                self.preparations.append(member.recipe.preparation)
        self._preparation_index = [self.preparations.index(member.recipe.preparation) for member in members]

    @property
    def num_runs(self) -> int:
        """Number of runs whose predictions are combined."""
        return len(self._runs)

    @property
    def limits(self) -> PredictionLimit:
        """Largest number of folds and of views among the runs."""
        return PredictionLimit(max(run.num_folds for run in self._runs), max(run.num_views for run in self._runs))

    def cost(self, limit: PredictionLimit) -> int:
        """Returns the number of forward passes per image within a limit."""
        return sum(min(limit.max_folds, run.num_folds) * min(limit.max_views, run.num_views) for run in self._runs)

    def predict(self, pixels: Sequence[np.ndarray], limit: PredictionLimit | None = None) -> list[np.ndarray]:
        """Predicts images with each run.

        Args:
            pixels: uint8 (n, size, size, channels), one array for each of `preparations`.
            limit: restricts folds or views. Defaults to all.

        Returns:
            float64 (n, columns) for each run: the mean of its folds.
        """
        return [run(pixels[index], limit) for run, index in zip(self._runs, self._preparation_index, strict=True)]

    def combine(
        self,
        ids: Sequence[str],
        predictions: Sequence[np.ndarray],
        unit: pd.Series | None = None,
        fitted: FittedTransform | None = None,
    ) -> pd.DataFrame:
        """Combines the predictions of the runs.

        Args:
            ids: text (n,), the ids of the images.
            predictions: float64 (n, columns) for each run, as returned by `predict`.
            unit: the unit of each image, indexed by image id. Defaults to one unit per image.
            fitted: combines the predictions of the runs. Defaults to the `fitted` of the predictor.

        Returns:
            A table with `id` (of the unit) and the prediction columns.
        """
        unit = pd.Series(ids, index=ids, dtype=object) if unit is None else unit
        tables = []
        for values in predictions:
            table = pd.DataFrame(values, columns=self._facts.prediction_columns)
            table.insert(0, "id", np.asarray(ids, dtype=object))
            tables.append(table)
        return combine_runs(
            self._facts, {f"run {n}": table for n, table in enumerate(tables)}, unit, fitted or self._fitted
        )


class _RunPredictor:
    """Mean prediction over the folds of a run."""

    def __init__(self, facts: CompetitionFacts, member: MemberRun, batch_size: int):
        with silence_native_output(show_on_error=True):  # TensorFlow logs missing GPUs
            from medfold.prediction import Predictor, load_net, read_weights

        first, *others = member.weights_files
        self._net = load_net(facts, member.recipe, first)
        self._weights = [self._net.get_weights()]
        for weights in others:
            read_weights(self._net, weights)
            self._weights.append(self._net.get_weights())
        self._predictor = Predictor(self._net, facts.images.symmetry, member.recipe.tta, batch_size=batch_size)
        self.num_folds, self.num_views = len(self._weights), self._predictor.num_views
        size = member.recipe.preparation.size
        # Compiled now, so that the time of the first images is representative of the others.
        self._predictor(np.zeros((1, size, size, facts.images.num_channels), np.uint8), np.arange(1), num_views=1)

    def __call__(self, pixels: np.ndarray, limit: PredictionLimit | None) -> np.ndarray:
        rows = np.arange(len(pixels))
        outputs = []
        for weights in self._weights[: limit.max_folds if limit else None]:
            self._net.set_weights(weights)
            outputs.append(_rounded(self._predictor(pixels, rows, num_views=limit.max_views if limit else None)))
        return mean_of_arrays(outputs)


def _rounded(values: np.ndarray) -> np.ndarray:
    """Rounds as a fold's test.csv does; test.npz holds float32."""
    if is_wide(values.shape[1]):
        return values.astype(np.float64)
    return np.char.mod(FLOAT_FORMAT, values).astype(np.float64)
